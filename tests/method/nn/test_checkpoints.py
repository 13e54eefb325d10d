"""Weights from any checkpoint: every wrapper, prefix and format; nothing in a file is run; what is none is named."""

import argparse
import builtins
import collections
import datetime as dt
import functools
import io
import json
import os
import pathlib
import pickle
import random
import subprocess
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save, save_file
from torch import Tensor, nn

from factories import examples
from vosbench.errors import DataError, UsageError, VosbenchError
from vosbench.method.nn.checkpoint import read
from vosbench.method.nn.pickles import Object, load
from vosbench.method.nn.weights import digest, fill, write
from vosbench.methods.adnet.network import TINY, build

State = dict[str, Tensor]


class Net(nn.Module):
    """An encoder and a decoder, whose names also occur elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
        self.decoder = nn.Conv2d(4, 1, 1)


class Meter:
    """What a training script of its own keeps next to the weights."""

    def __init__(self) -> None:
        self.values, self.best = [1.0, 2.0], np.float64(0.5)


def net(seed: int = 1) -> Net:
    torch.manual_seed(seed)
    made = Net()
    for values in made.state_dict().values():
        if values.is_floating_point():
            values.normal_()
    return made


def state(seed: int = 1) -> State:
    return dict(net(seed).state_dict())


def prefixed(prefix: str, of: Mapping[str, Tensor]) -> State:
    return {prefix + name: values for name, values in of.items()}


def is_loaded(path: Path, expected: Mapping[str, Tensor], **more: Any) -> bool:
    other = net(99)
    fill(other, path, **more)
    return all(torch.equal(values, expected[name]) for name, values in other.state_dict().items() if name in expected)


def saved(content: object, path: Path, *, zipped: bool = True) -> Path:
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    return path


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("suffix", [".pth", ".pt", ".ckpt", ".bin", ".pth.tar", ".safetensors"])
def test_torchs_formats_by_any_name(suffix: str, zipped: bool, tmp_path: Path) -> None:  # noqa: FBT001
    assert is_loaded(saved(state(), tmp_path / f"w{suffix}", zipped=zipped), state())


def test_safetensors_by_any_name(tmp_path: Path) -> None:
    save_file(state(), tmp_path / "w.pth")
    assert is_loaded(tmp_path / "w.pth", state())


@pytest.mark.parametrize(
    "prefix",
    [
        "module.",
        "module._orig_mod.",
        "_orig_mod.module.",
        "model.",
        "net.",
        "state_dict.",
        "model.module.net.",
        "Resnet101.",
    ],
)
@pytest.mark.parametrize("wrapper", ["", "state_dict", "model_state_dict", "net", "params", "anything"])
def test_prefixes_and_wrappers(prefix: str, wrapper: str, tmp_path: Path) -> None:
    content: dict[str, Any] = prefixed(prefix, state())
    content = (
        {"epoch": 3, wrapper: content, "optimizer": {"state": {0: {"exp_avg": torch.ones(2)}}}} if wrapper else content
    )
    assert is_loaded(saved(content, tmp_path / "w.pth"), state())


def test_frameworks_wrap_modules_within_a_network_too(tmp_path: Path) -> None:
    inner = {name.replace("encoder.", "encoder.module._orig_mod.", 1): x for name, x in state().items()}
    assert is_loaded(saved({"state_dict": inner}, tmp_path / "w.pth"), state())


def test_a_prefix_is_kept_if_not_all_names_fit_without_it(tmp_path: Path) -> None:
    content = prefixed("module.", state())
    del content["module.decoder.bias"]
    with pytest.raises(DataError, match=r"do not fit this network; missing: decoder\.bias$"):
        fill(net(), saved(content, tmp_path / "w.pth"))
    more = {**prefixed("module.", state()), "module.decoder2.weight": torch.ones(1)}
    with pytest.raises(DataError, match=r"unknown: decoder2\.weight$"):
        fill(net(), saved(more, tmp_path / "w.pth"))


def test_a_lightning_checkpoint_with_a_criterion(tmp_path: Path) -> None:
    content = {
        "state_dict": {**prefixed("model.", state()), "criterion.weight": torch.ones(3)},
        "hyper_parameters": argparse.Namespace(lr=0.1, path=pathlib.PurePosixPath("a")),
        "callbacks": {"ModelCheckpoint{'monitor': None}": {"best_model_score": torch.tensor(0.5)}},
        "optimizer_states": [{"state": {0: {"momentum_buffer": torch.ones(4)}}, "param_groups": [{"lr": 0.1}]}],
    }
    path = saved(content, tmp_path / "w.ckpt")
    assert is_loaded(path, state())
    assert fill(net(), path).dropped == ("state_dict.criterion.weight",)


@pytest.mark.parametrize("zipped", [True, False])
def test_what_training_scripts_keep_next_to_the_weights(zipped: bool, tmp_path: Path) -> None:  # noqa: FBT001
    content = {
        "args": argparse.Namespace(lr=0.1, milestones=[1, 2], out=Path("x")),
        "best": np.float32(0.5),
        "history": np.arange(3),
        "when": dt.datetime(2020, 1, 2, tzinfo=dt.UTC),
        "meter": Meter(),
        "counter": collections.Counter("aab"),
        "queue": collections.deque([1, 2], maxlen=3),
        "device": torch.device("cpu"),
        "dtype": torch.float16,
        "generator": random.Random(0).getstate(),
        "names": {"a", "b"},
        "model": state(),
    }
    assert is_loaded(saved(content, tmp_path / "w.pth", zipped=zipped), state())


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.filterwarnings("ignore:Couldn't retrieve source code")
def test_a_whole_pickled_module(zipped: bool, tmp_path: Path) -> None:  # noqa: FBT001
    assert is_loaded(saved(net(), tmp_path / "a.pth", zipped=zipped), state())
    assert is_loaded(saved({"net": nn.DataParallel(net())}, tmp_path / "b.pth", zipped=zipped), state())


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_a_torchscript_program(tmp_path: Path) -> None:
    model = nn.Sequential(collections.OrderedDict(encoder=net().encoder, decoder=net().decoder)).eval()
    torch.jit.trace(model, torch.ones(1, 3, 8, 8)).save(tmp_path / "w.pt")
    assert is_loaded(tmp_path / "w.pt", state())


def test_profilers_counters_do_no_harm(tmp_path: Path) -> None:
    content = state()
    for place in ("", "encoder.", "encoder.0.", "decoder."):
        content |= {f"{place}total_ops": torch.zeros(1), f"{place}total_params": torch.zeros(1)}
    content |= {"n_averaged": torch.tensor(3), "global_step": torch.tensor(7)}
    assert is_loaded(saved(content, tmp_path / "w.pth"), state())


def test_one_of_several_networks_is_chosen_by_name(tmp_path: Path) -> None:
    content = {"model": prefixed("module.", state(1)), "ema": {"decay": 0.9, "shadow": state(2)}, "step": 3}
    path = saved(content, tmp_path / "w.pth")
    with pytest.raises(UsageError) as caught:
        fill(net(), path)
    assert str(caught.value) == (
        f'weights "{path}" hold several networks that fit: "model.module", "ema.shadow"; '
        f'choose one, such as "{path}#ema.shadow"'
    )
    assert is_loaded(Path(f"{path}#model"), state(1))
    assert is_loaded(Path(f"{path}#model.module"), state(1))
    assert is_loaded(Path(f"{path}#ema"), state(2))
    with pytest.raises(
        UsageError, match=r'hold no network "teacher" that fits; available: "model.module", "ema.shadow"'
    ):
        fill(net(), Path(f"{path}#teacher"))
    with pytest.raises(UsageError, match="do not exist"):
        fill(net(), Path(f"{tmp_path}/other.pth#ema"))


def test_the_same_weights_under_two_names_are_one_network(tmp_path: Path) -> None:
    shared = state()
    assert is_loaded(saved({"model": shared, "state_dict": shared}, tmp_path / "w.pth"), shared)


def test_student_and_teacher_in_one_dictionary(tmp_path: Path) -> None:
    path = saved({**prefixed("student.", state(1)), **prefixed("teacher.", state(2))}, tmp_path / "w.pth")
    with pytest.raises(UsageError, match='"student", "teacher"'):
        fill(net(), path)
    assert is_loaded(Path(f"{path}#teacher"), state(2))


def test_a_file_for_each_part(tmp_path: Path) -> None:
    whole = state()
    encoder = {name.removeprefix("encoder."): x for name, x in whole.items() if name.startswith("encoder.")}
    saved({"state_dict": prefixed("module.", encoder)}, tmp_path / "a.pth")
    save_file({name.removeprefix("decoder."): x for name, x in whole.items() if "decoder" in name}, tmp_path / "b.pth")
    assert is_loaded(Path(f"encoder={tmp_path}/a.pth,decoder={tmp_path}/b.pth"), whole)
    assert is_loaded(Path(f"encoder={tmp_path}/a.pth"), prefixed("encoder.", encoder), whole=False)
    with pytest.raises(UsageError, match=r"^no weights for these parts of this network: decoder; add a file for each"):
        fill(net(), Path(f"encoder={tmp_path}/a.pth"))
    with pytest.raises(UsageError, match='this network has no part "head"; available: encoder, decoder'):
        fill(net(), Path(f"head={tmp_path}/a.pth"))
    with pytest.raises(UsageError, match='two files for the part "encoder"'):
        fill(net(), Path(f"encoder={tmp_path}/a.pth,encoder={tmp_path}/b.pth"))
    with pytest.raises(DataError, match=r'do not fit the part "decoder" of this network; of another shape: bias'):
        fill(net(), Path(f"encoder={tmp_path}/a.pth,decoder={tmp_path}/a.pth"))
    assert is_loaded(saved({"encoder": encoder, "decoder": net().decoder.state_dict()}, tmp_path / "c.pth"), whole)


def test_shared_and_strided_tensors(tmp_path: Path) -> None:
    content = state()
    content["decoder.weight"] = torch.stack([content["decoder.weight"]] * 2, dim=-1)[..., 0]
    base = torch.randn(8)
    content["encoder.1.weight"], content["encoder.1.bias"] = base[::2], base[1::2]
    for zipped in (True, False):
        assert is_loaded(saved(content, tmp_path / "w.pth", zipped=zipped), content)


def test_lower_precision_is_widened(tmp_path: Path) -> None:
    lower = {name: x.bfloat16() if x.is_floating_point() else x for name, x in state().items()}
    assert is_loaded(saved(lower, tmp_path / "w.pth"), {name: x.to(state()[name].dtype) for name, x in lower.items()})


def test_files_without_checksums(tmp_path: Path) -> None:
    torch.serialization.set_crc32_options(compute_crc32=False)
    try:
        saved(state(), tmp_path / "w.pth")
    finally:
        torch.serialization.set_crc32_options(compute_crc32=True)
    assert is_loaded(tmp_path / "w.pth", state())


def test_the_digest_is_of_the_tensors_and_not_of_the_file(tmp_path: Path) -> None:
    saved({"model": prefixed("module.", state())}, tmp_path / "a.pth")
    write(tmp_path / "b.safetensors", {n: x for n, x in state().items() if "num_batches" not in n}, {})
    digests = set()
    for name in ("a.pth", "b.safetensors"):
        other = net(99)
        fill(other, tmp_path / name)
        digests.add(digest(other.state_dict()))
    assert digests == {digest(state())}
    assert digest(state(2)) not in digests


# What is not a checkpoint


def zip_of(*names: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name in names:
            archive.writestr(name, b"x")
    return data.getvalue()


def bytes_of(content: object, *, zipped: bool = True) -> bytes:
    data = io.BytesIO()
    torch.save(content, data, _use_new_zipfile_serialization=zipped)
    return data.getvalue()


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(64), "it is a PNG image"),
        (b"\xff\xd8\xff\xe0" + bytes(64), "it is a JPEG image"),
        (b"<!DOCTYPE html><html><head>", "it is an HTML page, such as that of a download that asks for a login"),
        (b"\n<html>virus scan warning</html>", "it is an HTML page"),
        (b"<?xml version='1.0'?><Error/>", "it is an XML file"),
        (LFS, 'it is a pointer of Git LFS, not the file; run "git lfs pull"'),
        (b'{"error": "not found"}', "it is a JSON file"),
        ("Zu viele Zugriffe – später".encode(), "it is a text file"),
        (b"\x1f\x8b\x08" + bytes(20), "it is a gzip archive; unpack it first"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(20), "it is a 7z archive; unpack it first"),
        (zip_of("ad.pth", "base.pth"), "it is a zip archive without a checkpoint .it begins with ad.pth.; unpack it"),
        (b"\x89HDF\r\n\x1a\n" + bytes(20), "it is an HDF5 file"),
        (bytes(64), "it is neither safetensors nor a file that torch wrote"),
        (pickle.dumps([1, 2]), "it holds no mapping of names to tensors"),
        (bytes_of({"epoch": 3}), "it holds no mapping of names to tensors"),
        (bytes_of(state())[:3000], "it is cut off: a zip archive without its end"),
        (bytes_of(state(), zipped=False)[:-20], "it is cut off: a tensor is incomplete"),
        (bytes_of(state(), zipped=False)[:300], "it is damaged or cut off .pickle exhausted"),
    ],
)
def test_what_is_no_checkpoint_is_called_what_it_is(content: bytes, said: str, tmp_path: Path) -> None:
    for name in ("x.pth", "x.safetensors"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match=f'^weights "{tmp_path / name}" cannot be read: {said}') as caught:
            read(tmp_path / name)
        assert "\n" not in str(caught.value)
        assert caught.value.exit_code == 3


def test_half_of_safetensors_and_a_folder(tmp_path: Path) -> None:
    save_file(state(), tmp_path / "w.safetensors")
    data = (tmp_path / "w.safetensors").read_bytes()
    (tmp_path / "half.pth").write_bytes(data[:-8])
    with pytest.raises(DataError, match="cut off: safetensors without all of its bytes"):
        read(tmp_path / "half.pth")
    (tmp_path / "head.pth").write_bytes(data[:100])
    with pytest.raises(DataError, match="cut off"):
        read(tmp_path / "head.pth")
    with pytest.raises(UsageError, match="are a folder, not a file"):
        fill(net(), tmp_path)


def test_a_changed_bit_is_noticed(tmp_path: Path) -> None:
    data = bytearray(bytes_of(state()))
    place = data.find(state()["encoder.1.weight"].numpy().tobytes())
    data[place] ^= 1
    (tmp_path / "w.pth").write_bytes(data)
    with pytest.raises(DataError, match="damaged: the checksum of a tensor differs"):
        fill(net(), tmp_path / "w.pth")


# Nothing in a file is run


class Calls:
    """Pickles as a call of something."""

    def __init__(self, call: Callable[..., object], *args: object) -> None:
        self._call = call, args

    def __reduce__(self) -> tuple[object, ...]:
        return self._call


class Builds:
    """Pickles as a call and a state, which is set by another call."""

    def __reduce__(self) -> tuple[object, ...]:
        return (dict, (), {"__class__": 1}, None, iter([("a", Calls(os.system, "touch sprung"))]))


def hostile() -> dict[str, object]:
    inner = Calls(os.system, "touch sprung")
    return {
        "os.system": inner,
        "eval": Calls(eval, "open('sprung', 'w')"),
        "exec": Calls(exec, "open('sprung', 'w')"),
        "getattr": Calls(getattr, "os", "system"),
        "import": Calls(builtins.__import__, "antigravity"),
        "open": Calls(open, "sprung", "w"),
        "touch": Calls(Path.touch, Path("sprung")),
        "popen": Calls(subprocess.Popen, ["touch", "sprung"]),
        "partial": Calls(functools.partial, os.system, "touch sprung"),
        "hub": Calls(torch.hub.load, "owner/repo", "model"),
        "load": Calls(torch.load, "sprung"),
        "load_url": Calls(torch.hub.load_state_dict_from_url, "file:///sprung"),
        "loads": Calls(pickle.loads, pickle.dumps(inner)),
        "numpy": Calls(np.load, "sprung"),
        "builds": Builds(),
        "through a maker": Calls(collections.OrderedDict, [["a", inner]]),
        "as a key's value": {"a": inner},
        "as an argument": Calls(collections.OrderedDict, inner),
        "rebuild": Calls(torch._tensor._rebuild_from_type_v2, os.system, str, ("touch sprung",), {}),
        "parameter": Calls(torch._utils._rebuild_parameter, inner, True, ()),  # noqa: FBT003
    }


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("name", list(hostile()))
def test_nothing_in_a_file_is_run(name: str, zipped: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001
    monkeypatch.chdir(tmp_path)
    content = {"model": state(), "extra": hostile()[name]}
    path = saved(content, tmp_path / "trap.pth", zipped=zipped)
    before = set(torch.serialization.get_safe_globals())
    assert is_loaded(path, state())
    assert [path.name for path in tmp_path.iterdir()] == ["trap.pth"]
    assert set(torch.serialization.get_safe_globals()) == before


def test_every_protocol_and_instruction_is_data() -> None:
    for protocol in range(6):
        content = {
            "a": [1, -2, 2**70, 1.5, None, True, b"x" * 300, "é", (), (1,), (1, 2, 3, 4)],
            "s": {1},
        }
        expected = {**content, "s": [1]}
        if protocol >= 4:  # before, bytes and sets are calls
            assert load(pickle.dumps(content, protocol)) == expected
        trap = load(pickle.dumps(Calls(os.getcwd), protocol))
        assert isinstance(trap, Object)
        assert str(trap.kind).endswith(".getcwd")
    old = b"(iposix\nsystem\np0\n."  # an instance, as in Python 1
    assert isinstance(load(old), Object)
    assert isinstance(load(b"(cposix\nsystem\nVtouch sprung\no."), Object)
    for bad in (b"\x82\x01.", b"\x80\x02.", b".", b"K", b"0.", b"\x80\x05\x97.", b"(K\x01u.", b"h\x05."):
        with pytest.raises((ValueError, IndexError, KeyError)):
            load(bad)


def test_a_key_that_would_take_forever_to_hash() -> None:
    data = b"\x80\x02})" + b"2\x86" * 64 + b"K\x01s."
    assert load(data) == {}


def test_huge_shapes_take_no_memory(tmp_path: Path) -> None:
    content = state()
    content["decoder.weight"] = torch.zeros(1).expand(2**40)
    with pytest.raises(DataError, match=r"of another shape: decoder\.weight \(1099511627776,\)"):
        fill(net(), saved(content, tmp_path / "w.pth"))


@functools.cache
def sources() -> list[bytes]:
    """Small checkpoints of every kind."""
    with_args = {
        "model": state(),
        "args": argparse.Namespace(a=1),
        "meter": Meter(),
        "trap": Calls(os.system, "touch sprung"),
    }
    return [bytes_of(with_args), bytes_of(with_args, zipped=False), bytes_of(state()), save(state())]


def mutated(data: bytes, rng: random.Random) -> bytes:
    """A copy with some bytes changed, dropped, repeated or cut off; more often in what is not numbers."""
    content = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 5, 20))):
        if not content:
            break
        place = rng.randrange(min(len(content), 2500) if rng.random() < 0.7 else len(content))
        match rng.randrange(6):
            case 0 | 1:
                content[place] = rng.randrange(256)
            case 2:
                content[place] ^= 1 << rng.randrange(8)
            case 3:
                del content[place : place + rng.randrange(1, 40)]
            case 4:
                content[place:place] = content[place : place + rng.randrange(1, 40)]
            case _:
                content = content[: max(place, 1)] if rng.random() < 0.3 else content
    return bytes(content)


def survives(seed: int, folder: Path) -> None:
    """A damaged file loads, or gives one line; nothing else happens."""
    rng = random.Random(seed)
    path = folder / rng.choice(("w.pth", "w.safetensors", "w.bin"))
    path.write_bytes(mutated(rng.choice(sources()), rng))
    try:
        fill(net(99), path)
    except VosbenchError as error:
        said, code = str(error), error.exit_code
    else:
        said, code = "", 3
    assert "\n" not in said, seed
    assert code in {2, 3}, seed
    path.unlink()
    assert list(folder.iterdir()) == [], seed


@pytest.mark.parametrize("count", [60, pytest.param(1000, marks=pytest.mark.slow)])
def test_damaged_checkpoints(count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for seed in range(max(count, examples(count))):
        survives(seed, tmp_path)


# InPlaceABN, wherever weights enter


def released() -> State:
    """As AD-Net's authors released theirs: no counters, and scales that may be negative."""
    noise = torch.Generator().manual_seed(2)
    torch.manual_seed(1)
    made = {name: x.clone() for name, x in build("ad", TINY).state_dict().items() if not name.endswith("tracked")}
    means = [name for name in made if name.endswith("running_mean")]
    made |= {name: torch.randn(made[name].shape, generator=noise) for name in means}
    return made | {
        name.replace("running_mean", "weight"): torch.randn(made[name].shape, generator=noise) for name in means
    }


@pytest.mark.parametrize("form", ["pth", "wrapped", "safetensors", "passed through"])
def test_inplace_abn_is_rewritten_wherever_weights_enter(form: str, tmp_path: Path) -> None:
    path = tmp_path / ("w.safetensors" if form == "safetensors" else "w.pth")
    content: Any = released()
    if form == "passed through":
        ordinary = build("ad", TINY)
        ordinary.load_state_dict(content, strict=False)
        content = ordinary.state_dict()
    if form == "safetensors":
        save_file(content, path)
    else:
        torch.save({"model": prefixed("module.", content)} if form == "wrapped" else content, path)
    other = build("ad", TINY)
    assert fill(other, path).scales == "inplace-abn"
    found, given = other.state_dict(), released()
    scales = {name.replace("running_mean", "weight") for name in found if name.endswith("running_mean")}
    expected = {name: x.abs() + 1e-5 if name in scales else x for name, x in given.items()}
    assert all(torch.equal(found[name], x) for name, x in expected.items())


def test_weights_that_say_how_they_were_made_are_never_rewritten(tmp_path: Path) -> None:
    write(tmp_path / "w.safetensors", released(), {"method": "adnet.tiny", "scales": "plain"})
    other = build("ad", TINY)
    assert fill(other, tmp_path / "w.safetensors").scales == "plain"
    assert torch.equal(other.state_dict()["cls.1.weight"], released()["cls.1.weight"])


def test_a_card_is_read_from_json_only(tmp_path: Path) -> None:
    write(tmp_path / "w.safetensors", state(), {"a": 1})
    assert read(tmp_path / "w.safetensors").card == json.loads('{"a": 1}')
