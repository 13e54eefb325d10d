"""Records that are damaged or made up: every command says so in a line, or shows what there is."""

import json
import random
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from factories import davis16_record, examples
from vosbench.cli import app
from vosbench.records.record import Record, Speed

SPEED = Speed(
    frames=5,
    warmup=1,
    fps=2.5,
    latency=0.4,
    stages={"decode": 0.1},
    peak_memory=10**9,
    parameters=10**6,
    gmacs=1.5,
    size="854x480",
    device_name="cpu",
    threads=1,
)
ODD: list[Any] = [
    None,
    True,
    -1,
    0,
    2**63,
    10**400,
    1e308,
    -1e-320,
    0.1,
    "",
    "x",
    "\x1b[2J\u202e",
    "=1+1",
    "|vosbench ",
    "davis16",
    "davis16@",
    "a" * 5000,
    "a/b",
    "../x",
    [],
    [[]],
    ["v0/1"],
    {},
    {"": {}},
    {"blackswan": {}},
    {"blackswan": {"J_mean": None}},
]


def base() -> Record:
    names = ("blackswan", "cows", "dog")
    videos = {name: {"J_mean": 0.5 + at / 10, "F_mean": 0.6, "T_mean": 0.2} for at, name in enumerate(names)}
    changes = {"provenance": {"masks": "a" * 64, "training": "sample train"}, "speed": SPEED, "split_size": 20}
    return davis16_record("m", {"J_mean": 0.6, "F_mean": 0.6, "T_mean": 0.2, "JF_mean": 0.6}, videos=videos, **changes)


def places(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all values in JSON."""
    if path:
        yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield from places(each, (*path, key))


def with_bytes_changed(text: bytearray, chance: random.Random) -> bytes:
    """Text of which some bytes are removed, replaced, inserted or cut off."""
    for _ in range(chance.choice((1, 1, 3, 20))):
        at = chance.randrange(len(text))
        kind = chance.randrange(4)
        if kind == 0:
            del text[at : at + chance.choice((1, 5, 500))]
        elif kind == 1:
            text[at] = chance.randrange(256)
        elif kind == 2:
            text[at:at] = chance.choice((b"\0", b"[" * 5000, b'"', b"\xff", b"9" * 5000, b"\\ud800", b"1e999"))
        else:
            del text[at:]
        text = text or bytearray(b"{")
    return bytes(text)


def mutated(chance: random.Random) -> bytes:
    """A record with some values replaced, removed or renamed, or with some bytes changed."""
    value = json.loads(base().to_json())
    if chance.random() < 0.5:
        value.pop("split_size")
    if chance.random() < 0.3:
        return with_bytes_changed(bytearray(json.dumps(value).encode()), chance)
    for _ in range(chance.choice((1, 1, 2, 5))):
        *parents, key = chance.choice(list(places(value)))
        place = value
        for parent in parents:
            place = place[parent]
        kind = chance.randrange(4)
        if kind == 0 and isinstance(place, dict):
            place.pop(key)
        elif kind == 1 and isinstance(place, dict):
            place[str(chance.choice(ODD))[:50]] = place.pop(key)
        else:
            place[key] = chance.choice(ODD)
    return json.dumps(value, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")


COMMANDS = (
    ("table", "davis16"),
    ("table", "davis16", "--by", "video", "--format", "md"),
    ("table", "davis16", "--diff", "--format", "csv"),
    ("table", "davis16", "--by", "attribute", "--format", "latex"),
    ("table", "speed", "--format", "md"),
    ("table", "saliency"),
    ("table", "f2net-3", "--diff"),
    ("table", "readme"),
    ("compare", "results/davis16/a.json", "results/davis16/x.json", "--resamples", "100"),
    ("compare", "results/davis16/x.json", "results/davis16/x.json", "--resamples", "100", "--force", "--format", "md"),
    ("check", "results/davis16/x.json", "--baseline", "results/davis16/a.json"),
    ("check", "results/davis16/a.json", "--baseline", "results/davis16/x.json", "--format", "junit"),
    ("check", "results/davis16/x.json", "--baseline", "results/davis16/a.json", "--format", "github"),
)


def command_survives(data: bytes, words: tuple[str, ...]) -> str:
    """What is wrong with how a command takes a record; empty if nothing is."""
    Path("results/davis16/x.json").write_bytes(data)
    done = CliRunner().invoke(app, list(words))
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        return "".join(traceback.format_exception(done.exception))
    if done.exit_code not in {0, 1, 2, 3} or "(unexpected" in done.stderr:
        return f"exit {done.exit_code}: {done.stderr}"
    lines = done.stderr.splitlines()
    if any(not line.isprintable() for line in lines) or sum(line.startswith("error: ") for line in lines) > 1:
        return f"not in a line: {done.stderr!r}"
    if any(not line.isprintable() for line in done.stdout.split("\n")):
        return f"not printable: {done.stdout!r}"
    return "" if done.exit_code in {0, 1} or lines[-1].startswith("error: ") else f"no error: {done.stderr}"


def survive(count: int, seed: int) -> None:
    folder = Path("results/davis16")
    folder.mkdir(parents=True)
    kept = base().model_copy(update={"split_size": None, "method": "a"})
    (folder / "a.json").write_text(kept.to_json(), "utf-8")
    chance = random.Random(seed)
    for at in range(count):
        data = mutated(chance)
        words = COMMANDS[at % len(COMMANDS)]
        problem = command_survives(data, words)
        assert not problem, f"{words} of {data[:3000]!r}: {problem}"


def test_mutated_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    survive(examples(65), seed=0)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 4))
def test_many_mutated_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    monkeypatch.chdir(tmp_path)
    survive(400, seed)
