"""A fixed amount of work that tells how fast a machine is at the moment.

Benchmarks are compared as ratios to it, so that a slower machine, or one that others use too, counts for both.
"""

import json
import time
import zlib

import numpy as np

VERSION = 1
"""To be raised with every change of `loop`, since stored ratios are then not comparable."""
WORDS = np.random.default_rng(0).integers(0, 2**63, (480, 14), np.uint64)
LEVELS = np.random.default_rng(1).integers(0, 256, 480 * 854, np.uint8)
FLOATS = np.random.default_rng(2).random((400, 400))
DEFLATED = zlib.compress(bytes(range(256)) * 1600)
TEXT = json.dumps([{"name": f"video-{number}", "values": [number / 7, number / 11]} for number in range(300)])


def loop() -> float:
    """Do the work once, about 15 ms: interpreter, small and large arrays, zlib, JSON.

    Returns:
        its processor seconds.
    """
    start = time.process_time()
    found: dict[int, int] = {}
    for number in range(50_000):
        found[number % 97] = found.get(number % 89, 0) + number
    for shift in range(80):
        moved = (WORDS >> np.uint64(shift)) ^ WORDS
        np.bitwise_count(moved | WORDS).sum()
    for _ in range(2):
        np.bincount(LEVELS, minlength=256)
        np.add.accumulate(LEVELS, dtype=np.uint8)
    for _ in range(6):
        (FLOATS * FLOATS / (FLOATS + 1)).sum()
    for _ in range(6):
        zlib.decompress(DEFLATED)
    for _ in range(2):
        json.loads(TEXT)
    return time.process_time() - start
