"""Published numbers as lines: sources that repeat each other, and the task of each."""

from factories import number
from vosbench.records.published import UNKNOWN, published, task_of
from vosbench.report.printed import STATED, published_entries


def test_a_source_that_repeats_another_shares_its_line() -> None:
    found = published_entries(
        [
            number(value="81.7", unit="%", source="F2Net Table 3"),
            number(value="0.8172", unit="1", source="DAVIS leaderboard, val 2016"),
            number(value="80.5", unit="%", measure="F_mean", source="F2Net Table 3"),
            number(value="81.7", unit="%", source="AMC-Net Table 5", protocol=""),
        ]
    )
    (line,) = found
    assert line.origin == "F2Net Table 3; DAVIS leaderboard, val 2016; AMC-Net Table 5"
    assert line.scores == {"J_mean": 0.8172, "F_mean": 0.805, "JF_mean": (0.8172 + 0.805) / 2}


def test_sources_that_differ_or_say_more_under_an_unknown_protocol_do_not() -> None:
    other = [number(value="81.6", unit="%", source="AMC-Net Table 5"), number(value="81.7", unit="%")]
    assert len(published_entries(other)) == 2
    more = [
        number(value="81.7", unit="%"),
        number(value="81.7", unit="%", source="AMC-Net Table 5", protocol=""),
        number(value="1", unit="%", measure="F_mean", source="AMC-Net Table 5", protocol=""),
    ]
    assert [line.protocol for line in published_entries(more)] == ["davis16@1", STATED]


def test_tasks_of_the_leaderboard() -> None:
    tasks = {each.method: each.task for each in published("davis-leaderboard")}
    assert len(tasks) == 59
    assert {name for name, task in tasks.items() if task == UNKNOWN} == {"MCG", "SF-LAB", "SF-MOT", "Siam R-CNN"}
    assert tasks["STM"] == tasks["SFL-S"] == tasks["OSVOS"] == "semi-supervised"
    assert tasks["SFL"] == tasks["AD-Net + I.Prun."] == "unsupervised"
    groups = {(each.group, each.task) for each in published() if each.group}
    assert groups == {(name.replace("-", " ") if "sal" in name else name, name) for _, name in groups}


def test_a_task_does_not_contradict_another_table() -> None:
    known: dict[str, set[str]] = {}
    for each in published():
        if each.task in {"unsupervised", "semi-supervised"}:
            known.setdefault(each.method, set()).add(each.task)
    assert {name: tasks for name, tasks in known.items() if len(tasks) > 1} == {}
    assert (task_of("andiff"), task_of("stm"), task_of("my own")) == ("unsupervised", "semi-supervised", UNKNOWN)
