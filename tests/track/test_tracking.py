"""Trackers: TensorBoard by its own reader, MLflow and Weights & Biases by their packages if these are installed."""

import json
import sys
import time
from pathlib import Path

import pytest

import vosbench
from in_process import call
from vosbench.errors import UsageError
from vosbench.records.record import Row
from vosbench.track import About, Tracking, check_kinds, tracking
from vosbench.track.tensorboard import clear

ABOUT = About(name="net", group="toy val", folder="toy/net", settings={"weights": "abc", "option a&b": "1"})
ROWS = [Row("cows", 1, "J", 0.25), Row("cows", 2, "J", 0.5), Row("dog", 1, "F", 1.0)]


def png(place: Path) -> Path:
    from PIL import Image

    path = place / "drawn.png"
    Image.new("RGB", (4, 3)).save(path)
    return path


def send(wanted: str, place: Path, about: About = ABOUT) -> list[str]:
    """Track a bit of everything; what was noted."""
    notes: list[str] = []
    with tracking([wanted], place, about, notes.append) as trackers:
        trackers.scalars({"J_mean": 0.5, "videos/cows/J_mean": 0.375}, 0)
        trackers.rows(ROWS)
        trackers.text("record.json", '{"a": 1}\n')
        trackers.figure("videos", png(place))
    return notes


def test_unknown_and_missing_trackers_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match='there is no tracker "tensorbord"; did you mean "tensorboard"'):
        check_kinds(["tensorbord"])
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(UsageError, match=r'mlflow is not installed; run: pip install "vosbench\[mlflow\]"'):
        check_kinds(["mlflow=folder"])
    pytest.importorskip("tensorboard")
    with pytest.raises(UsageError, match='the tracker "tensorboard" is named twice'):
        check_kinds(["tensorboard", "tensorboard=b"])


def test_nothing_is_written_before_the_first_number(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    with tracking(["tensorboard"], tmp_path, ABOUT):
        pass
    assert [*tmp_path.iterdir()] == []


def test_a_tracker_that_fails_is_left_out(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    (tmp_path / "tensorboard").write_text("a file where the folder should be", "utf-8")
    notes: list[str] = []
    trackers = Tracking(["tensorboard"], tmp_path, ABOUT, notes.append)
    for step in range(3):
        trackers.scalars({"loss": 1.0}, step)
    trackers.close()
    (line,) = notes
    assert line.startswith("tensorboard stopped, and gets no further numbers: ")


def test_tensorboard(tmp_path: Path) -> None:
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    for _ in range(2):  # the second replaces the first
        assert send("tensorboard", tmp_path) == []
    folder = tmp_path / "tensorboard" / "toy" / "net"
    events = reader.EventAccumulator(str(folder)).Reload()
    scalars = {tag: [(each.step, each.value) for each in events.Scalars(tag)] for tag in events.Tags()["scalars"]}
    assert scalars == {
        "J_mean": [(0, 0.5)],
        "videos/cows/J_mean": [(0, 0.375)],
        "rows/cows/J": [(1, 0.25), (2, 0.5)],
        "rows/dog/F": [(1, 1.0)],
    }
    (image,) = events.Images("videos")
    assert (image.width, image.height) == (4, 3)
    (text,) = events.Tensors("record.json")
    assert text.tensor_proto.string_val == [b'    {"a": 1}']
    clear(folder)
    assert [*folder.iterdir()] == []


def test_mlflow(tmp_path: Path) -> None:
    mlflow = pytest.importorskip("mlflow")
    for _ in range(2):  # into one experiment
        assert send(f"mlflow={tmp_path / 'runs'}", tmp_path) == []
    client = mlflow.MlflowClient(tracking_uri=(tmp_path / "runs").as_uri())
    experiment = client.get_experiment_by_name("vosbench toy val")
    runs = client.search_runs([experiment.experiment_id])
    assert len(runs) == 2
    assert runs[0].info.run_name == "net"
    assert runs[0].info.status == "FINISHED"
    assert runs[0].data.metrics == {"J_mean": 0.5, "videos/cows/J_mean": 0.375}
    assert runs[0].data.params == {"weights": "abc", "option a_b": "1"}
    files = {path.relative_to(tmp_path).parts[-1]: path for path in tmp_path.rglob("artifacts/**/*") if path.is_file()}
    assert files.keys() == {"record.json", "rows.csv", "drawn.png"}
    assert files["rows.csv"].read_text("utf-8").splitlines()[1] == "cows,1,J,0.25"


def wait_for(run: Path, what: bytes) -> bool:
    """Whether the run has it; its process writes for a moment after the run was finished."""
    for _ in range(200):
        if any(what in path.read_bytes() for path in run.glob("*.wandb")):
            return True
        time.sleep(0.05)
    return False


def test_wandb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("wandb")
    monkeypatch.delenv("WANDB_MODE", raising=False)
    monkeypatch.setattr("warnings.filters", [])  # those of its own files are not ours
    assert send("wandb", tmp_path) == []
    (run,) = (tmp_path / "wandb" / "wandb").glob("offline-run-*")
    assert (run / "files" / "record.json").read_text("utf-8") == '{"a": 1}\n'
    (table,) = run.rglob("*.table.json")
    assert json.loads(table.read_text("utf-8"))["data"] == [list(row) for row in ROWS]
    assert [*run.rglob("*.png")]
    assert wait_for(run, b"videos/cows/J_mean")
    assert wait_for(run, b"vosbench")


def test_a_stand_in_gets_what_wandb_would(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the adapter is tested where the package is not installed; `test_wandb` uses the package itself."""
    from types import SimpleNamespace

    calls: list[tuple[str, object]] = []
    run = SimpleNamespace(
        dir=str(tmp_path),
        log=lambda values, step=None: calls.append(("log", (values, step))),
        save=lambda path, **_: calls.append(("save", Path(path).read_text("utf-8"))),
        finish=lambda: calls.append(("finish", None)),
    )
    fake = SimpleNamespace(
        init=lambda **known: calls.append(("init", known)) or run,
        Settings=dict,
        Table=lambda columns, data: (columns, data),
        Image=lambda path: Path(path).name,
    )
    monkeypatch.setitem(sys.modules, "wandb", fake)  # type: ignore[arg-type]
    monkeypatch.delenv("WANDB_MODE", raising=False)
    assert send("wandb", tmp_path) == []
    kinds = [kind for kind, _ in calls]
    assert kinds == ["init", "log", "log", "save", "log", "finish"]
    begun = calls[0][1]
    assert isinstance(begun, dict)
    assert (begun["mode"], begun["group"], begun["config"]) == ("offline", "toy val", ABOUT.settings)
    assert calls[1][1] == ({"J_mean": 0.5, "videos/cows/J_mean": 0.375}, 0)
    assert calls[2][1] == ({"rows": (["video", "frame", "measure", "value"], [list(row) for row in ROWS])}, None)


def test_commands_track_what_they_print(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    run = ["run", "--method", "motion", "--dataset", "sample", "--videos", "animal-walk", "--limit", "3"]
    done = call(*run, "--track", "tensorboard", "--out", "results")
    assert done.returncode == 0, done.stderr
    (record,) = Path("results", "sample").glob("*.json")
    scores = vosbench.read_record(record).scores
    place = Path("results", "tracking", "tensorboard", "sample", record.stem)
    events = reader.EventAccumulator(str(place)).Reload()
    (value,) = events.Scalars("J_mean")
    assert value.value == pytest.approx(scores["J_mean"])
    maps = Path("results", "sample", next(each.name for each in Path("results", "sample").iterdir() if each.is_dir()))
    score = ["score", maps, "--dataset", "sample", "--videos", "animal-walk", "--limit", "3"]
    assert call(*score, "--track", "tensorboard=boards").returncode == 0
    assert [*Path("boards").rglob("events.out.tfevents.*")]
    assert call(*score, "--track", "nothing").returncode == 2
    assert call(*score, "--protocol", "all", "--track", "tensorboard").returncode == 2
