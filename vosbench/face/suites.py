"""Suites in the Python face: a method run, or masks scored, on a list of datasets."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Unpack

from vosbench import registry, runner
from vosbench.dataset import Dataset, Suite
from vosbench.dataset.selection import Choice, Selection, select, with_annotations
from vosbench.engine.engine import Engine
from vosbench.errors import DataError, UsageError
from vosbench.evaluate.containers import SUFFIX, name_of
from vosbench.evaluate.numbering import Numbering
from vosbench.evaluate.score import noted_name
from vosbench.face import functions
from vosbench.face.each_dataset import EachDataset
from vosbench.face.options import (
    SILENT,
    AnyPath,
    Listener,
    SuiteOptions,
    SuiteRunOptions,
    paths_of,
    refuse_unknown,
    setup_of,
)
from vosbench.face.result import Result, SuiteResult
from vosbench.method import Method
from vosbench.records import store
from vosbench.records.naming import check_name


def run_suite(  # noqa: PLR0913 - the options of the command line
    method: str | Method | tuple[Method, str],
    suite: str | Suite,
    *,
    out: AnyPath | None = None,
    overwrite: bool = False,
    profile: bool = False,
    engine: Engine | None = None,
    plugins: Iterable[AnyPath] = (),
    listener: Listener = SILENT,
    **options: Unpack[SuiteRunOptions],
) -> SuiteResult:
    """Run a method on the datasets of a suite and score its maps; the arguments are those of `vosbench.run`.

    A dataset on which the method fails is reported in ``failures``; the others are finished.

    Args:
        method: as in `vosbench.run`.
        suite: its name, or a `Suite`.
        out: folder of maps and records, as in `vosbench.run`.
        overwrite: as in `vosbench.run`.
        profile: also measure speed, on the first video of each dataset.
        engine: as in `vosbench.run`.
        plugins: Python files with methods, datasets, measures or suites.
        listener: callbacks for progress and notes.
        options: see `SuiteOptions` and `vosbench.face.options.SetupOptions`.

    Raises:
        UsageError: if a name or option is unknown, there are no weights, or datasets are not found.
        DataError: if datasets are incomplete.
    """
    refuse_unknown(options, SuiteRunOptions.__optional_keys__, "run_suite")
    files, untrained = paths_of(plugins), options.get("untrained", False)
    work_on = EachDataset[runner.Job](suite, files, options)
    named = (method, "") if isinstance(method, Method) else method
    pair = registry.load_method(named, files) if isinstance(named, str) else named
    setup = setup_of(options, listener.note)
    runner.resolve_method(pair, setup, untrained=untrained)  # what is wrong with it is not the datasets'

    def resolve(dataset: Dataset, choice: Choice) -> runner.Job:
        return runner.resolve(pair, dataset, setup, choice, plugins=files, untrained=untrained)

    jobs, place = work_on.prepare(resolve, listener), None if out is None else Path(out)

    def work(job: runner.Job, part: Listener) -> Result:
        return functions.run_job(
            job, place, overwrite=overwrite, profile=profile, engine=engine, untrained=untrained, listener=part
        )

    frames = {entry: sum(len(video) for video in job.selection.videos) for entry, job in jobs.items()}
    return work_on.carry_out(jobs, frames, work, listener)


@dataclass(frozen=True, slots=True)
class _Found:
    """A selection, and where its masks are."""

    selection: Selection
    root: Path
    masks: Path
    noted: str | None


def score_suite(  # noqa: PLR0913 - the options of the command line
    masks: AnyPath,
    suite: str | Suite,
    *,
    codec: str | None = None,
    numbering: Numbering = "auto",
    name: str | None = None,
    jobs: int = 1,
    engine: Engine | None = None,
    out: AnyPath | None = None,
    overwrite: bool = False,
    plugins: Iterable[AnyPath] = (),
    listener: Listener = SILENT,
    **options: Unpack[SuiteOptions],
) -> SuiteResult:
    """Score masks of the datasets of a suite.

    A dataset whose masks are incomplete or damaged is reported in ``failures``; the others are finished.

    Args:
        masks: a folder with a folder or archive of masks for each dataset, called like the dataset (``davis16``) or its
            usual folder (``DAVIS``). Results of ``vosbench run`` are such a folder; if they have maps of several
            methods, ``name`` chooses one.
        suite: its name, or a `Suite`.
        codec: as in `vosbench.score`, of all datasets.
        numbering: likewise.
        name: name of the method; as ``vosbench run`` has noted, or the name of the folder, if None.
        jobs: number of processes, one video each; 0 for one per processor.
        engine: as in `vosbench.score`.
        out: folder of records; None keeps none.
        overwrite: replace records of other masks instead of refusing.
        plugins: Python files with datasets, measures or suites.
        listener: callbacks for progress and notes.
        options: see `SuiteOptions`; ``available`` also leaves out datasets without masks.

    Raises:
        UsageError: if a name or option is unknown, or datasets are not found.
        DataError: if datasets are incomplete, or have no masks.
    """
    refuse_unknown(options, SuiteOptions.__optional_keys__, "score_suite")
    folder = Path(masks)
    work_on = EachDataset[_Found](suite, paths_of(plugins), options)
    if not folder.is_dir():
        names = ", ".join(work_on.datasets)
        raise DataError(f'"{masks}" should be a folder with a folder or archive of masks for each dataset: {names}')
    families = registry.load_families(paths_of(plugins))

    def find(dataset: Dataset, choice: Choice) -> _Found:
        selection = with_annotations(select(dataset, choice, families))
        place, noted = _masks_of(folder, selection, name)
        assert choice.root is not None or dataset.root is not None
        return _Found(selection, choice.root or place, place, noted)

    found = work_on.prepare(find, listener)
    called = {each.noted or name_of(folder) for each in found.values()} if name is None else {name}
    if len(called) > 1:
        raise UsageError(f'"{folder}" has maps of several methods: {", ".join(sorted(called))}; choose one by its name')
    method = called.pop()
    if out is not None:
        check_name(method)

    def work(each: _Found, part: Listener) -> Result:
        chosen = each.selection
        result = functions.score(
            each.masks,
            dataset=chosen.dataset,
            codec=codec,
            numbering=numbering,
            name=method,
            jobs=jobs,
            engine=engine,
            plugins=plugins,
            listener=part,
            root=None if chosen.dataset.root is not None else each.root,
            split=chosen.split,
            protocol=chosen.protocol,
            limit=chosen.limit,
        )
        path = None if out is None else store.save(Path(out), result.record, result.rows, overwrite=overwrite)
        return replace(result, path=path)

    videos = {entry: len(each.selection.videos) for entry, each in found.items()}
    return work_on.carry_out(found, videos, work, listener)


def _masks_of(folder: Path, selection: Selection, name: str | None) -> tuple[Path, str | None]:
    """The masks of a dataset in a folder of several, and the method that ``vosbench run`` has noted there.

    Raises:
        DataError: if there are none, or several.
        UsageError: if they are of several methods, and none is chosen.
    """
    dataset = selection.dataset
    names = {dataset.name, *dataset.folders}
    places = [
        path
        for path in sorted(folder.iterdir())
        if name_of(path) in names and (path.is_dir() or SUFFIX.search(path.name))
    ]
    if not places:
        raise DataError(f'"{folder}" has no masks of it; call their folder or archive "{dataset.name}"')
    if len(places) > 1:
        raise DataError(f'its masks may be "{places[0]}" or "{places[1]}"; keep one of them there')
    place = places[0]
    if place.is_file() or (noted := noted_name(place)) is not None:
        return place, None if place.is_file() else noted
    children = {child: noted_name(child) for child in sorted(place.iterdir()) if child.is_dir()}
    if not any(children.values()):
        return place, None
    maps = {noted: child for child, noted in children.items() if noted and child.name == noted + selection.frames_apart}
    if name is None and len(maps) > 1:
        raise UsageError(f'"{place}" has maps of several methods: {", ".join(maps)}; choose one by its name')
    method = next(iter(maps), None) if name is None else name
    if method not in maps:
        raise DataError(f'"{place}" has no maps of {"these frames" if name is None else f"{name!r}"}')
    return maps[method], method
