"""A run: its folder is opened, its videos are segmented by an engine, and the record is made of what comes back."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path

from vosbench.dataset.fingerprint import files_digest
from vosbench.dataset.selection import Selection
from vosbench.engine.engine import Engine, Outcome, Serial
from vosbench.engine.locks import locked, scratch
from vosbench.engine.threads import computing
from vosbench.errors import UsageError, VideoError, counted, extras_needed
from vosbench.evaluate import score
from vosbench.evaluate.predictions import located
from vosbench.evaluate.task import Scored
from vosbench.files import combined, sweep
from vosbench.method import Method, Setup
from vosbench.method import flow as flow_method
from vosbench.method.loading import loaded
from vosbench.method.resume import card_of, keep_frames, open_folder
from vosbench.records import provenance, store
from vosbench.records.naming import check_name
from vosbench.records.record import Record, Speed
from vosbench.runner.pieces import outcomes
from vosbench.runner.units import CODEC, Segmented, Unit, forget, keep, ready, segment
from vosbench.runner.units import scored as scored_unit

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
    "threads",
    "packages",
    "options",
    "files",
    "flow",
)


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


@dataclass(frozen=True, slots=True)
class Opened:
    """A run whose folder this process holds.

    Attributes:
        method: the method.
        setup: its setup, with options and weights resolved.
        selection: the videos, with the flow that the method needs, and the protocol.
        name: of the method and its variant.
        place: the results folder, or a temporary one.
        folder: of the maps, in `place`.
        card: what the maps depend on, and when they were started.
        key: of the predictor; see `Unit`.
        kept: whether maps and record are kept.
        overwrite: whether a record of other predictions is replaced.
    """

    method: Method
    setup: Setup
    selection: Selection
    name: str
    place: Path
    folder: Path
    card: Mapping[str, object]
    key: str
    kept: bool
    overwrite: bool

    def units(self, *, scoring: bool = True) -> list[Unit]:
        """The videos to segment, in the selection's order.

        Args:
            scoring: whether each is scored as soon as its maps are written; otherwise `finish` scores them.
        """
        protocol = self.selection.protocol if scoring and self.selection.annotated else None
        packages = provenance.package_versions()
        return [
            Unit(self.method, self.setup, self.key, video, self.folder, protocol, packages)
            for video in self.selection.videos
        ]


@contextmanager
def opened(  # noqa: PLR0913 - a job, its folder, two switches and a listener
    method: Method,
    setup: Setup,
    selection: Selection,
    out: Path | None = None,
    *,
    overwrite: bool = False,
    load: bool = True,
    of: Collection[str] | None = None,
    advance: Advance = lambda _video, _done: None,
) -> Iterator[Opened]:
    """Take hold of a run's folder: nobody else uses it during the block, and what it has is of this setup.

    Args:
        method: as in `run`, like the other arguments.
        setup: likewise.
        selection: likewise.
        out: likewise.
        overwrite: likewise.
        load: load the predictor into this process, before anything is written; otherwise the first unit does.
        of: the videos that this process segments while others segment the rest; None if it holds the folder alone.
        advance: called with a video's name and 0 while its flow is made.

    Yields:
        the run, to be segmented and finished inside the block.

    Raises:
        UsageError: as `run`.
        DataError: as `run`.
        PluginError: as `run`.
    """
    if out is None and not selection.annotated:
        raise UsageError(
            f"{selection.dataset.title} {selection.split} has no annotations to score maps, and they are not kept; "
            "pass a folder for them"
        )
    name = check_name(method.called(setup.variant))
    maps = f"{name}{selection.frames_apart}"
    predictor = None
    if load:
        with extras_needed():
            predictor = loaded(method, setup)  # first, so that an invalid setup leaves no files
    videos = flow_method.supply(method, setup, selection.videos, lambda video, _done: advance(video, 0))
    selection = replace(selection, videos=tuple(videos))
    with _place(out) as place, locked(folder := place / selection.dataset.name / maps, shared=of is not None):
        for swept in [folder] if of is None else [folder / video for video in of]:
            sweep(swept)
        chosen = {"dataset": selection.dataset.name, "split": selection.split, "limit": selection.limit}
        made: dict[str, object] = card_of(method, setup)
        wanted: dict[str, object] = {"method": name, **chosen, **made}
        if "flow" in method.needs:
            wanted["flow"] = flow_method.digest(selection.videos)
        old = chain(folder.glob("*/*.png"), folder.glob("*/.*"))
        card = open_folder(folder / score.CARD, wanted, old, overwrite=overwrite)
        _keep_frames(folder / score.CARD, card, selection, overwrite=overwrite)
        key = combined(map(str, (name, getattr(method.load, "__module__", ""), *sorted(made.items()), setup.seed)))
        if predictor is not None:
            keep(key, predictor)
        try:
            yield Opened(method, setup, selection, name, place, folder, card, key, out is not None, overwrite)
        finally:
            forget(key)


def finish(run: Opened, results: Iterable[Segmented], speed: Speed | None = None) -> Run:
    """Make the record of a run, and write it.

    Args:
        run: the run, whose folder is still held.
        results: what became of its videos, in any order.
        speed: what the record says about speed.

    Raises:
        UsageError: if the record is of other predictions.
        VideoError: if the method failed on a video; the record of the others, marked incomplete, is written first.
        DataError: if a video has no result, or what is there is damaged.
    """
    selection = run.selection
    by_name = {result.video: result for result in results}
    found = [by_name[video.name] for video in selection.videos]
    failures = {each.video: each.failure for each in found if each.failure is not None}
    if failures and (not run.kept or len(failures) == len(found)):
        raise VideoError(failed(failures))
    if not selection.annotated:
        if failures:
            raise VideoError(f"{failed(failures)}; the maps of the others are complete")
        return Run(score.unscored(run.folder, selection, run.name), [], None)
    scored = [each.scored or scored_unit(unit) for each, unit in zip(found, run.units(), strict=True)]
    complete = [each for each in scored if each is not None]
    masks = located(run.folder, {video.name: {} for video in selection.videos}, CODEC)
    record = score.to_record(complete, selection, masks, run.name)
    about = next((each.about for each in reversed(found) if each.about), {})
    kept = {name: run.card[name] for name in RECORDED if name in run.card} | dict(about) | _origin(run.setup)
    known = record.provenance.model_copy(update=kept)
    record = record.model_copy(update={"provenance": known, "speed": speed, "failed": [*failures]})
    path = store.save(run.place, record, score.all_rows(complete), overwrite=run.overwrite)
    if failures:
        raise VideoError(f'{failed(failures)}; the record of the others, "{path}", is marked incomplete')
    return Run(record, complete, path if run.kept else None)


def run(  # noqa: PLR0913 - a job, its folder, two switches, an engine and a listener
    method: Method,
    setup: Setup,
    selection: Selection,
    out: Path | None = None,
    *,
    overwrite: bool = False,
    profile: bool = False,
    engine: Engine | None = None,
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
        engine: where the videos are segmented; in this process if None.
        advance: called with a video's name and its number of finished frames.

    Raises:
        UsageError: if the folder contains maps of another setup, or the record is of other predictions; or if nothing
            would be left, since maps are not kept and the split has no annotations to score them.
        VideoError: if the method failed on a video; the others are finished first, and their record, marked incomplete,
            is written.
        DataError: if another process uses the folder, or what is there is damaged.
        PluginError: if the method cannot be loaded.
    """
    with opened(method, setup, selection, out, overwrite=overwrite, load=engine is None, advance=advance) as opening:
        units = opening.units(scoring=not profile)  # it would add to the memory that a profile measures
        results = []
        for unit, outcome in _here(units, advance) if engine is None else outcomes(units, engine):
            results.append(segmented(unit, outcome))
            if engine is not None:
                advance(unit.video.name, unit.length)
        speed = None
        if profile and not any(each.failure for each in results):
            from vosbench.method.profile import profile as measure

            with computing(setup.threads):
                speed = measure(ready(units[0]).predictor, setup, units[0].video)
        return finish(opening, results, speed)


def _here(units: Sequence[Unit], advance: Advance) -> Iterator[tuple[Unit, Outcome[Segmented]]]:
    found = Serial().run(partial(segment, advance=advance), units, name=lambda unit: unit.name, cost=lambda _: 1.0)
    return ((units[outcome.index], outcome) for outcome in found)


def segmented(unit: Unit, outcome: Outcome[Segmented]) -> Segmented:
    """What became of a unit, from what an engine says: a video that kills its process, or takes too long, has failed.

    Raises:
        VosbenchError: what `segment` raised, since it is not about this video alone.
    """
    failure = outcome.failure
    if failure is None or failure.kind == "error":
        return outcome.result()
    return Segmented(unit.video.name, failure=failure.message)


def _keep_frames(path: Path, card: Mapping[str, object], selection: Selection, *, overwrite: bool) -> None:
    """Note the frames of a dataset that is a folder, since only these tell it from others of its name."""
    if selection.dataset.root is not None:
        frames = {video.name: files_digest(video.frames) for video in selection.videos}
        keep_frames(path, card, frames, overwrite=overwrite)


def failed(failures: Mapping[str, str]) -> str:
    """The first of several failures, and how many more there are."""
    rest = f" (and {counted(len(failures) - 1, 'more video')} failed)" if len(failures) > 1 else ""
    return next(iter(failures.values())) + rest


def _origin(setup: Setup) -> dict[str, str | None]:
    """What is known of the weights: what they were trained on, and the file before a conversion."""
    if setup.weights is None:
        return {}
    card = provenance.weights_card(setup.weights)
    return {"training": card.get("training"), "weights_source": card.get("source")}


@contextmanager
def _place(out: Path | None) -> Iterator[Path]:
    """The results folder, or a temporary one."""
    if out is not None:
        yield out
        return
    with scratch("run") as folder:
        yield folder
