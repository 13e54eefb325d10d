"""Pictures of videos: a small one of each, and frames for the viewer.

Conventions:
    Frames are JPEG files, ``media/<dataset>/<video>/<frame>.jpg`` with the keys of dataset and video and the number of
    the frame. JPEG files that are small enough already, and upright, are copied byte by byte. The small picture,
    ``thumb.jpg``, is the frame in the middle with its annotation.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from vosbench.dataset import Video
from vosbench.dataset.fingerprint import files_digest
from vosbench.engine import pool
from vosbench.files import combined, write_whole
from vosbench.images import overlay, paths_of, read_annotation, read_frame
from vosbench.images.frames import orientation
from vosbench.images.opening import opened, read_bytes
from vosbench.images.sheets import Frame, resized
from vosbench.metrics.packed import unpack
from vosbench.report.site.made import Made

VERSION = 1
"""Raised whenever equal frames would give other pictures."""
HIGHEST = 480
"""Rows of a frame; larger ones are scaled."""
QUALITY, SMALL_QUALITY = 80, 70
WIDTH = 240
"""Columns of a small picture."""
THUMB = "thumb.jpg"


@dataclass(frozen=True, slots=True)
class Job:
    """A video whose pictures are made.

    Attributes:
        place: its folder below the site's, such as ``media/davis16/cows``.
        video: the video.
    """

    place: str
    video: Video

    def frame(self, index: int) -> str:
        """The file of a frame, below the site's folder."""
        return f"{self.place}/{index:05d}.jpg"


def jpeg(frame: Frame, quality: int) -> bytes:
    """Encode (H, W, 3) uint8, RGB, as JPEG."""
    import simplejpeg

    return bytes(simplejpeg.encode_jpeg(np.ascontiguousarray(frame), quality=quality, colorsubsampling="420"))


def frame_of(path: Path) -> bytes:
    """A frame for the viewer, at most `HIGHEST` rows, as a JPEG file.

    Raises:
        DataError: if the file is missing or damaged.
    """
    data = read_bytes(path, str(path))
    with opened(data, str(path)) as image:
        plain = image.format == "JPEG" and image.mode in {"L", "RGB"} and image.height <= HIGHEST
        if plain and orientation(image, data) == 1:
            return data
    frame = read_frame(path)
    height, width = frame.shape[:2]
    if height > HIGHEST:
        frame = resized(frame, (HIGHEST, max(1, round(width * HIGHEST / height))))
    return jpeg(frame, QUALITY)


def thumb_of(video: Video) -> bytes:
    """The small picture of a video, as a JPEG file.

    Raises:
        DataError: if a file is missing or damaged.
    """
    index = _middle(video)
    frame = read_frame(video.frames[index])
    size = (max(1, round(frame.shape[0] * WIDTH / frame.shape[1])), WIDTH)
    small = resized(frame, size)
    if index in video.annotations:
        mask = unpack(read_annotation(video.annotations[index], video.codec))
        spread = resized(np.repeat((mask * np.uint8(255))[..., None], 3, axis=2), size)[..., 0]
        small = overlay.tinted(small, spread > 127)
    return jpeg(small, SMALL_QUALITY)


def _middle(video: Video) -> int:
    """The frame that stands for a video: the annotated one in the middle, or the one in the middle."""
    known = sorted(index for index in video.annotations if index < len(video))
    return known[len(known) // 2] if known else len(video) // 2


def write_thumb(folder: Path, job: Job) -> list[str]:
    """Write the small picture of a video; returns its file."""
    file = f"{job.place}/{THUMB}"
    write_whole(folder / file, thumb_of(job.video))
    return [file]


def write_frames(folder: Path, job: Job) -> list[str]:
    """Write the frames of a video; returns their files."""
    files = [job.frame(index) for index in range(len(job.video))]
    for path, file in zip(job.video.frames, files, strict=True):
        write_whole(folder / file, frame_of(path))
    return files


def write(
    folder: Path,
    made: Made,
    jobs: Mapping[str, Job],
    *,
    frames: bool,
    processes: int = 1,
    advance: Callable[[str], None] = lambda _: None,
) -> None:
    """Write the pictures of videos that are not there yet.

    Args:
        folder: the site's.
        made: what has been made before.
        jobs: name → video.
        frames: whether frames are written, besides small pictures.
        processes: number of processes; each makes the pictures of one video at a time.
        advance: called with the name of each video.

    Raises:
        DataError: if a frame is missing or damaged.
    """
    kinds: list[tuple[str, Callable[[Path, Job], list[str]], Callable[[Video], str]]] = [
        ("thumb", write_thumb, _thumb_key)
    ]
    kinds += [("frames", write_frames, _frames_key)] if frames else []
    for kind, work, key_of in kinds:
        keys = {name: key_of(job.video) for name, job in jobs.items()}
        left = {name: job for name, job in jobs.items() if made.fresh(f"{kind} {name}", keys[name]) is None}
        done = pool.each(partial(work, folder), list(left.values()), processes)
        for name, files in zip(left, done, strict=True):
            made.add(f"{kind} {name}", keys[name], files)
            advance(name)


def _thumb_key(video: Video) -> str:
    index = _middle(video)
    paths = [video.frames[index], *(paths_of(video.annotations[index]) if index in video.annotations else ())]
    return combined([f"thumb {VERSION} {index} {len(video)} {video.codec}", files_digest(paths)])


def _frames_key(video: Video) -> str:
    return combined([f"frames {VERSION}", files_digest(video.frames)])
