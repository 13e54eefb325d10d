"""What `pyproject.toml` cannot say: methods/, datasets/ and results/published become parts of the package.

In a checkout they are also linked into vosbench/. The build does not use these links, so that a checkout without them,
as git makes it on Windows, builds the same wheel.

A wheel is a function of its source: times are that of ``SOURCE_DATE_EPOCH``, or one that never changes, and whoever
builds it, with whatever permissions, gets the same bytes.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from setuptools import find_namespace_packages, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py

os.environ.setdefault("SOURCE_DATE_EPOCH", "1767225600")  # 2026-01-01
os.umask(0o022)


def same_permissions(paths: Iterable[str | Path]) -> None:
    """Give files the permissions that they have everywhere."""
    for path in map(Path, paths):
        if path.is_file():
            path.chmod(0o644)


class BuildPy(build_py):
    """Copies packages."""

    def run(self) -> None:
        """Copy, then set the permissions."""
        super().run()
        same_permissions(self.get_outputs(include_bytecode=False))


class BdistWheel(bdist_wheel):
    """Packs a wheel."""

    def egg2dist(self, egginfo_path: str, distinfo_path: str) -> None:
        """Write the metadata and the licence, then set the permissions."""
        super().egg2dist(egginfo_path, distinfo_path)
        same_permissions(Path(distinfo_path).rglob("*"))


LINKED = {
    "vosbench.methods": "methods",
    "vosbench.datasets": "datasets",
    "vosbench.published": "results/published",
}
LINKS = [pattern for name in LINKED for pattern in (name, f"{name}.*")]

setup(
    cmdclass={"bdist_wheel": BdistWheel, "build_py": BuildPy},
    package_dir={"": ".", **LINKED},
    packages=[
        *find_namespace_packages(include=["vosbench", "vosbench.*"], exclude=LINKS),
        *LINKED,
        *(f"{name}.{part}" for name, folder in LINKED.items() for part in find_namespace_packages(folder)),
    ],
)
