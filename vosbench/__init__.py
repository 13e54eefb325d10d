"""vosbench: the benchmark and evaluation suite for unsupervised video object segmentation."""

__version__ = "0.1.0"
