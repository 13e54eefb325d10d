"""Find a network's weights in a file, check that they fit, load them into the network, and write them.

One rule finds them: a file's tensors have dotted names (`vosbench.method.nn.checkpoint`), and a network's weights are
the tensors under the one prefix, such as ``state_dict.module.``, under which all of its names lie with their shapes.
What lies elsewhere, such as an optimiser, is not looked at. Weights of InPlaceABN are rewritten wherever they enter,
see `is_inplace_abn`.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors.torch import save
from torch import Tensor, nn

from vosbench.errors import DataError, UsageError
from vosbench.files import write_whole
from vosbench.method.nn.checkpoint import Checkpoint, Held, read
from vosbench.method.sources import Source, sources
from vosbench.records.provenance import STAMP

Tensors = Mapping[str, Tensor]
Scales = Literal["auto", "plain", "inplace-abn"]

COUNTER = "num_batches_tracked"
"""The batch counter of a normalisation: without effect at inference, and missing from AD-Net's own files."""
PROFILED = ("total_ops", "total_params")
"""Buffers that the profiler thop adds to every module."""
WRAPPERS = {"module", "_orig_mod", "_forward_module", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"}
"""Modules that frameworks put around a module (data parallelism, compilation, sharding), anywhere in a network."""
EPSILON = 1e-5


@dataclass(frozen=True, slots=True)
class Loaded:
    """Weights as a network takes them.

    Attributes:
        tensors: by the network's names.
        dropped: names of the tensors in the same containers that the network does not have.
        scales: how scales of batch normalisation were interpreted, ``"plain"`` or ``"inplace-abn"``.
    """

    tensors: dict[str, Tensor]
    dropped: tuple[str, ...] = ()
    scales: str = "plain"


def load(weights: Path, wanted: Tensors, what: str, *, scales: Scales = "auto", whole: bool = True) -> Loaded:
    """Read a network's weights.

    Args:
        weights: a file, one of several networks in it (``file#entry``), or a file per part of the network
            (``encoder=file,decoder=file``); see `vosbench.method.sources.sources`.
        wanted: the network's state.
        what: the network, for messages.
        scales: ``"inplace-abn"`` rewrites scales s of batch normalisation as |s| + 1e-5, which InPlaceABN computes
            with (mapillary/inplace_abn); ``"plain"`` keeps them; ``"auto"`` rewrites those of `is_inplace_abn`.
        whole: whether all weights must be there; otherwise those of the named parts suffice.

    Raises:
        UsageError: if a file or a part does not exist, or several networks in a file fit.
        DataError: if a file cannot be read, or none of its networks fits.
    """
    tensors: dict[str, Tensor] = {}
    dropped: list[str] = []
    kinds = set()
    found = sources(weights)
    for source in found:
        start = f"{source.part}." if source.part else ""
        inner = {name.removeprefix(start): x for name, x in wanted.items() if name.startswith(start)}
        if not inner:
            parts = ", ".join(dict.fromkeys(name.partition(".")[0] for name in wanted))
            raise UsageError(f'{what} has no part "{source.part}"; available: {parts}')
        one = _load_one(source, inner, f'the part "{source.part}" of {what}' if start else what, scales)
        tensors |= {start + name: x for name, x in one.tensors.items()}
        dropped += one.dropped
        kinds.add(one.scales)
    missing = sorted(name for name in wanted.keys() - tensors.keys() if not name.endswith(COUNTER))
    if missing and whole:
        parts = ", ".join(dict.fromkeys(name.partition(".")[0] for name in missing))
        raise UsageError(f"no weights for these parts of {what}: {parts}; add a file for each, as part=file")
    return Loaded(tensors, tuple(dropped), "inplace-abn" if "inplace-abn" in kinds else "plain")


def _load_one(source: Source, wanted: Tensors, what: str, scales: Scales) -> Loaded:
    checkpoint = read(source.path)
    names, dropped = find(checkpoint, wanted, what, source.entry)
    rewrite = scales == "inplace-abn" or (scales == "auto" and not checkpoint.card and is_inplace_abn(checkpoint))
    tensors = checkpoint.load(names)
    return Loaded(plain_scales(tensors) if rewrite else tensors, dropped, "inplace-abn" if rewrite else "plain")


def find(checkpoint: Checkpoint, wanted: Tensors, what: str, entry: str = "") -> tuple[dict[str, str], tuple[str, ...]]:
    """Find the one network in a file whose names and shapes are the wanted ones; batch counters may be missing.

    Args:
        checkpoint: the file.
        wanted: the network's state.
        what: the network, for messages.
        entry: the beginning of the names of the network to choose, if there are several.

    Returns:
        the network's names → the file's; and names in the same containers that the network does not have.

    Raises:
        UsageError: if several networks fit, and none or another one was chosen.
        DataError: if none fits.
    """
    candidates: list[_Candidate] = []
    for rename in (str, _bare):
        ours = {rename(name): name for name in wanted}
        theirs = {rename(name): name for name in checkpoint.tensors}
        for start, common in _prefixes(theirs, ours).items():
            inner = {name.removeprefix(start): held for name, held in theirs.items() if name.startswith(start)}
            candidates.append(_Candidate(checkpoint, {ours.get(name, name): x for name, x in inner.items()}, common))
        fits = [candidate for candidate in candidates if not candidate.problems(wanted)]
        if fits:
            chosen = _choose(checkpoint.path, fits, wanted, entry)
            return chosen.matching(wanted), chosen.others(wanted)
    everything = _Candidate(checkpoint, {name: name for name in checkpoint.tensors}, 0)
    nearest = max(candidates, key=lambda candidate: candidate.common, default=everything)
    raise DataError(f'weights "{checkpoint.path}" do not fit {what}; {nearest.problems(wanted)}')


def _bare(name: str) -> str:
    return ".".join(part for part in name.split(".") if part not in WRAPPERS)


def _prefixes(names: Iterable[str], ours: Container[str]) -> Counter[str]:
    """Count how many of our names lie under each prefix of a file's names."""
    found: Counter[str] = Counter()
    for name in names:
        places = [0, *(place + 1 for place, letter in enumerate(name) if letter == ".")]
        found.update(name[:place] for place in places if name[place:] in ours)
    return found


@dataclass(frozen=True, slots=True)
class _Candidate:
    """What lies under one prefix of a file's names.

    Attributes:
        checkpoint: the file.
        names: ours → the file's.
        common: how many of them the network has.
    """

    checkpoint: Checkpoint
    names: Mapping[str, str]
    common: int

    def problems(self, wanted: Tensors) -> str:
        """How the tensors differ from a network's; ``""`` if they fit."""
        homes = self._homes(wanted)
        held = {name: self.checkpoint.tensors[theirs] for name, theirs in self.names.items()}
        shapes = {
            name: each.shape
            for name, each in held.items()
            if name in wanted or (not _harmless(name, each) and (each.home in homes or not homes))
        }
        return compare(shapes, wanted)

    def matching(self, wanted: Tensors) -> dict[str, str]:
        """The network's names → the file's."""
        return {name: self.names[name] for name in wanted if name in self.names}

    def others(self, wanted: Tensors) -> tuple[str, ...]:
        """The file's names of what lies in the same containers, also outside the prefix."""
        homes, used = self._homes(wanted), set(self.matching(wanted).values())
        return tuple(name for name, x in self.checkpoint.tensors.items() if x.home in homes and name not in used)

    def place(self, wanted: Tensors) -> str:
        """The prefix, as in the file."""
        name = next(name for name in self.names if name in wanted)
        return self.names[name].removesuffix(name).rstrip(".")

    def tensors(self, wanted: Tensors) -> frozenset[int]:
        """The identities of the tensors."""
        return frozenset(id(self.checkpoint.tensors[theirs].stored) for theirs in self.matching(wanted).values())

    def _homes(self, wanted: Tensors) -> set[str]:
        return {self.checkpoint.tensors[theirs].home for name, theirs in self.names.items() if name in wanted}


def _harmless(name: str, held: Held) -> bool:
    """Whether a tensor is a counter: of batches, of a profiler, or of steps or models next to the weights."""
    return name.rpartition(".")[2] in {COUNTER, *PROFILED} or ("." not in name and not held.shape)


def _choose(path: Path, fits: Sequence[_Candidate], wanted: Tensors, entry: str) -> _Candidate:
    """Choose one of several networks.

    Raises:
        UsageError: if there are several, and none or another one was named.
    """
    places = {candidate.tensors(wanted): candidate for candidate in reversed(fits)}
    named = {candidate.place(wanted): candidate for candidate in reversed(places.values())}
    chosen = [each for place, each in named.items() if not entry or f"{place}.".startswith(f"{entry}.")]
    if len(chosen) == 1:
        return chosen[0]
    known = ", ".join(f'"{place}"' for place in named)
    if not chosen:
        raise UsageError(f'weights "{path}" hold no network "{entry}" that fits; available: {known}')
    last = [*named][-1]
    raise UsageError(f'weights "{path}" hold several networks that fit: {known}; choose one, such as "{path}#{last}"')


def check_fit(tensors: Tensors, wanted: Tensors, path: Path, what: str) -> None:
    """Check that tensors have the names and shapes of a network; batch counters may be missing.

    Args:
        tensors: the file's.
        wanted: the network's.
        path: the file, for the message.
        what: what the tensors are for, for the message.

    Raises:
        DataError: if names or shapes differ.
    """
    problems = compare({name: tuple(x.shape) for name, x in tensors.items()}, wanted)
    if problems:
        raise DataError(f'weights "{path}" do not fit {what}; {problems}')


def compare(shapes: Mapping[str, tuple[int, ...]], wanted: Tensors) -> str:
    """How names and shapes differ from a network's, in words; ``""`` if they do not."""
    problems = {
        "missing": sorted(name for name in wanted.keys() - shapes.keys() if not name.endswith(COUNTER)),
        "unknown": sorted(shapes.keys() - wanted.keys()),
        "of another shape": [
            f"{name} {shapes[name]} for {tuple(wanted[name].shape)}"
            for name in sorted(wanted.keys() & shapes.keys())
            if shapes[name] != tuple(wanted[name].shape)
        ],
    }
    return "; ".join(f"{problem}: {_some(names)}" for problem, names in problems.items() if names)


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"


def is_inplace_abn(checkpoint: Checkpoint) -> bool:
    """Whether weights were trained with InPlaceABN, as AD-Net's released ones: scales s mean |s| + 1e-5 there.

    They have the names of AD-Net's own layers, and no layer has counted a batch, as ordinary normalisation does: their
    counters are missing, or were filled in with 0 when the file passed through an ordinary network.

    Raises:
        DataError: if the file is damaged.
    """
    if not any("head.0.conv_bn_dropout." in name for name in checkpoint.tensors):
        return False
    counters = [name for name in checkpoint.tensors if name.endswith(COUNTER)]
    if any(bool(x.any()) for x in checkpoint.load({name: name for name in counters}).values()):
        return False
    means = {name: name for name in checkpoint.tensors if name.endswith("running_mean")}
    return not counters or any(bool(x.any()) for x in checkpoint.load(means).values())


def plain_scales(weights: Tensors) -> dict[str, Tensor]:
    """Rewrite scales trained with InPlaceABN for ordinary batch normalisation: s becomes |s| + 1e-5."""
    norms = {name.removesuffix("running_mean") + "weight" for name in weights if name.endswith(".running_mean")}
    return {name: x.abs() + EPSILON if name in norms else x for name, x in weights.items()}


def fill(net: nn.Module, weights: Path, *, whole: bool = True) -> Loaded:
    """Load weights into a network, all of them or none; batch counters may be missing.

    Args:
        net: the network.
        weights: see `load`.
        whole: see `load`.

    Raises:
        UsageError: see `load`.
        DataError: see `load`.
    """
    loaded = load(weights, net.state_dict(), "this network", whole=whole)
    net.load_state_dict(loaded.tensors, strict=False)  # strict but for the counters, by `load`
    return loaded


def digest(weights: Tensors) -> str:
    """A SHA-256 of weights as loaded, whatever file they came from: names, shapes and values, without counters."""
    total = hashlib.sha256()
    for name in sorted(weights):
        if not name.endswith(COUNTER):
            values = weights[name].detach().to("cpu").contiguous()
            total.update(f"{name} {values.dtype} {tuple(values.shape)}\n".encode())
            total.update(values.flatten().view(torch.uint8).numpy().data)
    return total.hexdigest()


def write(path: Path, weights: Tensors, about: Mapping[str, Any]) -> None:
    """Write weights as safetensors, whole or not at all; equal weights give equal bytes.

    Args:
        path: the file.
        weights: name → tensor, on any device.
        about: their origin, as plain values; see `vosbench.records.provenance.weights_card`.
    """
    # Copies, since safetensors refuses tensors that share memory; one metadata entry, since their order is not fixed.
    tensors = {name: x.detach().to("cpu", copy=True).contiguous() for name, x in weights.items()}
    write_whole(path, save(tensors, {STAMP: json.dumps(dict(about), sort_keys=True)}), durable=True)
