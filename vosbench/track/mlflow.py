"""MLflow: a run in an experiment named after dataset and split, in a folder or on a server."""

import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vosbench.records.record import Row, to_csv
from vosbench.track.tracking import PROJECT, About

if TYPE_CHECKING:
    from mlflow import MlflowClient

MOST = 1000
"""Metrics of one request, at most."""
LONGEST = 500
"""Characters of a parameter that are kept."""


class MLflow:
    """A run of MLflow; a resumed training is a run of its own, which says from which step it went on.

    Args:
        place: a folder, or an address that MLflow takes as a tracking URI, such as ``http://localhost:5000``.
        about: what is tracked.
    """

    def __init__(self, place: str, about: About) -> None:
        self._place, self._about = place, about
        self._client: MlflowClient | None = None
        self._run = ""

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """Each is a metric."""
        from mlflow.entities import Metric

        client, now = self._begun(), int(time.time() * 1000)
        for some in _groups(values):
            metrics = [Metric(_key(name), values[name], now, step) for name in some]
            client.log_batch(self._run, metrics=metrics)

    def rows(self, rows: Sequence[Row]) -> None:
        """As a file of the run."""
        self.text("rows.csv", to_csv(rows).decode())

    def text(self, name: str, text: str) -> None:
        """As a file of the run."""
        self._begun().log_text(self._run, text, name)

    def figure(self, name: str, path: Path) -> None:
        """As a file of the run."""
        self._begun().log_artifact(self._run, str(path), artifact_path=name)

    def close(self) -> None:
        """Mark the run as finished."""
        if self._client is not None:
            self._client.set_terminated(self._run)

    def _begun(self) -> "MlflowClient":
        if self._client is not None:
            return self._client
        from mlflow import MlflowClient

        uri = self._place
        if "://" not in uri:
            os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")  # a database would need packages of its own
            uri = Path(uri).resolve().as_uri()
        client = MlflowClient(tracking_uri=uri)
        name = f"{PROJECT} {self._about.group}"
        known = client.get_experiment_by_name(name)
        experiment = client.create_experiment(name) if known is None else known.experiment_id
        self._run = client.create_run(experiment, run_name=self._about.name).info.run_id
        self._client = client
        more = {"resumed after step": str(self._about.step)} if self._about.step else {}
        for key, value in {**self._about.settings, **more}.items():
            client.log_param(self._run, _key(key), value[:LONGEST])
        return client


def _groups(values: Mapping[str, float]) -> Iterator[tuple[str, ...]]:
    names = [*values]
    return (tuple(names[at : at + MOST]) for at in range(0, len(names), MOST))


def _key(name: str) -> str:
    """A name of which MLflow takes every sign."""
    return re.sub(r"[^\w./ -]", "_", name)
