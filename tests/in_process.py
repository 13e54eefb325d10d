"""The command line in this process, for tests with many short calls."""

import subprocess
from pathlib import Path

from typer.testing import CliRunner

from vosbench.cli import app


def call(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command; an error that is not an exit is raised."""
    done = CliRunner().invoke(app, [*map(str, words)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return subprocess.CompletedProcess(words, done.exit_code, done.stdout, done.stderr)
