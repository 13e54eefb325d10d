"""``vosbench convert``: convert a foreign checkpoint to a safetensors file."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from vosbench.cli import options
from vosbench.cli.console import command, say


@command
def convert(
    out: Annotated[Path, typer.Option("--out", help="Safetensors file to write.")],
    source: Annotated[Path | None, typer.Argument(help="Checkpoint, a torch or safetensors file.")] = None,
    method: Annotated[
        str | None, typer.Option("--method", help='What it is for: a method.variant, or "backbone" for a ResNet alone.')
    ] = None,
    encoder: Annotated[
        Literal["efficientnet-lite0", "efficientnet-lite1", "efficientnet-lite2"] | None,
        typer.Option("--encoder", help="In place of a checkpoint: an encoder whose ImageNet weights a package brings."),
    ] = None,
    scales: Annotated[
        Literal["auto", "plain", "inplace-abn"],
        typer.Option("--scales", help="Batch-norm scales: rewritten if trained with InPlaceABN, or as they are."),
    ] = "auto",
    offline: options.Offline = False,  # noqa: ARG001 - it acts when it is parsed
    plugin: options.Plugins = None,
    quiet: options.Quiet = False,
) -> None:
    """Convert a checkpoint for `vosbench run --weights`; no code in it is executed."""
    from vosbench.errors import UsageError
    from vosbench.method.nn.convert import BACKBONE, convert_encoder
    from vosbench.method.nn.convert import convert as convert_file
    from vosbench.method.remote import fetched

    if encoder is not None:
        if source is not None or method is not None or scales != "auto":
            raise UsageError("--encoder names all that is converted; omit the checkpoint, --method and --scales")
        done = convert_encoder(encoder, out)
        if not quiet:
            say(f"note: {done.tensors} tensors of {encoder} are in {out}; train with --weights encoder={out}")
        return
    if source is None or method is None:
        raise UsageError("pass a checkpoint and --method, or --encoder")
    wanted = None
    if method != BACKBONE:
        from vosbench.registry import load_method

        found, variant = load_method(method, plugin or ())
        if found.recipe is None:
            raise UsageError(f'"{method}" has no network to convert weights for')
        recipe = found.recipe(variant, {})
        wanted = lambda: recipe.build().state_dict()  # noqa: E731
    source = fetched(source, lambda line: None if quiet else say(f"note: {line}"))
    done = convert_file(source, out, method, wanted, scales)
    if quiet:
        return
    if done.scales == "inplace-abn":
        say("note: batch-norm scales s were rewritten as |s| + 1e-5 (InPlaceABN); --scales plain leaves them")
    if done.dropped:
        say(f"note: {len(done.dropped)} tensors outside the ResNet were left out, the first is {done.dropped[0]}")
    say(f'note: {done.tensors} tensors for "{method}" are in {out}')
