"""The environments of peers: one each, made on first use, since their requirements exclude one another."""

import subprocess
import venv
from pathlib import Path
from typing import NamedTuple

COMMON = ("numpy==2.3.4", "pillow==13.0.0")
DAVIS = "30b698a691681588bbcfe0f2a7c7c680d49bb72d"


class Peer(NamedTuple):
    """What pip installs for a peer.

    Attributes:
        wanted: requirements.
        bare: those to install without their own requirements.
        hint: what to do if they cannot be installed.
    """

    wanted: tuple[str, ...]
    bare: tuple[str, ...] = ()
    hint: str = ""


PEERS = {
    "vos-benchmark": Peer((*COMMON, "opencv-python==5.0.0.93", "scikit-image==0.25.2", "vos-benchmark==0.1.0")),
    "davis2017-evaluation": Peer(
        (*COMMON, "opencv-python==5.0.0.93", "scikit-image==0.25.2"),
        (f"https://github.com/davisvideochallenge/davis2017-evaluation/archive/{DAVIS}.zip",),
        "its archive is at GitHub only; name a checkout with --davis2017",
    ),
    "TrackEval": Peer((*COMMON, "opencv-python==5.0.0.93", "scikit-image==0.25.2", "trackeval==1.3.0")),
    "PySODMetrics": Peer((*COMMON, "pysodmetrics==1.6.2")),
    "scikit-learn": Peer((*COMMON, "opencv-python==5.0.0.93", "scikit-learn==1.9.1")),
    "decode limit": Peer((*COMMON, "imagecodecs==2026.3.6")),
}


class Environment(NamedTuple):
    """A peer that can be run, or the reason why it cannot.

    Attributes:
        python: its interpreter.
        versions: its packages.
        missing: the reason; empty if it can be run.
        path: folders of modules that are not installed.
    """

    python: Path
    versions: dict[str, str]
    missing: str = ""
    path: str = ""


def environments(names: tuple[str, ...], folder: Path, davis2017: Path | None = None) -> dict[str, Environment]:
    """Those of some peers, below a folder.

    Args:
        names: of `PEERS`.
        folder: where they are made, or already are.
        davis2017: a checkout of davis2017-evaluation, to use instead of an installed one.
    """
    found = {}
    for name in names:
        checkout = davis2017 if name == "davis2017-evaluation" else None
        peer = PEERS[name]._replace(bare=()) if checkout else PEERS[name]
        found[name] = environment(name, peer, folder / name.replace(" ", "-"))
        if checkout:
            versions = {**found[name].versions, "davis2017-evaluation": "a checkout"}
            found[name] = found[name]._replace(path=str(checkout), versions=versions)
    return found


def environment(name: str, peer: Peer, folder: Path) -> Environment:
    """That of a peer, made unless it is there and has what is wanted."""
    python = folder / "bin" / "python"
    stamp, wanted = folder / "wanted.txt", "\n".join((*peer.wanted, *peer.bare))
    if not stamp.exists() or stamp.read_text("utf-8") != wanted:
        venv.create(folder, with_pip=True, clear=True)
        for options, requirements in (((), peer.wanted), (("--no-deps",), peer.bare)):
            command = [str(python), "-m", "pip", "install", "--quiet", *options, *requirements]
            if requirements and subprocess.run(command, check=False).returncode:
                reason = f"pip could not install {requirements[-1].rpartition('==')[0] or name}"
                return Environment(python, {}, f"{reason}{peer.hint and f' ({peer.hint})'}")
        stamp.write_text(wanted, "utf-8")
    pinned = dict(requirement.split("==") for requirement in peer.wanted)
    return Environment(python, pinned | dict.fromkeys(([name] if peer.bare else []), DAVIS[:7]))
