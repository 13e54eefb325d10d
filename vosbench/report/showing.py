"""Which frames of overlays are shown, and the files that show them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Literal

from vosbench.errors import DataError, UsageError
from vosbench.images import films, sheets, write_png
from vosbench.images.overlay import Frame
from vosbench.images.sheets import grid, resized
from vosbench.report.overlays import Overlays

Kind = Literal["png", "gif", "mp4"]
Chosen = Mapping[str, Sequence[int]]
"""Video → frames."""
PICTURE, GIF = ".png", ".gif"


def pick(overlays: Overlays, frames: str) -> dict[str, list[int]]:
    """Choose frames.

    Args:
        overlays: the methods, the first of which says what is worst and best.
        frames: ``"all"``; ``"every:10"``; ``"worst:5"`` or ``"best:5"``, by J, of all videos together; or frames
            counted from 0, such as ``"12,40"``, of every video that is so long.

    Returns:
        Video → frames, in order; videos without any are left out.

    Raises:
        UsageError: if it is none of these, or there are no such frames.
        DataError: if J was not measured.
    """
    kind, _, number = frames.partition(":")
    videos = overlays.selection.videos
    if frames == "all":
        chosen = {video.name: list(range(len(video))) for video in videos}
    elif kind in {"worst", "best", "every"} and number.isdecimal() and int(number) > 0:
        if kind == "every":
            chosen = {video.name: list(range(0, len(video), int(number))) for video in videos}
        else:
            chosen = _extreme(overlays, int(number), best=kind == "best")
    elif all(part.strip().isdecimal() for part in frames.split(",")):
        wanted = sorted({int(part) for part in frames.split(",")})
        chosen = {video.name: [index for index in wanted if index < len(video)] for video in videos}
    else:
        raise UsageError(f'frames are all, every:10, worst:5, best:5, or numbers such as 12,40; not "{frames}"')
    chosen = {name: indices for name, indices in chosen.items() if indices}
    if not chosen:
        raise UsageError(f'no video has frames "{frames}"; they are counted from 0')
    return chosen


def _extreme(overlays: Overlays, number: int, *, best: bool) -> dict[str, list[int]]:
    values = {place: of["J"] for place, of in overlays.layers[0].values.items() if "J" in of}
    if not values:
        raise DataError(f'J of "{overlays.layers[0].name}" was not measured, so no frames are its worst or best')
    ranked = sorted(values, key=lambda place: (values[place] * (-1 if best else 1), place))
    chosen: dict[str, list[int]] = {}
    for name, index in sorted(ranked[:number]):
        chosen.setdefault(name, []).append(index)
    return {video.name: chosen[video.name] for video in overlays.selection.videos if video.name in chosen}


def sheet(overlays: Overlays, chosen: Chosen, advance: Callable[[str], None] = lambda _: None) -> Frame:
    """One picture: a row for each frame, a column for each method, all of the width of the first."""
    rows: list[Frame] = []
    wide = replace(overlays, style=replace(overlays.style, columns=len(overlays.names)))
    for name, frames in chosen.items():
        for row in wide.pictures(name, frames):
            rows.append(row)
            advance(name)
    width = rows[0].shape[1]
    return grid([resized(row, (max(1, round(row.shape[0] * width / row.shape[1])), width)) for row in rows], 1)


def check_target(out: Path) -> None:
    """Check that a file can be written: pictures, GIF or a video file; a name without a suffix is a folder.

    Raises:
        UsageError: if it cannot.
    """
    if out.suffix.lower() in {"", PICTURE, GIF, *films.WRITABLE} or out.is_dir():
        return
    raise UsageError(f'"{out}" should end in {PICTURE}, {GIF}, {", ".join(films.WRITABLE)}, or be a folder')


def plan(overlays: Overlays, chosen: Chosen, out: Path, kind: Kind) -> dict[Path, Chosen]:
    """The files to write, and the frames in each.

    Args:
        overlays: the methods.
        chosen: the frames.
        out: as `check_target` takes it; a file is one sheet or the film of one video, a folder has a picture for each
            frame or a film of each video.
        kind: what is written to a folder.

    Raises:
        UsageError: if several videos are to be one film.
    """
    suffix = out.suffix.lower()
    if suffix == PICTURE and not out.is_dir():
        return {out: chosen}
    if suffix and not out.is_dir():
        if len(chosen) > 1:
            raise UsageError(f'"{out}" is one film, but there are {len(chosen)} videos; choose one, or give a folder')
        return {out: chosen}
    if kind != "png":
        return {out / f"{name}.{kind}": {name: frames} for name, frames in chosen.items()}
    return {
        out / name / f"{overlays.video(name).frames[index].stem}{PICTURE}": {name: [index]}
        for name, frames in chosen.items()
        for index in frames
    }


def write(
    overlays: Overlays, files: Mapping[Path, Chosen], rate: Fraction, advance: Callable[[str], None] = lambda _: None
) -> None:
    """Write the files of a plan.

    Args:
        overlays: the methods.
        files: what `plan` returned.
        rate: frames per second of films.
        advance: called with the name of the video after each frame.

    Raises:
        DataError: if a frame or mask is damaged.
    """

    def drawn(chosen: Chosen) -> Iterator[Frame]:
        for name, frames in chosen.items():
            for picture in overlays.pictures(name, frames):
                yield picture
                advance(name)

    for path, chosen in files.items():
        if path.suffix.lower() != PICTURE:
            sheets.write(path, drawn(chosen), sum(map(len, chosen.values())), rate)
        elif sum(map(len, chosen.values())) == 1:
            write_png(path, next(drawn(chosen)))
        else:
            write_png(path, sheet(overlays, chosen, advance))
