"""What counts as an input: the code that makes maps and scores, and nothing that only stands next to it."""

from pathlib import Path

import pytest

from toys import selected
from vosbench.plan import inputs
from vosbench.registry import load_method

PLUGIN = Path(__file__).parents[1] / "plugins" / "toy.py"


def names(of: str) -> set[str]:
    places = [inputs.PACKAGE / place for place in inputs.ROOMS[of]]
    files = [file for place in places for file in ([place] if place.is_file() else place.rglob("*.py"))]
    return {str(file.relative_to(inputs.PACKAGE)) for file in files if file.stem not in inputs.APART}


def test_modules_that_matter_are_looked_at() -> None:
    assert {"method/predict.py", "method/nn/deeplab.py", "images/files.py", "runner/units.py"} <= names("method code")
    assert {"evaluate/foreground.py", "metrics/boundary.py", "dataset/selection.py"} <= names("scoring code")
    every = {file.stem for file in inputs.PACKAGE.rglob("*.py")}
    assert every >= inputs.APART
    assert not {"method/testing.py", "dataset/fetch.py"} & (names("method code") | names("scoring code"))


def test_code_of_plugins_counts(tmp_path: Path, toy_root: Path) -> None:
    found = []
    for text in ("", "\n# another version\n"):
        path = tmp_path / f"copy{len(text)}.py"
        path.write_text(PLUGIN.read_text("utf-8").replace('name="brightness"', f'name="b{len(text)}"') + text, "utf-8")
        method, variant = load_method(f"b{len(text)}", [path])
        found.append(inputs.of_method(method, inputs.Setup(variant=variant, options={}))["method code"])
    assert found[0] != found[1]
    assert inputs.of_selection(selected(toy_root)) == inputs.of_selection(selected(toy_root))


@pytest.mark.parametrize("name", ["motion", "f2net.tiny"])
def test_our_methods_have_code(name: str) -> None:
    method, _ = load_method(name)
    assert inputs._code(method.load)
    assert inputs._code(method.load) != inputs._code(lambda: None)
