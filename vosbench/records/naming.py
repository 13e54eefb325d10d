"""Names of records: which can name files, and how records of one method are told apart.

Conventions:
    A record is in ``<dataset>/<method><apart>.json``. What sets it apart from the dataset's defaults comes after the
    method: ``@`` and the protocol, then ``+`` and the split, the limit of frames, the chosen videos, those annotated
    and the measures. A record of the defaults has none of these, so that its file is named after the method alone.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

from vosbench.errors import UsageError
from vosbench.files import hidden
from vosbench.records.record import Record

LONGEST = 120
"""Bytes of a name; what sets a record apart, suffixes and temporary names must fit into a file's 255 bytes, too."""
FORBIDDEN = '/\\:*?"<>|'
"""Characters that lead to another folder, or that some file systems do not allow."""
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
"""Names of devices on Windows, with any suffix."""


def check_name(name: str, what: str = "method") -> str:
    """Refuse a name that cannot be that of a file or folder everywhere, or whose file would not be found again.

    Args:
        name: the name.
        what: what it is the name of, for the message.

    Returns:
        the name.

    Raises:
        UsageError: if it cannot.

    >>> check_name("model.v1")
    'model.v1'
    """
    problem = _problem(name)
    if problem:
        shown = name if len(name) <= LONGEST else f"{name[:40]}…"
        other = "; pass another with --name" if what == "method" else ""
        raise UsageError(f'the {what} name "{shown}" cannot name a file: it {problem}{other}')
    return name


def _problem(name: str) -> str:
    size = len(name.encode("utf-8", "surrogatepass"))
    unseen = next((sign for sign in name if not sign.isprintable()), "")
    forbidden = next((sign for sign in name if sign in FORBIDDEN), "")
    problems = {
        "is empty": not name.strip(),
        f"contains {forbidden}": forbidden,
        f"contains the invisible character U+{ord(unseen or ' '):04X}": unseen,
        "is that of a hidden file": hidden(name),
        "starts or ends with a space, or ends with a dot": name != name.strip() or name.endswith("."),
        "is reserved on Windows": RESERVED.fullmatch(name),
        f"has {size} bytes; at most {LONGEST} are allowed": size > LONGEST,
    }
    return next((problem for problem, found in problems.items() if found), "")


def twin(name: str, others: Iterable[str]) -> str | None:
    """Another name that some file systems take for the same: in other case, or with accents encoded otherwise.

    >>> twin("F2Net.json", ["f2net.json", "F2Net.json"])
    'f2net.json'
    """
    return next((other for other in others if other != name and _folded(other) == _folded(name)), None)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def labels(records: Sequence[Record]) -> list[str]:
    """What to call records in one table: the method, with what sets a record apart if several are of one method."""
    count = Counter(record.method for record in records)
    return [record.method if count[record.method] == 1 else record.name for record in records]
