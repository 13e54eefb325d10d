"""From a method to a record: the contract, resuming, and being killed."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vosbench.dataset import Video
from vosbench.dataset.selection import Choice, Selection, select
from vosbench.errors import UsageError, VideoError, WorkerError
from vosbench.evaluate.score import score
from vosbench.images import files as images
from vosbench.method import FloatMap, Method, Option, Setup
from vosbench.method.predict import write_maps
from vosbench.method.sources import sources
from vosbench.records import provenance
from vosbench.records.record import read
from vosbench.registry import load_dataset, load_method
from vosbench.runner import opened, resolve_options, resolve_weights, run, segment

TOY = Path(__file__).parent / "plugins" / "toy.py"


def selection(root: Path, **choice: object) -> Selection:
    return select(load_dataset("toy", [TOY]), replace(Choice(root=root), **choice))


def digest(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


class Fixed:
    def __init__(self, *maps: object) -> None:
        self.maps = maps

    def predict(self, video: Video) -> Iterator[FloatMap]:
        assert not video.annotations, "a method must not see annotations"
        yield from self.maps  # type: ignore[misc]


GOOD = np.zeros((24, 32), np.float32)


@pytest.mark.parametrize(
    ("maps", "said"),
    [
        ([GOOD] * 4, "yields 4 maps for the 5 frames"),
        ([GOOD] * 6, "more maps"),
        ([GOOD.astype(float)] * 5, "float64"),
        ([GOOD.T.copy()] * 5, r"\(32, 24\)"),
        ([GOOD + 2] * 5, "ranges from 2.0"),
        ([GOOD * np.nan] * 5, "ranges from nan"),
        (["no map"] * 5, "is str"),
    ],
)
def test_broken_contracts_are_named(toy_root: Path, tmp_path: Path, maps: list[object], said: str) -> None:
    video = selection(toy_root).videos[0]
    with pytest.raises(VideoError, match=said):
        write_maps(Fixed(*maps), video, tmp_path / "out", lambda _: None)


def test_maps_on_disk_are_not_computed_again(toy_root: Path, tmp_path: Path) -> None:
    method, _ = load_method("brightness.average", [TOY])
    video = selection(toy_root).videos[0]
    predictor = method.load(Setup(variant="average"))
    undisturbed = tmp_path / "undisturbed"
    write_maps(predictor, video, undisturbed, lambda _: None)
    expected = digest(undisturbed)
    assert list(expected) == [f"{t:05d}.png" for t in range(5)]

    class StoppedError(Exception):
        pass

    def stop(done: int) -> None:
        if done == 3:
            raise StoppedError

    folder = tmp_path / "stopped"
    with pytest.raises(StoppedError):
        write_maps(method.load(Setup(variant="average")), video, folder, stop)
    asked: list[int] = []

    class Watched(type(predictor)):  # type: ignore[misc]
        def resume(self, video: Video, start: int, state: object) -> Iterator[FloatMap]:
            asked.append(start)
            return super().resume(video, start, state)

    write_maps(Watched(), video, folder, lambda _: None)
    assert asked == [3]
    assert digest(folder) == expected


def test_a_half_written_map_is_computed_again(toy_root: Path, tmp_path: Path) -> None:
    method, _ = load_method("brightness", [TOY])
    video = selection(toy_root).videos[0]
    write_maps(method.load(Setup()), video, tmp_path / "a", lambda _: None)
    expected = digest(tmp_path / "a")
    path = tmp_path / "a" / "00002.png"
    path.write_bytes(path.read_bytes()[:-3])
    write_maps(method.load(Setup()), video, tmp_path / "a", lambda _: None)
    assert digest(tmp_path / "a") == expected


@pytest.fixture
def _interruptible() -> Iterator[None]:
    """Let children take SIGINT, even if the tests run in the background of a shell, which has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_interruptible")
@pytest.mark.parametrize("variant", ["brightness", "brightness.average"])
@pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGKILL])
def test_a_resumed_run_equals_an_uninterrupted_one(
    toy_root: Path, tmp_path: Path, blow: signal.Signals, variant: str
) -> None:
    def command(out: str) -> list[str]:
        words = (
            f"-m vosbench run --method {variant} --dataset toy --root {toy_root} --plugin {TOY} --out {tmp_path / out}"
        )
        return [sys.executable, *words.split()]

    subprocess.run(command("whole"), check=True, capture_output=True)
    slow = subprocess.Popen(
        command("killed"), env={**os.environ, "TOY_SECONDS": "0.3"}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    waited = tmp_path / "killed" / "toy" / variant / "v0" / "00002.png"
    deadline = time.monotonic() + 60
    while not waited.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    slow.send_signal(blow)
    _, said = slow.communicate(timeout=60)
    assert slow.returncode == (130 if blow == signal.SIGINT else -9)
    if blow == signal.SIGINT:
        assert b"interrupted" in said
        assert b"Traceback" not in said
    assert not (tmp_path / "killed" / "toy" / f"{variant}.json").exists()
    subprocess.run(command("killed"), check=True, capture_output=True)
    assert digest(tmp_path / "killed") == digest(tmp_path / "whole")


def test_record_of_a_run(toy_root: Path, tmp_path: Path) -> None:
    method, _ = load_method("brightness", [TOY])
    done = run(method, Setup(), selection(toy_root), tmp_path / "out")
    record, path = done.record, done.path
    assert path == tmp_path / "out" / "toy" / "brightness.json"
    assert record.scores["J_mean"] == record.scores["F_mean"] == record.scores["JF_mean"] == 1.0
    written = json.loads(path.read_text())
    assert written["schema"] == "vosbench/record@4"
    assert written["signature"].startswith("toy@1|J:all|F:0.008|avg:video|vosbench ")
    assert not record.shortcomings


def test_maps_of_another_setup_are_not_mixed(toy_root: Path, tmp_path: Path) -> None:
    method = replace(load_method("brightness", [TOY])[0], heeds=("batch",))
    run(method, Setup(batch=1), selection(toy_root), tmp_path)
    with pytest.raises(UsageError, match="batch was 1, now 2"):
        run(method, Setup(batch=2), selection(toy_root), tmp_path)
    folder = tmp_path / "toy" / "brightness"
    checkpoint = folder / "v0" / ".ipynb_checkpoints" / "00000.png"
    others = [checkpoint, folder / ".thumbnails" / "00000.png"]
    for path in others:
        path.parent.mkdir()
        path.touch()
    record = run(method, Setup(batch=2), selection(toy_root), tmp_path, overwrite=True).record
    assert record.provenance.batch == 2
    assert all(path.is_file() for path in others)


def test_an_invalid_setup_leaves_no_files(toy_root: Path, tmp_path: Path) -> None:
    good, _ = load_method("brightness", [TOY])

    def refuse(_: Setup) -> Fixed:
        raise UsageError("no such option")

    with pytest.raises(UsageError, match="no such option"):
        run(replace(good, load=refuse), Setup(options={"wrong": "1"}), selection(toy_root), tmp_path)
    assert not list(tmp_path.rglob("run.json"))
    record = run(good, Setup(), selection(toy_root), tmp_path).record
    assert record.scores["J_mean"] is not None


def test_some_videos_give_a_marked_mean(toy_root: Path, tmp_path: Path) -> None:
    method, _ = load_method("brightness", [TOY])
    record = run(method, Setup(), selection(toy_root, videos=("v1",)), tmp_path).record
    assert record.scores["J_mean"] == record.videos["v1"]["J_mean"] == 1.0
    assert list(record.videos) == ["v1"]
    assert record.missing == []
    assert record.signature.startswith("videos:1of2|toy@1|")
    assert record.shortcomings == ["only 1 of 2 videos"]


def test_a_limited_run_is_marked(toy_root: Path, tmp_path: Path) -> None:
    method, _ = load_method("brightness", [TOY])
    record = run(method, Setup(), selection(toy_root, limit=3), tmp_path).record
    assert record.signature.startswith("limit:3|")
    assert record.shortcomings == ["only 3 frames of each video"]


def test_the_other_videos_are_finished_first(toy_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    method, _ = load_method("brightness", [TOY])
    monkeypatch.setenv("TOY_FAIL", "v0/00003")
    said = (
        r'fails on frame 3 of "v0": RuntimeError: out of luck .*; the record of the others, ".*", is marked incomplete'
    )
    path = tmp_path / "toy" / "brightness.json"
    with pytest.raises(VideoError, match=said):
        run(method, Setup(), selection(toy_root), tmp_path)
    assert images.is_complete(tmp_path / "toy" / "brightness" / "v1" / "00004.png")
    record = read(path)
    assert (record.failed, record.missing) == (["v0"], ["v0/00003", "v0/00004"])
    assert record.videos["v1"]["J_mean"] == 1.0
    assert set(record.scores.values()) == {None}
    assert record.shortcomings[0] == "incomplete, since the method failed on 1 video"
    monkeypatch.delenv("TOY_FAIL")
    whole = run(method, Setup(), selection(toy_root), tmp_path).record
    assert whole == read(path)
    assert (whole.failed, whole.missing, whole.scores["J_mean"]) == ([], [], 1.0)


def test_a_run_of_which_every_video_failed_writes_no_record(
    toy_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    method, _ = load_method("brightness", [TOY])
    monkeypatch.setenv("TOY_FAIL", "v0/00003")
    with pytest.raises(VideoError, match="out of luck"):
        run(method, Setup(), selection(toy_root, videos=("v0",)), tmp_path)
    with pytest.raises(VideoError, match="out of luck"):
        run(method, Setup(), selection(toy_root))
    assert not list(tmp_path.glob("toy/*.json"))


def test_runs_of_several_limits_and_protocols_are_apart(toy_root: Path, tmp_path: Path) -> None:
    method, _ = load_method("brightness", [TOY])
    choices: list[dict[str, object]] = [{}, {"limit": 3}, {"protocol": "toy-inner"}, {"measures": ("J",)}]
    for choice in choices * 2:  # each is resumed, too
        run(method, Setup(), selection(toy_root, **choice), tmp_path / "out")
    names = {path.name for path in (tmp_path / "out" / "toy").iterdir() if not path.name.endswith(".csv.gz")}
    assert names == {
        "brightness",
        "brightness+limit3",
        "brightness.json",
        "brightness+limit3.json",
        "brightness@toy-inner.json",
        "brightness+J.json",
    }
    limited = score(tmp_path / "out" / "toy" / "brightness+limit3", selection(toy_root, limit=3))[0]
    assert limited.name == "brightness+limit3"


def test_a_method_cannot_write_elsewhere(toy_root: Path, tmp_path: Path) -> None:
    method = Method(name="../evil", title="", paper="", licence="", load=lambda _: Fixed(), needs_weights=False)
    with pytest.raises(UsageError, match="contains /"):
        run(method, Setup(), selection(toy_root), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_weights(tmp_path: Path) -> None:
    weights = tmp_path / "a.safetensors"
    weights.write_bytes(b"")
    trained = Method(name="m", title="M", paper="", licence="", load=lambda _: Fixed(), variants={"x": ""})
    with pytest.raises(UsageError, match="--weights, or --untrained"):
        resolve_weights(trained, Setup(), untrained=False)
    with pytest.raises(UsageError, match="contradict"):
        resolve_weights(trained, Setup(weights=weights), untrained=True)
    with pytest.raises(UsageError, match="do not exist"):
        resolve_weights(trained, Setup(weights=tmp_path / "none"), untrained=False)
    assert resolve_weights(trained, Setup(weights=weights), untrained=False).weights == weights
    shipped = replace(trained, weights={"x": weights})
    assert resolve_weights(shipped, Setup(variant="x"), untrained=False).weights == weights
    assert resolve_weights(shipped, Setup(variant="x"), untrained=True).weights is None
    parts = replace(trained, weights={"x": {"encoder": weights, "decoder": weights}})
    found = resolve_weights(parts, Setup(variant="x"), untrained=False).weights
    assert found is not None
    assert [(source.part, source.path) for source in sources(found)] == [("encoder", weights), ("decoder", weights)]


def test_options_are_completed_and_checked() -> None:
    method = Method(
        name="m",
        title="M",
        paper="",
        licence="",
        load=lambda _: Fixed(),
        options={"preset": Option("paper", "of what", ("paper", "official")), "file": Option("", "a path")},
    )
    assert resolve_options(method, {"file": "a=b"}) == {"preset": "paper", "file": "a=b"}
    with pytest.raises(UsageError, match='has no preset "x"; available: paper, official'):
        resolve_options(method, {"preset": "x"})
    with pytest.raises(UsageError, match='m has no option "presett"; available: preset=…, file=…'):
        resolve_options(method, {"presett": "paper"})


def test_processes_with_other_packages_segment_nothing(
    toy_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    method, _ = load_method("brightness", [TOY])
    with opened(method, Setup(), selection(toy_root), tmp_path, load=False) as found:
        units = found.units()
        versions = {**provenance.package_versions(), "numpy": "0.1"}
        monkeypatch.setattr(provenance, "package_versions", lambda: versions)
        with pytest.raises(WorkerError, match=r"has numpy 0\.1, but the run was started with .*; install equal"):
            segment(units[0])
    assert not list(tmp_path.glob("toy/brightness/*/*.png"))
