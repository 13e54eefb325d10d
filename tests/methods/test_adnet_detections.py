"""Detections from files: what is read, and what is refused."""

import json
import os
import pickle
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vosbench.dataset import Video
from vosbench.errors import DataError
from vosbench.methods.adnet import detections, pickles
from vosbench.methods.adnet import masks as runs

CLIP = Video(name="disk", frames=(Path("0.png"), Path("1.png")))
MASK = np.zeros((6, 9), dtype=np.uint8)
MASK[2:4, 3:8] = 1
BOX = [3.0, 2.0, 8.0, 4.0, 0.75, 0.1, 0.2, 2.0]


def official(box: Any = BOX, mask: Any = MASK) -> dict[int, list[dict[str, Any]]]:
    return {0: [{"bbox": box, "mask": mask}], 1: []}


def documented() -> dict[str, Any]:
    counts = runs.encode(MASK.astype(np.bool_)).tolist()
    one = {"bbox": BOX[:4], "score": 0.75, "category_id": 3, "segmentation": {"size": [6, 9], "counts": counts}}
    return {"videos": {"disk": [[one], []]}}


def check(frames: Any) -> None:
    assert [len(frame) for frame in frames] == [1, 0]
    assert frames[0][0].box == (3, 2, 8, 4)
    assert frames[0][0].score == 0.75
    assert frames[0][0].category == 2
    assert frames[0][0].mask.dtype == np.bool_
    assert np.array_equal(frames[0][0].mask, MASK > 0)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("kind", [np.float32, ">f8"])
def test_the_official_layout_is_read(protocol: int, kind: Any, tmp_path: Path) -> None:
    for frames in (official(), official(np.array(BOX, dtype=kind), np.asfortranarray(MASK))):
        (tmp_path / "disk.pkl").write_bytes(pickle.dumps(frames, protocol))
        check(detections.from_path(tmp_path)(CLIP))


def test_numpy_scalars_are_read(tmp_path: Path) -> None:
    (tmp_path / "disk.pkl").write_bytes(pickle.dumps(official([np.float64(x) for x in BOX])))
    check(detections.from_path(tmp_path)(CLIP))


def test_names_of_older_numpy_are_read(tmp_path: Path) -> None:
    data = pickle.dumps(official(np.array(BOX)), 2)
    (tmp_path / "disk.pkl").write_bytes(data.replace(b"numpy._core", b"numpy.core"))
    check(detections.from_path(tmp_path)(CLIP))


def test_arrays_pickled_by_python_2_are_read(tmp_path: Path) -> None:
    old = (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
        b"(I1\n(I2\ntcnumpy\ndtype\n(S'u1'\nI0\nI1\ntR(I3\nS'|'\nNNNI-1\nI-1\nI0\ntbI00\nS'\\x07\\xff'\ntb."
    )
    (tmp_path / "old.pkl").write_bytes(old)
    array = pickles.read(tmp_path / "old.pkl")
    assert isinstance(array, pickles.Array)
    assert array.values.tolist() == [7, 255]


def test_the_documented_layout_is_read(tmp_path: Path) -> None:
    path = tmp_path / "all.json"
    path.write_text(json.dumps(documented()))
    check(detections.from_path(path)(CLIP))


def test_videos_without_detections_have_none(tmp_path: Path) -> None:
    path = tmp_path / "all.json"
    path.write_text(json.dumps({"videos": {}}))
    assert detections.from_path(path)(CLIP) is None
    assert detections.from_path(tmp_path)(CLIP) is None


class Malicious:
    def __init__(self, call: Callable[..., object], *arguments: object) -> None:
        self._what = (call, arguments)

    def __reduce__(self) -> Any:
        return self._what


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_runs_nothing(protocol: int, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    for bad in (
        Malicious(os.system, f"touch {mark}"),
        Malicious(eval, f"open({str(mark)!r}, 'w')"),
        Malicious(getattr, "text", "upper"),
        Malicious(np.load, str(mark)),
        OrderedDict(a=1),
        np.array([{}], dtype=object),
        np.zeros(2, dtype=[("a", "u1")]),
        np.zeros(2, dtype="S3"),
    ):
        (tmp_path / "disk.pkl").write_bytes(pickle.dumps({0: [bad], 1: []}, protocol))
        with pytest.raises(DataError, match=r"disk\.pkl"):
            detections.from_path(tmp_path)(CLIP)
        assert not mark.exists()


@pytest.mark.parametrize(
    "frames",
    [
        {0: []},  # a frame too few
        {1: [], 2: []},
        {0: [{"bbox": BOX}], 1: []},
        {0: [{"bbox": BOX[:3], "mask": MASK}], 1: []},
        official(mask=MASK * 255),
        official(mask=[0, 1]),
        official(mask=None),
        7,
    ],
)
def test_pickles_of_another_layout_are_refused(frames: Any, tmp_path: Path) -> None:
    (tmp_path / "disk.pkl").write_bytes(pickle.dumps(frames))
    with pytest.raises(DataError, match="disk"):
        detections.from_path(tmp_path)(CLIP)


@pytest.mark.parametrize("data", [b"", b"text", pickle.dumps(official(np.array(BOX)))[:-30]])
def test_broken_pickles_are_refused(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "disk.pkl").write_bytes(data)
    with pytest.raises(DataError, match="not a pickle of plain arrays"):
        detections.from_path(tmp_path)(CLIP)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"videos": 3}'])
def test_invalid_json_is_refused_at_once(text: str, tmp_path: Path) -> None:
    path = tmp_path / "all.json"
    path.write_text(text)
    with pytest.raises(DataError, match=r"all\.json"):
        detections.from_path(path)


@pytest.mark.parametrize(
    "change",
    [
        {"bbox": [1, 2]},
        {"bbox": [8, 2, 3, 4]},
        {"bbox": [1, 2, 3, float("nan")]},
        {"score": None},
        {"segmentation": {"size": [6, 9], "counts": [5]}},
    ],
)
def test_invalid_detections_are_refused(change: dict[str, Any], tmp_path: Path) -> None:
    content = documented()
    content["videos"]["disk"][0][0] |= change
    path = tmp_path / "all.json"
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match="not in the documented layout"):
        detections.from_path(path)(CLIP)


def test_a_path_must_be_json_or_a_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="neither"):
        detections.from_path(tmp_path / "absent")
    with pytest.raises(DataError, match=r"absent\.json"):
        detections.from_path(tmp_path / "absent.json")
