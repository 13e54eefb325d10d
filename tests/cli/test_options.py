"""Groups of options: declared once, the same in every verb that takes them."""

from dataclasses import dataclass
from typing import Annotated

import pytest
import typer

from vosbench.cli import app, options
from vosbench.cli.console import command
from vosbench.errors import UsageError
from vosbench.face import RunOptions, SelectOptions


@dataclass(frozen=True, kw_only=True)
class Group:
    size: Annotated[int, typer.Option("--size", min=1)] = 3
    names: Annotated[list[str] | None, typer.Option("--name")] = None


def test_a_group_becomes_options_and_one_value(capsys: pytest.CaptureFixture[str]) -> None:
    toy = typer.Typer()
    seen: list[object] = []

    @toy.command()
    @command
    def verb(word: str, group: Group, last: int = 0) -> None:
        seen.append((word, group, last))

    for words in (["a"], ["b", "--size", "5", "--name", "x", "--name", "y", "--last", "7"]):
        with pytest.raises(SystemExit) as end:
            toy(words)
        assert not end.value.code
    assert seen == [("a", Group(), 0), ("b", Group(size=5, names=["x", "y"]), 7)]
    with pytest.raises(SystemExit) as end:
        toy(["c", "--size", "0"])
    assert end.value.code == 2
    assert "--size" in capsys.readouterr().err


def declared(verb: str) -> dict[str, str | None]:
    """Option → its help, as the command line shows it."""
    found = typer.main.get_command(app).commands[verb].params  # type: ignore[attr-defined]
    return {each.opts[0]: getattr(each, "help", None) for each in found}


def test_verbs_share_their_options() -> None:
    run, score, check = map(declared, ("run", "score", "check"))
    selecting = ["--root", "--split", "--layout", "--protocol", "--videos", "--limit", "--measures"]
    setting_up = ["--weights", "--untrained", "--seed", "--device", "--batch", "--precision", "--compile", "--set"]
    for name in selecting:
        assert run[name] == score[name] == check[name]
    for name in setting_up:
        assert run[name] == check[name]
        assert name not in score


def test_every_option_of_the_face_has_one_of_the_command_line() -> None:
    assert options.select_options(options.Selecting()).keys() == SelectOptions.__optional_keys__
    given = options.run_options(options.Selecting(limit=2), options.SettingUp(compiled=True, settings=["a=b=c"]))
    assert given.keys() == RunOptions.__optional_keys__
    assert (given["limit"], given["compile"], given["options"]) == (2, True, {"a": "b=c"})
    with pytest.raises(UsageError, match='"speed" is not of the form name=value'):
        options.assignments(["speed"])
