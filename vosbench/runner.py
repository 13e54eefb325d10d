"""Run a method on a dataset: names in, maps and a record out. There is no other way from the one to the other.

`resolve` makes objects of names and refuses what cannot be had before anything is computed; `run` makes the maps of the
selected videos, or of those that are not on disk yet, scores them as any other masks are scored, and writes the record.
"""

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from vosbench.dataset import Dataset
from vosbench.dataset.selection import Choice, Selection, select
from vosbench.errors import UsageError, VideoError, extras_needed
from vosbench.evaluate import score
from vosbench.evaluate.task import Scored
from vosbench.files import sha256, write_whole
from vosbench.method import Measurable, Method, Setup
from vosbench.method.predict import write_maps
from vosbench.records import provenance, record
from vosbench.records.record import Record
from vosbench.registry import load_dataset, load_families, load_method

Advance = Callable[[str, int], None]
RECORDED = ("date", "untrained", "seed", "weights", "device", "batch", "precision", "compile", "options")


class Job(NamedTuple):
    """A method, how it is set up, and what it runs on; see `resolve`."""

    method: Method
    setup: Setup
    selection: Selection


@dataclass(frozen=True, slots=True)
class Run:
    """What a run has given.

    Attributes:
        record: the record.
        scored: what it was averaged from, in the selection's order.
        path: where the record is; its maps are in the folder of the same name. None if nothing was kept.
    """

    record: Record
    scored: list[Scored]
    path: Path | None


def resolve(
    method: str | tuple[Method, str],
    dataset: str | Dataset,
    setup: Setup,
    choice: Choice,
    *,
    plugins: Iterable[Path] = (),
    untrained: bool = False,
) -> Job:
    """Make a job of names.

    Args:
        method: ``"method"`` or ``"method.variant"``, or a method and one of its variants.
        dataset: its name, or the dataset.
        setup: how to set the method up; the variant is taken from the method's name, and options and weights that are
            not set are the method's own.
        choice: the videos and the protocol.
        plugins: plugin files to look for names, and measures, in as well.
        untrained: run with random weights.

    Raises:
        UsageError: if there is no such name, option or value, or the method has no weights.
        DataError: if the dataset is not there or not complete.
    """
    plugins = tuple(plugins)
    found, variant = load_method(method, plugins) if isinstance(method, str) else method
    setup = replace(setup, variant=variant, options=resolve_options(found, setup.options))
    setup = resolve_weights(found, setup, untrained=untrained)
    where = load_dataset(dataset, plugins) if isinstance(dataset, str) else dataset
    return Job(found, setup, select(where, choice, load_families(plugins)))


def resolve_options(method: Method, given: Mapping[str, str]) -> dict[str, str]:
    """Complete the options that are set by the method's defaults.

    Raises:
        UsageError: if an option or a value is not the method's.
    """
    chosen = {name: option.default for name, option in method.options.items()}
    for name, value in given.items():
        option = method.options.get(name)
        if option is None:
            known = ", ".join(f"{key}=…" for key in method.options) or "none"
            raise UsageError(f'{method.name} has no option "{name}"; available: {known}')
        if option.choices and value not in option.choices:
            raise UsageError(f'{method.name} has no {name} "{value}"; available: {", ".join(option.choices)}')
        chosen[name] = value
    return chosen


def resolve_weights(method: Method, setup: Setup, *, untrained: bool) -> Setup:
    """Settle which weights a method runs with: those given, those shipped, or random ones on request.

    Raises:
        UsageError: if there are none and random ones were not asked for, or both were.
    """
    if untrained:
        if setup.weights is not None:
            raise UsageError("--weights and --untrained contradict each other; give one")
        return setup
    name = f"{method.name}.{setup.variant}" if setup.variant else method.name
    weights = setup.weights or method.weights.get(setup.variant)
    if weights is None:
        if not method.needs_weights:
            return setup
        raise UsageError(
            f'"{name}" comes without weights; give a file with --weights, or --untrained to run with random ones'
        )
    if not weights.is_file():
        raise UsageError(f'the weights "{weights}" of "{name}" do not exist')
    return replace(setup, weights=weights)


def run(  # noqa: PLR0913 - what, how, on what, where to; two switches and one who looks on
    method: Method,
    setup: Setup,
    selection: Selection,
    out: Path | None = None,
    *,
    overwrite: bool = False,
    profile: bool = False,
    advance: Advance = lambda _video, _done: None,
) -> Run:
    """Run a method on the selected videos, score its maps and write the record.

    Maps go to ``<out>/<dataset>/<method>/<video>/<frame>.png``, the record to ``<out>/<dataset>/<method>.json``
    and its rows next to it. What an interrupted run has left there is resumed.

    Args:
        method: the method.
        setup: how it is set up, its options and weights resolved.
        selection: the videos and the protocol.
        out: the results folder; if None, maps and record are not kept.
        overwrite: discard maps of another setup instead of refusing.
        profile: measure speed too, on the first video, once the maps are made; see `vosbench.method.profile`. A record
            of a later run without it holds no speed.
        advance: called with a video's name and its frames that are done.

    Raises:
        UsageError: if the folder holds maps of another setup.
        VideoError: if the method failed on a video; the others are finished first.
    """
    with extras_needed():
        predictor = method.load(setup)  # first, so that a setup that cannot be had leaves nothing behind
    name = f"{method.name}.{setup.variant}" if setup.variant else method.name
    with _place(out) as place:
        folder = place / selection.dataset.name / name
        card = _open_folder(folder, _card(method, setup, selection), overwrite=overwrite)
        failures = []
        for video in selection.videos:
            try:
                write_maps(predictor, video, folder / video.name, partial(advance, video.name))
            except VideoError as error:
                failures.append(str(error))
        if failures:
            rest = f" (and {len(failures) - 1} more videos failed)" if len(failures) > 1 else ""
            raise VideoError(failures[0] + rest)
        speed = None
        if profile:
            from vosbench.method.profile import profile as measure

            speed = measure(predictor, setup, selection.videos[0])
        result, scored, _ = score.score(folder, selection, method=name, codec="map")
        inputs = (
            [f"{width}x{height}" for width, height in predictor.inputs] if isinstance(predictor, Measurable) else []
        )
        training = provenance.weights_card(setup.weights).get("training") if setup.weights else None
        kept = {key: card[key] for key in RECORDED} | {"inputs": inputs, "training": training}
        known = result.provenance.model_copy(update=kept)
        result = result.model_copy(update={"provenance": known, "speed": speed})
        path = folder.with_name(f"{name}.json")
        record.write(path, result, score.all_rows(scored))
    return Run(result, scored, None if out is None else path)


@contextmanager
def _place(out: Path | None) -> Iterator[Path]:
    """The results folder, or one that is removed afterwards."""
    if out is not None:
        yield out
        return
    with tempfile.TemporaryDirectory(prefix="vosbench-run-") as folder:
        yield Path(folder)


def _card(method: Method, setup: Setup, selection: Selection) -> dict[str, object]:
    """What maps depend on; maps under an equal card are equal."""
    untrained = setup.weights is None and method.needs_weights
    return {
        "dataset": selection.dataset.name,
        "split": selection.split,
        "weights": sha256(setup.weights) if setup.weights else None,
        "untrained": untrained,
        "seed": setup.seed if untrained else None,
        "device": setup.device,
        "batch": setup.batch,
        "precision": setup.precision,
        "compile": setup.compile,
        "options": {key: option.default for key, option in method.options.items()} | dict(setup.options),
        "limit": selection.limit,
        "packages": provenance.package_versions(),
    }


def _open_folder(folder: Path, card: dict[str, object], *, overwrite: bool) -> dict[str, object]:
    """Start or resume a folder of maps; its card also keeps the day on which it was started."""
    path = folder / score.CARD
    if path.is_file():
        found = json.loads(path.read_text("utf-8"))
        differing = [key for key, value in card.items() if found.get(key) != value]
        if not differing:
            return dict(found)
        if not overwrite:
            key = differing[0]
            raise UsageError(
                f'"{folder}" holds maps of another run ({key} was {found.get(key)}, now {card[key]}); '
                "choose another --out, or discard them with --overwrite"
            )
        for old in folder.glob("*/*.png"):
            old.unlink()
        for old in folder.glob("*/.*"):
            old.unlink()
    card = {**card, "date": provenance.today()}
    write_whole(path, (json.dumps(card, indent=2) + "\n").encode())
    return card
