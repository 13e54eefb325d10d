"""Tables that fit a terminal: headings are folded, labels are cut, and what matters least is left out.

Conventions:
    The first column, which names the line, is always shown. Cells are never wrapped.
"""

from collections.abc import Sequence

LABEL = 16
"""Characters to which further labels, such as sources, are cut."""
GAP = 2


def fitted(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    sides: Sequence[str],
    labels: int,
    width: int,
    priority: Sequence[int] = (),
) -> tuple[str, list[str]]:
    """Fit a table to a terminal.

    Args:
        columns: the headings.
        rows: the cells.
        sides: ``"left"`` or ``"right"`` for each column.
        labels: how many columns say what a row is.
        width: columns of the terminal.
        priority: of each column; those with the largest are left out first, and of equal ones the last.

    Returns:
        the table without an end of line, and a note if columns are left out.
    """
    cells = [[row[at] for row in rows] for at in range(len(columns))]
    for at in range(1, labels):
        cells[at] = [_cut(cell, LABEL) for cell in cells[at]]
    heads = [_folded(heading, max(map(len, own), default=0)) for heading, own in zip(columns, cells, strict=True)]
    sizes = [max(map(len, [*head, *own])) for head, own in zip(heads, cells, strict=True)]
    kept, dropped = list(range(len(columns))), list[int]()
    for at in _order(cells, labels, list(priority) or [0] * len(columns)):
        if _total(sizes, kept) <= width or len(kept) <= 2:
            break
        kept.remove(at)
        dropped.append(at)
    if _total(sizes, kept) > width:  # a long name
        sizes[0] = max(8, width - _total(sizes, kept[1:]) - GAP)
        cells[0] = [_cut(cell, sizes[0]) for cell in cells[0]]
    text = _written([(heads[at], cells[at], sizes[at], sides[at]) for at in kept])
    names = ", ".join(columns[at] for at in sorted(dropped))
    count = f"{len(dropped)} {'column' if len(dropped) == 1 else 'columns'}"
    return text, [f"{count} left out to fit {width} characters: {names}; --wide shows all"] if dropped else []


def _order(cells: Sequence[Sequence[str]], labels: int, priority: Sequence[int]) -> list[int]:
    """In which order columns are left out: labels that say nothing, further labels, then numbers, the last first."""
    constant = [at for at in range(1, labels) if len(set(cells[at])) <= 1]
    further = [at for at in reversed(range(2, labels)) if at not in constant]
    numbers = sorted(range(labels, len(cells)), key=lambda at: (-priority[at], -at))
    return [*constant, *further, *numbers, *(at for at in range(1, min(labels, 2)) if at not in constant)]


def _total(sizes: Sequence[int], kept: Sequence[int]) -> int:
    return sum(sizes[at] for at in kept) + GAP * (len(kept) - 1)


def _cut(text: str, size: int) -> str:
    return text if len(text) <= size else f"{text[: size - 1].rstrip()}…"


def _folded(heading: str, size: int) -> list[str]:
    """A heading in lines of at most a size if its words allow that; an arrow stays with its word.

    >>> _folded("DAVIS-2016 J mean ↑", 5)
    ['DAVIS-2016', 'J mean ↑']
    """
    words: list[str] = []
    for word in heading.split(" "):
        if words and word in {"↑", "↓"}:
            words[-1] += f" {word}"
        else:
            words.append(word)
    size = max(size, *map(len, words))
    lines = [words[0]]
    for word in words[1:]:
        if len(lines[-1]) + 1 + len(word) <= size:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _written(columns: Sequence[tuple[Sequence[str], Sequence[str], int, str]]) -> str:
    height = max(len(head) for head, _, _, _ in columns)
    lines = [[([""] * (height - len(head)) + list(head))[at] for head, _, _, _ in columns] for at in range(height)]
    lines.append(["-" * size for _, _, size, _ in columns])
    lines += [list(line) for line in zip(*(cells for _, cells, _, _ in columns), strict=True)]
    placed = [(size, side) for _, _, size, side in columns]
    return "\n".join(
        (" " * GAP)
        .join(
            cell.rjust(size) if side == "right" else cell.ljust(size)
            for cell, (size, side) in zip(line, placed, strict=True)
        )
        .rstrip()
        for line in lines
    )
