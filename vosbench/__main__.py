"""Run vosbench as ``python -m vosbench``."""

from vosbench.cli import main

main()
