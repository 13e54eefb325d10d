"""The page of benchmarks is that of its data, and the data are what the schema says."""

import json
from pathlib import Path

import page
import pytest
import series
from jsonschema import Draft202012Validator
from measured import Amount, Calibrated, Networks, Row, Scores, Series, Target, Tasks
from pydantic import ValidationError

PAGE = series.DATA.with_suffix(".md")


def row(value: float, bound: str = "≥", **more: object) -> Row:
    """A task that took 2 ms, with an amount to compare with 10."""
    target = Target.model_validate({"bound": bound, "value": 10})
    amounts = {"ours": Amount(value=2, unit="ms"), "measured": Amount(value=value, unit="×")}
    return Row.model_validate({"task": "J", "peer": "another", "target": target, **amounts, **more})


def tasks(*rows: Row, **more: object) -> Tasks:
    """A section."""
    where = {"processor": "P (family 1, model 2)", "cores": 2, "load": [0.5, 1.25, 3]}
    known = {"kind": "tasks", "title": "Masks", "script": "peers.py", "date": "2026-01-02", "machine": where}
    known |= {"rounds": 3, "python": "3.11", "versions": {"numpy": "2"}, "peers": {"another": "another 1.0"}}
    return Tasks.model_validate({**known, "rows": rows, **more})


def test_the_page_is_written_from_the_data() -> None:
    assert PAGE.read_text("utf-8") == page.page(series.read())


def test_every_script_has_a_section() -> None:
    sections = series.read().sections
    assert set(series.ORDER) <= set(sections)
    for section in sections.values():
        assert (series.REPOSITORY / section.script).is_file()
    assert isinstance(sections["gpu"], Networks)
    assert isinstance(sections["small"], Calibrated)


def test_data_have_the_documented_schema() -> None:
    shipped = json.loads(series.SCHEMA.read_text("utf-8"))
    found = json.loads(series.schema())
    assert shipped["$defs"].keys() == found["$defs"].keys()
    for name, part in found["$defs"].items():
        assert shipped["$defs"][name]["properties"].keys() == part["properties"].keys()
        undocumented = [key for key, field in part["properties"].items() if "description" not in field]
        assert [key for key in undocumented if key != "kind"] == [], name
    Draft202012Validator(shipped).validate(json.loads(series.DATA.read_text("utf-8")))


def test_a_section_is_replaced_and_the_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "benchmarks.json"
    series.replace("one", tasks(row(12)), path)
    series.replace("two", tasks(row(13), title="Maps"), path)
    first = series.read(path)
    series.replace("one", tasks(row(14)), path)
    found = series.read(path)
    assert list(found.sections) == ["one", "two"]
    assert found.sections["two"] == first.sections["two"]
    assert found.sections["one"] == tasks(row(14))
    assert path.with_suffix(".md").read_text("utf-8") == page.page(found)


def test_unknown_fields_are_errors(tmp_path: Path) -> None:
    path = tmp_path / "benchmarks.json"
    series.replace("one", tasks(row(12)), path)
    path.write_text(path.read_text("utf-8").replace('"rounds"', '"turns"'), "utf-8")
    with pytest.raises(ValidationError, match="turns"):
        series.read(path)


@pytest.mark.parametrize(
    ("found", "met"),
    [
        (row(10), True),
        (row(9.9), False),
        (row(10, "≤"), True),
        (row(10, "<"), False),
        (row(12, scores=Scores(what="J", apart=1e-9, allowed=1e-12)), False),
        (row(12, scores=Scores(what="J", apart=1e-9)), True),
        (row(12, measured=None, failed="no compiler"), False),
        (row(1, target=None), True),
    ],
)
def test_a_target_is_met_by_the_amount_and_by_equal_scores(found: Row, *, met: bool) -> None:
    assert found.met == met


def test_a_row_on_the_page() -> None:
    scores = Scores(what="means", apart=3e-16, allowed=1e-12)
    theirs, limit = Amount(value=1234.56, unit="ms", note="slow"), Amount(value=0.5, unit="ms")
    text = page.page(Series(sections={"x": tasks(row(12.345, theirs=theirs, scores=scores, limit=limit))}))
    cells = ["J", "2 ms", "1235 ms (slow) (another)", "12.3×", "≥ 10×", "yes", "means within 3e-16", "0.5 ms: 4× of it"]
    assert f"| {' | '.join(cells)} |" in text
    assert "P (family 1, model 2), 2 cores, load average 1.2 over 5 minutes" in text
    assert "2026-01-02; 3 alternating rounds" in text


def test_what_was_not_measured_says_why() -> None:
    text = page.page(Series(sections={"x": tasks(row(1, measured=None, failed="no GPU"), missing={"b": "is gone"})}))
    assert "| not measured: no GPU | ≥ 10 | no |" in text
    assert "* not measured: b: is gone\n" in text


def test_figures_have_units_and_where_they_are_from() -> None:
    found = series.figures(
        "Memory", "memory.py", {"size": "", "frames": "", "run": "MB"}, [["480p", 100, 61.25]], "flat"
    )
    text = page.page(Series(sections={"memory": found}))
    assert "| 480p | 100 | 61.2 MB |" in text
    assert f"; {series.today()}\n* Python " in text
    assert "* flat\n* measured by memory.py\n" in text
