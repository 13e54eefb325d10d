"""``vosbench train``: train a method's weights by its recipe."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from vosbench.cli import options
from vosbench.cli.console import command, progress, result, say
from vosbench.errors import UsageError, suggest

if TYPE_CHECKING:
    from vosbench.dataset.selection import Selection
    from vosbench.method import Material, Method, Plan
    from vosbench.train import Listener, Outcome, Validate

OUT = Path("results") / "train"
SOURCE = "a dataset as NAME, NAME=FOLDER or NAME:SPLIT=FOLDER; or a folder of frames and masks as PATH or PATH:SPLIT"


@command
def train(
    method: Annotated[str, typer.Argument(help="Method or method.variant; see: vosbench list methods.")],
    data: Annotated[list[str] | None, typer.Option("--data", help=f"Training data, {SOURCE}; repeatable.")] = None,
    hold_out: Annotated[
        list[str] | None,
        typer.Option(
            "--hold-out", help="Videos or stills not to train on, names or patterns separated by commas; repeatable."
        ),
    ] = None,
    about: Annotated[
        str,
        typer.Option("--about", help='A remark on the data that tables repeat, such as "not on DAVIS".'),
    ] = "",
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="A hyper-parameter of the recipe, as name=value; see its card.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder; results/train/METHOD by default.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of weights, data and dropout.")] = 0,
    device: options.Device = "cpu",
    precision: options.Precision = "fp32",
    accumulate: Annotated[
        int, typer.Option("--accumulate", min=1, help="Split each step into this many parts to save memory.")
    ] = 1,
    workers: Annotated[int, typer.Option("--workers", min=0, help="Number of processes that read and augment.")] = 0,
    save_every: Annotated[int, typer.Option("--save-every", min=1, help="Steps between checkpoints.")] = 500,
    validate_on: Annotated[str | None, typer.Option("--validate-on", help=f"Validation data, {SOURCE}.")] = None,
    validate_every: Annotated[
        int, typer.Option("--validate-every", min=0, help="Steps between validations; 0 for one at the end.")
    ] = 0,
    validate_limit: Annotated[
        int | None, typer.Option("--validate-limit", min=1, help="Validate on the first frames of each video only.")
    ] = None,
    backbone: Annotated[
        Path | None, typer.Option("--backbone-weights", help="Weights of the ResNet to start from.")
    ] = None,
    backbone_inputs: Annotated[
        Literal["auto", "bgr255", "rgb255", "torchvision"],
        typer.Option("--backbone-inputs", help="What that ResNet takes: BGR or RGB in 0…255, or as in torchvision."),
    ] = "auto",
    weights: Annotated[
        Path | None,
        typer.Option("--weights", help="Weights to start from, a checkpoint; or of some parts, as encoder=FILE."),
    ] = None,
    offline: options.Offline = False,  # noqa: ARG001 - it acts when it is parsed
    track: options.Track = None,
    tensorboard: Annotated[bool, typer.Option("--tensorboard", help="As --track tensorboard.")] = False,
    half: Annotated[bool, typer.Option("--half", help="Save weights in fp16, at half the size.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Discard a training with another setup.")] = False,
    plugin: options.Plugins = None,
    quiet: options.Quiet = False,
) -> None:
    """Train a method by its recipe; with torchrun, in several processes or on several GPUs.

    The same command resumes an interrupted training.
    """
    from vosbench.method.remote import fetched
    from vosbench.method.sources import sources
    from vosbench.registry import load_method

    found, variant = load_method(method, plugin or ())
    if found.recipe is None:
        raise UsageError(f'"{method}" cannot be trained: it has no recipe')
    note = _listener(lambda *_: None, quiet=quiet).note
    weights, backbone = (None if given is None else fetched(given, note) for given in (weights, backbone))
    for given in (weights, backbone):
        if given is not None:
            sources(given)
    if not data or (validate_every and validate_on is None):
        option = "--validate-on" if data else "--data"
        raise UsageError(f"{option} is missing; pass {SOURCE}")
    changes = options.assignments(settings or ())
    recipe = found.recipe(variant, changes)
    if not quiet and os.environ.get("RANK", "0") == "0":
        _note_horizon(recipe.plan, found.recipe(variant, {}).plan, changes)
    selections = [_select(source, "train", plugin or ()) for source in data]
    held = [pattern for given in hold_out or () for pattern in given.split(",")]
    selections = _without(selections, held)
    for line in () if quiet else _notes_on_folders(selections):
        say(f"note: {line}")
    material = _material(selections)
    validation = None if validate_on is None else _select(validate_on, None, plugin or (), validate_limit)

    from vosbench.train import Settings
    from vosbench.train import train as carry_out

    chosen = Settings(
        name=method,
        data=_words(selections, held),
        about=about,
        content=_content(selections),
        seed=seed,
        device=device,
        precision=precision,
        accumulate=accumulate,
        workers=workers,
        save_every=save_every,
        validate_every=validate_every,
        weights=weights,
        backbone=backbone,
        backbone_inputs=backbone_inputs,
        track=(*(track or ()), *(["tensorboard"] if tensorboard else [])),
        half=half,
        overwrite=overwrite,
    )
    folder = out or OUT / method
    validate = None if validation is None else _validator(found, variant, device, validation)
    with progress(recipe.plan.steps, "steps", quiet=quiet) as advance:
        outcome = carry_out(recipe, material, folder, chosen, validate, _listener(advance, quiet=quiet))
    if outcome.leads:
        _show(outcome, method, quiet=quiet)


def _note_horizon(plan: "Plan", usual: "Plan", changes: Mapping[str, str]) -> None:
    """Say so if fewer or more steps were asked for, but the learning rate decays as before."""
    if plan.steps == usual.steps or "horizon" in changes:
        return
    if plan.steps > plan.horizon:
        left = plan.rate(plan.horizon)
        effect = f"from step {plan.horizon} the learning rate is {f'{left:.3g} of its first value' if left else '0'}"
    else:
        effect = f"the learning rate ends at {plan.rate(plan.steps - 1):.3g} of its first value"
    scaled = max(1, round(usual.horizon * plan.steps / usual.steps))
    advice = f"--set horizon={scaled} scales the decay too"
    say(f"note: with steps={plan.steps} and horizon={plan.horizon} {effect}; {advice}")


def _listener(advance: Callable[..., None], *, quiet: bool) -> "Listener":
    from vosbench.train import Listener

    def step(done: int, losses: Mapping[str, float]) -> None:
        advance(f"loss {sum(losses.values()):.4f}", done)

    def note(line: str) -> None:
        if not quiet:
            say(f"note: {line}")

    return Listener(step=step, note=note)


def _show(outcome: "Outcome", method: str, *, quiet: bool) -> None:
    """Print the path of the weights to stdout, and how to use them to stderr."""
    weights = outcome.best or outcome.last
    result(f"{weights}\n")
    if quiet:
        return
    if outcome.score is not None:
        say(f"note: these are the best validated weights, with {outcome.score:.4f}")
    say(f"note: to use them, run: vosbench run --method {method} --weights {weights} --dataset …")


def _parse(source: str) -> tuple[str, str | None, Path | None]:
    """Split a data source into the dataset's name, a split and a folder.

    >>> _parse("sample"), _parse("davis16:trainval=DAVIS")[:2], _parse("./zoo:train")
    (('sample', None, None), ('davis16', 'trainval'), ('./zoo', 'train', None))
    """
    if Path(source).is_dir():  # its name may contain anything
        return source, None, None
    named, _, folder = source.partition("=")
    name, _, split = named.partition(":")
    return name, split or None, Path(folder) if folder else None


def _select(source: str, usual: str | None, plugins: Sequence[Path], limit: int | None = None) -> "Selection":
    from vosbench.dataset.selection import Choice, select, with_annotations, with_frames
    from vosbench.registry import load_dataset

    name, split, root = _parse(source)
    dataset = load_dataset(name, plugins)
    if split is None and not (dataset.root is not None and usual not in dataset.splits):
        split = usual  # a folder need not have it
    chosen = select(dataset, Choice(root=root, split=split, limit=limit))
    return with_annotations(with_frames(chosen))


def _without(selections: "Sequence[Selection]", patterns: Sequence[str]) -> "list[Selection]":
    """The selections without the videos that match one of the patterns.

    Raises:
        UsageError: if a pattern matches no video.
    """
    names = [video.name for selection in selections for video in selection.videos]
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise UsageError(
                f'--hold-out: there is no video "{pattern}" in the training data; {suggest(pattern, names)}'
            )
    return [
        replace(
            selection,
            videos=tuple(
                video for video in selection.videos if not any(fnmatchcase(video.name, pattern) for pattern in patterns)
            ),
        )
        for selection in selections
    ]


def _words(selections: "Sequence[Selection]", held: Sequence[str]) -> str:
    """The training data in words."""
    line = " + ".join(f"{selection.dataset.name} {selection.split}" for selection in selections)
    return f"{line} without {', '.join(held)}" if held else line


def _notes_on_folders(selections: "Sequence[Selection]") -> list[str]:
    return [line for each in selections if each.dataset.root is not None for line in each.notes()]


def _content(selections: "Sequence[Selection]") -> str:
    """A hash of the files of datasets that are folders, whose names do not tell what they contain."""
    from vosbench.dataset.fingerprint import files_digest
    from vosbench.images.annotations import paths_of

    videos = [video for each in selections if each.dataset.root is not None for video in each.videos]
    files = [path for video in videos for path in video.frames]
    files += [path for video in videos for each in video.annotations.values() for path in paths_of(each)]
    return files_digest(files) if files else ""


def _material(selections: "Sequence[Selection]") -> "Material":
    """Still images are videos of one frame."""
    from vosbench.method import Material

    every = [video for selection in selections for video in selection.videos]
    return Material(
        videos=tuple(video for video in every if len(video) > 1),
        images=tuple(video for video in every if len(video) == 1),
    )


def _validator(method: "Method", variant: str, device: str, selection: "Selection") -> "Validate":
    from vosbench.method import Setup
    from vosbench.train import validator

    return validator(method, Setup(variant=variant, device=device), selection)
