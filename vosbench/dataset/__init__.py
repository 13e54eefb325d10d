"""What a dataset is, how its videos are found on disk, and how they are scored."""

from vosbench.dataset.dataset import Dataset, Download, Listed, VideoFinder, read_sequences
from vosbench.dataset.protocol import DatasetProtocol
from vosbench.dataset.suite import Suite, SuiteEntry
from vosbench.dataset.video import Video

__all__ = [
    "Dataset",
    "DatasetProtocol",
    "Download",
    "Listed",
    "Suite",
    "SuiteEntry",
    "Video",
    "VideoFinder",
    "read_sequences",
]
