"""The zoo's networks in an old ONNX Runtime, such as 1.12.1 of deepImageJ.

    python3.10 -m venv old && old/bin/pip install onnxruntime==1.12.1 "numpy<2"
    old/bin/python tests/old_runtime.py

Needs nothing else. Each network gets its sample picture as bioimage.io normalises it, and is to
give its sample answer.
"""

import sys
from pathlib import Path

import numpy as np
import onnxruntime

ZOO = Path(__file__).parents[1] / "zoo"
MOST = 1e-4  # of the largest answer


def main():
    print(f"ONNX Runtime {onnxruntime.__version__}")
    far = []
    for network in sorted(ZOO.glob("*/*.onnx")):
        session = onnxruntime.InferenceSession(str(network), providers=["CPUExecutionProvider"])
        own = network.with_name(f"{network.stem}.sample_input.npy")  # of an older version
        given = own if own.exists() else network.with_name("sample_input.npy")
        image = np.load(given).astype(np.float32)
        wanted = np.load(given.with_name(given.name.replace("input", "output")))
        if session.get_inputs()[0].name == "image":
            image = (image - image.mean()) / image.std()
        answer = session.run(None, {session.get_inputs()[0].name: image})[0]
        error = np.abs(answer - wanted).max() / np.abs(wanted).max()
        print(f"{network.stem}: {error:.1e}")
        if not error < MOST:
            far.append(network.stem)
    sys.exit(f"too far off: {', '.join(far)}" if far else 0)


if __name__ == "__main__":
    main()
