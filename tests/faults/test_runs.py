"""Faults while a method runs: its own, and those of memory, disk, network, power and clock."""

import os
import random
import signal
import time
from pathlib import Path

import pytest

from factories import write_toy
from in_process import call
from injected import Lab, fault
from spread import processes, until
from vosbench.engine.locks import locked

METHOD = """
import numpy as np
from pathlib import Path
from vosbench.images import read_frame
from vosbench.method import Method


class Predictor:
    def __init__(self, setup):
        self.batch = setup.batch

    def predict(self, video):
        for at, path in enumerate(video.frames):
            {predict}
            yield read_frame(path).mean(axis=2).astype(np.float32) / 255


def load(setup):
    {load}
    return Predictor(setup)


faulty = Method(
    name="faulty", title="Faulty", paper="none", licence="MIT", load=load, needs_weights=False, heeds=("batch",)
)
"""


def faulty(lab: Lab, predict: str = "pass", load: str = "pass", *more: str) -> list[str]:
    """The words of a run of a method with a fault."""
    path = lab.plugin(METHOD.format(predict=predict, load=load))
    return lab.run("--plugin", path, *more, method="faulty")


def same_as_undisturbed(lab: Lab, words: list[str]) -> None:
    """The same command again ends in the bytes of a run in which nothing was broken."""
    lab.done(*words)
    lab.done(*words, "--out", "undisturbed")
    found, expected = (
        {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        for folder in (lab.folder / "results", lab.folder / "undisturbed")
    )
    assert found == expected


@fault("a method raises in `load`")
def test_load(lab: Lab) -> None:
    lab.inject(*faulty(lab, load="raise RuntimeError('no such luck')"))


@fault("a method ends the process in `load` (`sys.exit`)")
def test_load_exits(lab: Lab) -> None:
    lab.inject(*faulty(lab, load="raise SystemExit(0)"))


@fault("a method fails on every video")
def test_every_video(lab: Lab) -> None:
    lab.inject(*faulty(lab, "if at == 2: raise KeyError('cow')"))


@fault("a method fails on some videos of a run")
def test_some_videos(lab: Lab) -> None:
    lab.setenv("TOY_FAIL", "v1/00002")
    lab.inject(*lab.run())
    lab.setenv("TOY_FAIL", "")
    same_as_undisturbed(lab, lab.run())


@fault("a method ends the process in `predict`")
def test_predict_exits(lab: Lab) -> None:
    lab.inject(*faulty(lab, "if video.name == 'v1': raise SystemExit(0)"))


@fault("a map that breaks the contract")
def test_contract(lab: Lab) -> None:
    lab.inject(*faulty(lab, "yield read_frame(path).astype(np.float32)"))


@fault("memory runs out on a video, and suffices for half the batch")
def test_memory_of_a_batch(lab: Lab) -> None:
    lab.inject(*faulty(lab, "if self.batch > 2: raise MemoryError", "pass", "--batch", "8"))
    assert (lab.folder / "results" / "toy" / "faulty.json").is_file()


@fault("memory runs out on a video, whatever the batch")
def test_memory(lab: Lab) -> None:
    raises = "if video.name == 'v1': raise RuntimeError('CUDA out of memory. Tried to allocate 20 GiB')"
    lab.inject(*faulty(lab, raises, "pass", "--batch", "2"))


@fault("a frame is deleted after the videos were found")
def test_deleted(lab: Lab) -> None:
    gone = lab.root / "frames" / "v1" / "00003.png"
    words = faulty(lab, f"import os; os.environ['LOSE'] and Path({str(gone)!r}).unlink(missing_ok=True)")
    lab.setenv("LOSE", "yes")
    lab.inject(*words)
    lab.setenv("LOSE", "")
    write_toy(lab.root)
    same_as_undisturbed(lab, words)


@fault("a frame is cut off")
def test_truncated(lab: Lab) -> None:
    path = lab.root / "frames" / "v0" / "00001.png"
    path.write_bytes(path.read_bytes()[:70])
    lab.inject(*lab.run())
    write_toy(lab.root)
    same_as_undisturbed(lab, lab.run())


STALL = """
import time
from pathlib import Path
import vosbench.images.{module} as module
usual = module.{function}
def {function}(path, *rest, **more):
    if Path(path).name == "00003.png" and "{part}" in str(path):
        time.sleep(3600)
    return usual(path, *rest, **more)
module.{function} = {function}
"""


@fault("a network folder with frames stalls")
def test_reading_stalls(lab: Lab) -> None:
    text = METHOD.format(predict="pass", load="pass").replace("in enumerate(video.frames)", "in enumerate(AHEAD)")
    text = text.replace("AHEAD", "read_ahead(video.frames)").replace("read_frame(path)", "path")
    words = lab.run("--plugin", lab.plugin(f"from vosbench.method.predict import read_ahead\n{text}"), method="faulty")
    prelude = STALL.format(module="frames", function="read_bytes", part="toy/frames/v1")
    lab.ended(lab.process(*words, prelude=prelude, VOSBENCH_PATIENCE="1"))
    same_as_undisturbed(lab, words)


@fault("a network folder for maps stalls")
def test_writing_stalls(lab: Lab) -> None:
    prelude = STALL.format(module="files", function="write_whole", part="results/toy")
    lab.ended(lab.process(*lab.run(), prelude=prelude, VOSBENCH_PATIENCE="1"))
    same_as_undisturbed(lab, lab.run())


FULL = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))
"""


@fault("the disk is full while maps are written (here: a limit on the size of files)")
def test_disk_full_of_maps(lab: Lab) -> None:
    lab.ended(lab.process(*lab.run(), prelude=FULL.format(size=600)))
    same_as_undisturbed(lab, lab.run())


@fault("the disk is full when the record is written (likewise)")
def test_disk_full_of_record(lab: Lab) -> None:
    lab.ended(lab.process(*lab.run(), prelude=FULL.format(size=1500)))
    same_as_undisturbed(lab, lab.run())


def started(lab: Lab, name: signal.Signals, *more: str) -> None:
    """Send a signal to a run as soon as it has two maps."""
    process = lab.process(*lab.run(*more, method="brightness.average"), TOY_SECONDS="0.2")
    while not (lab.folder / "results/toy/brightness.average/v0/00001.png").is_file():
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.send_signal(name)
    lab.ended(process)


@fault("Ctrl-C (SIGINT)")
def test_interrupted(lab: Lab) -> None:
    started(lab, signal.SIGINT)
    same_as_undisturbed(lab, lab.run(method="brightness.average"))


@fault("SIGTERM, such as at the time limit of a queue")
def test_terminated(lab: Lab) -> None:
    started(lab, signal.SIGTERM)
    same_as_undisturbed(lab, lab.run(method="brightness.average"))


@fault("SIGKILL, at any moment")
def test_killed(lab: Lab) -> None:
    started(lab, signal.SIGKILL)
    same_as_undisturbed(lab, lab.run(method="brightness.average"))


@fault("the power fails: maps that were not yet on the disk are empty, or hold zeros")
def test_power(lab: Lab) -> None:
    words = lab.run(method="brightness.average")
    lab.done(*words)
    folder = lab.folder / "results/toy/brightness.average"
    (folder.parent / "brightness.average.json").unlink()
    for path, keep in zip(sorted(folder.glob("v1/*.png")), (None, 0, 40, 300, 12), strict=True):
        data = path.read_bytes()
        damaged = {None: data, 0: b"", 40: bytes(len(data)), 300: data[:-12], 12: bytes(40) + data[40:]}[keep]
        path.write_bytes(damaged)
    lab.inject(*words)
    same_as_undisturbed(lab, words)


def test_records_are_on_the_disk_before_they_have_their_names(lab: Lab) -> None:
    events: list[str] = []
    usual = os.fsync, Path.replace

    def fsync(descriptor: int) -> None:
        events.append(f"fsync {Path(f'/proc/self/fd/{descriptor}').readlink().name}")
        usual[0](descriptor)

    def replace(path: Path, target: Path) -> Path:
        events.append(f"{path.name} → {target.name}")
        return usual[1](path, target)

    lab.patch(os, "fsync", fsync)
    lab.patch(Path, "replace", replace)
    lab.done(*lab.run())
    for name in ("brightness.json", "brightness.csv.gz"):
        renamed = next(at for at, event in enumerate(events) if event.endswith(f"→ {name}"))
        part = events[renamed].partition(" →")[0]
        assert f"fsync {part}" in events[:renamed]
        assert "fsync toy" in events[renamed:]
    assert any(event.startswith("fsync .") for event in events[:1])  # run.json, before all maps


@fault("the clock jumps, back and forth")
def test_clock(lab: Lab) -> None:
    numbers = random.Random(0)
    usual = time.time
    lab.patch(time, "time", lambda: usual() + numbers.uniform(-1e6, 1e6))
    lab.inject(*lab.run(method="brightness.average"))
    for path in lab.folder.rglob("*.png"):
        os.utime(path, (numbers.uniform(0, 4e9),) * 2)
    same_as_undisturbed(lab, lab.run(method="brightness.average"))


@fault("a second `run` on the same folder")
def test_second(lab: Lab) -> None:
    lab.begin()
    with locked(lab.folder / "results/toy/brightness"):
        done = call(*lab.run())
    lab.end(done.returncode, done.stderr)


@fault("a second process does the same shard")
def test_second_shard(lab: Lab) -> None:
    words = lab.run("--shard", "1/2")
    lab.done(*words)
    (place,) = (path.parent for path in lab.folder.rglob("shard.json"))
    lab.begin()
    with locked(place):
        done = call(*words)
    lab.end(done.returncode, done.stderr)


@fault("`merge` before all shards are done")
def test_merged_early(lab: Lab) -> None:
    lab.done(*lab.run("--shard", "1/2"))
    lab.inject("merge", *lab.run()[1:])


@fault("`merge` of shards of another protocol, setup or list of videos")
def test_merged_others(lab: Lab) -> None:
    for shard in ("1/2", "2/2"):
        lab.done(*lab.run("--shard", shard))
    lab.inject("merge", *lab.run("--protocol", "toy-inner")[1:])


@fault("`merge` of shards that have different rows of a video")
def test_merged_conflict(lab: Lab) -> None:
    for shard in ("1/1", "1/2", "2/2"):
        lab.done(*lab.run("--shard", shard))
    path = next(lab.folder.rglob("1-of-1/v0.rows.json"))
    path.write_text(path.read_text("utf-8").replace('"masks": "', '"masks": "0'), "utf-8")
    lab.inject("merge", *lab.run()[1:])


@fault("`merge` of rows that are damaged")
def test_merged_damaged(lab: Lab) -> None:
    lab.done(*lab.run("--shard", "1/1"))
    path = next(lab.folder.rglob("v0.rows.json"))
    path.write_bytes(path.read_bytes()[:99])
    lab.inject("merge", *lab.run()[1:])


@fault("`run.json` of a run is damaged")
def test_card(lab: Lab) -> None:
    lab.done(*lab.run())
    (lab.folder / "results/toy/brightness/run.json").write_text("{", "utf-8")
    lab.inject(*lab.run())


@fault("the state of a sequential method is damaged")
def test_state(lab: Lab) -> None:
    words = lab.run(method="brightness.average")
    lab.done(*words)
    folder = lab.folder / "results/toy/brightness.average/v1"
    (folder / "00003.png").unlink()
    (folder / ".state.npz").write_bytes(b"PK\3\4")
    lab.inject(*words)
    same_as_undisturbed(lab, words)


@fault("a run of another setup in the same folder")
def test_other_setup(lab: Lab) -> None:
    lab.done(*lab.run())
    lab.inject(*lab.run("--threads", "2"))


@fault("a worker of `score --jobs` is killed")
def test_worker_of_pool(lab: Lab) -> None:
    kill = (
        "import os, signal\n"
        "from vosbench.metrics.measures import Family, Measure\n"
        "class Accumulation:\n"
        "    def add(self, annotation, prediction): os.kill(os.getpid(), signal.SIGKILL)\n"
        "measures = (Measure(name='odd_mean', symbol='odd', heading='odd'),)\n"
        "odd = Family(name='odd', measures=measures, start=Accumulation)\n"
    )
    lab.ended(lab.process(*lab.score("--measures", "J,odd", "--jobs", "2", "--plugin", lab.plugin(kill))))


@pytest.mark.slow
@fault("a worker of `run --workers` is killed")
def test_worker_of_cluster(lab: Lab) -> None:
    pytest.importorskip("distributed")
    once = lab.folder / "once.yaml"
    kills = f"if not Path({str(once)!r}).exists(): Path({str(once)!r}).touch(); import os; os.kill(os.getpid(), 9)"
    words = faulty(lab, kills)
    lab.ended(lab.process(*words, "--workers", "2"))
    same_as_undisturbed(lab, words)


@pytest.mark.slow
@fault("a video kills every worker that has it")
def test_poison(lab: Lab) -> None:
    pytest.importorskip("distributed")
    lab.ended(lab.process(*faulty(lab, "if video.name == 'v1': import os; os.kill(os.getpid(), 9)"), "--workers", "2"))


@pytest.mark.slow
@fault("a video takes longer than `--video-timeout`")
def test_hang(lab: Lab) -> None:
    pytest.importorskip("distributed")
    words = faulty(lab, "if video.name == 'v1': import time; time.sleep(999)")
    lab.ended(lab.process(*words, "--workers", "2", "--video-timeout", "10"))


@pytest.mark.slow
@fault("the scheduler of a cluster is killed")
def test_scheduler(lab: Lab) -> None:
    pytest.importorskip("distributed")
    place = lab.folder.with_name(f"{lab.folder.name}-cluster")
    place.mkdir()
    words = faulty(lab, "import time; time.sleep(0.5)")
    with processes(place, 1) as (address, started):
        client = lab.process(*words, "--scheduler", address)
        until(lambda: list(lab.folder.glob("results/toy/faulty/*/00001.png")))
        started[0].kill()
        lab.ended(client)
    same_as_undisturbed(lab, words)


@fault("the address of a scheduler at which nobody answers")
def test_no_scheduler(lab: Lab) -> None:
    pytest.importorskip("distributed")
    lab.patch("vosbench.engine.cluster.FETCH", 0.5)
    lab.inject(*lab.run("--scheduler", "tcp://127.0.0.1:9"))
