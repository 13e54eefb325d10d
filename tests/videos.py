"""Video files for tests: made by PyAV, then changed where PyAV makes no such files."""

import struct
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
BASE = Fraction(1, 1000)
MATRICES = {
    1: (1, 0, 0, 1),
    2: (-1, 0, 0, 1),
    3: (-1, 0, 0, -1),
    4: (1, 0, 0, -1),
    5: (0, 1, 1, 0),
    6: (0, 1, -1, 0),
    7: (0, -1, -1, 0),
    8: (0, -1, 1, 0),
}
"""EXIF orientation → a, b, c and d of the matrix of an mp4 file that shows it so."""


def scene(frame: int, height: int = 48, width: int = 64) -> Pixels:
    """A bright square that moves to the right over grey, and a red corner at the top left, which tells the sides."""
    pixels = np.full((height, width, 3), 60, np.uint8)
    pixels[:12, :12] = (200, 0, 0)
    left = 14 + frame % (width - 32)
    pixels[20:36, left : left + 16] = (230, 230, 230)
    return pixels


def encode(
    path: Path,
    pictures: Iterable[Pixels],
    codec: str = "libx264",
    kind: str = "yuv420p",
    *,
    times: Sequence[int] | None = None,
    sound: bool = False,
) -> Path:
    """Write a video file.

    Args:
        path: the target.
        pictures: the frames.
        codec: by FFmpeg's name.
        kind: the format of pixels, by FFmpeg's name.
        times: when each frame is shown, in milliseconds; every 40 by default.
        sound: whether there is sound too, of two seconds more.
    """
    pictures = list(pictures)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options={"crf": "12"} if codec == "libx264" else {})
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = kind
        if codec != "gif":
            stream.codec_context.time_base = BASE
        audio = container.add_stream("aac", rate=8000) if sound else None
        form = "rgba" if pictures[0].shape[2] == 4 else "rgb24"
        for index, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format=form)
            if codec != "gif":
                frame.pts, frame.time_base = (times[index] if times else 40 * index), BASE
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if audio is not None:
            for block in range(2 + len(pictures) // 25):
                tone = np.sin(np.arange(8000) / 3, dtype=np.float32)[None]
                heard = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
                heard.sample_rate, heard.pts = 8000, 8000 * block
                container.mux(audio.encode(heard))
            container.mux(audio.encode(None))
    return path


def turn(path: Path, orientation: int) -> Path:
    """Change an mp4 file so that it is shown turned, as phones do."""
    data = bytearray(path.read_bytes())
    start = data.index(b"tkhd") + 44
    a, b, c, d = (65536 * sign for sign in MATRICES[orientation])
    data[start : start + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    return path


def decoded(path: Path, look: Callable[[av.VideoFrame], object]) -> list[object]:
    """What is to be seen of each frame of a video file."""
    with av.open(str(path)) as container:
        return [look(frame) for frame in container.decode(video=0)]
