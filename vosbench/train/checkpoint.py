"""A training's folder: the checkpoint to resume from, the exported weights, and the log."""

import hashlib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vosbench import __version__
from vosbench.errors import DataError, UsageError
from vosbench.files import being_written
from vosbench.method import Material, Plan
from vosbench.method.nn.weights import write
from vosbench.method.sources import digest, sources
from vosbench.metrics.measures import CRITERIA
from vosbench.records.provenance import package_versions, weights_card
from vosbench.track import Tracking, tensorboard
from vosbench.train import log
from vosbench.train.settings import Listener, Settings, Validate, criterion
from vosbench.train.step import Run

CHECKPOINT, LAST, BEST, LOG = "last.pt", "last.safetensors", "best.safetensors", "log.csv"
LATER = ("warmup", "clip", "ema", "stride_on", "decay", "floor", "base")
"""Hyper-parameters that are in a card only if they are used."""
Card = Mapping[str, Any]
"""What the weights depend on, as plain values: trainings with equal cards end in equal weights."""


def card(plan: Plan, material: Material, settings: Settings) -> Card:
    """List what the weights will depend on.

    It excludes the number of processes and the device, which change only rounding and dropout.
    """
    weights, backbone = (digest(path) if path else None for path in (settings.weights, settings.backbone))
    hyper = {f"plan {name}": value for name, value in plan.model_dump(mode="json").items() if name not in _unused(plan)}
    inputs = {} if settings.backbone_inputs == "auto" else {"backbone inputs": settings.backbone_inputs}
    files = {"files": settings.content} if settings.content else {}
    encoder = next(({"encoder": card["encoder"]} for card in _cards(settings) if "encoder" in card), {})
    return {
        "method": settings.name,
        "training": training(settings, weights or backbone),
        **hyper,
        "seed": settings.seed,
        "precision": settings.precision,
        "accumulate": settings.accumulate,
        "data": _digest(material),
        **files,
        "weights": weights,
        "backbone": backbone,
        **inputs,
        **encoder,
    }


def _unused(plan: Plan) -> set[str]:
    """Hyper-parameters that are off; cards of trainings that precede them do not have them either."""
    fields = type(plan).model_fields
    return {name for name in LATER if name in fields and getattr(plan, name) == fields[name].default}


def training(settings: Settings, digest: str | None) -> str:
    """Describe the training data and the initial weights.

    Args:
        settings: name the data and the initial weights.
        digest: SHA-256 of the initial weights, if any.

    >>> training(Settings(data="sample train"), None)
    'sample train, from random weights'
    >>> training(Settings(data="sample train", about="not on DAVIS"), None)
    'sample train (not on DAVIS), from random weights'
    """
    about = f" ({settings.about})" if settings.about else ""
    data = f"{settings.data or 'data without a name'}{about}"
    if settings.weights is None and settings.backbone is None:
        origin = "random weights"
    else:
        before = [card.get("training") for card in _cards(settings)]
        known = " and ".join(dict.fromkeys(map(str, before))).replace(data, "the same data")
        origin = f"weights of {known}" if all(before) else f"weights with SHA-256 {_short(digest)}"
    return f"{data}, from {origin}"


def _cards(settings: Settings) -> list[Card]:
    """What the files of the initial weights say of themselves."""
    start = settings.weights or settings.backbone
    return [weights_card(source.path) for source in sources(start)] if start else []


def _digest(material: Material) -> str:
    """A SHA-256 of the names of frames and of which are annotated, independent of their folder."""
    digest = hashlib.sha256()
    for video in (*material.videos, *material.images):
        stems = [frame.stem for frame in video.frames]
        digest.update(f"{video.name} {stems} {sorted(video.annotations)}\n".encode())
    return digest.hexdigest()


def load(out: Path, wanted: Card, *, overwrite: bool) -> dict[str, Any] | None:
    """Load the checkpoint of a folder.

    Args:
        out: the folder.
        wanted: the card of the training to resume.
        overwrite: ignore the checkpoint of another training.

    Returns:
        what `Keeper.save` wrote, tensors on the CPU; None to start afresh.

    Raises:
        UsageError: if the folder holds another training.
        DataError: if the checkpoint cannot be read.
    """
    path = out / CHECKPOINT
    if not path.is_file():
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.testzip() is not None:  # torch does not look at checksums
                raise ValueError("damaged")  # noqa: TRY301 - reported like the others
        checkpoint: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        actual = checkpoint["card"]
        differing = [key for key in {**wanted, **actual} if actual.get(key) != wanted.get(key)]
    except Exception:  # noqa: BLE001 - a damaged file may cause almost any
        if overwrite:
            return None
        raise DataError(f'the checkpoint "{path}" cannot be read; restart with --overwrite') from None
    if not differing:
        return checkpoint
    if overwrite:
        return None
    key = differing[0]
    raise UsageError(
        f'"{out}" holds another training ({key} was {_short(actual.get(key))}, now {_short(wanted.get(key))}); '
        "choose another --out, or discard it with --overwrite"
    )


def _short(value: object) -> object:
    return f"{value[:8]}…" if isinstance(value, str) and len(value) == 64 else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeper:
    """Maintains a training's folder.

    Attributes:
        out: the folder.
        plan: gives the last step.
        settings: how often to save and to validate.
        card: what the weights depend on.
        validate: scores weights, or None.
        listener: receives the progress.
        trackers: receive the log's rows.
    """

    out: Path
    plan: Plan
    settings: Settings
    card: Card
    validate: Validate | None
    listener: Listener
    trackers: Tracking

    def open(self, run: Run, *, restart: bool) -> None:
        """Prepare the folder: remove another training, or cut the log back to the checkpoint."""
        if restart:
            for name in (CHECKPOINT, LAST, BEST, LOG):
                (self.out / name).unlink(missing_ok=True)
            tensorboard.clear(self.out / "tensorboard")
        log.cut(self.out / LOG, run.step)
        if run.step == self.plan.steps:
            self.save(run)  # the weights may be missing after a kill, or wanted with another `half`

    def close(self) -> None:
        """Close what is open."""
        self.trackers.close()

    def note_step(self, run: Run, losses: Mapping[str, float], *, stop: bool) -> None:
        """Validate, log and save when due; always at the end, and save before a stop."""
        row = {
            "step": run.step,
            "seconds": round(run.seconds, 3),
            "lr": self.plan.lr * self.plan.rate(run.step - 1),
            "loss": sum(losses.values()),
            **losses,
        }
        ends = run.step == self.plan.steps
        if self.validate is not None and (ends or self._due(run.step, self.settings.validate_every)):
            row |= {f"val {name}": score for name, score in self._best_of(run, self.validate).items()}
        log.append(self.out / LOG, row)
        self.trackers.scalars({name.replace(" ", "/"): row[name] for name in row if name != "step"}, run.step)
        if ends or stop or self._due(run.step, self.settings.save_every):
            self.save(run)
        self.listener.step(run.step, losses)

    def save(self, run: Run) -> None:
        """Write the checkpoint, whole or not at all, and export the weights."""
        content = {
            "card": dict(self.card),
            "packages": package_versions(),
            "weights": run.net.state_dict(),
            "average": run.average,
            "optimiser": run.optimiser.state_dict(),
            "scaler": run.scaler.state_dict(),
            "step": run.step,
            "best": run.best,
            "seconds": run.seconds,
        }
        with being_written(self.out / CHECKPOINT, durable=True) as part:
            torch.save(content, part)
        self._export(self.out / LAST, run)

    def _export(self, path: Path, run: Run) -> None:
        about = {**self.card, "step": run.step, "vosbench": __version__}
        export(path, run.average or run.net.state_dict(), about, half=self.settings.half)

    def _best_of(self, run: Run, validate: Validate) -> Mapping[str, float]:
        """Score the current weights as exported, and keep them if they are the best."""
        path = self.out / f".{BEST}.candidate.safetensors"
        self._export(path, run)
        scores = validate(path)
        score = criterion(scores)
        better = run.best is None or score > run.best
        if better:
            run.best = score
            path.replace(self.out / BEST)
        path.unlink(missing_ok=True)
        shown = ", ".join(f"{name} {scores[name]:.4f}" for name in CRITERIA if name in scores)
        self.listener.note(f"step {run.step}: {shown}{', the best so far' if better else ''}")
        return scores

    @staticmethod
    def _due(step: int, every: int) -> bool:
        return every > 0 and step % every == 0


def export(path: Path, weights: Mapping[str, Tensor], about: Card, *, half: bool = False) -> None:
    """Write weights for `vosbench run`, in fp32.

    Args:
        path: the safetensors file.
        weights: name → tensor.
        about: their origin, for the file's metadata.
        half: save convolutions and matrices in fp16, at half the size; vectors, such as the statistics of batch
            normalisation, and values outside the range of fp16 stay in fp32.
    """
    write(path, {name: _rounded(values.detach(), half=half) for name, values in weights.items()}, about)


def _rounded(values: Tensor, *, half: bool) -> Tensor:
    if not values.is_floating_point():
        return values
    values = values.float()
    fits = half and values.dim() > 1 and bool(values.half().isfinite().all())
    return values.half() if fits else values
