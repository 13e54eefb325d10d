from pathlib import Path

from vosbench.train.log import append, cut, read


def test_a_new_column_widens_the_log(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    append(path, {"step": 1, "loss": 0.1})
    append(path, {"step": 2, "loss": 1 / 3, "val J_mean": 0.5})
    append(path, {"step": 3, "loss": 1e-30})
    assert path.read_text() == "step,loss,val J_mean\n1,0.1,\n2,0.3333333333333333,0.5\n3,1e-30,\n"
    assert float(read(path)[1]["loss"]) == 1 / 3
    assert "val J_mean" not in read(path)[0]


def test_rows_after_a_step_and_an_incomplete_line_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    for step in (1, 2, 3):
        append(path, {"step": step, "loss": 0.5})
    whole = path.read_text()
    path.write_text(whole + "4,0.2")
    cut(path, 3)
    assert path.read_text() == whole
    path.write_text(whole + "4,0.2")
    cut(path, 1)
    assert path.read_text() == "step,loss\n1,0.5\n"
    append(path, {"step": 2, "loss": 0.25})
    assert path.read_text() == "step,loss\n1,0.5\n2,0.25\n"


def test_a_missing_log_is_empty(tmp_path: Path) -> None:
    cut(tmp_path / "log.csv", 0)
    assert list(tmp_path.iterdir()) == []
    assert read(tmp_path / "log.csv") == []
