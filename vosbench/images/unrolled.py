"""The frames of a video file as image files, each of which is written when it is opened.

Methods take paths of frames (`vosbench.dataset.Video`). Writing all of a long video first would fill the disk, so the
paths of this module decode a frame on demand, and the frames that were not used for longest are removed.
"""

import threading
from collections import OrderedDict
from collections.abc import Generator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from vosbench.errors import DataError
from vosbench.images.films import Film, Shown, shown

if TYPE_CHECKING:
    Base = Path
else:
    Base = type(Path())  # the system's kind, since older versions of Python have no others
MOST_BYTES = 2**29
"""Of frames on disk: 435 frames of 480p, 86 of 1080p."""
FEWEST = 8
"""Frames that are kept however large they are."""
DIGITS = 5


def names(frames: int) -> list[str]:
    """Numbers of frames as text, which sort: of five digits, or more if there are more frames.

    >>> names(2)
    ['00000', '00001']
    """
    digits = max(DIGITS, len(str(frames - 1)))
    return [f"{index:0{digits}d}" for index in range(frames)]


class FramePath(Base):
    """A path of a frame, whose file is written when somebody asks for its name, as everybody does who opens it."""

    unrolled: "Unrolled | None" = None
    index: int = 0

    def __fspath__(self) -> str:
        """The path, after writing the frame."""
        return str(self)

    def __str__(self) -> str:
        """The path, after writing the frame."""
        if self.unrolled is not None:
            self.unrolled.provide(self.index)
        return super().__str__()


class Unrolled:
    """Frames of a video file on disk, in a block; see `paths`.

    Frames are best used in order: an earlier one that was removed is decoded again from the start of the file, so that
    it is the same to the last bit.

    Args:
        film: the video file.
        name: its name in errors.
        folder: an empty folder for the frames, which whoever made it removes.
        most: bytes of frames to keep.
    """

    def __init__(self, film: Film, name: str, folder: Path, most: int = MOST_BYTES) -> None:
        self._film, self._name, self._folder = film, name, folder
        self._room = max(FEWEST, most // (3 * film.size[0] * film.size[1]))
        self._written: OrderedDict[int, Path] = OrderedDict()
        self._frames: Generator[Shown, None, None] | None = None
        self._next = 0
        self._lock = threading.RLock()
        self._names = [f"{name}.bmp" for name in names(len(film.times))]

    def __enter__(self) -> Self:
        """Start the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        with self._lock:
            self._rewind()

    @property
    def paths(self) -> tuple[Path, ...]:
        """A path for each frame, in order, named after its number."""
        return tuple(map(self._path, range(len(self._names))))

    def _path(self, index: int) -> Path:
        path = FramePath(self._folder / self._names[index])
        path.unrolled, path.index = self, index
        return path

    def provide(self, index: int) -> None:
        """Write a frame, unless it is on disk.

        Raises:
            DataError: if the video can no longer be read as before.
        """
        with self._lock:
            if index in self._written:
                self._written.move_to_end(index)
                return
            first = index
            if index < self._next:
                # Whoever goes back may go on backwards: more frames at once, so that not each costs all before it.
                self._rewind()
                first = max(0, index - self._room // 2)
            while self._next <= index:
                self._advance(keep=self._next >= first)

    def _advance(self, *, keep: bool) -> None:
        self._frames = self._frames or shown(self._film.path, self._name)
        one = next(self._frames, None)
        if one is None or one.size != self._film.size:
            raise DataError(f'"{self._name}" has changed while it was read')
        index, self._next = self._next, self._next + 1
        if not keep or index in self._written:
            return
        while len(self._written) >= self._room:
            _, oldest = self._written.popitem(last=False)
            oldest.unlink(missing_ok=True)
        self._written[index] = self._write(self._folder / self._names[index], one)

    def _rewind(self) -> None:
        if self._frames is not None:
            self._frames.close()
        self._frames, self._next = None, 0

    def _write(self, path: Path, one: Shown) -> Path:
        import cv2

        _, data = cv2.imencode(".bmp", one.pixels()[..., ::-1])
        try:
            path.write_bytes(data.tobytes())
        except OSError as error:
            raise DataError(
                f'no frame of "{self._name}" can be written to "{self._folder}": {error.strerror}; '
                "the variable TMPDIR names another folder"
            ) from None
        return path
