"""What `pyproject.toml` cannot say: methods/, datasets/ and results/published become parts of the package.

In a checkout they are also linked into vosbench/. The build does not use these links, so that a checkout without them,
as git makes it on Windows, builds the same wheel.
"""

from setuptools import find_namespace_packages, setup

LINKED = {
    "vosbench.methods": "methods",
    "vosbench.datasets": "datasets",
    "vosbench.published": "results/published",
}
LINKS = [pattern for name in LINKED for pattern in (name, f"{name}.*")]

setup(
    package_dir={"": ".", **LINKED},
    packages=[
        *find_namespace_packages(include=["vosbench", "vosbench.*"], exclude=LINKS),
        *LINKED,
        *(f"{name}.{part}" for name, folder in LINKED.items() for part in find_namespace_packages(folder)),
    ],
)
