"""Method ``onnx``: networks of third parties, by options alone; neither torch nor the example networks are ours."""

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from vosbench.dataset import Video
from vosbench.errors import DataError, UsageError, VideoError
from vosbench.images import read_frame, write_png
from vosbench.method import Setup
from vosbench.method.interface import OPTIONS
from vosbench.method.testing import check_predictor, sample_video
from vosbench.registry import load_method

networks = pytest.importorskip("networks", reason="needs the extra onnx", exc_type=ImportError)
onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

Cli = Callable[..., subprocess.CompletedProcess[str]]
PLAIN = {"scale": "255", "mean": "0", "std": "1"}
"""Pixels from 0 to 1."""


def load(path: Path, batch: int = 1, **options: str) -> Any:
    method, _ = load_method("onnx")
    return method.load(Setup(weights=path, batch=batch, options=options))


def maps(path: Path, video: Video, batch: int = 1, **options: str) -> list[NDArray[np.float32]]:
    return list(load(path, batch, **options).predict(video))


def grey(video: Video) -> list[NDArray[np.float64]]:
    return [read_frame(path).mean(axis=2) / 255 for path in video.frames]


@pytest.fixture
def video(tmp_path: Path) -> Video:
    return sample_video(tmp_path / "video")


def agree(found: list[Any], expected: list[Any], tolerance: float = 1e-6) -> bool:
    return all(np.abs(one - other).max() < tolerance for one, other in zip(found, expected, strict=True))


@pytest.mark.parametrize("make", [networks.saliency, networks.plain, networks.channels_last])
def test_the_contract_is_kept(make: Callable[[Path], Path], tmp_path: Path, video: Video) -> None:
    output = "minmax" if make is not networks.channels_last else "softmax"
    options = {"output": output} | ({"channel": "1"} if output == "softmax" else {})
    batch = 1 if make is networks.saliency else 2
    check_predictor(load(make(tmp_path / "net.onnx"), batch, **options), video)


def test_pixels_are_prepared_as_set(tmp_path: Path, video: Video) -> None:
    path = networks.plain(tmp_path / "net.onnx")
    assert agree(maps(path, video, output="sigmoid", **PLAIN), grey(video))
    frame = read_frame(video.frames[0]).astype(np.float64)
    settings: list[tuple[Mapping[str, str], Any]] = [
        ({}, ((frame / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225])),
        ({"mean": "10,20,30", "std": "40", "scale": "2"}, (frame / 2 - [10, 20, 30]) / 40),
        ({"mean": "10,20,30", "std": "40", "scale": "2", "channels": "bgr"}, (frame / 2 - [30, 20, 10]) / 40),
        ({"mean": "0", "std": "1", "scale": "max"}, frame / frame.max()),
    ]
    for options, expected in settings:
        found = maps(path, video.first(1), output="logits", **options)[0]
        assert agree([found], [1 / (1 + np.exp(-expected.mean(axis=2)))], 1e-5), options


def test_frames_and_outputs_are_resized(tmp_path: Path, video: Video) -> None:
    import cv2

    path = networks.plain(tmp_path / "net.onnx", sides=("height", "width"))
    with pytest.raises(UsageError, match="does not say how large its input is; pass --set size=WIDTHxHEIGHT"):
        load(path)
    frame, options = read_frame(video.frames[0]), {"size": "24x20", "output": "sigmoid", **PLAIN}
    for name, small in (
        ("antialias", np.asarray(Image.fromarray(frame).resize((24, 20), Image.Resampling.BILINEAR))),
        ("linear", cv2.resize(frame, (24, 20), interpolation=cv2.INTER_LINEAR)),
    ):
        inner = small.mean(axis=2).astype(np.float32) / 255
        expected = cv2.resize(inner, (64, 48), interpolation=cv2.INTER_LINEAR)
        assert agree(maps(path, video.first(1), filter=name, **options), [expected], 1e-5)
    aligned = maps(path, video.first(1), filter="linear", corners="aligned", **options)[0]
    ends = np.ix_([0, -1], [0, -1])
    assert agree([aligned[ends]], [inner[ends]], 1e-5)
    assert abs(float(aligned[0, 21]) - np.interp(21 * 23 / 63, np.arange(24), inner[0])) < 1e-5


def test_outputs_are_what_they_are_said_to_be(tmp_path: Path, video: Video) -> None:
    first, raw = video.first(1), networks.saliency(tmp_path / "u2.onnx", 48, 64)
    values = grey(first)[0]
    stretched = (values - values.min()) / (values.max() - values.min())
    assert agree(maps(raw, first, output="minmax"), [stretched], 1e-2)  # the channels' means and divisors differ
    assert agree(maps(raw, first, output="minmax", **PLAIN), [stretched])
    assert agree(maps(raw, first, output="minmax", which="d1", **PLAIN), [1 - stretched])
    assert agree(maps(raw, first, output="minmax", which="1", **PLAIN), [1 - stretched])
    with pytest.raises(UsageError, match='has no output "d7"; available: d0, d1, d2, or their numbers'):
        load(raw, which="d7")
    with pytest.raises(VideoError, match=r"ranges from .*, so it is not probabilities; pass --set output=logits"):
        maps(raw, first, output="sigmoid")
    with pytest.raises(VideoError, match="probabilities, or logits of an unsure network"):
        maps(raw, first, **PLAIN)
    assert agree(maps(raw, first, output="logits", **PLAIN), [1 / (1 + np.exp(-values))])
    ended = networks.plain(tmp_path / "ended.onnx", "Sigmoid")
    assert agree(maps(ended, first, **PLAIN), [1 / (1 + np.exp(-values))])  # as the graph ends


def test_classes_with_channels_last(tmp_path: Path, video: Video) -> None:
    path, first = networks.channels_last(tmp_path / "net.onnx"), video.first(1)
    values = grey(first)[0]
    with pytest.raises(VideoError, match=r"has 2 channels; pass --set channel=0 to 1"):
        maps(path, first, output="softmax")
    with pytest.raises(VideoError, match=r"counted from 0; there is no 2"):
        maps(path, first, output="softmax", channel="2")
    assert agree(maps(path, first, output="softmax", channel="1", **PLAIN), [1 / (1 + np.exp(-2 * values))])
    with pytest.raises(DataError, match="in layout nchw 48 channels; frames have 3"):
        load(path, layout="nchw", size="64x48")


@pytest.mark.parametrize("kind", ["FLOAT16", "DOUBLE", "UINT8", "INT8"])
def test_types_of_inputs(kind: str, tmp_path: Path, video: Video) -> None:
    path = networks.of_type(tmp_path / "net.onnx", getattr(onnx.TensorProto, kind))
    shift = {"mean": "128"} if kind == "INT8" else {}
    plain = {"scale": "1", "mean": "0", "std": "1"} if kind in {"FLOAT16", "DOUBLE"} else shift
    found = maps(path, video, output="minmax" if shift else "sigmoid", **plain)
    values = grey(video)
    expected = [(each - each.min()) / (each.max() - each.min()) for each in values] if shift else values
    assert agree(found, expected, 1e-3)
    other = networks.of_type(tmp_path / "other.onnx", onnx.TensorProto.INT64)
    with pytest.raises(DataError, match=r"wants tensor\(int64\); frames can be tensor\(float\)"):
        load(other)


def test_batches(tmp_path: Path, video: Video) -> None:
    free, options = networks.plain(tmp_path / "free.onnx"), {"output": "minmax", **PLAIN}
    assert agree(maps(free, video, 3, **options), maps(free, video, **options), 1e-5)
    four = networks.plain(tmp_path / "four.onnx", batch=4)
    assert agree(maps(four, video, **options), maps(free, video, **options), 1e-5)
    check_predictor(load(four, **options), video)
    with pytest.raises(UsageError, match="takes 4 frames at a time; omit --batch 3"):
        load(four, 3)


def test_the_first_frame(tmp_path: Path, video: Video) -> None:
    path = networks.with_anchor(tmp_path / "net.onnx")
    with pytest.raises(UsageError, match=r"has the inputs x, first; .*--set anchor=NAME"):
        load(path)
    with pytest.raises(UsageError, match='has no input "previous"; available: x, first'):
        load(path, anchor="previous")
    predictor = load(path, anchor="first", output="logits", **PLAIN)
    values = grey(video)
    assert agree(list(predictor.predict(video)), [1 / (1 + np.exp(values[0] - each)) for each in values])
    check_predictor(predictor, video)


def test_metadata_are_read_and_options_come_first(tmp_path: Path, video: Video) -> None:
    path = networks.plain(tmp_path / "net.onnx", sides=("h", "w"))
    model = onnx.load(str(path))
    onnx.helper.set_model_props(model, {"vosbench": json.dumps({"size": "64x48", "output": "minmax", **PLAIN})})
    onnx.save(model, str(path))
    values = grey(video.first(1))[0]
    stretched = (values - values.min()) / (values.max() - values.min())
    assert agree(maps(path, video.first(1)), [stretched])
    assert agree(maps(path, video.first(1), output="sigmoid"), [values])
    for text in ("[]", "{", '{"size": 3}', '{"size": "huge"}', '{"output": "yes"}'):
        onnx.helper.set_model_props(model, {"vosbench": text})
        onnx.save(model, str(path))
        with pytest.raises(DataError, match="the metadata of"):
            load(path, size="64x48")


def bytes_of(data: bytes) -> Callable[[Path], Path]:
    def write(path: Path) -> Path:
        path.write_bytes(data)
        return path

    return write


def bomb(path: Path) -> Path:
    """A constant of 4 TB."""
    nodes = [
        networks.node("ConstantOfShape", "sides", "huge"),
        networks.node("ReduceMax", "huge", "most", keepdims=0),
        networks.node("Add", "x most", "y"),
    ]
    sides = {"sides": np.array([10**6, 10**6], np.int64)}
    return networks.save(path, nodes, {"x": [1, 3, 48, 64]}, {"y": [1, 3, 48, 64]}, sides)


BAD: dict[str, tuple[Callable[[Path], Path], int, str]] = {
    "empty": (bytes_of(b""), 3, "is not an ONNX file"),
    "too large": (lambda path: networks.saliency(path, 10**5, 10**5), 3, "sides of more than 8192 pixels are not made"),
    "two axes": (
        lambda path: networks.absolute(path, [8, 9]),
        3,
        "wants an input of shape [8, 9]; frames have four axes",
    ),
    "bomb": (bomb, 0, ""),
}


@pytest.mark.parametrize("name", BAD)
def test_files_that_cannot_be_run_are_one_line(name: str, cli: Cli, tmp_path: Path, toy_root: Path) -> None:
    make, code, message = BAD[name]
    make(tmp_path / "net.onnx")
    toy = Path(__file__).parents[1] / "plugins" / "toy.py"
    words = ("--dataset", "toy", "--root", toy_root, "--plugin", toy, "--measures", "J")
    done = cli("run", "--method", "onnx", "--weights", "net.onnx", *words)
    assert done.returncode == code if code else done.returncode in {3, 4}, done.stderr
    assert (done.stderr.count("\n"), done.stderr[:7]) == (1, "error: "), done.stderr
    assert message in done.stderr
    assert not code or not (tmp_path / "results").exists()


def test_what_is_set_wrongly_is_one_line(tmp_path: Path) -> None:
    path = networks.saliency(tmp_path / "net.onnx")
    method, _ = load_method("onnx")
    from vosbench.method.options import resolve

    with pytest.raises(UsageError, match="wants images of 96x64, not 320x320; omit --set size"):
        load(path, size="320x320")
    with pytest.raises(UsageError, match="pass a file with --weights"):
        method.load(Setup())
    with pytest.raises(UsageError, match="takes a single file"):
        method.load(Setup(weights=Path(f"{path}#ema")))
    with pytest.raises(UsageError, match='device "cuda:zero" cannot be used'):
        method.load(Setup(weights=path, device="cuda:zero"))
    for option, value in {
        "size": "0x5", "mean": "1,2", "std": "1,0,1", "scale": "-1", "channel": "one", "output": "maybe",
        "layout": "hwc", "channels": "grey", "filter": "best", "corners": "round",
    }.items():  # fmt: skip
        with pytest.raises(UsageError, match=f"onnx has no {option}"):
            resolve("onnx", OPTIONS, {option: value})


def test_threads_are_those_of_the_setup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import onnxruntime

    seen: list[int] = []
    make = onnxruntime.InferenceSession

    def spy(data: bytes, settings: Any, **rest: Any) -> Any:
        seen.append(settings.intra_op_num_threads)
        return make(data, settings, **rest)

    monkeypatch.setattr(onnxruntime, "InferenceSession", spy)
    path = networks.saliency(tmp_path / "net.onnx")
    method, _ = load_method("onnx")
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    for threads in (1, 2):
        method.load(Setup(weights=path, threads=threads))
        assert seen[-1] == threads


def test_a_foreign_network_runs_on_davis_without_torch(real_data: Path, tmp_path: Path, cli: Cli) -> None:
    networks.saliency(tmp_path / "foreign.onnx", 320, 320)
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text("import sys\nsys.modules.update(torch=None)\n", "utf-8")
    path = os.pathsep.join(filter(None, (str(hidden), os.environ.get("PYTHONPATH"))))
    words = ("--method", "onnx", "--weights", "foreign.onnx", "--set", "output=minmax", "--set", "scale=max")
    select = ("--dataset", "davis16", "--root", real_data / "DAVIS", "--videos", "cows", "--limit", "3")
    done = cli("run", *words, *select, "--measures", "J", PYTHONPATH=path)
    assert done.returncode == 0, done.stderr
    assert "onnx" in done.stdout
    frames = sorted((real_data / "DAVIS" / "JPEGImages" / "480p" / "cows").glob("*.jpg"))[:3]
    found = sorted((tmp_path / "results" / "davis16").glob("onnx*/cows/*.png"))
    assert [each.stem for each in found] == [each.stem for each in frames]
    small = np.asarray(Image.fromarray(read_frame(frames[0])).resize((320, 320), Image.Resampling.BILINEAR))
    plane = (small / small.max() - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    plane = plane.mean(axis=2)
    import cv2

    plane = cv2.resize(((plane - plane.min()) / (plane.max() - plane.min())).astype(np.float32), (854, 480))
    assert np.abs(np.asarray(Image.open(found[0])) - 255 * plane).max() < 0.51
    (record,) = (tmp_path / "results" / "davis16").glob("onnx*.json")
    assert json.loads(record.read_text("utf-8"))["provenance"]["options"]["output"] == "minmax"
    write_png(tmp_path / "clip" / "0.png", read_frame(frames[0]))
    assert cli("segment", "clip", *words, PYTHONPATH=path).returncode == 0
