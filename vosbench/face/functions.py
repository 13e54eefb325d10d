"""The functions of the Python face."""

import os
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Unpack

from vosbench import registry, runner
from vosbench.dataset import Dataset, DatasetProtocol, Listed, Suite
from vosbench.dataset.protocol import GENERIC
from vosbench.dataset.selection import Selection, select
from vosbench.engine.engine import Engine
from vosbench.engine.locks import scratch
from vosbench.errors import DataError, UsageError, suggest
from vosbench.evaluate import score as scoring
from vosbench.evaluate.arrays import Masks, write_arrays
from vosbench.evaluate.notes import slowness, waiting
from vosbench.evaluate.numbering import NUMBERINGS, Numbering
from vosbench.face.options import (
    SILENT,
    AnyPath,
    Listener,
    Names,
    RunOptions,
    SelectOptions,
    ToleranceOptions,
    choice_of,
    names_of,
    paths_of,
    refuse_unknown,
    setup_of,
    tolerances,
)
from vosbench.face.result import CheckResult, CompareResult, Result
from vosbench.method import Method
from vosbench.records import check as checking
from vosbench.records import compare as comparing
from vosbench.records import record as records
from vosbench.records import store
from vosbench.records.record import Record
from vosbench.report import comparison


def score(  # noqa: PLR0913 - two forms, and the options of the command line
    masks: AnyPath | Masks | Mapping[str, Masks],
    annotations: AnyPath | Masks | Mapping[str, Masks] | None = None,
    *,
    dataset: AnyPath | Dataset | None = None,
    codec: str | None = None,
    numbering: Numbering = "auto",
    name: str | None = None,
    jobs: int = 1,
    engine: Engine | None = None,
    curve: AnyPath | None = None,
    plugins: Iterable[AnyPath] = (),
    listener: Listener = SILENT,
    **selecting: Unpack[SelectOptions],
) -> Result:
    """Score masks, of a dataset's videos or against given annotations.

    Args:
        masks: a folder or archive of masks, see `vosbench.evaluate.predictions`; or (H, W) arrays of one video, or a
            mapping of videos to arrays, see `vosbench.evaluate.arrays`.
        annotations: a folder of masks, of one video or with a folder for each, or of a dataset; or arrays of the same
            sizes. J and F of all annotated frames are scored under protocol ``generic``, T and saliency if
            ``measures`` names them.
        dataset: name of the dataset, the path of its folder (`vosbench.dataset.folder_dataset`), or a `Dataset`; a
            `Path` is never a name.
        codec: encoding of mask files; recognised from all of them, with a note, if None.
        numbering: how numbers in the names of masks are read: like those of the frames, from 0, from 1, or ``"auto"``.
        name: name of the method; the name of the folder or zip file if None.
        jobs: number of processes, one video each; 0 for one per processor.
        engine: where videos are scored instead, such as `vosbench.engine.cluster.Dask`.
        curve: a CSV file to write the precision-recall curve of a saliency protocol to.
        plugins: Python files with datasets or measures.
        listener: callbacks for progress and notes.
        selecting: see `SelectOptions`; with annotations, the protocol of any installed dataset.

    Returns:
        the scores and their provenance.

    Raises:
        UsageError: if a name or option is unknown, or not exactly one of ``dataset`` and ``annotations`` is passed.
        DataError: if files are missing, corrupt, or not what they should be.
    """
    refuse_unknown(selecting, SelectOptions.__optional_keys__, "score")
    if (dataset is None) == (annotations is None):
        raise UsageError("score takes either a dataset or annotations to score against")
    if numbering not in NUMBERINGS:
        raise UsageError(f'there is no numbering "{numbering}"; available: {", ".join(NUMBERINGS)}')
    with scratch("arrays") as folder:  # for arrays, which are scored as files
        if annotations is not None:
            found, codec, selection = _against(masks, annotations, folder, codec, selecting, paths_of(plugins))
        elif dataset is None or not isinstance(masks, str | os.PathLike):
            raise UsageError("masks of a dataset are a folder or a zip file; pass annotations to score arrays")
        else:
            data = dataset_of(dataset, paths_of(plugins))
            families = registry.load_families(paths_of(plugins))
            found, selection = Path(masks), select(data, choice_of(selecting), families)
        if curve is not None and not selection.protocol.soft:
            raise UsageError(f'the curve needs saliency measures; protocol "{selection.protocol.name}" has none')
        listener.selected(selection)
        for line in waiting(selection.protocol):
            listener.note(line)
        record, scored, notes = scoring.score(
            found,
            selection,
            method=name,
            codec=codec,
            numbering=numbering,
            jobs=jobs or os.cpu_count() or 1,
            engine=engine,
            advance=lambda done: listener.advance(found.name, done, len(selection.videos)),
        )
    for line in notes:
        listener.note(line)
    if curve is not None:
        scoring.write_curve(Path(curve), record)
    result = Result(record=record, notes=tuple(notes), selection=selection, scored=scored)
    return replace(result, notes=(*notes, result.problem)) if result.problem else result


def run(  # noqa: PLR0913 - the options of the command line
    method: str | Method | tuple[Method, str],
    dataset: AnyPath | Dataset,
    *,
    out: AnyPath | None = None,
    overwrite: bool = False,
    profile: bool = False,
    engine: Engine | None = None,
    plugins: Iterable[AnyPath] = (),
    listener: Listener = SILENT,
    **options: Unpack[RunOptions],
) -> Result:
    """Run a method on a dataset and score its maps.

    Args:
        method: ``"method"`` or ``"method.variant"``, a `Method`, or the result of `load_method`.
        dataset: as in `score`.
        out: folder of maps and records, from which interrupted runs resume; None keeps neither.
        overwrite: discard maps of another setup and a record of other predictions instead of refusing.
        profile: also measure speed, on the first video.
        engine: where videos are segmented, such as `vosbench.engine.cluster.Dask`; in this process if None.
        plugins: Python files with methods, datasets or measures.
        listener: callbacks for progress and notes.
        options: see `RunOptions`.

    Raises:
        UsageError: if a name or option is unknown, or there are no weights.
        DataError: if the dataset is missing or incomplete.
        VideoError: if the method failed on a video; the others are finished first, and the record of these, marked
            incomplete, is written.
    """
    refuse_unknown(options, RunOptions.__optional_keys__, "run")
    untrained = options.get("untrained", False)
    job = runner.resolve(
        (method, "") if isinstance(method, Method) else method,
        dataset if isinstance(dataset, str) else dataset_of(dataset, paths_of(plugins)),
        setup_of(options, listener.note),
        choice_of(options),
        plugins=paths_of(plugins),
        untrained=untrained,
    )
    place = None if out is None else Path(out)
    return run_job(
        job, place, overwrite=overwrite, profile=profile, engine=engine, untrained=untrained, listener=listener
    )


def run_job(  # noqa: PLR0913 - the options of `run`
    job: runner.Job,
    out: Path | None,
    *,
    overwrite: bool,
    profile: bool,
    engine: Engine | None,
    untrained: bool,
    listener: Listener,
) -> Result:
    """Run what is resolved; arguments and errors are those of `run`."""
    notes = job_notes(job, untrained=untrained, profile=profile)
    for line in notes:
        listener.note(line)
    total = sum(len(video) for video in job.selection.videos)
    finished: dict[str, int] = {}

    def count(video: str, done: int) -> None:
        finished[video] = done
        listener.advance(video, sum(finished.values()), total)

    done = runner.run(*job, out, overwrite=overwrite, profile=profile, engine=engine, advance=count)
    return Result(record=done.record, notes=tuple(notes), selection=job.selection, scored=done.scored, path=done.path)


def job_notes(job: runner.Job, *, untrained: bool, profile: bool = False) -> list[str]:
    """What a reader of the results should know, a line each."""
    notes = []
    if untrained:
        called = ".".join(filter(None, (job.method.name, job.setup.variant)))
        notes.append(f"{called} runs with random weights (seed {job.setup.seed}); its scores mean nothing")
    if profile:
        first = job.selection.videos[0].name
        notes.append(f'speed is measured on the first frames of "{first}" once the maps are written')
    notes += [*job.selection.notes(), *slowness(job.selection.protocol), *waiting(job.selection.protocol)]
    return notes


def compare(  # noqa: PLR0913 - the options of the command line
    first: Record | Result | AnyPath,
    *others: Record | Result | AnyPath,
    measures: Names = (),
    resamples: int = comparing.RESAMPLES,
    seed: int = 0,
    force: bool = False,
    plugins: Iterable[AnyPath] = (),
    listener: Listener = SILENT,
) -> CompareResult:
    """Compare methods with a reference, video by video.

    Args:
        first: the reference: a result, a record, or the path of one.
        others: the other methods, at least one.
        measures: scores to compare, such as ``"J_mean"``; all means of videos by default.
        resamples: bootstrap samples, and maximum number of permutations.
        seed: seed of both.
        force: compare records that are not comparable, with warnings.
        plugins: Python files with datasets or measures.
        listener: callback for notes.

    Raises:
        UsageError: if a measure is not in both records.
        DataError: if datasets, protocols, videos, frames or annotations differ.
    """
    registry.load_families(paths_of(plugins))  # their measures need names and directions
    records = [_record(each) for each in (first, *others)]
    if len(records) < 2:
        raise UsageError("pass at least two records to compare; the first is the reference")
    reference = records[0]
    warnings = []
    for name, other in zip(comparison.called(records)[1:], records[1:], strict=True):
        lines = [*comparing.unlike(reference, other), *comparing.frames_apart(reference, other)]
        warnings += [f"{name}: {line}" for line in lines] if len(records) > 2 else lines
    if warnings and not force:
        raise DataError(f"the records are not comparable: {'; '.join(warnings)}; force compares them anyway")
    listing: Mapping[str, Listed] = {}
    notes = []
    try:
        listing = registry.registered_dataset(reference.dataset, paths_of(plugins)).listing(reference.split)
    except UsageError as error:
        notes.append(f"without the dataset's list there are no attributes: {error}")
    for line in notes:
        listener.note(line)
    names = names_of(measures)
    found = [tuple(comparing.compare(reference, each, listing, names, resamples, seed)) for each in records[1:]]
    return CompareResult(records=tuple(records), comparisons=tuple(found), warnings=tuple(warnings), notes=tuple(notes))


def check(
    run: Record | Result | AnyPath,
    baseline: Record | Result | AnyPath,
    *,
    plugins: Iterable[AnyPath] = (),
    **allowed: Unpack[ToleranceOptions],
) -> CheckResult:
    """Check a result against a baseline: fail if a score is worse by more than its tolerance.

    Args:
        run: a result, a record, or the path of one.
        baseline: likewise; if the path does not exist, the check fails.
        plugins: Python files with measures.
        allowed: see `ToleranceOptions`; `vosbench.records.tolerance` has the defaults.

    Raises:
        DataError: if the two are not comparable.
        UsageError: if a tolerance is negative, or names a score that is not in the baseline.
    """
    registry.load_families(paths_of(plugins))
    allowance = tolerances(**allowed)
    exists = isinstance(baseline, Record | Result) or Path(baseline).exists()
    return CheckResult(verdict=checking.check(_record(run), _record(baseline) if exists else None, allowance))


def load_method(name: str, plugins: Iterable[AnyPath] = ()) -> tuple[Method, str]:
    """Load a method by name, ``"method"`` or ``"method.variant"``.

    Returns:
        the method and the variant (``""`` for the method itself).

    Raises:
        UsageError: if there is no such method or variant; the message suggests the nearest name.
    """
    return registry.load_method(name, paths_of(plugins))


def load_dataset(name: str, plugins: Iterable[AnyPath] = ()) -> Dataset:
    """Load a dataset by name.

    Raises:
        UsageError: if there is no such dataset; the message suggests the nearest name.
    """
    return registry.load_dataset(name, paths_of(plugins))


def load_suite(name: str, plugins: Iterable[AnyPath] = ()) -> Suite:
    """Load a suite by name: a list of datasets with splits and protocols.

    Raises:
        UsageError: if there is no such suite; the message suggests the nearest name.
    """
    return registry.load_suite(name, paths_of(plugins))


def read_record(path: AnyPath) -> Record:
    """Read a record.

    Raises:
        DataError: if the file is missing or not a record.
    """
    return records.read(Path(path))


def read_records(
    folder: AnyPath = "results", dataset: str = "*", protocol: str | None = None, split: str | None = None
) -> list[Record]:
    """Read the records below a results folder, sorted by dataset and file name, those of a dataset's defaults first.

    Files that are not records are left out, with a Python warning each.

    Args:
        folder: the results folder.
        dataset: name of a dataset; all by default.
        protocol: name of a protocol; all by default.
        split: name of a split; all by default.
    """
    return store.find_records(
        Path(folder), dataset, protocol, split, warn=lambda line: warnings.warn(line, stacklevel=3)
    )


def _against(
    masks: AnyPath | Masks | Mapping[str, Masks],
    annotations: AnyPath | Masks | Mapping[str, Masks],
    folder: Path,
    codec: str | None,
    selecting: SelectOptions,
    plugins: tuple[Path, ...],
) -> tuple[Path, str | None, Selection]:
    """The predictions, their codec, and the selection, if annotations are given instead of a dataset."""
    of_dataset = [name for name in ("root", "split") if selecting.get(name) is not None]
    if of_dataset:
        raise UsageError(f"{of_dataset[0]} needs a dataset, but annotations were passed")
    protocol = selecting.get("protocol") or GENERIC
    if isinstance(protocol, str):
        protocol = _protocol(protocol, plugins)
    read_as = {"objects": "ids", "regions": "nonzero"}.get(protocol.unit)
    choice = replace(choice_of(selecting), protocol=protocol)
    families = registry.load_families(plugins)
    if isinstance(masks, str | os.PathLike) and isinstance(annotations, str | os.PathLike):
        dataset = registry.load_folder(Path(annotations), plugins, masks=True, codec=read_as)
        return Path(masks), codec, select(_under(dataset, protocol), choice, families)
    if isinstance(masks, str | os.PathLike) or isinstance(annotations, str | os.PathLike):
        raise UsageError("pass two folders, or arrays for both predictions and annotations")
    if codec is not None:
        raise UsageError("a codec applies only to files, not to arrays")
    taken = protocol.only(choice.measures, families) if choice.measures else protocol
    found, place, codec = write_arrays(masks, annotations, folder, taken)
    dataset = registry.load_folder(place, masks=True, codec=read_as or "binary255")
    dataset = replace(dataset, name=found.name, title=found.name, root=None)
    choice = replace(choice, root=place, layout="masks")
    return found, codec, select(_under(dataset, protocol), choice, families)


def _under(dataset: Dataset, protocol: DatasetProtocol) -> Dataset:
    """A dataset with one more protocol."""
    return dataset if protocol in dataset.protocols else replace(dataset, protocols=(*dataset.protocols, protocol))


def _protocol(name: str, plugins: tuple[Path, ...]) -> DatasetProtocol:
    """A protocol of any installed dataset."""
    found = {GENERIC.name: GENERIC}
    for plugin in registry.find(registry.DATASETS, plugins).values():
        found |= {protocol.name: protocol for protocol in registry.as_dataset(plugin).protocols}
    if name not in found:
        raise UsageError(f'there is no protocol "{name}"; {suggest(name, list(found))}')
    return found[name]


def dataset_of(dataset: AnyPath | Dataset, plugins: tuple[Path, ...]) -> Dataset:
    """A dataset by its name, its path or itself."""
    if isinstance(dataset, Dataset):
        return dataset
    named = isinstance(dataset, str)
    return registry.load_dataset(str(dataset), plugins) if named else registry.load_folder(Path(dataset), plugins)


def _record(source: Record | Result | AnyPath) -> Record:
    if isinstance(source, Record):
        return source
    return source.record if isinstance(source, Result) else records.read(Path(source))
