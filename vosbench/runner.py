"""Run a method on a dataset: names in, maps and record out."""

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from vosbench.dataset.selection import Choice, Selection, select
from vosbench.errors import UsageError, VideoError
from vosbench.evaluate import score
from vosbench.files import sha256, write_whole
from vosbench.method import Measurable, Method, Setup
from vosbench.method.predict import write_maps
from vosbench.records import provenance, record
from vosbench.records.record import Record
from vosbench.registry import load_dataset, load_families, load_method

Advance = Callable[[str, int], None]
RECORDED = ("date", "untrained", "seed", "weights", "device", "batch", "precision", "compile", "options")


def resolve_weights(method: Method, setup: Setup, *, untrained: bool) -> Setup:
    """Settle which weights a method runs with: those given, those shipped, or random ones on request.

    Raises:
        UsageError: where there are none and random ones were not asked for, or both were.
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


def resolve_options(method: Method, given: Sequence[str]) -> dict[str, str]:
    """Complete what is set, as ``name=value``, by the method's defaults.

    Raises:
        UsageError: where an option or a value is not the method's.
    """
    chosen = {name: option.default for name, option in method.options.items()}
    for each in given:
        name, sign, value = each.partition("=")
        option = method.options.get(name)
        if option is None or not sign:
            known = ", ".join(f"{key}=…" for key in method.options) or "no options"
            raise UsageError(f'"{each}" sets nothing of {method.name}; it has {known}')
        if option.choices and value not in option.choices:
            raise UsageError(f'{method.name} has no {name} "{value}"; there are: {", ".join(option.choices)}')
        chosen[name] = value
    return chosen


def run(  # noqa: PLR0913 - what, how, on what, where to; two switches and one who looks on
    method: Method,
    setup: Setup,
    selection: Selection,
    out: Path,
    *,
    overwrite: bool = False,
    profile: bool = False,
    advance: Advance = lambda _video, _done: None,
) -> tuple[Record, Path]:
    """Run a method on the selected videos, score its maps and write the record.

    Maps go to ``<out>/<dataset>/<method>/<video>/<frame>.png``, the record to ``<out>/<dataset>/<method>.json``
    and its rows beside it. What an interrupted run has left there is gone on with.

    Args:
        method: the method.
        setup: how it is set up; see `resolve_weights`.
        selection: the videos and the protocol.
        out: the results folder.
        overwrite: discard maps of another setup instead of refusing.
        profile: measure speed too, on the first video, once the maps are made; see `vosbench.method.profile`. A record
            of a later run without it holds no speed.
        advance: called with a video's name and its frames that are done.

    Returns:
        the record and its path.

    Raises:
        UsageError: where the folder holds maps of another setup.
        VideoError: where the method failed on a video; the others are finished first.
    """
    name = f"{method.name}.{setup.variant}" if setup.variant else method.name
    folder = out / selection.dataset.name / name
    predictor = method.load(setup)  # first, so that a setup that cannot be had leaves nothing behind
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
    inputs = [f"{width}x{height}" for width, height in predictor.inputs] if isinstance(predictor, Measurable) else []
    training = provenance.weights_card(setup.weights).get("training") if setup.weights else None
    kept = {key: card[key] for key in RECORDED} | {"inputs": inputs, "training": training}
    known = result.provenance.model_copy(update=kept)
    result = result.model_copy(update={"provenance": known, "speed": speed})
    path = folder.with_name(f"{name}.json")
    record.write(path, result, score.all_rows(scored))
    return result, path


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
    """Begin or go on with a folder of maps; its card also keeps the day on which it was begun."""
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
    selection = select(load_dataset(trial.dataset, trial.plugins), trial.choice, load_families(trial.plugins))
    if trial.out is not None:
        return run(method, setup, selection, trial.out, profile=trial.profile, advance=advance)[0]
    with tempfile.TemporaryDirectory(prefix="vosbench-check-") as folder:
        return run(method, setup, selection, Path(folder), profile=trial.profile, advance=advance)[0]
