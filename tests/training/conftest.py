import os

# PyTorch reads it when it is imported. The other folder of tests keeps the other core busy, and
# small networks gain nothing from a second thread.
os.environ.setdefault("OMP_NUM_THREADS", "1")
