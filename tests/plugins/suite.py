"""A suite of two datasets: the toy, and another of its kind."""

from dataclasses import replace

from toy import brightness, toy

from vosbench.dataset import Suite, SuiteEntry

__all__ = ["brightness", "other", "toy", "toys"]

other = replace(toy, name="other", title="Other", folders=("Others",))
toys = Suite(
    name="toys",
    title="Two toys",
    entries=(
        SuiteEntry(dataset="toy", split="val", protocol="toy-inner", scores=("J_mean", "F_mean")),
        SuiteEntry(dataset="other", split="val", protocol="toy-saliency", scores=("MAE",)),
    ),
)
