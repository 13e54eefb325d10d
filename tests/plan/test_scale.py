"""A plan of many methods and videos: everything is looked at once, and no step is repeated for every pair."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vosbench import registry
from vosbench.engine.engine import Failure, Outcome
from vosbench.errors import WorkerError
from vosbench.face import run_plan
from vosbench.images import write_png
from vosbench.plan import execute, inputs, prepare
from vosbench.plan.queue import Length, order
from vosbench.runner import Unit

PLUGIN = Path(__file__).parents[1] / "plugins" / "planned.py"


class Nowhere:
    """An engine that does nothing, and notes what it was given."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def run(
        self,
        work: Callable[..., Any],
        items: Sequence[Unit],
        *,
        name: Callable[[Unit], str],
        cost: Callable[[Unit], float],
    ) -> Iterator[Outcome[Any]]:
        del work
        self.names = [name(items[index]) for index in sorted(range(len(items)), key=lambda at: -cost(items[at]))]
        for index in range(len(items)):
            yield Outcome(index, failure=Failure("lost", "", "there is no worker", exit_code=6))


def plan(tmp_path: Path, methods: int, videos: int) -> Path:
    for video in range(videos):
        for frame in range(1 + video % 3):
            for folder in ("frames", "masks"):
                write_png(tmp_path / "many" / folder / f"v{video:03}" / f"{frame}.png", np.zeros((2, 2), np.uint8))
    path = tmp_path / "plan.yaml"
    seeds = ", ".join(map(str, range(methods)))
    path.write_text(
        f"plugins: ['{PLUGIN}']\nmethods: [{{method: level, untrained: yes, seeds: [{seeds}]}}]\ndatasets: [./many]\n"
    )
    return path


@pytest.mark.parametrize(("methods", "videos"), [(10, 15), pytest.param(100, 150, marks=pytest.mark.slow)])
def test_scheduling_takes_as_many_steps_as_there_are_things(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, methods: int, videos: int
) -> None:
    calls: Counter[str] = Counter()

    def counting(module: Any, name: str) -> None:
        usual = getattr(module, name)

        def counted(*words: Any, **named: Any) -> Any:
            calls[name] += 1
            return usual(*words, **named)

        monkeypatch.setattr(module, name, counted)

    for module, names in (
        (prepare, ("select", "resolve_method")),
        (registry, ("load_method",)),
        (inputs, ("of_method", "of_selection", "files_digest")),
        (execute, ("order", "opened")),
    ):
        for name in names:
            counting(module, name)
    engine = Nowhere()
    done = run_plan(plan(tmp_path, methods, videos), engine=engine)
    assert isinstance(done.problem, WorkerError)
    assert str(done.problem).startswith(f"seed0/level on many and {methods - 1} more records failed")
    assert len(engine.names) == len(set(engine.names)) == methods * videos
    assert engine.names[:2] == ["seed0/level on many, v002", "seed0/level on many, v005"]
    assert engine.names[videos - 1] == f"seed0/level on many, v{videos - 3:03}"
    frames = sum(1 + video % 3 for video in range(videos))
    assert calls == {
        "select": 1,
        "load_method": 1,
        "of_selection": 1,
        "files_digest": frames,
        **dict.fromkeys(("resolve_method", "of_method", "opened"), methods),
        "order": 3,
    }


def test_the_order_is_longest_first_by_predictor() -> None:
    lengths = [Length(group, frames) for group in "abc" for frames in (3, 50, 7)] + [Length("b", 90)]
    ordered = [lengths[index] for index in order(lengths)]
    assert [each.group for each in ordered] == [*"bbbb", *"aaa", *"ccc"]
    assert [each.frames for each in ordered] == [90, 50, 7, 3, 50, 7, 3, 50, 7, 3]
    assert order([]) == []
