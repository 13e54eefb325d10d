"""The examples of clusters: their settings, and runs on stand-ins for SSH and SLURM."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from spread import until
from test_concurrency import tree

pytest.importorskip("distributed", reason="needs the extra dist")

from vosbench.engine.cluster import SETTINGS

CLUSTERS = Path(__file__).parents[2] / "examples" / "clusters"
TOY = Path(__file__).parents[1] / "plugins" / "toy.py"
SBATCH = """#!/bin/sh
# A stand-in for SLURM: a job is a process in the background.
echo "$@" >> {folder}/submitted
cp "$1" {folder}/job.$$ && chmod +x {folder}/job.$$
setsid {folder}/job.$$ > {folder}/log.$$ 2>&1 < /dev/null &
echo $! >> {folder}/jobs
echo "Submitted batch job $!"
"""
SCANCEL = """#!/bin/sh
echo "$@" >> {folder}/cancelled
for job in "$@"; do kill -- -"$job" 2>/dev/null; done
exit 0
"""


def flat(settings: dict[str, object], before: str = "") -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in settings.items():
        found |= flat(value, f"{before}{name}.") if isinstance(value, dict) else {f"{before}{name}": value}
    return found


def test_settings_of_running_clusters_are_those_of_local_ones() -> None:
    stated = flat(yaml.safe_load((CLUSTERS / "dask.yaml").read_text("utf-8")))
    assert SETTINGS.items() <= stated.items()
    cluster, client = yaml.safe_load_all((CLUSTERS / "kubernetes.yaml").read_text("utf-8"))
    for part in ("worker", "scheduler"):
        (container,) = cluster["spec"][part]["spec"]["containers"]
        named = {each["name"]: each["value"] for each in container["env"]}
        assert named == {
            "DASK_" + name.replace(".", "__").replace("-", "_").upper(): str(value) for name, value in SETTINGS.items()
        }
    assert client["kind"] == "Deployment"


def run(toy_root: Path, out: Path) -> list[str]:
    words = f"run --method brightness --dataset toy --root {toy_root} --plugin {TOY} --out {out}"
    return [sys.executable, "-m", "vosbench", *words.split()]


def compared(done: "subprocess.CompletedProcess[str]", toy_root: Path, out: Path) -> None:
    assert done.returncode == 0, done.stderr
    subprocess.run(run(toy_root, out.with_name("whole")), check=True, capture_output=True)
    assert tree(out) == tree(out.with_name("whole"))


@pytest.mark.slow
def test_slurm_on_a_stand_in(toy_root: Path, tmp_path: Path) -> None:
    pytest.importorskip("dask_jobqueue")
    for name, script in (("sbatch", SBATCH), ("scancel", SCANCEL)):
        path = tmp_path / name
        path.write_text(script.format(folder=tmp_path))
        path.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "TOY_SECONDS": "0.2"}
    command = [sys.executable, str(CLUSTERS / "slurm.py"), "2", "--interface", "lo", "--gpu", "--"]
    command += run(toy_root, tmp_path / "out")
    done = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300
    )
    compared(done, toy_root, tmp_path / "out")
    jobs = (tmp_path / "jobs").read_text().split()
    assert len(jobs) == 2
    script = next(tmp_path.glob("job.*")).read_text()
    assert "#SBATCH --gres=gpu:1" in script
    assert "--nthreads 1" in script
    assert sorted(" ".join((tmp_path / "cancelled").read_text().split()).split()) == sorted(jobs)
    until(lambda: not any(Path("/proc", job).exists() for job in jobs))


@pytest.fixture
def ssh(tmp_path: Path) -> Iterator[Path]:
    """An SSH server on 127.0.0.1, and a home folder whose configuration reaches it."""
    pytest.importorskip("asyncssh")
    home = tmp_path / "home"
    server = Path(__file__).parents[1] / "ssh_server.py"
    with subprocess.Popen([sys.executable, str(server), str(home)]) as process:
        until((home / ".ssh" / "config").is_file)
        yield home
        process.terminate()


@pytest.mark.slow
def test_ssh_on_this_machine(toy_root: Path, tmp_path: Path, ssh: Path) -> None:
    import psutil

    environment = {**os.environ, "HOME": str(ssh)}
    command = [sys.executable, str(CLUSTERS / "ssh.py"), *["127.0.0.1"] * 3, "--", *run(toy_root, tmp_path / "out")]
    done = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300
    )
    compared(done, toy_root, tmp_path / "out")
    family = psutil.Process().children
    until(lambda: not [each for each in family(recursive=True) if "dask_spec" in str(each.cmdline())])
