"""Damaged files next to a run, and files that options and plugins name: a result, or one line."""

import json
import pickle
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import vosbench
from factories import examples
from vosbench.errors import VosbenchError
from vosbench.method.predict import _save

TOY = Path(__file__).parents[1] / "plugins" / "toy.py"


def mutated(data: bytes, numbers: random.Random) -> bytes:
    """Flip, overwrite, cut, repeat or remove some bytes."""
    changed = bytearray(data)
    for _ in range(numbers.randint(1, 4)):
        at = numbers.randrange(max(len(changed), 1))
        length = numbers.randint(1, 12)
        piece = changed[at : at + length]
        changed[at : at + length] = numbers.choice(
            (b"", piece * 2, bytes(len(piece)), numbers.randbytes(length), b"9" * length, b'"', b"{", b"null")
        )
        if numbers.random() < 0.2:
            del changed[at:]
    return bytes(changed)


def outcome(call: Callable[[], object]) -> str:
    """What happened, or what the error says; any other error is a failure."""
    try:
        call()
    except VosbenchError as error:
        return str(error)
    return "read"


NAMES = ("run.json", ".state.npz", "detections.json", "v0.pkl", "plugin.py", "roots.json")


@pytest.mark.parametrize(
    ("name", "count"),
    [(name, 12) for name in NAMES] + [pytest.param(name, 150, marks=pytest.mark.slow) for name in NAMES],
)
def test_damaged_files_are_read_or_refused(
    toy_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, count: int
) -> None:
    numbers = random.Random(name)
    frames = [{"boxes": [[4, 4, 20, 18]], "scores": [0.9], "classes": [0], "masks": []} for _ in range(5)]

    def call(out: Path, plugin: Path = TOY) -> None:
        vosbench.run("brightness.average", "toy", root=toy_root, plugins=[plugin], out=out)

    def prune(path: Path) -> None:
        from vosbench.methods.adnet.detections import from_path

        source = from_path(path)
        for video in vosbench.load_dataset("toy", [TOY]).videos(toy_root, "val"):
            source(video)

    call(tmp_path / "whole")
    folder = "toy/brightness.average"
    found = {
        "run.json": (tmp_path / "whole" / folder / "run.json").read_bytes(),
        ".state.npz": saved_state(tmp_path),
        "detections.json": json.dumps({"v0": frames, "v1": frames}).encode(),
        "v0.pkl": pickle.dumps(frames),
        "plugin.py": TOY.read_bytes(),
        "roots.json": json.dumps({"toy": str(toy_root)}).encode(),
    }[name]
    outcomes = []
    for at in range(examples(count)):
        place = tmp_path / str(at)
        content = mutated(found, numbers)
        if name in {"run.json", ".state.npz"}:
            shutil.copytree(tmp_path / "whole", place)
            target = place / folder / name if name == "run.json" else place / folder / "v1" / name
            (place / folder / "v1" / "00004.png").unlink()
            target.write_bytes(content)
            outcomes.append(outcome(lambda place=place: call(place)))
            continue
        place.mkdir()
        (place / name).write_bytes(content)
        if name == "plugin.py":
            outcomes.append(outcome(lambda place=place: vosbench.load_dataset("toy", [place / name])))
        elif name == "roots.json":
            monkeypatch.setenv("VOSBENCH_CONFIG", str(place / name))
            outcomes.append(outcome(lambda: vosbench.run("brightness", "toy", plugins=[TOY])))
        else:
            outcomes.append(outcome(lambda place=place: prune(place if name == "v0.pkl" else place / name)))
    assert len(outcomes) == examples(count)
    assert not [said for said in outcomes if "\n" in said]


def saved_state(tmp_path: Path) -> bytes:
    _save(tmp_path / "state.npz", 4, {"mean": np.zeros(()), "count": np.ones(())})
    return (tmp_path / "state.npz").read_bytes()
