"""The suites that papers report."""

from vosbench.dataset.suite import Suite, SuiteEntry

SALIENCY = ("MAE", "maxF", "S")

uvos = Suite(
    name="uvos",
    title="unsupervised video object segmentation: J, and on DAVIS-2016 also F",
    entries=(
        SuiteEntry(dataset="davis16", split="val", protocol="davis16", scores=("JF_mean", "J_mean", "F_mean")),
        SuiteEntry(dataset="fbms", split="test", protocol="fbms-seqmean", scores=("J_mean",)),
        SuiteEntry(dataset="ytobj", split="test", protocol="ytobj-category", scores=("J_mean",)),
    ),
)

# SegTrack-v2 without penguin, DAVSOD's easy videos and the 40 test videos of VOS, as in SSAV (CVPR 2019).
vsod = Suite(
    name="vsod",
    title="video salient object detection: MAE, maximal F and S, as in DAVSOD's toolbox",
    entries=tuple(
        SuiteEntry(dataset=dataset, split=split, protocol="vsod-davsod", scores=SALIENCY)
        for dataset, split in (
            ("visal", "test"),
            ("davis16", "val"),
            ("fbms", "test"),
            ("segtrack2", "vsod13"),
            ("davsod", "easy"),
            ("vos", "test"),
        )
    ),
)
