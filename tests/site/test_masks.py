"""Runs of masks, and whose masks they are."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from factories import make_record, write_toy
from vosbench import face
from vosbench.dataset.selection import Choice, Selection, select
from vosbench.errors import DataError, UsageError
from vosbench.images import write_png
from vosbench.records.record import Record
from vosbench.registry import load_dataset
from vosbench.report.site import masks
from vosbench.report.site.submissions import annotated, encoded, origins

TOY = Path(__file__).parents[1] / "plugins" / "toy.py"
SHAPES = st.tuples(st.integers(1, 9), st.integers(1, 9))


@given(SHAPES.flatmap(lambda shape: st.lists(st.none() | arrays(np.bool_, shape), min_size=1, max_size=4)))
def test_runs_decode_to_the_same_masks(frames: list[np.ndarray | None]) -> None:
    shape = next((frame.shape for frame in frames if frame is not None), (1, 1))
    found = masks.decode(masks.encode(frames), *shape)
    assert len(found) == len(frames)
    for frame, decoded in zip(frames, found, strict=True):
        assert (frame is None) == (decoded is None)
        assert frame is None or np.array_equal(frame, decoded)


def test_empty_full_and_absent_masks_differ() -> None:
    empty, full = np.zeros((300, 500), bool), np.ones((300, 500), bool)
    found = masks.decode(masks.encode([empty, None, full]), 300, 500)
    assert found[1] is None
    assert not np.asarray(found[0]).any()
    assert np.asarray(found[2]).all()


def test_numbers_of_several_bytes() -> None:
    numbers = np.array([0, 127, 128, 16383, 16384, 2**31])
    assert masks.leb128(numbers).hex() == "007f8001ff7f8080018080808008"


def test_script_is_one_call_with_data_alone() -> None:
    text = masks.script(2, 3, masks.encode([np.eye(2, 3, dtype=bool)])).decode()
    assert text.startswith("VB.mask({")
    assert json.loads(text.removeprefix("VB.mask(").removesuffix(");\n")).keys() == {
        "version",
        "height",
        "width",
        "runs",
    }


@pytest.fixture
def toy(tmp_path: Path) -> tuple[Selection, Path]:
    """The toy dataset, and masks that are one pixel to the left; a frame has none."""
    root = write_toy(tmp_path / "toy")
    dataset = load_dataset("toy", [TOY])
    selection = select(dataset, Choice(root=root, protocol="toy-inner"))
    for video in selection.videos:
        for index in range(len(video)):
            mask = masks.decode(annotated(video).data, 24, 32)[index]
            if index:
                moved = np.roll(np.asarray(mask), -1, axis=1)
                write_png(tmp_path / "moved" / video.name / f"{index:05d}.png", moved * np.uint8(255))
    return selection, tmp_path / "moved"


def scored(place: Path, selection: Selection) -> Record:
    options = {"root": selection.videos[0].frames[0].parents[2], "protocol": "toy-inner"}
    return face.score(place, dataset="toy", plugins=[TOY], name="moved", **options).record  # type: ignore[arg-type]


def test_masks_of_a_record_are_encoded(toy: tuple[Selection, Path]) -> None:
    selection, place = toy
    found = encoded(scored(place, selection), place, selection)
    first = masks.decode(found[0].data, 24, 32)
    assert [frame is None for frame in first] == [True, False, False, False, False]  # 0 and 4 are not scored
    assert found[0].size == (24, 32)
    overlap, known = found[0].J, scored(place, selection).videos["v0"]["J_mean"]
    assert overlap == pytest.approx(known, abs=1e-12)


@pytest.mark.parametrize("hashed", [True, False])
def test_other_masks_are_refused(toy: tuple[Selection, Path], hashed: bool) -> None:  # noqa: FBT001
    selection, place = toy
    record = scored(place, selection)
    if not hashed:  # as records of old versions
        record = record.model_copy(update={"provenance": record.provenance.model_copy(update={"masks": ""})})
        assert encoded(record, place, selection)
    changed = place / "v1" / "00002.png"
    write_png(changed, np.eye(24, 32, dtype=np.uint8) * np.uint8(255))
    with pytest.raises(DataError, match=r'holds other masks than those that "moved@toy-inner" on toy was scored from'):
        encoded(record, place, selection)


def test_places_of_masks(tmp_path: Path) -> None:
    records = [make_record("a"), make_record("b"), make_record("b", dataset="other")]
    for name in ("a", "toy/b", "other/b"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "toy" / "b.json").write_text("{}")  # a record is no masks
    assert origins([str(tmp_path)], records) == {
        ("toy", "b"): tmp_path / "toy" / "b",
        ("other", "b"): tmp_path / "other" / "b",
    }
    assert origins([f"a={tmp_path}/a"], records) == {("toy", "a"): tmp_path / "a"}
    same = [make_record("a", apart="@x+J"), make_record("a", apart="+val"), make_record("a", apart="+limit3")]
    assert [*origins([f"a={tmp_path}/a"], same)] == [("toy", "a@x+J")]  # others have maps of their own
    assert origins([f"other/b={tmp_path}/x.zip"], records) == {("other", "b"): tmp_path / "x.zip"}


@pytest.mark.parametrize(
    ("places", "message"),
    [
        (["c=x"], 'there is no record "c" to show masks of'),
        (["b=x"], "has records of other and toy; pass masks as other/b="),
        (["a=x", "a=y"], "there are two places of masks"),
        (["nowhere"], 'a folder with masks of several methods; "nowhere" is neither'),
    ],
)
def test_places_that_are_refused(places: list[str], message: str) -> None:
    records = [make_record("a"), make_record("b"), make_record("b", dataset="other")]
    with pytest.raises(UsageError, match=message):
        origins(places, records)


def test_two_masks_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a.zip").write_bytes(b"")
    with pytest.raises(UsageError, match='may both be the masks of "a"'):
        origins([str(tmp_path)], [make_record("a")])


def test_folder_without_masks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no masks that are named after a record"):
        origins([str(tmp_path)], [make_record("a")])
