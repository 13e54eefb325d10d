"""Notes on scored masks: how they were read, and what makes it likely that they were misread."""

from collections.abc import Sequence
from importlib.util import find_spec

from vosbench.dataset import DatasetProtocol
from vosbench.dataset.selection import Selection
from vosbench.errors import counted, printable
from vosbench.evaluate.predictions import Predictions
from vosbench.evaluate.task import Scored
from vosbench.images.codecs import codec as codec_of
from vosbench.metrics.statistics import mean

FAR = 0.2
"""Difference of J that makes inverted masks far better."""


def notes(scored: list[Scored], selection: Selection, masks: Predictions) -> list[str]:
    """Notes for readers of the numbers, one per line."""
    lines = [
        *readings(masks),
        *masks.notes,
        *_lossy(scored),
        *selection.notes(),
        *warnings(scored, masks),
    ]
    unscored = sum(video.unscored for video in scored)
    if unscored:
        lines.append(f'{unscored} frames have no mask, but protocol "{selection.protocol.name}" does not score them')
    return [printable(line) for line in lines + slowness(selection.protocol)]


def readings(masks: Predictions) -> list[str]:
    """How masks were read, and how to say otherwise."""
    videos: dict[str, list[str]] = {}
    for video, name in masks.codecs.items():
        videos.setdefault(name, []).append(video)
    usual = max(videos, key=lambda name: len(videos[name]), default="map")
    otherwise = "; otherwise pass --codec" if masks.recognising else ""
    lines = [f'masks are read as "{usual}" ({codec_of(usual).meaning}){otherwise}']
    for name, some in videos.items():
        if name != usual:
            lines.append(f'but those of {listed(some)} as "{name}" ({codec_of(name).meaning})')
    return lines


def _lossy(scored: Sequence[Scored]) -> list[str]:
    lossy = sum(found.times for video in scored for look, found in video.looks.items() if look.lossy)
    if not lossy:
        return []
    return [f"{counted(lossy, 'mask')} in JPEG files, whose values are not exact: edges may differ from those meant"]


def warnings(scored: Sequence[Scored], masks: Predictions) -> list[str]:
    """What makes it likely that masks were misread: their numbers should not be trusted before a look at the masks."""
    lines = []
    faint = [
        (found.times, found.example)
        for video in scored
        for look, found in video.looks.items()
        if look.faint and codec_of(masks.codecs[video.video]).soft
    ]
    if faint:
        count = sum(each for each, _ in faint)
        lines.append(
            f"warning: {counted(count, 'soft map')} with values above 0, but none in the upper half of the "
            f'range, such as "{faint[0][1]}", count{"s" * (count == 1)} as empty masks'
        )
    empty, full, masks_read = (sum(video.uniform[at] for video in scored) for at in range(3))
    if masks_read and masks_read in {empty, full}:
        lines.append(f"warning: all masks are {'empty' if empty else 'full: they cover every pixel'}")
    inverted = [video.video for video in scored if _better_inverted(video)]
    if len(inverted) * 2 > len(scored) and (not masks_read or masks_read not in {empty, full}):
        lines.append(
            f"warning: inverted, the masks would score far better on {len(inverted)} of {len(scored)} videos "
            f"({listed(inverted)}); are object and background swapped?"
        )
    return lines


def _better_inverted(video: Scored) -> bool:
    """Whether J, or MAE if only saliency is measured, of the inverted masks is far better."""
    region = mean([row.value for row in video.rows if row.measure == "J"])
    if region is not None and video.complement is not None:
        return video.complement > region + FAR
    error = mean([row.value for row in video.rows if row.measure == "MAE"])
    return error is not None and error > (1 + FAR) / 2


def listed(names: Sequence[str]) -> str:
    """The first names of a list.

    >>> listed(["a", "b", "c", "d"])
    '"a", "b", "c", …'
    """
    return ", ".join(f'"{name}"' for name in names[:3]) + (", …" if len(names) > 3 else "")


def slowness(protocol: DatasetProtocol) -> list[str]:
    """A note if measures of the protocol take their slower form, because Numba is not installed."""
    if find_spec("numba") is not None or not (protocol.soft or "T" in protocol.measures):
        return []
    return ['T and saliency take longer without Numba; for the same numbers sooner: pip install "vosbench[fast]"']


def waiting(protocol: DatasetProtocol) -> list[str]:
    """A note, before anything is scored, if a measure has to be compiled first."""
    if "T" not in protocol.measures:
        return []
    from vosbench.metrics.warm import is_needed

    return (
        ["T is compiled first, once on this machine, in about 10 s; ahead: vosbench data warm"] if is_needed() else []
    )
