"""Several submissions scored together: as one by one, and with annotations that are read once."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from toys import selected
from vosbench.dataset.selection import Selection
from vosbench.engine.engine import Serial
from vosbench.errors import DataError, VosbenchError
from vosbench.evaluate.score import score
from vosbench.evaluate.together import Submission, score_together, videos_of
from vosbench.images import kept, read_annotation, write_png


@pytest.fixture
def submissions(toy_root: Path, tmp_path: Path) -> list[Submission]:
    """Three: true masks, shifted ones as an archive, and zeros and ones whose codec is guessed wrong at first."""
    shutil.copytree(toy_root / "masks", tmp_path / "true")
    for path in sorted((toy_root / "masks").rglob("*.png")):
        mask = read_annotation(path, "binary255")
        from vosbench.metrics.packed import unpack

        where = path.relative_to(toy_root / "masks")
        write_png(tmp_path / "shifted" / where, np.roll(unpack(mask), 2, 1) * np.uint8(255))
        blank = where.parent.name == "v0" and where.stem < "00003"
        write_png(tmp_path / "ones" / where, (unpack(mask) & (not blank)) * np.uint8(1))
    archive = shutil.make_archive(str(tmp_path / "shifted"), "zip", tmp_path / "shifted")
    places = {"true": tmp_path / "true", "shifted": Path(archive), "ones": tmp_path / "ones"}
    return [Submission(place, name, selected(toy_root)) for name, place in places.items()]


def under(submissions: list[Submission], selection: Selection) -> list[Submission]:
    return [replace(each, selection=selection) for each in submissions]


@pytest.mark.parametrize("protocol", ["toy", "toy-inner", "toy-saliency"])
@pytest.mark.parametrize("jobs", [1, 2])
def test_results_are_those_of_single_submissions(
    submissions: list[Submission], toy_root: Path, protocol: str, jobs: int
) -> None:
    selection = selected(toy_root, protocol_name=protocol)
    together = score_together(under(submissions, selection), jobs=jobs)
    for each, found in zip(submissions, together, strict=True):
        assert not isinstance(found, VosbenchError)
        record, scored, notes = score(each.masks, selection, method=each.method)
        assert found[0] == record
        assert found[1] == scored or protocol == "toy-saliency"  # which holds arrays
        assert found[2] == notes


@pytest.mark.parametrize("cache", [True, False])
def test_annotations_are_read_once(
    submissions: list[Submission], toy_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, cache: bool
) -> None:
    monkeypatch.setenv("VOSBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("VOSBENCH_NO_CACHE", "" if cache else "1")
    reads: list[int] = []
    usual = kept.Annotations.read

    def counted(self: kept.Annotations, index: int) -> object:
        reads.append(index)
        return usual(self, index)

    monkeypatch.setattr(kept.Annotations, "read", counted)
    score_together([submissions[0]])
    once = len(reads)
    reads.clear()
    inner = under(submissions, selected(toy_root, protocol_name="toy-inner"))
    assert videos_of([*submissions, *inner]) == 2
    score_together([*submissions[:2], *submissions[:2], *inner])
    assert len(reads) == once == 10


def test_what_does_not_fit_is_read_again(
    submissions: list[Submission], toy_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vosbench.evaluate.annotated.MOST", 500)
    selection = selected(toy_root)
    for each, found in zip(submissions, score_together(submissions), strict=True):
        assert not isinstance(found, VosbenchError)
        assert found[0] == score(each.masks, selection, method=each.method)[0]


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_is_that_of_its_submission_alone(
    submissions: list[Submission], toy_root: Path, tmp_path: Path, jobs: int
) -> None:
    (tmp_path / "true" / "v1" / "00002.png").write_bytes(b"no image")
    nothing = Submission(tmp_path / "nothing", "nothing", selected(toy_root))
    found = score_together([nothing, *submissions], jobs=jobs)
    assert [isinstance(each, DataError) for each in found] == [True, True, False, False]
    assert '"nothing" do not exist' in str(found[0]).replace(str(tmp_path) + "/", "")
    assert "00002.png" in str(found[1])


def test_an_engine_makes_the_same(submissions: list[Submission]) -> None:
    done: list[int] = []
    there = score_together(submissions, engine=Serial(), advance=done.append)
    assert [each[0] for each in there if isinstance(each, tuple)] == [
        each[0] for each in score_together(submissions) if isinstance(each, tuple)
    ]
    assert done == [1, 2]
