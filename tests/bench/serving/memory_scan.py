"""The least that a look at all books takes: one product with their factors, in a quiet process.

    python -m tests.bench.serving.memory_scan ITEM_FACTORS.npy
"""

import json
import sys
import time

import numpy as np

N_SCANS = 200


def main(path: str) -> None:
    """Print the median as JSON."""
    item_factors = np.load(path)
    user = np.ones(item_factors.shape[1], dtype=np.float32)
    seconds = []
    for _ in range(N_SCANS):
        started_s = time.perf_counter()
        item_factors @ user
        seconds.append(time.perf_counter() - started_s)
    median_s = float(np.median(seconds))
    figures = {"mib": item_factors.nbytes / 2**20, "ms": 1000 * median_s, "gb_s": item_factors.nbytes / median_s / 1e9}
    print(json.dumps(figures))


if __name__ == "__main__":
    main(sys.argv[1])
