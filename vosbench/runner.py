"""Run a method on a dataset: names in, maps and a record out.

`resolve` turns names into objects and reports mistakes before anything is computed; `run` writes the missing maps of
the selected videos, scores them like any other masks, and writes the record.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from vosbench.dataset import Dataset
from vosbench.dataset.fingerprint import files_digest
from vosbench.dataset.selection import Choice, Selection, select, with_frames
from vosbench.engine.locks import locked, scratch
from vosbench.errors import (
    UsageError,
    VideoError,
    counted,
    extras_needed,
)
from vosbench.evaluate import score
from vosbench.evaluate.task import Scored
from vosbench.files import sweep
from vosbench.method import Measurable, Method, Predictor, Setup
from vosbench.method import flow as flow_method
from vosbench.method.loading import loaded
from vosbench.method.method import refuse_unheeded
from vosbench.method.options import resolve as resolve_set
from vosbench.method.predict import write_maps
from vosbench.method.resume import card_of, keep_frames, open_folder
from vosbench.method.sources import joined, sources
from vosbench.records import provenance, store
from vosbench.records.naming import check_name
from vosbench.records.record import Record
from vosbench.registry import load_dataset, load_families, load_method

Advance = Callable[[str, int], None]
RECORDED = (
    "date",
    "untrained",
    "seed",
    "weights",
    "device",
    "batch",
    "precision",
    "compile",
    "options",
    "files",
    "flow",
)


class Job(NamedTuple):
    """A method, its setup and the videos to run it on; see `resolve`."""

    method: Method
    setup: Setup
    selection: Selection


@dataclass(frozen=True, slots=True)
class Run:
    """The result of a run.

    Attributes:
        record: the record.
        scored: the scored videos that it averages, in the selection's order.
        path: path of the record; its maps are in a folder next to it. None if nothing was kept, or if the split has no
            annotations, so that there are maps alone.
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
    """Resolve names to a job.

    Args:
        method: ``"method"`` or ``"method.variant"``, or a method and one of its variants.
        dataset: its name, or the dataset.
        setup: the method's setup; the variant comes from the method's name, and options and weights default to the
            method's own.
        choice: the videos and the protocol.
        plugins: plugin files to search for names and measures too.
        untrained: run with random weights.

    Raises:
        UsageError: if a name, option or value is unknown, the method has no weights, or lacks flow.
        DataError: if the dataset is missing or incomplete, or has no frames.
    """
    plugins = tuple(plugins)
    found, setup = resolve_method(method, setup, plugins=plugins, untrained=untrained)
    dataset = load_dataset(dataset, plugins) if isinstance(dataset, str) else dataset
    selection = with_frames(select(dataset, choice, load_families(plugins)))
    flow_method.check(found, setup, selection.videos)
    return Job(found, setup, selection)


def resolve_method(
    method: str | tuple[Method, str], setup: Setup, *, plugins: Iterable[Path] = (), untrained: bool = False
) -> tuple[Method, Setup]:
    """Resolve a method's name and complete its setup; arguments and errors are those of `resolve`."""
    found, variant = load_method(method, tuple(plugins)) if isinstance(method, str) else method
    setup = replace(setup, variant=variant, options=resolve_options(found, setup.options, variant))
    refuse_unheeded(found, setup)
    return found, resolve_weights(found, setup, untrained=untrained)


def resolve_options(method: Method, options: Mapping[str, str], variant: str = "") -> dict[str, str]:
    """Check a method's options and fill in the others; see `vosbench.method.options.resolve`."""
    return resolve_set(method.name, method.options, options, variant)


def resolve_weights(method: Method, setup: Setup, *, untrained: bool) -> Setup:
    """Resolve a method's weights: those of the setup, those shipped, or random ones on request.

    Raises:
        UsageError: if there are none, or both weights and random ones were requested.
    """
    if untrained:
        if setup.weights is not None:
            raise UsageError("--weights and --untrained contradict each other; pass one of them")
        return setup
    name = method.called(setup.variant)
    shipped = method.weights.get(setup.variant)
    weights = setup.weights or (None if shipped is None else joined(shipped))
    if weights is None:
        if not method.needs_weights:
            return setup
        raise UsageError(
            f'"{name}" comes without weights; pass a file with --weights, or --untrained to run with random ones'
        )
    sources(weights)
    return replace(setup, weights=weights)


def run(  # noqa: PLR0913 - a job, its folder, two switches and a listener
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

    Maps are written to ``<out>/<dataset>/<method>/<video>/<frame>.png``, the record to
    ``<out>/<dataset>/<method>.json`` and its rows next to it; another split, limit, protocol, … is part of these names,
    see `vosbench.records.naming`. An interrupted run is resumed.

    Args:
        method: the method.
        setup: its setup, with options and weights resolved.
        selection: the videos and the protocol.
        out: the results folder; if None, maps and record are not kept.
        overwrite: discard maps of another setup and a record of other predictions instead of refusing.
        profile: also measure speed, on the first video, once the maps are written; see `vosbench.method.profile`.
            Without it, the record has no speed.
        advance: called with a video's name and its number of finished frames.

    Raises:
        UsageError: if the folder contains maps of another setup, or the record is of other predictions; or if nothing
            would be left, since maps are not kept and the split has no annotations to score them.
        VideoError: if the method failed on a video; the others are finished first, and their record, marked incomplete,
            is written.
        DataError: if another process uses the folder, or what is there is damaged.
        PluginError: if the method cannot be loaded.
    """
    if out is None and not selection.annotated:
        raise UsageError(
            f"{selection.dataset.title} {selection.split} has no annotations to score maps, and they are not kept; "
            "pass a folder for them"
        )
    name = check_name(method.called(setup.variant))
    maps = f"{name}{selection.frames_apart}"
    with extras_needed():
        predictor = loaded(method, setup)  # first, so that an invalid setup leaves no files
    videos = flow_method.supply(method, setup, selection.videos, lambda video, _done: advance(video, 0))
    selection = replace(selection, videos=tuple(videos))
    with _place(out) as place, locked(folder := place / selection.dataset.name / maps):
        sweep(folder)
        chosen = {"dataset": selection.dataset.name, "split": selection.split, "limit": selection.limit}
        wanted: dict[str, object] = {"method": name, **chosen, **card_of(method, setup)}
        if "flow" in method.needs:
            wanted["flow"] = flow_method.digest(selection.videos)
        old = chain(folder.glob("*/*.png"), folder.glob("*/.*"))
        card = open_folder(folder / score.CARD, wanted, old, overwrite=overwrite)
        _keep_frames(folder / score.CARD, card, selection, overwrite=overwrite)
        failures: dict[str, str] = {}
        for video in selection.videos:
            try:
                write_maps(predictor, video, folder / video.name, partial(advance, video.name))
            except VideoError as error:
                failures[video.name] = str(error)
        if failures and (out is None or len(failures) == len(selection.videos)):
            raise VideoError(_failed(failures))
        speed = None
        if profile and not failures:
            from vosbench.method.profile import profile as measure

            speed = measure(predictor, setup, selection.videos[0])
        if not selection.annotated:
            if failures:
                raise VideoError(f"{_failed(failures)}; the maps of the others are complete")
            return Run(score.unscored(folder, selection, name), [], None)
        result, scored, _ = score.score(folder, selection, method=name, codec="map")
        inputs = (
            [f"{width}x{height}" for width, height in predictor.inputs] if isinstance(predictor, Measurable) else []
        )
        kept = {key: card[key] for key in RECORDED if key in card} | {"inputs": inputs, **_origin(predictor, setup)}
        known = result.provenance.model_copy(update=kept)
        result = result.model_copy(update={"provenance": known, "speed": speed, "failed": [*failures]})
        path = store.save(place, result, score.all_rows(scored), overwrite=overwrite)
    if failures:
        raise VideoError(f'{_failed(failures)}; the record of the others, "{path}", is marked incomplete')
    return Run(result, scored, None if out is None else path)


def _keep_frames(path: Path, card: Mapping[str, object], selection: Selection, *, overwrite: bool) -> None:
    """Note the frames of a dataset that is a folder, since only these tell it from others of its name."""
    if selection.dataset.root is not None:
        frames = {video.name: files_digest(video.frames) for video in selection.videos}
        keep_frames(path, card, frames, overwrite=overwrite)


def _failed(failures: Mapping[str, str]) -> str:
    rest = f" (and {counted(len(failures) - 1, 'more video')} failed)" if len(failures) > 1 else ""
    return next(iter(failures.values())) + rest


def _origin(predictor: Predictor, setup: Setup) -> dict[str, str | None]:
    """What is known of the weights: what they were trained on, the file before a conversion, and what was loaded."""
    if setup.weights is None:
        return {}
    card = provenance.weights_card(setup.weights)
    digest = None
    if isinstance(predictor, Measurable) and hasattr(predictor.network, "state_dict"):
        from vosbench.method.nn.weights import digest as digest_of_tensors

        digest = digest_of_tensors(predictor.network.state_dict())
    return {"training": card.get("training"), "weights_source": card.get("source"), "weights_loaded": digest}


@contextmanager
def _place(out: Path | None) -> Iterator[Path]:
    """The results folder, or a temporary one."""
    if out is not None:
        yield out
        return
    with scratch("run") as folder:
        yield folder
