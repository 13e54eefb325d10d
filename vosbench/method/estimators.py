"""Estimators of optical flow, by name, and their options."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vosbench.dataset import Video
from vosbench.dataset.flow import GAPS
from vosbench.errors import UsageError
from vosbench.files import combined, content, sha256
from vosbench.images.flow import Flow
from vosbench.method.options import Option, resolve, sized
from vosbench.records.provenance import package_versions

Frame = NDArray[np.uint8]
Estimator = Callable[[Frame, Frame], Flow]
"""Estimates the flow from one (H, W, 3) RGB frame to another of the same size, (H, W, 2)."""
STEPS = (1, -1)


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowMethod:
    """An estimator of optical flow.

    Attributes:
        title: the name in its paper.
        paper: the citation.
        options: its options, as a method's.
        load: makes the estimator, given all options and a torch device.
    """

    title: str
    paper: str
    options: Mapping[str, Option]
    load: Callable[[Mapping[str, str], str], Estimator]


def size(text: str) -> str:
    """Read a size, as WxH in pixels, or ``"frame"``.

    >>> size("428x240"), size("frame")
    ('428x240', 'frame')
    """
    wanted = 'it must be "frame" or WIDTHxHEIGHT, each 16 to 8192 pixels, such as 428x240'
    return text if text == "frame" else sized(text, lambda side: 16 <= side <= 8192, wanted)


def _dis(options: Mapping[str, str], device: str) -> Estimator:
    import cv2

    del device
    presets = {
        "ultrafast": cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST,
        "fast": cv2.DISOPTICAL_FLOW_PRESET_FAST,
        "medium": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,
    }
    flow = cv2.DISOpticalFlow.create(presets[options["preset"]])
    if options["finest"] != "preset":
        flow.setFinestScale(int(options["finest"]))

    def estimate(first: Frame, second: Frame) -> Flow:
        grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in (first, second)]
        return np.asarray(flow.calc(grey[0], grey[1], None), np.float32)  # type: ignore[call-overload]

    return estimate


def _raft(options: Mapping[str, str], device: str) -> Estimator:
    from vosbench.method.nn.raft import load

    return load(Path(options["weights"]) if options["weights"] else None, device)


SIZE = Option("frame", "size to estimate at, as WxH, or frame", read=size)
METHODS: Mapping[str, FlowMethod] = {
    "dis": FlowMethod(
        title="DIS",
        paper="Kroeger et al., Fast Optical Flow using Dense Inverse Search, ECCV 2016 (OpenCV)",
        options={
            "preset": Option("medium", "speed against accuracy", ("ultrafast", "fast", "medium")),
            "finest": Option("preset", "finest level: 0 is full size, each next half", ("preset", "0", "1", "2", "3")),
            "size": SIZE,
        },
        load=_dis,
    ),
    "raft": FlowMethod(
        title="RAFT",
        paper="Teed and Deng, RAFT: Recurrent All-Pairs Field Transforms for Optical Flow, ECCV 2020 (torchvision)",
        options={
            "weights": Option("", "a file of RAFT's weights as of torchvision; downloaded by it if empty", path=True),
            "size": SIZE,
        },
        load=_raft,
    ),
}


@dataclass(frozen=True, slots=True)
class Estimation:
    """How flow is made: a method, all of its options, and a device."""

    name: str
    options: Mapping[str, str]
    device: str = "cpu"

    @property
    def description(self) -> str:
        """Name and options, as `estimation` reads them."""
        usual = resolve(self.name, METHODS[self.name].options, {})
        changed = [f"{key}={value}" for key, value in self.options.items() if usual[key] != value]
        return f"{self.name}:{','.join(changed)}" if changed else self.name

    def key(self, frames: Sequence[str]) -> str:
        """What the flow of a video depends on, as a hash: frames (as `hashed`), method, options, files and packages."""
        options = METHODS[self.name].options
        files = [content(Path(value)) for key, value in self.options.items() if options[key].path and value]
        packages = {name: text for name, text in package_versions().items() if name in {"opencv-python", "torch"}}
        parts = [self.name, json.dumps(dict(self.options), sort_keys=True), *files, str(sorted(packages.items()))]
        return combined([*parts, *frames])


def hashed(video: Video) -> list[str]:
    """Hashes of the contents of a video's frames, in order."""
    return [sha256(frame)[:24] for frame in video.frames]


def estimation(text: str, device: str = "cpu") -> Estimation | None:
    """Read the name of a flow method, with options behind a colon; None if there is no method of that name.

    Raises:
        UsageError: if an option or value is unknown.

    >>> estimation("dis:preset=fast").description, estimation("flows/")
    ('dis:preset=fast', None)
    """
    name, _, rest = text.partition(":")
    if name not in METHODS:
        return None
    settings: dict[str, str] = {}
    for part in filter(None, rest.split(",")):
        key, sign, value = part.partition("=")
        if not sign:
            raise UsageError(f'"{part}" of "{text}" is not of the form name=value')
        settings[key] = value
    return Estimation(name, resolve(name, METHODS[name].options, settings), device)


def steps(gaps: str) -> tuple[int, ...]:
    """Read gaps, separated by commas, as steps forward and backward.

    Raises:
        UsageError: if one is not a number from 1 to 4.

    >>> steps("1,2")
    (1, -1, 2, -2)
    """
    found = [int(part) if part.strip().isdecimal() else 0 for part in gaps.split(",")]
    if any(gap not in GAPS for gap in found):
        raise UsageError(f'gaps are numbers from {GAPS[0]} to {GAPS[-1]}, separated by commas, not "{gaps}"')
    return tuple(step for gap in dict.fromkeys(found) for step in (gap, -gap))


def resized(estimate: Estimator, at: str) -> Estimator:
    """An estimator that works at another size."""
    if at == "frame":
        return estimate
    import cv2

    width, height = map(int, at.split("x"))

    def small(frame: Frame) -> Frame:
        shrinks = frame.shape[1] > width
        way = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(frame, (width, height), interpolation=way), np.uint8)

    return lambda first, second: estimate(small(first), small(second))
