"""The contract of a suite: a named list of datasets, each with the split and the protocol that papers report."""

from dataclasses import dataclass

from vosbench.dataset.dataset import Dataset
from vosbench.dataset.protocol import DatasetProtocol
from vosbench.errors import UsageError, suggest


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteEntry:
    """A dataset of a suite.

    Attributes:
        dataset: its name.
        split: its split.
        protocol: the name of its protocol.
        scores: the scores that the suite's table shows, such as ``"J_mean"``; records have all of the protocol's.
    """

    dataset: str
    split: str
    protocol: str
    scores: tuple[str, ...]

    @property
    def place(self) -> str:
        """Dataset and split, for example ``"davis16 val"``."""
        return f"{self.dataset} {self.split}"

    def protocol_of(self, dataset: Dataset) -> DatasetProtocol:
        """The protocol, once split and protocol are known to be the dataset's.

        Raises:
            UsageError: if the dataset does not have them.
        """
        protocols = {protocol.name: protocol for protocol in dataset.protocols}
        for noun, name, known in (("protocol", self.protocol, list(protocols)), ("split", self.split, dataset.splits)):
            if name not in known:
                raise UsageError(f'{dataset.name} has no {noun} "{name}"; {suggest(name, known)}')
        return protocols[self.protocol]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A named list of datasets with splits and protocols.

    Attributes:
        name: the name to type.
        title: what its datasets have in common, in a line.
        entries: the datasets, in the order of the suite's table.
    """

    name: str
    title: str
    entries: tuple[SuiteEntry, ...]

    def __post_init__(self) -> None:
        """Check the entries.

        Raises:
            UsageError: if there are none, two are the same, or one shows no scores.
        """
        if not self.entries:
            raise UsageError(f'the suite "{self.name}" has no datasets')
        names = [(entry.dataset, entry.split, entry.protocol) for entry in self.entries]
        twice = next((entry for entry, name in zip(self.entries, names, strict=True) if names.count(name) > 1), None)
        if twice is not None:
            raise UsageError(f'the suite "{self.name}" has {twice.place} under "{twice.protocol}" twice')
        empty = next((entry for entry in self.entries if not entry.scores), None)
        if empty is not None:
            raise UsageError(f'the suite "{self.name}" shows no scores of {empty.place}')
