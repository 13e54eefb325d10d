"""Names of files and links of the site, which hold nothing of others' names that a browser or a file system reads.

Conventions:
    A key is a slug of ``[a-z0-9-]`` with six hexadecimal digits of the name's SHA-256 behind it, so that names which
    differ in case, in accents or in signs alone have keys of their own. Datasets and videos keep names that are slugs
    already. Names themselves are only ever data.
"""

import hashlib
import re
import unicodedata
from urllib.parse import urlsplit

from vosbench.errors import printable
from vosbench.records.naming import RESERVED

LONGEST = 40
"""Characters of a slug."""
SAFE = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")


def key_of(name: str) -> str:
    """The key of a name.

    >>> key_of("EpO+"), key_of("epo+"), key_of("../x")
    ('epo-c58129', 'epo-392dc1', 'x-d6b96a')
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:LONGEST].rstrip("-") or "x"
    return f"{slug}-{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:6]}"


def slug_of(name: str) -> str:
    """A name that is a slug and no device of Windows, otherwise its key.

    >>> slug_of("bmx-trees"), slug_of("con")[:4], slug_of("A/B")[:4]
    ('bmx-trees', 'con-', 'a-b-')
    """
    return name if SAFE.fullmatch(name) and not RESERVED.fullmatch(name) else key_of(name)


def shown(text: str) -> str:
    r"""Text as pages show it, on one line: what cannot be seen, such as marks of direction, is escaped.

    >>> shown("a\u202eb\n c")
    'a\\u202eb c'
    """
    return printable(" ".join(text.split()))


def safe_url(text: str) -> str:
    """A link to another site, or nothing if it is not one: only http and https.

    >>> safe_url("https://example.org/a"), safe_url("javascript:alert(1)"), safe_url("//example.org")
    ('https://example.org/a', '', '')
    """
    try:
        parts = urlsplit(text.strip())
    except ValueError:
        return ""
    return text.strip() if parts.scheme in {"http", "https"} and parts.netloc else ""
