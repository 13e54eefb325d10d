"""Pictures of videos, and that they are made once."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from factories import half_a_jpeg, write_toy
from vosbench.dataset import Video
from vosbench.errors import DataError
from vosbench.images import read_frame, write_png
from vosbench.report.site import media
from vosbench.report.site.made import INDEX, Made


def video_of(root: Path, name: str = "v0") -> Video:
    frames = tuple(sorted((root / "frames" / name).iterdir()))
    annotations = dict(enumerate(sorted((root / "masks" / name).iterdir())))
    return Video(name=name, frames=frames, annotations=annotations)


def made_of(folder: Path, video: Video, *, frames: bool = True) -> list[str]:
    """Write pictures; returns the videos that were made and not there."""
    made, new = Made(folder), list[str]()
    job = media.Job("media/toy/v0", video)
    media.write(folder, made, {job.place: job}, frames=frames, advance=new.append)
    made.finish()
    return new


def test_pictures_are_made_once(tmp_path: Path) -> None:
    video = video_of(write_toy(tmp_path / "toy"))
    site = tmp_path / "site"
    assert made_of(site, video) == ["media/toy/v0"] * 2
    files = sorted(path.name for path in (site / "media/toy/v0").iterdir())
    assert files == ["00000.jpg", "00001.jpg", "00002.jpg", "00003.jpg", "00004.jpg", "thumb.jpg"]
    assert made_of(site, video) == []
    (site / "media/toy/v0/00003.jpg").unlink()
    assert made_of(site, video) == ["media/toy/v0"]
    write_png(video.frames[1], np.zeros((24, 32, 3), np.uint8))
    assert made_of(site, video) == ["media/toy/v0"]


def test_what_is_no_longer_wanted_is_removed(tmp_path: Path) -> None:
    video, site = video_of(write_toy(tmp_path / "toy")), tmp_path / "site"
    made_of(site, video)
    made_of(site, video, frames=False)
    assert [path.name for path in (site / "media/toy/v0").iterdir()] == ["thumb.jpg"]
    Made(site).finish()
    assert not (site / "media").exists()


def test_index_removes_nothing_else(tmp_path: Path) -> None:
    kept = tmp_path / "kept.txt"
    kept.write_text("mine")
    site = tmp_path / "site"
    (site / "data").mkdir(parents=True)
    (site / "data" / "a.js").write_text("")
    (site / INDEX).write_text('{"x": ["key", ["../kept.txt", "data/a.js", "media/../../kept.txt"], null]}')
    Made(site).finish()
    assert kept.exists()
    assert (site / "data" / "a.js").exists()
    (site / INDEX).write_text("[1")
    Made(site).finish()


def test_small_jpeg_files_are_copied_and_others_scaled(tmp_path: Path) -> None:
    small, large, turned = (tmp_path / name for name in ("small.jpg", "large.jpg", "turned.jpg"))
    Image.new("RGB", (40, 30), "red").save(small)
    Image.new("RGB", (1920, 960), "red").save(large)
    exif = Image.Exif()
    exif[0x112] = 6
    Image.new("RGB", (40, 30), "red").save(turned, exif=exif)
    assert media.frame_of(small) == small.read_bytes()
    for path, shape in ((large, (480, 960, 3)), (turned, (40, 30, 3))):
        (tmp_path / "out.jpg").write_bytes(media.frame_of(path))
        assert read_frame(tmp_path / "out.jpg").shape == shape


def test_damaged_frames_are_errors(tmp_path: Path) -> None:
    video = video_of(write_toy(tmp_path / "toy"))
    half_a_jpeg(video.frames[2])
    with pytest.raises(DataError, match="corrupt"):
        media.thumb_of(video)
