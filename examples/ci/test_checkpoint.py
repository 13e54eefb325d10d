"""The same gate in a test suite of your own: ``pytest``, or ``pytest --vosbench-per-video`` for a test per video.

The fixture comes with vosbench. Relative paths begin at pytest's root folder.
"""

import pytest

from vosbench.pytest_plugin import Gate


@pytest.mark.vosbench(
    "f2net.tiny",
    "sample",
    baseline="baselines/f2net.tiny.json",
    weights="weights/f2net.tiny.safetensors",
    max_drop=0.005,
)
def test_checkpoint(vosbench_check: Gate) -> None:
    """The checkpoint is no worse than its baseline, and finds most of most objects."""
    record = vosbench_check()
    assert (record.scores["J_mean"] or 0) > 0.5
