"""Options of methods, and what else they heed: what was asked is what is done, or it is refused."""

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from toys import selected
from vosbench.errors import UsageError
from vosbench.files import content
from vosbench.method import Method, Option, Setup
from vosbench.method.method import refuse_unheeded
from vosbench.method.options import aligned_size, positive, resolve, whole
from vosbench.registry import load_method
from vosbench.runner import run

Cli = Callable[..., subprocess.CompletedProcess[str]]
TOY = Path(__file__).parents[1] / "plugins" / "toy.py"
FLAGS = {"batch": 7, "precision": "bf16", "compile": True, "device": "cuda:9"}


@pytest.mark.parametrize("name", FLAGS)
def test_what_a_method_does_not_heed_is_refused(name: str) -> None:
    method, _ = load_method("brightness", [TOY])
    with pytest.raises(UsageError, match=f'"brightness" does not act on --{name}.*; omit it'):
        refuse_unheeded(method, Setup(**{name: FLAGS[name]}))  # type: ignore[arg-type]
    refuse_unheeded(replace(method, heeds=(name,)), Setup(**{name: FLAGS[name]}))  # type: ignore[arg-type]


def test_all_at_once_by_command(cli: Cli, toy_root: Path, tmp_path: Path) -> None:
    words = ("run", "--method", "brightness", "--dataset", "toy", "--root", toy_root, "--plugin", TOY)
    asked = ("--precision", "bf16", "--compile", "--batch", "7", "--device", "cuda:9")
    refused = cli(*words, *asked)
    assert refused.returncode == 2
    assert refused.stderr == (
        'error: "brightness" does not act on --device cuda:9; omit it (a method declares what it heeds)\n'
    )
    assert cli(*words, "--weights", TOY).stderr == 'error: "brightness" has no weights; omit --weights\n'
    assert cli(*words).returncode == 0
    known = json.loads((tmp_path / "results" / "toy" / "brightness.json").read_text())
    assert [known["provenance"][name] for name in FLAGS] == [None] * 4


def test_defaults_that_are_not_heeded_are_recorded_as_unused(toy_root: Path) -> None:
    method, _ = load_method("brightness", [TOY])
    known = run(method, Setup(), selected(toy_root)).record.provenance
    assert [getattr(known, name) for name in FLAGS] == [None] * 4
    known = run(replace(method, heeds=("batch",)), Setup(), selected(toy_root)).record.provenance
    assert (known.batch, known.device) == (1, None)


@pytest.mark.parametrize("name", ["adnet", "f2net", "deeplabv3"])
def test_ours_heed_everything(name: str) -> None:
    refuse_unheeded(load_method(name)[0], Setup(**FLAGS, variant="base"))  # type: ignore[arg-type]


def test_a_batch_of_a_method_that_follows_an_object() -> None:
    method = replace(load_method("f2net")[0], sequential=("tiny",))
    with pytest.raises(UsageError, match="processes frames one at a time; omit --batch 2"):
        refuse_unheeded(method, Setup(variant="tiny", batch=2))
    refuse_unheeded(method, Setup(variant="tiny-ad", batch=2))


def test_a_misspelt_declaration_is_an_error() -> None:
    method, _ = load_method("brightness", [TOY])
    with pytest.raises(ValueError, match='a method cannot heed "bach", only device, batch, precision, compile'):
        replace(method, heeds=("bach",))


# Values


@pytest.mark.parametrize(
    ("read", "wrong", "said"),
    [
        (whole(1), ("0", "-1", "1.5", "", "many"), "a whole number of at least 1"),
        (positive, ("0", "-2", "nan", "inf", "", "wide"), "a positive number"),
        (aligned_size, ("857", "857x480", "9x9", "857x481x3", "x", "-857x481"), r"8 n \+ 1 pixels"),
    ],
)
def test_values_are_checked(read: Callable[[str], str], wrong: tuple[str, ...], said: str) -> None:
    known = {"x": Option("", "", read=read)}
    for value in wrong[:-1]:
        if value:
            with pytest.raises(UsageError, match=f'toy has no x "{value}": it must be .*{said}'):
                resolve("toy", known, {"x": value})
    with pytest.raises(ValueError, match=said):
        read("")


def test_options_of_a_variant() -> None:
    known = {"x": Option("1", "", variants={"small": "2", "none": None})}
    assert [resolve("toy", known, {}, variant) for variant in ("", "small", "none")] == [{"x": "1"}, {"x": "2"}, {}]
    with pytest.raises(UsageError, match=r'toy\.none has no option "x"; available: none'):
        resolve("toy", known, {"x": "1"}, "none")


# Files


def reading(method: Method) -> Method:
    return replace(method, options={"flow": Option("", "a folder of flow", path=True)})


def test_files_that_options_name_are_recorded_by_content(toy_root: Path, tmp_path: Path) -> None:
    method = reading(load_method("brightness", [TOY])[0])
    flow = tmp_path / "flow"
    (flow / "v0").mkdir(parents=True)
    (flow / "v0" / "0.flo").write_bytes(b"first")
    setup, out = Setup(options={"flow": str(flow)}), tmp_path / "out"
    digest = content(flow)
    assert run(method, setup, selected(toy_root), out).record.provenance.files == {"flow": digest}
    assert json.loads((out / "toy" / "brightness" / "run.json").read_text())["files"] == {"flow": digest}
    (flow / ".hidden").touch()
    assert run(method, setup, selected(toy_root), out).record.provenance.files == {"flow": digest}
    (flow / "v0" / "0.flo").write_bytes(b"other")
    with pytest.raises(UsageError, match=r"contains maps of another run \(files was .*, now .*--overwrite"):
        run(method, setup, selected(toy_root), out)
    assert run(method, setup, selected(toy_root), out, overwrite=True).record.provenance.files == {
        "flow": content(flow)
    }
    assert run(method, Setup(), selected(toy_root)).record.provenance.files == {}


def test_a_renamed_file_is_other_content(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    before = content(tmp_path)
    (tmp_path / "a").rename(tmp_path / "b")
    assert content(tmp_path) != before
    assert content(tmp_path / "b") != before
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "c").write_bytes(b"x")
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "v0").symlink_to(tmp_path / "deep")
    (tmp_path / "linked" / "again").symlink_to(tmp_path / "linked")
    before = content(tmp_path / "linked")
    (tmp_path / "deep" / "c").write_bytes(b"y")
    assert content(tmp_path / "linked") != before


def test_a_file_that_does_not_exist(tmp_path: Path) -> None:
    known = {"flow": Option("", "", path=True)}
    with pytest.raises(UsageError, match=r'the file or folder ".*flow" of option "flow" of toy does not exist'):
        resolve("toy", known, {"flow": str(tmp_path / "flow")})
    os.mkfifo(tmp_path / "flow")  # which would be waited for
    with pytest.raises(UsageError, match="does not exist"):
        resolve("toy", known, {"flow": str(tmp_path / "flow")})


# The papers' own parameters


@pytest.mark.torch
@pytest.mark.parametrize(
    ("method", "option"),
    [
        ("adnet.tiny", "size=121x89"),
        ("adnet.tiny", "anchor_align=current"),
        ("deeplabv3.tiny", "size=121x89"),
        ("f2net.tiny", "side=97"),
        ("f2net.tiny", "sigma=40"),
        ("f2net.tiny", "guidance=post"),
    ],
)
def test_a_parameter_changes_maps_and_its_default_does_not(method: str, option: str, toy_root: Path) -> None:
    found, variant = load_method(method)
    name, _, value = option.partition("=")
    chosen = selected(toy_root)
    video = chosen.videos[0]

    def maps(options: dict[str, str]) -> np.ndarray:  # type: ignore[type-arg]
        setup = Setup(variant=variant, weights=found.weights[variant], options=options)
        return np.stack(list(found.load(setup).predict(video.unannotated())))

    resolved = resolve(found.name, found.options, {}, variant)
    plain = maps({})
    assert np.array_equal(maps(resolved), plain)
    assert not np.array_equal(maps({name: value}), plain)


@pytest.mark.torch
def test_how_f2net_chooses_the_centre() -> None:
    from vosbench.methods.f2net import OPTIONS
    from vosbench.methods.f2net.network import VARIANTS
    from vosbench.methods.f2net.predictor import configured

    for variant, config in VARIANTS.items():
        options = resolve("f2net", OPTIONS, {}, variant)
        assert configured(config, {}) == config
        if config.guidance != "none":
            assert configured(config, options) == config  # the defaults say what the variant is
    given = {"peaks": "3", "history": "4", "distance": "l2", "previous": "zero"}
    guide = configured(VARIANTS["cgad"], resolve("f2net", OPTIONS, given, "cgad")).guide
    assert (guide.peaks, guide.history, guide.distance, guide.previous) == (3, 4, "l2", "zero")


@pytest.mark.parametrize(
    ("method", "option"),
    [("f2net.base", "peaks"), ("f2net.released", "guidance"), ("adnet.concat", "anchor_align"), ("deeplabv3", "side")],
)
def test_parameters_that_a_variant_does_not_have(method: str, option: str) -> None:
    found, variant = load_method(method)
    with pytest.raises(UsageError, match=f'has no option "{option}"; available: '):
        resolve(found.name, found.options, {option: "1"}, variant)


@pytest.mark.torch
def test_a_preset_implies_what_it_means(toy_root: Path) -> None:
    found, variant = load_method("adnet.tiny")
    setup = Setup(variant=variant, weights=found.weights[variant])
    official = run(found, replace(setup, options={"preset": "official"}), selected(toy_root)).record
    assert official.provenance.options["output"] == "mask"
    plain = run(found, setup, selected(toy_root)).record
    assert plain.provenance.options["output"] == "map"
    assert official.provenance.predictions == plain.provenance.predictions
    video = selected(toy_root).videos[0].unannotated()
    masks = list(found.load(replace(setup, options={"preset": "official"})).predict(video))
    assert set(np.unique(np.stack(masks))) <= {0.0, 1.0}
    soft = list(found.load(replace(setup, options={"preset": "official", "output": "map"})).predict(video))
    assert all(np.array_equal(a, b) for a, b in zip(soft, found.load(setup).predict(video), strict=True))
