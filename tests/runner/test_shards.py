"""Shards and what puts them together: the bytes of one process, or a refusal that names what is wrong."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factories import write_toy
from in_process import call
from toys import TOY, toy
from vosbench.dataset import DatasetProtocol
from vosbench.engine.locks import locked
from vosbench.evaluate.plain import from_plain, to_plain
from vosbench.evaluate.task import Scored
from vosbench.metrics.ochs_brox import ObjectScores, RegionScore
from vosbench.records.record import Row
from vosbench.runner.shards import shares


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A dataset that is a folder, of five videos with different lengths."""
    root = write_toy(tmp_path / "data", videos=5, frames=6)
    for video in range(4):
        for kind in ("frames", "masks"):
            for frame in range(2 + video, 6):
                (root / kind / f"v{video}" / f"{frame:05d}.png").unlink()
    return root


@pytest.fixture
def words(data: Path) -> Callable[..., tuple[str | Path, ...]]:
    def run(verb: str, out: Path, *more: str, method: str = "brightness.average") -> tuple[str | Path, ...]:
        return (verb, "--method", method, "--dataset", data, "--plugin", TOY, "--out", out, "--quiet", *more)

    return run


Words = Callable[..., tuple[str | Path, ...]]


def files(folder: Path) -> dict[str, bytes]:
    """Path → content of every file, without the rows of shards."""
    found = {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    return {name: content for name, content in found.items() if ".shards" not in name}


def done(*words: str | Path, code: int = 0) -> str:
    """What a command prints to stderr."""
    found = call(*words)
    assert found.returncode == code, found.stderr
    return found.stderr


def rows(out: Path, pattern: str = "*.rows.json") -> list[Path]:
    return sorted(out.rglob(pattern))


@given(st.lists(st.integers(0, 1000), max_size=60), st.integers(1, 12))
def test_shares_are_even_and_overlap_nowhere(lengths: list[int], of: int) -> None:
    found = shares(lengths, of)
    assert sorted(index for share in found for index in share) == list(range(len(lengths)))
    loads = [sum(lengths[index] for index in share) for share in found]
    assert max(loads) - min(loads) <= max(lengths, default=0)
    assert found == shares(list(lengths), of)


@pytest.mark.parametrize("of", [1, 2, 3, 7])
def test_shards_end_in_the_bytes_of_one_process(words: Words, tmp_path: Path, of: int) -> None:
    done(*words("run", tmp_path / "whole"))
    for index in range(of, 0, -1):  # in any order
        mine = words("run", tmp_path / "parts", "--shard", f"{index}/{of}")
        assert f"note: shard {index}/{of} has " in done(*(word for word in mine if word != "--quiet"))
        assert not list((tmp_path / "parts").glob("*/*.json"))
    done(*words("merge", tmp_path / "parts"))
    assert files(tmp_path / "parts") == files(tmp_path / "whole")
    assert len(rows(tmp_path / "parts")) == 5
    assert len(rows(tmp_path / "parts", "shard.json")) == of  # that of an empty shard, too


@pytest.mark.parametrize("protocol", ["toy-saliency", "toy-inner"])
def test_curves_and_choices_are_merged_too(toy_root: Path, tmp_path: Path, protocol: str) -> None:
    words = ("--method", "brightness", "--dataset", "toy", "--root", toy_root, "--plugin", TOY, "--protocol", protocol)
    done("run", *words, "--limit", "4", "--out", tmp_path / "whole")
    for shard in ("1/2", "2/2"):
        done("run", *words, "--limit", "4", "--out", tmp_path / "parts", "--shard", shard)
    done("merge", *words, "--limit", "4", "--out", tmp_path / "parts")
    assert files(tmp_path / "parts") == files(tmp_path / "whole")


def test_folders_of_several_machines_are_copied_together(words: Words, tmp_path: Path) -> None:
    done(*words("run", tmp_path / "whole"))
    for index in (1, 2):
        done(*words("run", tmp_path / f"part{index}", "--shard", f"{index}/2"))
        shutil.copytree(tmp_path / f"part{index}", tmp_path / "together", dirs_exist_ok=True)
    done(*words("merge", tmp_path / "together"))
    assert files(tmp_path / "together") == files(tmp_path / "whole")


def test_who_works_on_a_folder_keeps_others_out(words: Words, tmp_path: Path) -> None:
    done(*words("run", tmp_path, "--shard", "1/2"))
    (place,) = (path.parent for path in rows(tmp_path, "shard.json"))
    maps = tmp_path / "data" / "brightness.average"
    with locked(maps, shared=True), locked(place.with_name("2-of-2")):  # what a shard that is running holds
        for refused in (words("run", tmp_path), words("merge", tmp_path), words("run", tmp_path, "--shard", "2/2")):
            assert "is in use by process" in done(*refused, code=3)
        done(*words("run", tmp_path, "--shard", "1/2"))
    with locked(maps):  # a run
        assert "is in use by process" in done(*words("run", tmp_path, "--shard", "2/2"), code=3)
    done(*words("run", tmp_path, "--shard", "2/2"))
    done(*words("merge", tmp_path))


def test_shards_at_the_same_time_and_killed_ones(words: Words, tmp_path: Path) -> None:
    done(*words("run", tmp_path / "whole"))
    parts = tmp_path / "parts"

    def started(index: int, seconds: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "vosbench", *map(str, words("run", parts, "--shard", f"{index}/2"))]
        return subprocess.Popen(
            command, cwd=tmp_path, env={**os.environ, "TOY_SECONDS": seconds}, stdout=subprocess.DEVNULL
        )

    killed, other = started(1, "2"), started(2, "0.1")
    while not list(parts.rglob("00001.png")) and killed.poll() is None:
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    assert (killed.wait(), other.wait()) == (-9, 0)
    assert "have no rows of" in done(*words("merge", parts), code=3)
    done(*words("run", parts, "--shard", "1/2"))
    done(*words("merge", parts))
    assert files(parts) == files(tmp_path / "whole")


def test_what_is_done_is_not_done_again(words: Words, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done(*words("run", tmp_path, "--shard", "1/1"))
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.*") if path.is_file()}
    monkeypatch.setattr("vosbench.runner.shards.segment", pytest.fail)
    done(*words("run", tmp_path, "--shard", "1/1"))
    after = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.*") if path.is_file()}
    assert {path.name for path in before if before[path] != after[path]} == {"shard.json", "run.json"}


def test_failed_videos_are_named_and_tried_again(words: Words, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOY_FAIL", "v3/00002")
    done(*words("run", tmp_path / "whole"), code=4)
    said = [
        done(*words("run", tmp_path / "parts", "--shard", f"{index}/2"), code=code) for index, code in ((1, 0), (2, 4))
    ]
    assert 'the method fails on frame 2 of "v3": RuntimeError: out of luck' in said[1]
    assert "the others of shard 2/2 are done" in said[1]
    assert "is marked incomplete" in done(*words("merge", tmp_path / "parts"), code=4)
    assert files(tmp_path / "parts") == files(tmp_path / "whole")
    monkeypatch.delenv("TOY_FAIL")
    done(*words("run", tmp_path / "whole"))
    done(*words("run", tmp_path / "parts", "--shard", "2/2"))
    done(*words("merge", tmp_path / "parts"))
    assert files(tmp_path / "parts") == files(tmp_path / "whole")


def changed(path: Path, **changes: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_what_does_not_belong_together_is_refused(words: Words, data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    said = done(*words("merge", out), code=3)
    assert "have no rows of 5 videos (v0, v1, v2, v3, v4); run each with: vosbench run … --shard 1/N" in said
    done(*words("run", out, "--shard", "1/3"))
    said = done(*words("merge", out), code=3)
    assert "have no rows of 4 videos (v0, v1, v2, v3); run another shard to the end" in said
    for index in (2, 3):
        done(*words("run", out, "--shard", f"{index}/3"))
    (first, *_) = rows(out)
    kept = first.read_bytes()

    code = json.loads(kept)["code"]
    changed(first, code={**code, "commit": "0" * 40, "dirty": False})
    assert "by vosbench 0.1.0 (000000000000), and this is vosbench 0.1.0" in done(*words("merge", out), code=3)
    for damage in (b"", b"[]", kept[:-9]):
        first.write_bytes(damage)
        assert "is damaged" in done(*words("merge", out), code=3)
    first.write_bytes(kept)
    changed(first, scored={"video": "v4"})
    assert 'the rows of "v4" of shard 1/3 are damaged (KeyError' in done(*words("merge", out), code=3)
    first.unlink()
    assert "have no rows of 1 video (v4); run shard 1/3 to the end" in done(*words("merge", out), code=3)
    first.write_bytes(kept)

    done(*words("run", out, "--shard", "1/1"))  # the same rows again, which agree
    again = next(path for path in rows(out) if path.parent.name == "1-of-1" and path.name == first.name)
    scored = json.loads(again.read_text())["scored"]
    changed(again, scored={**scored, "masks": "0" * 64})
    assert 'shards 1/1 and 1/3 have different rows of "v4"' in done(*words("merge", out), code=3)
    again.write_bytes(kept)
    assert not list(out.glob("*/*.json"))
    done(*words("merge", out))

    for kind in ("frames", "masks"):  # another list
        shutil.copytree(data / kind / "v4", data / kind / "v5")
    said = done(*words("merge", out), code=3)
    assert "there is of another list: videos: v5 was absent, now 6" in said


@pytest.mark.parametrize("shard", ["0/3", "4/3", "1", "1/0", "a/b", "-1/2", "1/2/3"])
def test_what_is_not_a_shard(words: Words, tmp_path: Path, shard: str) -> None:
    assert "is not a shard" in done(*words("run", tmp_path / "out", f"--shard={shard}"), code=2)


@pytest.mark.parametrize("other", [("--overwrite",), ("--profile",)])
def test_what_a_shard_does_not_do(words: Words, tmp_path: Path, other: tuple[str, ...]) -> None:
    said = done(*words("run", tmp_path / "out", "--shard", "1/2", *other), code=2)
    assert f"--shard and {other[0]} contradict each other" in said


def test_who_shares_a_folder_keeps_others_out(tmp_path: Path) -> None:
    with locked(tmp_path, shared=True), locked(tmp_path, shared=True):
        assert (tmp_path / ".lock").is_file()
    assert not (tmp_path / ".lock").exists()


def test_rows_are_equal_to_the_last_bit() -> None:
    from vosbench.evaluate.saliency import merged
    from vosbench.metrics.saliency.accumulate import Sums

    protocol = toy().protocols[2]
    assert isinstance(protocol, DatasetProtocol)
    numbers = np.random.default_rng(0)
    curves = merged([], protocol)
    curves.videos["v"] = Sums(3, 9, 2, {"MAE": float(numbers.random()), "positive": numbers.integers(0, 9, 256)})
    curves.videos["v"].sums["precision"] = numbers.random(256)
    curves.videos["v"].sums["S"] = np.float64(numbers.random())
    scored = Scored("v", (Row("v", 1, "J", 2 / 3),), (4,), 2, "a", "m", curves, None, {"odd": 0.1, "even": None}, 7)
    regions = ObjectScores(0.1, 1 / 3, 0.2, 1, 2, 0.5, (RegionScore(1, None, 0.3, 0.4, 0.5),))
    for each in (scored, replace(scored, saliency=None, regions=regions, uniform=(1, 2, 3), complement=1 / 7)):
        again = from_plain(json.loads(json.dumps(to_plain(each))), protocol)
        assert replace(again, saliency=None) == replace(each, saliency=None)
        if each.saliency is not None:
            assert again.saliency is not None
            assert again.saliency.names == each.saliency.names
            sums, before = again.saliency.videos["v"], each.saliency.videos["v"]
            assert (sums.frames, sums.pixels, sums.annotated) == (3, 9, 2)
            for name, value in before.sums.items():
                assert np.array_equal(sums.sums[name], value), name
                assert np.asarray(sums.sums[name]).dtype == np.asarray(value).dtype
