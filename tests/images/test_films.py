"""Video files: turned, timed and limited; tests of damage are in tests/test_segmentation.py."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from vosbench.errors import DataError, UsageError
from vosbench.images import films, read_frame, size
from vosbench.images.films import Film, look_through, shown, write
from vosbench.images.frames import turned
from vosbench.images.unrolled import FEWEST, Unrolled, names

videos = pytest.importorskip("videos", reason="needs the extra video", exc_type=ImportError)


def frames_of(path: Path) -> list[np.ndarray]:
    return [one.pixels() for one in shown(path, path.name)]


def close(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether pictures are the same but for the losses of encoding."""
    return one.shape == other.shape and float(np.abs(one.astype(int) - other).mean()) < 6


@pytest.mark.parametrize("orientation", range(1, 9))
def test_frames_are_turned_as_viewers_do(orientation: int, tmp_path: Path) -> None:
    path = videos.encode(tmp_path / "clip.mp4", [videos.scene(t) for t in range(3)])
    upright = frames_of(path)
    assert all(close(videos.scene(t), frame) for t, frame in enumerate(upright))
    videos.turn(path, orientation)
    film = look_through(path, "clip")
    assert film.size == ((64, 48) if orientation >= 5 else (48, 64))
    for before, after in zip(upright, frames_of(path), strict=True):
        assert np.array_equal(turned(before, orientation), after)


def test_times_are_those_of_the_file(tmp_path: Path) -> None:
    times = [0, 40, 60, 500, 510]
    film = look_through(videos.encode(tmp_path / "clip.mp4", map(videos.scene, range(5)), times=times), "clip")
    assert [round(1000 * time * film.base) for time in film.times] == times
    target = tmp_path / "copy.mp4"
    write(target, film, map(videos.scene, range(5)))
    assert videos.decoded(target, lambda frame: round(1000 * frame.pts * frame.time_base)) == times


@pytest.mark.parametrize(
    ("name", "codec", "kind"),
    [
        ("clip.mov", "libx264", "yuv420p"),
        ("clip.webm", "libvpx-vp9", "yuv420p"),
        ("clip.avi", "mpeg4", "yuv420p"),
        ("clip.mkv", "ffv1", "bgr0"),
        ("clip.gif", "gif", "rgb8"),
    ],
)
def test_formats(name: str, codec: str, kind: str, tmp_path: Path) -> None:
    path = videos.encode(tmp_path / name, [videos.scene(t) for t in range(4)], codec, kind)
    film = look_through(path, name)
    assert (film.size, len(film.times), film.short) == ((48, 64), 4, "")
    assert film.times[0] == 0
    assert film.times[-1] * film.base == Fraction(12, 100)
    found = frames_of(path)
    assert all(np.abs(videos.scene(t).astype(int) - frame).mean() < 30 for t, frame in enumerate(found))


def test_transparent_pixels_are_white(tmp_path: Path) -> None:
    from PIL import Image

    opaque, half = (np.dstack([videos.scene(0), np.full((48, 64), alpha, np.uint8)]) for alpha in (255, 128))
    half[:, 40:, 3] = 0
    (first,) = frames_of(videos.encode(tmp_path / "clip.mkv", [half], "ffv1", "bgra"))
    expected = np.where(half[..., 3:] == 0, 255, np.rint(videos.scene(0) * (128 / 255) + 127)).astype(np.uint8)
    assert np.abs(first.astype(int) - expected).max() <= 1
    pictures = [Image.fromarray(opaque), Image.fromarray(half).convert("P")]
    pictures[0].save(tmp_path / "clip.gif", save_all=True, append_images=pictures[1:], disposal=2, duration=100)
    found = frames_of(tmp_path / "clip.gif")
    assert close(found[0], videos.scene(0))
    assert look_through(tmp_path / "clip.gif", "clip").size == (48, 64)


def test_odd_sides_are_written_with_one_more(tmp_path: Path) -> None:
    film = Film(tmp_path, (47, 63), films.array("q", range(3)), 1, Fraction(1, 10), Fraction(10))
    write(tmp_path / "odd.mp4", film, [videos.scene(t, 47, 63) for t in range(3)])
    found = frames_of(tmp_path / "odd.mp4")
    assert [frame.shape for frame in found] == [(48, 64, 3)] * 3
    assert close(found[2][:47, :63], videos.scene(2, 47, 63))


def test_pixels_that_are_not_square_stay_so(tmp_path: Path) -> None:
    film = Film(tmp_path, (48, 64), films.array("q", range(3)), 1, Fraction(1, 10), Fraction(10), Fraction(4, 3))
    write(tmp_path / "wide.mp4", film, map(videos.scene, range(3)))
    assert look_through(tmp_path / "wide.mp4", "wide").aspect == Fraction(4, 3)
    videos.turn(tmp_path / "wide.mp4", 6)
    assert look_through(tmp_path / "wide.mp4", "wide").aspect == Fraction(3, 4)


def test_mpeg4_where_there_is_no_x264(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import av

    monkeypatch.setattr(av, "codecs_available", av.codecs_available - {"libx264"})
    film = Film(tmp_path, (48, 64), films.array("q", [0, 40, 500]), 40, Fraction(1, 90000), Fraction(25))
    write(tmp_path / "old.mp4", film, map(videos.scene, range(3)))
    with av.open(str(tmp_path / "old.mp4")) as container:
        assert container.streams.video[0].codec_context.name == "mpeg4"


def test_names_of_written_files(tmp_path: Path) -> None:
    film = Film(tmp_path, (48, 64), films.array("q", range(1)), 1, Fraction(1, 10), Fraction(10))
    with pytest.raises(UsageError, match=r"should end in \.mp4, \.mov, \.mkv"):
        write(tmp_path / "clip.webm", film, [videos.scene(0)])


def test_playlists_are_not_followed(tmp_path: Path) -> None:
    videos.encode(tmp_path / "clip.mp4", [videos.scene(0)])
    lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:1", "#EXTINF:1,", (tmp_path / "clip.mp4").as_uri(), "#EXT-X-ENDLIST"]
    for name in ("list.m3u8", "list.mp4"):
        (tmp_path / name).write_text("\n".join(lines), "utf-8")
        with pytest.raises(DataError, match="cannot be read as a video"):
            look_through(tmp_path / name, name)
    (tmp_path / "list.txt").write_text(f"ffconcat version 1.0\nfile '{tmp_path / 'clip.mp4'}'\n", "utf-8")
    with pytest.raises(DataError, match="cannot be read as a video"):
        look_through(tmp_path / "list.txt", "list")


def test_frames_of_several_sizes_are_refused(tmp_path: Path) -> None:
    paths = [videos.encode(tmp_path / f"{side}.ts", [videos.scene(0, side, side)] * 3) for side in (48, 96)]
    both = tmp_path / "both.ts"
    both.write_bytes(b"".join(path.read_bytes() for path in paths))
    with pytest.raises(DataError, match=r"frame \d of \"both.ts\" has another size|cannot be read|damaged"):
        look_through(both, "both.ts")


def test_unrolled_frames_are_the_files_frames_in_any_order(tmp_path: Path) -> None:
    path = videos.encode(tmp_path / "clip.mp4", map(videos.scene, range(40)))
    expected = frames_of(path)
    film, folder = look_through(path, "clip"), tmp_path / "frames"
    folder.mkdir()
    with Unrolled(film, "clip", folder, most=0) as unrolled:
        assert [each.stem for each in unrolled.paths] == names(40)
        assert not list(folder.iterdir())
        order = [*range(40), 0, *reversed(range(40)), 17, 3, 39]
        for index in order:
            assert size(unrolled.paths[index]) == (48, 64)
            assert np.array_equal(read_frame(unrolled.paths[index]), expected[index]), index
            assert len(list(folder.iterdir())) <= FEWEST
        with open(unrolled.paths[20], "rb") as file:  # noqa: PTH123 - as methods of others may do
            assert file.read(2) == b"BM"


def test_a_video_that_shrinks_while_it_is_read(tmp_path: Path) -> None:
    path = videos.encode(tmp_path / "clip.mp4", map(videos.scene, range(9)))
    film = look_through(path, "clip")
    videos.encode(path, map(videos.scene, range(4)))
    with Unrolled(film, "clip", tmp_path) as unrolled, pytest.raises(DataError, match="has changed while it was read"):
        read_frame(unrolled.paths[6])
