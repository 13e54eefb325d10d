"""Results: what a record holds, how it is found, compared and checked, and numbers that others have published."""

from vosbench.records.record import Provenance, Record, Row, Speed

__all__ = ["Provenance", "Record", "Row", "Speed"]
