import os
import subprocess
import sys

import pytest

from vosbench.engine import pool


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
