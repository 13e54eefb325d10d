"""A stand-in for SLURM's sbatch, for tests: jobs of arrays at once, each in a shell of its own, requeued if killed.

The spool folder that ``FAKE_SLURM`` names gets a file for each job with its exit code, and its output. ``PREEMPT`` is
the index of a task that is terminated once, as soon as a map is there, as a queue does at a time limit.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("--parsable", "--requeue"):
        parser.add_argument(name, action="store_true")
    for name in ("--job-name", "--array", "--cpus-per-task", "--dependency", "--partition", "--wrap"):
        parser.add_argument(name)
    asked = parser.parse_args()
    spool = Path(os.environ["FAKE_SLURM"])
    number = str(100 + len(list(spool.glob("*.job"))))
    (spool / f"{number}.job").write_text(" ".join(sys.argv[1:]), "utf-8")
    sys.stdout.write(f"{number}\n" if asked.parsable else f"Submitted batch job {number}\n")
    sys.stdout.flush()
    if os.fork():
        return  # as sbatch does: the job starts later
    os.setsid()
    for stream in (0, 1, 2):
        os.dup2(os.open(os.devnull, os.O_RDWR), stream)
    if asked.dependency:
        kind, _, other = asked.dependency.partition(":")
        assert kind == "afterok"
        while not (spool / f"{other}.code").exists():
            time.sleep(0.05)
        if (spool / f"{other}.code").read_text("utf-8") != "0":
            finish(spool, number, "DependencyNeverSatisfied")
            return
    first, _, last = (asked.array or "0-0").partition("-")
    tasks = {index: start(asked.wrap, number, index, spool) for index in range(int(first), int(last) + 1)}
    preempted = os.environ.get("PREEMPT")
    if preempted and asked.array:
        while not list(Path("parts").rglob("00001.png")):
            time.sleep(0.02)
        tasks[int(preempted)].terminate()
        (spool / "preempted").write_text(str(tasks[int(preempted)].wait()), "utf-8")
        assert asked.requeue
        tasks[int(preempted)] = start(asked.wrap, number, int(preempted), spool)
    finish(spool, number, str(max(task.wait() for task in tasks.values())))


def start(script: str, number: str, index: int, spool: Path) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "SLURM_JOB_ID": number, "SLURM_ARRAY_TASK_ID": str(index)}
    with (spool / f"{number}-{index}.out").open("a") as out:
        return subprocess.Popen(["bash", "-c", script], env=environment, stdout=out, stderr=out)


def finish(spool: Path, number: str, code: str) -> None:
    (spool / "part").write_text(code, "utf-8")
    (spool / "part").rename(spool / f"{number}.code")


if __name__ == "__main__":
    main()
