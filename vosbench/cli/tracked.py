"""``--track``: what is measured, to trackers of experiments."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vosbench.cli.console import say

if TYPE_CHECKING:
    from vosbench.face import Result


def check(wanted: Sequence[str] | None) -> None:
    """Refuse trackers that do not exist or are not installed, before the work.

    Raises:
        UsageError: if there is one.
    """
    if wanted:
        from vosbench.track import check_kinds

        check_kinds(wanted)


def send(results: "Iterable[Result]", wanted: Sequence[str] | None, out: Path | None, *, quiet: bool) -> None:
    """Give results to trackers; one that fails is noted, and left out.

    Args:
        results: the results.
        wanted: the trackers.
        out: the folder of results, which has that of the trackers; that of the default if None.
        quiet: no notes.
    """
    if not wanted:
        return
    from vosbench.face.tracked import PLACE

    place = PLACE if out is None else out / PLACE.name
    for result in results:
        result.track(*wanted, place=place, note=lambda line: None if quiet else say(f"note: {line}"))
