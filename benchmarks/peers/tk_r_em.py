"""tk_r_em 1.0.4 (Lobato et al., GPL-3.0), network sfr_hrstem, TensorFlow on one thread."""

from __future__ import annotations

import sys
from typing import Any

import tensorflow as tf  # type: ignore[import-untyped]
from tk_r_em import load_network  # type: ignore[import-not-found]

from benchmarks.peers.loop import serve


def main() -> None:
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    network = load_network("sfr_hrstem")
    transposed = "--transposed" in sys.argv  # its fast scan direction along the first index

    def clean(image: Any) -> Any:
        return network.predict(image.T).T if transposed else network.predict(image)

    serve(clean)


if __name__ == "__main__":
    main()
