"""Run methods on datasets: names to maps to a record.

`resolve` turns names into a job. `run` does it: `opened` takes hold of its folder, `segment` writes and scores the maps
of one video in whatever process, and `finish` makes the record of what came back.
"""

from vosbench.runner.jobs import Job, resolve, resolve_method, resolve_options, resolve_weights
from vosbench.runner.merging import merge
from vosbench.runner.runs import Opened, Run, finish, opened, run, segmented
from vosbench.runner.shards import Entry, Listing, Shard, run_shard
from vosbench.runner.units import Segmented, Unit, segment

__all__ = [
    "Entry",
    "Job",
    "Listing",
    "Opened",
    "Run",
    "Segmented",
    "Shard",
    "Unit",
    "finish",
    "merge",
    "opened",
    "resolve",
    "resolve_method",
    "resolve_options",
    "resolve_weights",
    "run",
    "run_shard",
    "segment",
    "segmented",
]
