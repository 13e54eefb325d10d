"""Every command of README, docs and cards is run, or is valid and named here with the reason why it is not run."""

import re
import shlex
import subprocess
import sys
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import pytest
import typer

from documented import PAGES, commands, fenced, inline
from vosbench.cli import app
from vosbench.records import record as records

NOT_RUN = {
    r"^python3 -m venv": "installs packages; those of README are run by .ci/run",
    r"^\. \.venv/bin/activate$": "there is no such environment in a test",
    r"^pip install": "installs packages",
    r"^vosbench fetch": "needs the network; tests/dataset/test_fetch.py has a server",
    r"--device cuda|^torchrun": "needs a GPU",
    r"raft:weights": "needs weights of RAFT",
    r"--workers|--scheduler": "starts processes; tests/test_spread.py does",
    r"FBMS|DAVIS17|--dataset fbms|ytvos": "needs a dataset that is not drawn here",
    r"score --plan": "needs submissions to several datasets; tests/plan/test_scoring.py has some",
    r"(run|score) .*--suite": "needs several datasets; tests/cli/test_suites.py has some",
    r"--weights (ad|f2net|lite/last)": "needs weights of full size",
    r"DUTS|msra10k|encoder=deeplab|resnet101": "needs weights or data of others, and hours",
    r"--backbone-weights first": "needs the weights of a training of minutes",
    r"convert --encoder": "needs a package with weights of ImageNet",
    r"NAME RECORDS|score MASKS": "a pattern",
    r"^bash examples/slurm": "needs SLURM; tests/runner/test_slurm.py has a stand-in",
    r"^vosbench serve": "ends when it is interrupted; tests/site/test_serve.py runs it",
    r"--method torchscript": "its size is that of somebody's network; tests/method/test_onnx.py runs exported files",
}
"""Pattern → why commands that match are only parsed. The first one counts."""
BEFORE = {
    "docs/differences.md": [
        "vosbench score masks.zip --dataset davis16 --root DAVIS --out first",
        "vosbench score masks.zip --dataset davis16 --root DAVIS --protocol davis17-unsup --out second",
        "cp first/davis16/masks.json mine.json",
        "cp second/davis16/masks@davis17-unsup.json theirs.json",
    ],
    "docs/figures.md": [
        *(f"vosbench score {name}.zip --dataset davis16 --root DAVIS --out results" for name in ("ags", "andiff")),
        "cp results/davis16/ags.json a.json && cp results/davis16/ags.csv.gz a.csv.gz",
        "cp results/davis16/andiff.json b.json && cp results/davis16/andiff.csv.gz b.csv.gz",
        "vosbench run --method motion --dataset davis16 --root DAVIS --profile",
        "vosbench data set-root davis16 DAVIS",
        "vosbench score osvos.zip --dataset davis16 --root DAVIS --out maps --protocol vsod-davsod",
        "mkdir maps/fbms",
        "sed s/davis16/fbms/ maps/davis16/osvos@vsod-davsod.json > maps/fbms/osvos@vsod-davsod.json",
    ],
    "docs/own-data.md": [
        "cp zoo.zip masks.zip",
        "vosbench check --method f2net.tiny --dataset data/zoo --baseline baseline.json --update-baseline",
    ],
    "docs/score.md": ["cp zoo.zip masks.zip"],
    "docs/tables.md": ["vosbench score masks.zip --dataset davis16 --root DAVIS --name mine --out results"],
    "methods/onnx/README.md": ["vosbench export adnet.tiny --out net.onnx"],
}
"""Page → commands that make what its commands speak of."""
LESS = {r"^vosbench train": " --set steps=1 --set horizon=1", "^vosbench segment": " --method motion"}
"""Pattern → what is added to commands, since they would take minutes."""
NEEDS = {
    "torch": r"f2net|adnet|deeplab|train |export|median",
    "matplotlib": r"vosbench figure",
    "jinja2": r"vosbench report",
    "onnxruntime": r"onnx",
    "av": r"\.mp4",
}
"""Package → the commands that need it."""
WRITTEN = {"--out", "--overlay", "--sheet", "--junit", "--per-frame"}
"""Options that name what a command writes."""


def reason(command: str) -> str:
    """Why a command is not run; empty if it is."""
    return next((why for pattern, why in NOT_RUN.items() if re.search(pattern, command)), "")


def run(command: str) -> None:
    """Run a command as a shell would, those of vosbench in this process."""
    for pattern, more in LESS.items():
        command += more if re.search(pattern, command) and more.split()[0] not in command else ""
    if not command.startswith("vosbench "):
        words = command.replace("python ", f"{shlex.quote(sys.executable)} ")
        subprocess.run(words, shell=True, check=True)
        return
    words = shlex.split(command)[1:]
    with pytest.raises(SystemExit) as end:
        app(words)
    assert not end.value.code, command
    for option, value in pairwise(words):
        if option in WRITTEN:
            assert Path(value).exists(), command


@pytest.mark.parametrize("page", [page for page in PAGES if any(not reason(each) for each in commands(page))])
@pytest.mark.filterwarnings("default")  # a package's warnings concern its own tests
def test_commands_run(page: str, place: Path) -> None:
    wanted = [*BEFORE.get(page, []), *(each for each in commands(page) if not reason(each))]
    for package, pattern in NEEDS.items():
        if any(re.search(pattern, each) for each in wanted) and find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    if any(".mp4" in each for each in wanted):
        write_film(place)
    for card in fenced(page, "yaml") if any("card.yaml" in each for each in wanted) else ():
        (place / "card.yaml").write_text(card, "utf-8")
    if any("plan.yaml" in each for each in wanted):
        (place / "plan.yaml").write_text(next(fenced(page, "yaml")), "utf-8")
    for command in wanted:
        run(command)


def write_film(place: Path) -> None:
    """The videos that are segmented."""
    from videos import encode, scene

    for name in ("holiday.mp4", "clip.mp4"):
        encode(place / name, map(scene, range(8)))


def test_every_reason_is_needed() -> None:
    found = [each for page in PAGES for each in commands(page)]
    assert [pattern for pattern in NOT_RUN if not any(re.search(pattern, each) for each in found)] == []
    assert set(BEFORE) <= set(PAGES)
    assert len(found) > 80


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page) or inline(page)])
def test_commands_are_valid(page: str) -> None:
    """Those that are not run too: commands and options exist, and what is required is there."""
    for command in commands(page):
        for part in command.split(" && "):
            words = shlex.split(part)
            if "vosbench" in words[:1] or words[:4] == ["torchrun", "--nproc-per-node", "4", "-m"]:
                parsed(words[words.index("vosbench") + 1 :])
    for words in inline(page):
        known = command_of(words[1:])[0]
        options = {name for parameter in known.params for name in (*parameter.opts, *parameter.secondary_opts)}
        assert [word for word in words if word.startswith("--") and word not in options] == [], words


def command_of(words: list[str]) -> tuple[typer.core.TyperCommand, list[str]]:
    """The parser of a command, and the words behind its name."""
    parser = typer.main.get_command(app)
    while hasattr(parser, "commands"):
        parser, words = parser.commands[words[0]], words[1:]
    return parser, words


def parsed(words: list[str]) -> None:
    parser, rest = command_of(words)
    parser.make_context("vosbench", rest)


@pytest.mark.usefixtures("place")
def test_videos_on_several_machines_make_the_record_of_one() -> None:
    for command in commands("docs/scaling.md"):
        if not reason(command):
            run(command)
    run("vosbench run --method motion --dataset sample --out alone")
    one, several = (Path(name, "sample", "motion.json").read_bytes() for name in ("alone", "together"))
    assert one == several
    assert len(records.read(Path("alone", "sample", "motion.json")).videos) == 2
