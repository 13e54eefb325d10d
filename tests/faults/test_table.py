"""The table of faults: every row is of a test that writes and compares it, and no cell is empty."""

import pytest

from injected import PAGE, declared, rows


def test_every_fault_has_its_row_and_every_row_its_fault() -> None:
    titles = [row[0] for row in rows()]
    assert titles == declared()
    assert len(titles) == len(set(titles))


@pytest.mark.parametrize("line", [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")])
def test_no_cell_is_empty(line: str) -> None:
    cells = [cell.strip() for cell in line.strip("|").split(" | ")]
    assert len(cells) in {2, 4}
    assert all(cells)
