"""The same gate in your own test suite: ``pytest``, or ``pytest --vosbench-per-video`` for a test per video.

The fixture comes with vosbench. Relative paths start from pytest's root folder.
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
    """The checkpoint is no worse than its baseline, and covers most objects well."""
    record = vosbench_check()
    assert (record.scores["J_mean"] or 0) > 0.5
