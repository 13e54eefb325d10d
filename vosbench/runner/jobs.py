"""What is to be run: names in, a job out; mistakes are reported before anything is computed."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from vosbench.dataset import Dataset
from vosbench.dataset.selection import Choice, Selection, select, with_frames
from vosbench.errors import UsageError
from vosbench.method import Method, Setup
from vosbench.method import flow as flow_method
from vosbench.method.method import refuse_unheeded
from vosbench.method.options import resolve as resolve_set
from vosbench.method.remote import fetched
from vosbench.method.sources import joined, sources
from vosbench.registry import load_dataset, load_families, load_method


class Job(NamedTuple):
    """A method, its setup and the videos to run it on; see `resolve`."""

    method: Method
    setup: Setup
    selection: Selection


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
    weights = fetched(weights)
    sources(weights)
    return replace(setup, weights=weights)
