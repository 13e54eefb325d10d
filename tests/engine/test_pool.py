import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from vosbench.engine import pool
from vosbench.errors import WorkerError


def square(number: int) -> tuple[int, int]:
    return number * number, os.getpid()


@pytest.mark.parametrize("jobs", [0, 1])
def test_one_job_stays_in_this_process(jobs: int) -> None:
    assert list(pool.each(square, range(3), jobs)) == [(number, os.getpid()) for number in (0, 1, 4)]
    assert list(pool.each(square, [], 4)) == []
    assert list(pool.each(square, [5], 4)) == [(25, os.getpid())]


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_results_of_several_processes_come_in_order(start: str) -> None:
    """Workers are forked unless torch, whose threads a fork would lose, is loaded."""
    code = (
        "import os, sys\n"
        "from vosbench.engine import pool\n"
        "if __name__ == '__main__':\n"
        f"    sys.modules.update({{'torch': None}} if {start!r} == 'spawn' else {{}})\n"
        "    pool.prepare_workers(sys.setrecursionlimit, 4321)\n"
        "    assert list(pool.each(abs, range(-9, 0), jobs=3)) == list(range(9, 0, -1))\n"
        "    assert os.getpid() not in pool.each(eval, ['__import__(\"os\").getpid()'] * 4, jobs=2)\n"
        "    asked = ['__import__(\"sys\").getrecursionlimit()'] * 4\n"
        "    assert list(pool.each(eval, asked, jobs=2)) == [4321] * 4 != [sys.getrecursionlimit()] * 4\n"
        "    print('done')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "done\n"


def test_an_error_of_a_worker_is_raised_in_order() -> None:
    results = pool.each(lambda number: 1 / number, [1, 0], jobs=1)
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)


WORKERS = (
    "import os, sys, time\n"
    "from vosbench.engine import pool\n"
    "if __name__ == '__main__':\n"
    "    print(os.getpid(), flush=True)\n"
    '    waiting = \'__import__("sys").stdout.write(str(__import__("os").getpid()) + "\\\\n"), \'\n'
    '    waiting += \'__import__("sys").stdout.flush(), __import__("time").sleep(600)\'\n'
    "    list(pool.each(eval, [waiting] * 3, jobs=3))\n"
)


def alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes under /proc")
@pytest.mark.parametrize("blow", [signal.SIGTERM, signal.SIGKILL])
def test_workers_end_with_their_parent(blow: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", WORKERS], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pids = [int(process.stdout.readline()) for _ in range(4)]
        assert len(set(pids)) == 4
        process.send_signal(blow)
    for _ in range(200):
        if not any(map(alive, pids)):
            break
        time.sleep(0.1)
    assert not any(map(alive, pids))


def kill(_: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_worker_is_an_error() -> None:
    with pytest.raises(WorkerError, match="a worker process was killed"):
        list(pool.each(kill, range(2), jobs=2))


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_longest_begin_and_results_are_in_order(jobs: int) -> None:
    costs = {
        f'(__import__("time").monotonic(), __import__("time").sleep({cost}), {cost})': cost for cost in (0, 0.1, 0.3)
    }
    counted: list[int] = []
    found = list(pool.each(eval, [*costs], jobs, cost=costs.__getitem__, advance=counted.append))
    assert [cost for _, _, cost in found] == [*costs.values()]
    assert counted == [1, 2, 3]
    assert (found[2][0] < found[0][0]) == (jobs == 2)


def test_the_error_is_that_of_the_first_item_that_fails() -> None:
    with pytest.raises(ValueError, match="could not convert string to float: 'a'"):
        list(pool.each(float, ["1", "a", "bbb"], 2, cost=len, advance=lambda _: None))
