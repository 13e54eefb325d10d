"""What weights were trained on, in a few words, from the line that a record or a source has."""

import re

from vosbench.report.site.keys import shown
from vosbench.report.site.model import Training

PART = re.compile(r"\s*(?P<name>[^\s(]+)(?P<rest>.*)", re.DOTALL)
REMARK = re.compile(r"\((?P<remark>[^()]*)\)\s*$")
IMAGENET, RANDOM, SAME = "ImageNet", "random weights", "weights of the same data"


def training_of(text: str) -> Training:
    """Parse the line of ``vosbench train``, or a list of data sets with semicolons between.

    >>> training_of("DAVIS-2016 train; MSRA10K").tags
    ('DAVIS-2016 train', 'MSRA10K')
    >>> training_of("Real all + duts train without a, b (none of DAVIS-2016 val), from weights of ImageNet (x 1)").short
    'Real + part of duts, none of DAVIS-2016 val; from ImageNet weights'
    >>> training_of("sample train, from weights of sample train, from random weights").short
    'sample; from random weights'
    """
    if not text.strip():
        return Training()
    if ", from " not in text:
        tags = tuple(dict.fromkeys(shown(part) for part in text.split(";") if part.strip()))
        return Training(text=shown(text), tags=tags, short=" + ".join(tags))
    data, *starts = text.split(", from ")
    remark = REMARK.search(data)
    names, parts = [], []
    for each in REMARK.sub("", data).split(" + "):
        found = PART.match(each)
        if found is None:
            continue
        name = shown(found["name"])
        names.append(name)
        parts.append(f"part of {name}" if " without " in found["rest"] else name)
    start = next((start for start in reversed(starts) if start.strip() != SAME), "")
    if start.startswith(f"weights of {IMAGENET}"):
        names.append(IMAGENET)
        start = f"{IMAGENET} weights"
    short = " + ".join(parts) + (f", {shown(remark['remark'])}" if remark else "")
    return Training(
        text=shown(text),
        tags=tuple(dict.fromkeys(names)),
        short=short + (f"; from {shown(start)}" if start else ""),
    )
