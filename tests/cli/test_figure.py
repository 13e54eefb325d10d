"""``vosbench figure``."""

import json
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from drawn import write_results
from vosbench.cli.figure import FIGURES
from vosbench.report.figures.named import DRAW, KINDS, OF_RECORDS, PICTURES

Cli = Callable[..., subprocess.CompletedProcess[str]]
REPOSITORY = Path(__file__).parents[2]


def test_help_names_every_figure() -> None:
    named = FIGURES.replace("(", " ").replace(":", " ").replace(",", " ").replace(";", " ").replace(".", " ").split()
    assert set(KINDS) <= set(named)
    assert set(DRAW) == {name for name, kind in KINDS.items() if kind.sources == "records"}
    uses = {option for kind in KINDS.values() for option in kind.uses}
    assert {*OF_RECORDS, *PICTURES, "measure", "frames", "form", "point", "per-frame", "codec"} == uses


def test_a_figure_is_written_and_named(tmp_path: Path, cli: Cli) -> None:
    pytest.importorskip("matplotlib", reason="the extra plot is not installed")
    write_results(tmp_path / "results")
    done = cli("figure", "jf", "alpha", "beta", "--out", "jf.pdf")
    assert (done.stdout, done.stderr, done.returncode) == ("jf.pdf\n", "", 0)
    assert (tmp_path / "jf.pdf").read_bytes().startswith(b"%PDF")
    for words, message, code in (
        (["jf", "alpa"], 'error: "alpa" is not a record', 2),
        (["pr", "alpha"], "holds no curves", 3),
        (["similarity", "adnet.tiny", "--dataset", "sample", "--point", "a"], "--point is a pixel as X,Y", 2),
        (["jf", "alpha", "--form", "radar"], "does not use --form; these do: attributes", 2),
    ):
        done = cli("figure", *words, "--out", "other.pdf")
        assert message in done.stderr
        assert done.stderr.count("\n") == 1
        assert done.returncode == code
        assert not (tmp_path / "other.pdf").exists()


def test_without_matplotlib_the_extra_is_named(tmp_path: Path, cli: Cli) -> None:
    if find_spec("matplotlib"):
        (tmp_path / "hidden" / "matplotlib").mkdir(parents=True)
        (tmp_path / "hidden" / "matplotlib" / "__init__.py").write_text(
            "raise ModuleNotFoundError('No module named matplotlib', name='matplotlib')\n"
        )
    write_results(tmp_path / "results")
    done = cli("figure", "jf", "alpha", "--out", "jf.pdf", PYTHONPATH=f"{tmp_path / 'hidden'}:{REPOSITORY}")
    assert done.stderr == 'error: matplotlib is not installed; run: pip install "vosbench[plot]"\n'
    assert done.returncode == 2


COMPARED = ["compare", "results/davis16/alpha.json", "results/davis16/beta.json"]


@pytest.mark.parametrize("words", [["table", "f2net-3", "--published"], ["list", "datasets"], COMPARED])
def test_other_commands_import_nothing_of_figures(tmp_path: Path, words: list[str]) -> None:
    write_results(tmp_path / "results")
    code = (
        "import json, sys\n"
        f"sys.argv = ['vosbench', *{words}]\n"
        "from vosbench.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "ours = ('matplotlib', 'vosbench.report.figures')\n"
        "print(json.dumps([name for name in sys.modules if name.startswith(ours)]))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=tmp_path)
    assert json.loads(done.stdout.splitlines()[-1]) == []
