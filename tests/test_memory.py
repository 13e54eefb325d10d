"""The memory of run and score does not grow with the length of a video."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "benchmarks" / "memory.py"
FEW, MANY = 50, 2000
NOISE = 12.0
"""MB by which two runs of the same work differ; 1950 masks of this size are 37 MB, and frames 112 MB."""


@pytest.mark.slow
def test_memory_is_flat() -> None:
    cases = [word for frames in (FEW, MANY) for word in ("--case", f"160x120:{frames}")]
    done = subprocess.run([sys.executable, SCRIPT, *cases], capture_output=True, text=True, check=True)
    few, many = ([float(cell) for cell in line.split(" | ")[2:]] for line in done.stdout.splitlines())
    assert len(few) == 3
    assert [more - less < NOISE for less, more in zip(few, many, strict=True)] == [True] * 3, (few, many)
