"""``vosbench export``, and methods ``onnx`` and ``torchscript`` on what it writes."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from in_process import call
from vosbench.dataset import Video
from vosbench.errors import DataError, UsageError, VideoError
from vosbench.images import read_frame
from vosbench.method import Setup
from vosbench.method.testing import check_predictor, sample_video
from vosbench.methods.f2net import network as f2net
from vosbench.registry import load_method

TOY = Path(__file__).parents[1] / "plugins" / "toy.py"
FORMATS = ["onnx", "torchscript"]
Shake = Callable[..., nn.Module]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(params=FORMATS)
def form(request: pytest.FixtureRequest) -> str:
    if request.param == "onnx":
        pytest.importorskip("onnxscript", reason="needs the extra onnx")
        pytest.importorskip("onnxruntime", reason="needs the extra onnx")
    return str(request.param)


def maps(name: str, video: Video, weights: Path | None, **options: str) -> list[np.ndarray]:
    method, variant = load_method(name)
    known = weights or method.weights.get(variant)
    return list(method.load(Setup(variant=variant, weights=known, options=options)).predict(video))


def differ(one: list[np.ndarray], other: list[np.ndarray]) -> float:
    return max(float(np.abs(first - second).max()) for first, second in zip(one, other, strict=True))


@pytest.fixture
def base(shake: Shake) -> Path:
    """Weights of ``f2net.tiny-base`` under which maps are not flat."""
    noise = torch.Generator().manual_seed(6)
    pair = [torch.randn(2, 3, 65, 65, generator=noise) * 60 for _ in range(2)]
    net = shake(f2net.F2Net(f2net.VARIANTS["tiny-base"]), *pair, torch.rand(2, 1, 17, 17), torch.full((2, 2), 30.0))
    save_file(net.state_dict(), "base.safetensors")
    return Path("base.safetensors")


def test_f2net_base_gives_the_same_maps_from_a_file(form: str, base: Path, clip: Video) -> None:
    done = call("export", "f2net.tiny-base", "--weights", base, "--format", form, "--out", "net.file")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert f"vosbench run --method {form} --weights net.file" in done.stderr
    expected = maps("f2net.tiny-base", clip, base)
    assert expected[0].max() - expected[0].min() > 0.2
    assert differ(maps(form, clip, Path("net.file")), expected) <= 1e-4
    method, _ = load_method(form)
    batched = method.load(Setup(weights=Path("net.file"), batch=3))
    assert differ(list(batched.predict(clip)), expected) <= 1e-4
    check_predictor(batched, clip)
    again = call("export", "f2net.tiny-base", "--weights", base, "--format", form, "--out", "net.file")
    assert (again.returncode, again.stderr) == (
        2,
        'error: "net.file" exists; choose another name, or pass --overwrite\n',
    )


@pytest.mark.parametrize("name", ["adnet.tiny", "deeplabv3.tiny"])
def test_shipped_networks_give_the_same_maps_from_a_file(name: str, form: str, clip: Video) -> None:
    assert call("export", name, "--format", form, "--out", "net.file", "--quiet").returncode == 0
    expected = maps(name, clip, None)
    assert differ(maps(form, clip, Path("net.file")), expected) <= 1e-4
    if name == "adnet.tiny":  # whose first frame counts
        rest = Video(name="rest", frames=clip.frames[2:])
        assert differ(maps(form, rest, Path("net.file")), expected[2:]) > 1e-3


def test_runs_of_a_file(toy_root: Path, tmp_path: Path) -> None:
    words = ("--dataset", "toy", "--root", toy_root, "--plugin", TOY, "--measures", "J", "--format", "json")
    assert call("export", "deeplabv3.tiny", "--format", "torchscript", "--out", "net.pt", "--quiet").returncode == 0
    own = json.loads(call("run", "--method", "deeplabv3.tiny", *words).stdout)
    done = call("run", "--method", "torchscript", "--weights", "net.pt", *words)
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert record["scores"] == pytest.approx(own["scores"], abs=1e-3)
    assert record["provenance"]["weights"] != own["provenance"]["weights"]
    for place in ("v0", "v1"):
        first, second = (tmp_path / "results" / "toy" / name / place for name in ("deeplabv3.tiny", "torchscript"))
        for path in first.glob("*.png"):
            assert np.abs(read_frame(path).astype(int) - read_frame(second / path.name)).max() <= 1


def test_what_is_written_into_files(form: str) -> None:
    assert call("export", "deeplabv3.tiny", "--format", form, "--out", "net", "--quiet").returncode == 0
    if form == "onnx":
        import onnx

        model = onnx.load("net")
        found = json.loads({entry.key: entry.value for entry in model.metadata_props}["vosbench"])
        onnx.checker.check_model(model)
    else:
        with zipfile.ZipFile("net") as archive:
            name = next(name for name in archive.namelist() if name.endswith("vosbench.json"))
            found = json.loads(archive.read(name))
    assert (found["size"], found["channels"], found["output"], found["method"]) == (
        "241x137",
        "bgr",
        "logits",
        "deeplabv3.tiny",
    )
    assert found["training"].startswith("sample train")
    assert len(found["weights"]) == 64


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("adnet.tiny", "--set", "scales=multi"), 2, '"adnet.tiny" cannot be exported'),
        (("f2net.base",), 2, '"f2net.base" comes without weights'),
        (("onnx",), 2, '"onnx" comes without weights'),
        (("f2net.tinny",), 2, "tinny"),
    ],
)
def test_what_cannot_be_exported_is_one_line(words: tuple[str | Path, ...], code: int, message: str) -> None:
    done = call("export", *words, "--out", "net.onnx")
    assert (done.returncode, done.stderr.count("\n")) == (code, 1), done.stderr
    assert message in done.stderr
    assert not Path("net.onnx").exists()


def test_eight_bit_integers(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="needs the extra onnx")
    pytest.importorskip("onnxruntime", reason="needs the extra onnx")
    video = sample_video(tmp_path / "video")
    frames = video.frames[0].parent
    for name, words in {"plain": [], "int8": ["--int8", frames]}.items():
        done = call("export", "adnet.tiny", "--out", f"{name}.onnx", *words)
        assert done.returncode == 0, done.stderr
    assert "on the other side" in done.stderr
    plain, int8 = (
        list(load_method("onnx")[0].load(Setup(weights=Path(f"{n}.onnx"))).predict(video)) for n in ("plain", "int8")
    )
    assert differ(plain, int8) > 0
    assert np.mean([np.mean((a > 0.5) != (b > 0.5)) for a, b in zip(plain, int8, strict=True)]) < 0.05
    assert Path("int8.onnx").stat().st_size < 0.5 * Path("plain.onnx").stat().st_size
    cards = [
        json.loads({x.key: x.value for x in onnx.load(f"{n}.onnx").metadata_props}["vosbench"])
        for n in ("plain", "int8")
    ]
    assert cards[1] == cards[0] | {"precision": "int8"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--int8", "."), '"." contains no frames (.jpg or .png) to fit 8-bit integers to'),
        (("--int8", "nowhere"), "contains no frames"),
        (("--int8", "video", "--format", "torchscript"), "8-bit integers are for ONNX files"),
    ],
)
def test_eight_bit_integers_need_frames_and_an_onnx_file(words: tuple[str, ...], message: str, tmp_path: Path) -> None:
    if "video" in words:
        sample_video(tmp_path / "video")
    done = call("export", "adnet.tiny", "--out", "net.onnx", *words)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert message in done.stderr
    assert not Path("net.onnx").exists()


def test_a_view_that_options_do_not_describe() -> None:
    from vosbench.method.nn.export import interface_of

    class Own:
        input = (4, 4)

    with pytest.raises(UsageError, match=r'"own" prepares frames in a way of its own'):
        interface_of(Own(), "own")  # type: ignore[arg-type]


class Several(nn.Module):
    """Grey, and less grey, as a dictionary, or a tuple."""

    def __init__(self, *, named: bool) -> None:
        super().__init__()
        self.named = named
        self.gain = nn.Parameter(torch.ones(()))

    def forward(self, frame: torch.Tensor) -> Any:
        grey = self.gain * frame.mean(dim=1, keepdim=True)
        return {"whole": grey, "half": grey / 2} if self.named else (grey, grey / 2)


PLAIN = {"size": "64x48", "mean": "0", "std": "1", "scale": "255", "output": "sigmoid"}


@pytest.mark.filterwarnings("ignore:.*torch.jit")
@pytest.mark.parametrize("named", [False, True])
def test_a_foreign_torchscript_file(*, named: bool, tmp_path: Path) -> None:
    video = sample_video(tmp_path / "video")
    module: Any = torch.jit
    traced = module.trace(Several(named=named), torch.zeros(2, 3, 8, 8), strict=False)
    traced.save("net.pt")
    found = maps("torchscript", video, Path("net.pt"), **PLAIN)
    grey = [read_frame(path).mean(axis=2) / 255 for path in video.frames]
    assert differ(found, [each.astype(np.float32) for each in grey]) < 1e-5
    half = maps("torchscript", video, Path("net.pt"), which="half" if named else "1", **PLAIN)
    assert differ(half, [each / 2 for each in found]) < 1e-6
    traced.half().save("half.pt")
    assert differ(maps("torchscript", video, Path("half.pt"), **PLAIN), found) < 1e-2
    with pytest.raises(UsageError, match="does not say how large its input is"):
        maps("torchscript", video, Path("net.pt"))
    with pytest.raises(UsageError, match='has no output "x"'):
        maps("torchscript", video, Path("net.pt"), which="x", **PLAIN)


def test_files_of_torch_export_are_loaded_only_if_they_are_trusted(tmp_path: Path) -> None:
    video = sample_video(tmp_path / "video")
    program = torch.export.export(Several(named=False), (torch.zeros(1, 3, 48, 64),))
    torch.export.save(program, "net.pt2")
    with pytest.raises(UsageError, match=r"can run any code when it is loaded; if you trust it, pass --set trust=yes"):
        maps("torchscript", video, Path("net.pt2"), **PLAIN)
    found = maps("torchscript", video, Path("net.pt2"), trust="yes", **PLAIN)
    grey = [(read_frame(path).mean(axis=2) / 255).astype(np.float32) for path in video.frames]
    assert differ(found, grey) < 1e-5
    with pytest.raises(VideoError, match=r"the method fails|shape|size|Guard"):
        check_predictor(
            load_method("torchscript")[0].load(
                Setup(weights=Path("net.pt2"), options={**PLAIN, "size": "32x32", "trust": "yes"})
            ),
            video,
        )


def test_damaged_files(tmp_path: Path) -> None:
    video = sample_video(tmp_path / "video")
    assert call("export", "deeplabv3.tiny", "--format", "torchscript", "--out", "net.pt", "--quiet").returncode == 0
    data = Path("net.pt").read_bytes()
    Path("cut.pt").write_bytes(data[: len(data) // 2])
    Path("text.pt").write_text("once upon a time", "utf-8")
    torch.save({"weight": torch.zeros(3)}, "weights.pt")
    with zipfile.ZipFile("odd.pt", "w") as archive:
        archive.writestr("odd/constants.pkl", b"\x80\x02).")
    for name, message in {
        "cut.pt": "is not a TorchScript file, or is damaged",
        "text.pt": "is not a TorchScript file, or is damaged",
        "weights.pt": "contains weights but no network",
        "odd.pt": "cannot be loaded",
    }.items():
        with pytest.raises(DataError, match=message):
            maps("torchscript", video, Path(name), size="64x48")
