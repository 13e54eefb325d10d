"""Weights & Biases: a run that is kept on disk, for ``wandb sync`` to send, unless ``WANDB_MODE`` says otherwise."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vosbench.records.record import Row
from vosbench.track.tracking import PROJECT, About

if TYPE_CHECKING:
    from wandb import Run


class WandB:
    """A run of Weights & Biases; a resumed training is a run of its own.

    Args:
        place: a folder.
        about: what is tracked.
    """

    def __init__(self, place: str, about: About) -> None:
        self._place, self._about = Path(place), about
        self._run: Run | None = None

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """Each is a chart; the last value is in the summary."""
        self._begun().log(dict(values), step=step)

    def rows(self, rows: Sequence[Row]) -> None:
        """As one table."""
        import wandb

        table = wandb.Table(columns=list(Row._fields), data=[list(row) for row in rows])
        self._begun().log({"rows": table})

    def text(self, name: str, text: str) -> None:
        """As a file of the run."""
        run = self._begun()
        path = Path(run.dir, name)
        path.write_text(text, "utf-8")
        run.save(str(path), base_path=run.dir, policy="now")

    def figure(self, name: str, path: Path) -> None:
        """As an image."""
        import wandb

        self._begun().log({name: wandb.Image(str(path))})

    def close(self) -> None:
        """Finish the run."""
        if self._run is not None:
            self._run.finish()

    def _begun(self) -> "Run":
        if self._run is None:
            import wandb

            mode: Any = os.environ.get("WANDB_MODE", "offline")  # wandb checks it
            self._place.mkdir(parents=True, exist_ok=True)
            self._run = wandb.init(
                project=PROJECT,
                group=self._about.group,
                name=self._about.name,
                dir=str(self._place),
                config={**self._about.settings},
                mode=mode,
                settings=wandb.Settings(console="off", silent=True, x_disable_stats=True, save_code=False),
            )
        return self._run
