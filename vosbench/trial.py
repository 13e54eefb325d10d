"""A method tried on a dataset, by name: names in, record out. What the gates run before they judge."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from vosbench.method import Setup
from vosbench.record import Record
from vosbench.registry import load_dataset, load_method
from vosbench.run import Advance, resolve_options, resolve_weights, run
from vosbench.selection import Choice, select


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What is to be tried.

    Attributes:
        method: ``method`` or ``method.variant``.
        dataset: its name.
        setup: how the method is set up; its variant is that of the name.
        choice: what of the dataset is worked on.
        settings: options of the method, as ``name=value``.
        plugins: plugin files to look into as well.
        untrained: run with random weights.
        profile: measure speed too.
        out: folder of maps and record; where None they are thrown away.
    """

    method: str
    dataset: str
    setup: Setup = field(default_factory=Setup)
    choice: Choice = field(default_factory=Choice)
    settings: Sequence[str] = ()
    plugins: Sequence[Path] = ()
    untrained: bool = False
    profile: bool = False
    out: Path | None = None


def take(trial: Trial, advance: Advance = lambda _video, _done: None) -> Record:
    """Run a method and score its maps.

    Args:
        trial: what is tried.
        advance: called with a video's name and its frames that are done.

    Returns:
        the record.

    Raises:
        UsageError: where a name, an option or weights cannot be resolved, or the folder holds maps of another setup.
        DataError: where the dataset is not there or not whole.
        VideoError: where the method failed on a video.
    """
    method, variant = load_method(trial.method, trial.plugins)
    settings: Mapping[str, str] = resolve_options(method, trial.settings)
    setup = replace(trial.setup, variant=variant, options=settings)
    setup = resolve_weights(method, setup, untrained=trial.untrained)
    selection = select(load_dataset(trial.dataset, trial.plugins), trial.choice)
    if trial.out is not None:
        return run(method, setup, selection, trial.out, profile=trial.profile, advance=advance)[0]
    with tempfile.TemporaryDirectory(prefix="vosbench-check-") as folder:
        return run(method, setup, selection, Path(folder), profile=trial.profile, advance=advance)[0]
