"""Read video files as viewers show them, and write video files.

Conventions:
    Frames are turned as the file's metadata say (its display matrix); sound and subtitles are not looked at. What is
    transparent is white. Frames keep the times at which they are shown, which need not be regular.
    Files are read by FFmpeg, through PyAV. It opens nothing but the file, and only formats of `FORMATS`: playlists and
    other lists of files, which could name any file of this machine, are refused.
    Source: FFmpeg's `AVFrame` and ``AV_FRAME_DATA_DISPLAYMATRIX``; ISO/IEC 14496-12, ``tkhd``.
"""

import struct
from array import array
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vosbench.errors import DataError, UsageError, VosbenchError, extras_needed, one_line
from vosbench.files import being_written
from vosbench.images.frames import SIDEWAYS, turned
from vosbench.images.opening import MOST_PIXELS, check_file

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

Frame = NDArray[np.uint8]
Advance = Callable[[int, int], None]

FORMATS = "mov,matroska,gif,avi,mpegts,mpeg,asf,flv,ogg"
"""What FFmpeg may take a file for, by its names of them; mov is also mp4, and matroska also webm."""
READABLE = "mp4, mov, mkv, webm, gif or avi"
WRITABLE = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska"}
"""Suffix of a file that is written → FFmpeg's name of the format."""
LARGEST_FILE = 2**50
CUT_OFF = 0.9
"""A video that is shorter than this part of what its header says may be cut off."""
TURNS = {
    (1, 0, 0, 1): 1,
    (-1, 0, 0, 1): 2,
    (-1, 0, 0, -1): 3,
    (1, 0, 0, -1): 4,
    (0, 1, 1, 0): 5,
    (0, 1, -1, 0): 6,
    (0, -1, -1, 0): 7,
    (0, -1, 1, 0): 8,
}
"""Signs of a, b, c and d of a display matrix, which shows (x, y) at (a x + c y, b x + d y) → the EXIF orientation."""
USUAL_RATE = Fraction(25)
MPEG4_BASE = Fraction(1, 60000)
"""MPEG-4 Part 2 has at most 65,535 ticks in a second; these divide all usual rates."""


@dataclass(frozen=True, slots=True)
class Film:
    """A video file, all of whose frames can be decoded.

    Attributes:
        path: the file.
        size: (H, W) of every frame, turned.
        times: when each frame is shown, in units of `base`, from 0 on.
        last: how long the last frame is shown, in units of `base`.
        base: seconds.
        rate: frames per second, on average.
        aspect: width of a pixel by its height, after turning.
        short: what the header promises and the file does not contain; ``""`` if it is complete.
    """

    path: Path
    size: tuple[int, int]
    times: "array[int]"
    last: int
    base: Fraction
    rate: Fraction
    aspect: Fraction = Fraction(1)
    short: str = ""


class Shown(NamedTuple):
    """A decoded frame; `turn` is the EXIF orientation with which it is shown."""

    frame: "VideoFrame"
    turn: int

    @property
    def size(self) -> tuple[int, int]:
        """(H, W), turned."""
        height, width = self.frame.height, self.frame.width
        return (width, height) if self.turn >= SIDEWAYS else (height, width)

    def pixels(self) -> Frame:
        """(H, W, 3) uint8, RGB, turned."""
        if self.frame.format.name != "pal8" and not any(part.is_alpha for part in self.frame.format.components):
            return turned(self.frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False), self.turn)
        pixels = self.frame.to_ndarray(format="rgba").astype(np.uint16)
        colour, alpha = pixels[..., :3], pixels[..., 3:]
        return turned(((colour * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8), self.turn)


@contextmanager
def opened(path: Path, name: str) -> "Iterator[tuple[InputContainer, VideoStream]]":
    """Open a video file; whatever fails inside the block becomes a `DataError` that names the file.

    Args:
        path: the file.
        name: its name in errors.

    Yields:
        the container and its main video stream.

    Raises:
        DataError: if it is not a file, not a video, or damaged.
        UsageError: if PyAV is not installed.
    """
    check_file(path, name, LARGEST_FILE)
    with extras_needed():
        import av
    try:
        allowed = {"format_whitelist": FORMATS, "protocol_whitelist": "file"}
        with av.open(str(path.absolute()), metadata_errors="replace", options=allowed) as container:
            stream = next((each for each in container.streams.video if not _is_cover(each)), None)
            if stream is None:
                raise DataError(f'"{name}" contains no video')
            check_size(stream.width, stream.height, name)
            stream.thread_type = "AUTO"
            yield container, stream
    except VosbenchError:
        raise
    except av.error.FFmpegError as error:
        why = error.strerror or one_line(error)
        raise DataError(f'"{name}" cannot be read as a video ({READABLE}): {why}') from error


def _is_cover(stream: "VideoStream") -> bool:
    """Whether a stream is the picture on the cover of a song."""
    return "attached_pic" in str(getattr(stream, "disposition", ""))  # which older versions of PyAV do not tell


def check_size(width: int, height: int, name: str, most: int = MOST_PIXELS) -> None:
    """Refuse frames of more than ``most`` pixels.

    Raises:
        DataError: if they have more.
    """
    if width * height > most:
        raise DataError(f'"{name}" is {width}×{height}; frames of more than {most:,} pixels are not read')


def shown(path: Path, name: str) -> Generator[Shown, None, None]:
    """Decode the frames of a video file, in the order in which they are shown.

    Raises:
        DataError: if it cannot be read to its end, or its frames are of several sizes.
    """
    size = None
    with opened(path, name) as (container, stream):
        for index, frame in enumerate(container.decode(stream)):
            if frame.is_corrupt:
                raise DataError(f'"{name}" is damaged at frame {index}')
            check_size(frame.width, frame.height, name)
            one = Shown(frame, _turn(frame))
            if size not in {None, one.size}:
                raise DataError(f'frame {index} of "{name}" has another size than the frames before; re-encode it')
            size = one.size
            yield one


def _turn(frame: "VideoFrame") -> int:
    """The EXIF orientation that a frame's display matrix amounts to; of other angles, the nearest."""
    data: Any = frame.side_data  # by index; its annotation says otherwise
    matrix = next((bytes(each) for each in data if each.type.name == "DISPLAYMATRIX"), b"")
    if len(matrix) != 36:
        return 1
    a, b, _, c, d, *_ = struct.unpack("=9i", matrix)
    if abs(a) + abs(d) >= abs(b) + abs(c):
        b = c = 0
    else:
        a = d = 0
    return TURNS.get((_sign(a), _sign(b), _sign(c), _sign(d)), 1)


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)


def look_through(path: Path, name: str, advance: Advance = lambda _done, _total: None) -> Film:
    """Decode a video file once, keeping nothing but the times of its frames.

    Args:
        path: the file.
        name: its name in errors.
        advance: called with the number of frames so far, and the total as the header has it; 0 if it has none.

    Raises:
        DataError: if it contains no frames, or cannot be read to its end.
    """
    with opened(path, name) as (container, stream):
        promised, seconds = stream.frames, _seconds(container, stream)
        base, rate = stream.time_base or Fraction(0), stream.average_rate or USUAL_RATE
        aspect = stream.sample_aspect_ratio or Fraction(1)
    first: Shown | None = None
    times = array("q")
    with closing(shown(path, name)) as frames:
        for one in frames:
            first, time = first or one, one.frame.pts
            if time is None or (times and time <= times[-1]):
                base = Fraction(0)  # without times that increase, frames are shown at the average rate
            times.append(time or 0)
            advance(len(times), promised)
    if first is None:
        raise DataError(f'"{name}" contains no frames')
    times = array("q", (time - times[0] for time in times) if base else range(len(times)))
    base = base or 1 / rate
    last = times[-1] - times[-2] if len(times) > 1 else max(1, round(1 / rate / base))
    length = float((times[-1] + last) * base)
    short = f"{length:.1f} s of {seconds:.1f} s" if length < CUT_OFF * seconds else ""
    return Film(path, first.size, times, last, base, rate, 1 / aspect if first.turn >= SIDEWAYS else aspect, short)


def _seconds(container: "InputContainer", stream: "VideoStream") -> float:
    """How long a video is by its header; 0 if that is not known."""
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    alone = len(container.streams) == 1  # otherwise the sound may be longer
    return (container.duration or 0) / 1e6 if alone else 0.0


def write(path: Path, film: Film, pictures: Iterable[Frame]) -> None:
    """Write a video file, atomically: H.264 if FFmpeg has libx264, MPEG-4 Part 2 otherwise.

    Args:
        path: the target; its suffix is one of `WRITABLE`.
        film: the times, the rate and the shape of the pixels.
        pictures: (H, W, 3) uint8, RGB, one for each of its times; an odd side gets one
            more row or column, a copy of the last.

    Raises:
        DataError: if it cannot be written.
        UsageError: if the suffix is another, or PyAV is not installed.
    """
    check_writable(path)
    with extras_needed():
        import av
    try:
        with (
            being_written(path) as part,
            av.open(str(part), "w", format=WRITABLE[path.suffix.lower()]) as container,
        ):
            codec = next(name for name in ("libx264", "mpeg4") if name in av.codecs_available)
            stream: Any = container.add_stream(codec, rate=film.rate, options={"crf": "20"} if codec != "mpeg4" else {})
            height, width = (side + side % 2 for side in film.size)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            base = film.base
            if codec == "mpeg4":
                base, stream.bit_rate = MPEG4_BASE, 8 * width * height
            stream.codec_context.time_base = base
            stream.codec_context.sample_aspect_ratio = film.aspect
            times = array("q", (round(time * film.base / base) for time in film.times))
            for time, picture in zip(times, pictures, strict=True):
                even = np.pad(picture, ((0, height - picture.shape[0]), (0, width - picture.shape[1]), (0, 0)), "edge")
                frame = av.VideoFrame.from_ndarray(even, format="rgb24")
                frame.pts, frame.time_base = time, base
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    except av.error.FFmpegError as error:
        raise DataError(f'"{path}" cannot be written: {error.strerror or one_line(error)}') from error


def check_writable(path: Path) -> None:
    """Check that a video file can have a name.

    Raises:
        UsageError: if it cannot.
    """
    if path.suffix.lower() not in WRITABLE:
        raise UsageError(f'"{path}" should end in {", ".join(WRITABLE)}')
