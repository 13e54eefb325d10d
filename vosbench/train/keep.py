"""What the leading process does after a step: validate, log, save."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vosbench import __version__
from vosbench.provenance import package_versions
from vosbench.recipe import Plan
from vosbench.train import checkpoint, log
from vosbench.train.settings import Listener, Settings, Validate
from vosbench.train.start import content
from vosbench.train.step import Run
from vosbench.train.validation import CRITERIA, criterion


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeper:
    """Looks after a training's folder.

    Attributes:
        out: the folder.
        plan: when training ends.
        settings: how often to save and to validate.
        card: what the weights depend on.
        validate: scores weights, or None.
        listener: is told.
    """

    out: Path
    plan: Plan
    settings: Settings
    card: checkpoint.Card
    validate: Validate | None
    listener: Listener

    def open(self, run: Run, *, anew: bool) -> None:
        """Bring the folder to where a run begins: empty, or cut back to the checkpoint."""
        if anew:
            checkpoint.clear(self.out)
        log.cut(self.out / checkpoint.LOG, run.step)
        if run.step == self.plan.steps:
            self.save(run)  # what was killed in between, or is now wanted in another precision

    def note_step(self, run: Run, losses: Mapping[str, float], *, stop: bool) -> None:
        """Validate, log and save, where it is time to; always at the end, and before a stop."""
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
        log.append(self.out / checkpoint.LOG, row)
        if ends or stop or self._due(run.step, self.settings.save_every):
            self.save(run)
        self.listener.step(run.step, losses)

    def save(self, run: Run) -> None:
        """Write the checkpoint, and the weights as they are handed out."""
        checkpoint.save(self.out, {"card": dict(self.card), "packages": package_versions(), **content(run)})
        self._export(self.out / checkpoint.LAST, run)

    def _export(self, path: Path, run: Run) -> None:
        about = {**self.card, "step": run.step, "vosbench": __version__}
        checkpoint.export(path, run.net.state_dict(), about, half=self.settings.half)

    def _best_of(self, run: Run, validate: Validate) -> Mapping[str, float]:
        """Score the weights of the moment as they would be handed out, and keep them where they are the best."""
        path = self.out / f".{checkpoint.BEST}.candidate.safetensors"
        self._export(path, run)
        scores = validate(path)
        score = criterion(scores)
        better = run.best is None or score > run.best
        if better:
            run.best = score
            path.replace(self.out / checkpoint.BEST)
        path.unlink(missing_ok=True)
        shown = ", ".join(f"{name} {scores[name]:.4f}" for name in CRITERIA if name in scores)
        self.listener.note(f"step {run.step}: {shown}{', the best so far' if better else ''}")
        return scores

    @staticmethod
    def _due(step: int, every: int) -> bool:
        return every > 0 and step % every == 0
