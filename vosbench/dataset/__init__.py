"""What a dataset is, how its videos are found on disk, and under which protocol they are scored."""

from vosbench.dataset.dataset import Dataset, Download, Listed, VideoFinder
from vosbench.dataset.protocol import DatasetProtocol
from vosbench.dataset.video import Video

__all__ = ["Dataset", "DatasetProtocol", "Download", "Listed", "Video", "VideoFinder"]
