"""Whatever form masks have, their numbers are right, or the form is refused."""

import random
import re
from pathlib import Path

import numpy as np
import pytest

import vosbench
from factories import examples
from vosbench.cli.score import CODECS as HELP
from vosbench.dataset import Dataset, DatasetProtocol, Listed, Video
from vosbench.errors import DataError
from vosbench.evaluate import containers
from vosbench.images import write_png
from vosbench.images.codecs import CODECS
from vosbench.metrics.packed import pack
from vosbench.metrics.packed_scores import frame_scores

forms = pytest.importorskip("forms", reason="needs the extras archives and video", exc_type=ImportError)

REPOSITORY = Path(__file__).parents[2]
SIZE, FRAMES, VIDEOS = (24, 40), 5, ("cow", "bmx-trees")
Mask = np.ndarray


def some_mask(numbers: random.Random) -> Mask:
    """A rectangle with a hole; even coordinates, so that JPEG keeps it."""
    mask = np.zeros(SIZE, bool)
    top, left = numbers.randrange(0, 10), numbers.randrange(0, 18)
    mask[top : top + numbers.randrange(6, 12), left : left + numbers.randrange(8, 20)] = True
    mask[top + 2 : top + 4, left + 3 : left + 6] = False
    return mask


class World:
    """A dataset of two videos, and predictions of them."""

    def __init__(self, root: Path, numbers: random.Random, first: int = 0) -> None:
        self.annotations = {v: [some_mask(numbers) for _ in range(FRAMES)] for v in VIDEOS}
        self.predictions = {v: [some_mask(numbers) for _ in range(FRAMES)] for v in VIDEOS}
        if numbers.random() < 0.3:
            self.predictions[VIDEOS[0]][numbers.randrange(FRAMES)][:] = False
        videos = []
        for name, masks in self.annotations.items():
            paths = [root / "annotations" / name / f"{t + first:05d}.png" for t in range(FRAMES)]
            for path, mask in zip(paths, masks, strict=True):
                write_png(path, mask * np.uint8(255))
            frames = tuple(root / "frames" / name / f"{t + first:05d}.jpg" for t in range(FRAMES))
            videos.append(Video(name=name, frames=frames, annotations=dict(enumerate(paths)), layout="made"))
        listing = {name: Listed(frames=FRAMES) for name in VIDEOS}
        self.root = root
        self.dataset = Dataset(
            name="made",
            title="Made",
            paper="none",
            licence="none",
            splits=("val",),
            layouts=("made",),
            protocols=(DatasetProtocol(name="made"),),
            listing=lambda _: listing,
            videos=lambda *_: videos,
        )
        self.expected = {
            (video, t): frame_scores(pack(self.annotations[video][t]), pack(self.predictions[video][t]))
            for video in VIDEOS
            for t in range(FRAMES)
        }

    def files(self, encoding: "forms.Encoding", naming: "forms.Naming", first: int = 0) -> "forms.Files":
        suffix, encode = encoding
        return {
            naming(video, t + first, suffix): encode(mask)
            for video, masks in self.predictions.items()
            for t, mask in enumerate(masks)
        }

    def is_right(self, masks: Path, **options: object) -> bool:
        """Whether every J and F is exactly right; an error is not."""
        result = vosbench.score(masks, dataset=self.dataset, root=self.root, **options)
        found = {(row.video, row.frame, row.measure): row.value for row in result.rows}
        wanted = {
            (*key, name): value for key, both in self.expected.items() for name, value in zip("JF", both, strict=True)
        }
        return found == wanted


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, random.Random(0))


@pytest.mark.parametrize("encoding", forms.SURE)
def test_encodings_are_recognised(world: World, tmp_path: Path, encoding: str) -> None:
    files = world.files(forms.SURE[encoding], forms.NAMINGS["frames"])
    assert world.is_right(forms.to_folder(files, tmp_path / "masks"))


def documented() -> list[re.Pattern[str]]:
    """The messages in the documentation, in which … stands for anything."""
    table = (REPOSITORY / "docs" / "masks.md").read_text("utf-8").split("## What is refused")[1]
    rows = re.findall(r"^\| [^|]+ \| ([^|]+) \|$", table, re.MULTILINE)
    return [re.compile(".+".join(re.escape(part) for part in row.split("…"))) for row in rows[1:]]


@pytest.mark.parametrize("encoding", forms.UNSURE)
def test_what_could_be_meant_in_several_ways_is_refused(world: World, tmp_path: Path, encoding: str) -> None:
    folder = forms.to_folder(world.files(forms.UNSURE[encoding], forms.NAMINGS["frames"]), tmp_path / "masks")
    with pytest.raises(DataError) as caught:
        world.is_right(folder)
    assert "\n" not in str(caught.value)
    assert any(message.fullmatch(str(caught.value)) for message in documented()), str(caught.value)


@pytest.mark.parametrize("naming", forms.NAMINGS)
@pytest.mark.parametrize("first", [0, 1])
def test_names_are_paired_with_frames(tmp_path: Path, naming: str, first: int) -> None:
    world = World(tmp_path, random.Random(1), first)
    files = world.files(forms.SURE["0 and 255"], forms.NAMINGS[naming])
    assert world.is_right(forms.to_folder(files, tmp_path / "masks"))


@pytest.mark.parametrize("container", forms.CONTAINERS)
def test_containers_are_opened(world: World, tmp_path: Path, container: str) -> None:
    files = world.files(forms.SURE["0 and 255"], forms.NAMINGS["deep"])
    assert world.is_right(forms.CONTAINERS[container](files, tmp_path / "masks"))


@pytest.mark.parametrize("kind", ["npy", "npz"])
@pytest.mark.parametrize("array", forms.ARRAYS)
def test_stacks_of_arrays(world: World, tmp_path: Path, array: str, kind: str) -> None:
    stacks = {video: forms.ARRAYS[array](np.stack(masks)) for video, masks in world.predictions.items()}
    files = {f"{video}.{kind}": forms.array_file(stack, kind) for video, stack in stacks.items()}
    assert world.is_right(forms.to_folder(files, tmp_path / "masks"))
    assert world.is_right(forms.to_zip(files, tmp_path / "masks"))


def test_one_archive_of_arrays(world: World, tmp_path: Path) -> None:
    np.savez(tmp_path / "masks.npz", **{video: np.stack(masks) for video, masks in world.predictions.items()})
    assert world.is_right(tmp_path / "masks.npz")


def test_run_lengths(world: World, tmp_path: Path) -> None:
    for at, text in enumerate(forms.json_forms(world.predictions).values()):
        path = tmp_path / f"masks{at}.json"
        path.write_text(text)
        assert world.is_right(path)


def test_videos_of_masks(world: World, tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    for video, masks in world.predictions.items():
        forms.video_file(masks, tmp_path / "masks" / f"{video}.mp4")
    result = vosbench.score(tmp_path / "masks", dataset=world.dataset, root=world.root)
    assert world.is_right(tmp_path / "masks")
    assert any("compression changes numbers" in note for note in result.notes)


def combination(seed: int, folder: Path) -> tuple[bool, str]:
    """One random combination: whether its numbers are right (an error is allowed), and what it was."""
    numbers = random.Random(seed)
    first = numbers.choice([0, 0, 1])
    world = World(folder, numbers, first)
    encodings = {**forms.SURE, **forms.UNSURE}
    chosen = [numbers.choice(list(encodings)) for _ in VIDEOS]
    if numbers.random() < 0.8:
        chosen = chosen[:1] * 2
    naming, container = numbers.choice(list(forms.NAMINGS)), numbers.choice(list(forms.CONTAINERS))
    files: dict[str, bytes] = {}
    for video, encoding in zip(VIDEOS, chosen, strict=True):
        suffix, encode = encodings[encoding]
        for t, mask in enumerate(world.predictions[video]):
            files[forms.NAMINGS[naming](video, t, suffix)] = encode(mask)
    what = f"seed {seed}: {chosen}, {naming}, {container}, frames from {first}"
    try:
        return world.is_right(forms.CONTAINERS[container](files, folder / "masks")), what
    except DataError as error:
        said = str(error)
        return "\n" not in said, f"refused {what}: {said}"


@pytest.mark.parametrize("count", [pytest.param(60, id="some"), pytest.param(2000, marks=pytest.mark.slow, id="many")])
def test_combinations_are_right_or_refused(tmp_path: Path, count: int) -> None:
    wrong, refused = [], 0
    for seed in range(examples(count)):
        right, what = combination(seed, tmp_path / str(seed))
        refused += what.startswith("refused")
        wrong += [] if right else [what]
    assert not wrong
    assert refused < examples(count) / 2


def test_codecs_are_explained_in_the_documentation_and_the_help() -> None:
    page = (REPOSITORY / "docs" / "masks.md").read_text("utf-8")
    for name in (*CODECS, "binary:B,O"):
        assert f"`{name}`" in page
        assert name.startswith("fbms") or f"{name}: " in HELP


def test_suffixes_are_in_the_documentation() -> None:
    page = (REPOSITORY / "docs" / "masks.md").read_text("utf-8")
    assert all(suffix in page for suffix in (*containers.STACKS, *containers.RUNS) if suffix != ".m4v")
