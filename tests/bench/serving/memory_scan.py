"""The least that a look at all books takes: one product with their factors, in a quiet process.

python -m tests.bench.serving.memory_scan ITEM_FACTORS.npy
"""

import sys
import time

import numpy as np

N_SCANS = 200


def main(path: str) -> None:
    """Print the median."""
    item_factors = np.load(path)
    user = np.ones(item_factors.shape[1], dtype=np.float32)
    seconds = []
    for _ in range(N_SCANS):
        started_s = time.perf_counter()
        item_factors @ user
        seconds.append(time.perf_counter() - started_s)
    median_s = float(np.median(seconds))
    n_bytes = item_factors.nbytes
    print(f"{n_bytes / 2**20:.0f} MiB in {1000 * median_s:.2f} ms, {n_bytes / median_s / 1e9:.0f} GB/s")


if __name__ == "__main__":
    main(sys.argv[1])
