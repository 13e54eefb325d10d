r"""Text of others in what is printed: names, notes and training lines must not become markup, formulas or commands.

Conventions:
    Characters that cannot be seen (control characters, marks that change the direction of text) are escaped as in JSON,
    in every format; line breaks are spaces.
"""

import re

from vosbench.errors import printable

LATEX = {
    "\\": r"\textbackslash{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "\n": " ",
    "–": "--",
    "—": "---",
    "−": "$-$",
    "×": r"$\times$",
    "…": r"\dots{}",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "Δ": r"$\Delta$",
    "β": r"$\beta$",
    "²": r"$^2$",
    "⁹": r"$^9$",
}
MARKDOWN = re.compile(
    r"[\\`*<\[\]$~]"  # code, emphasis, HTML, links and images, formulas, struck text
    r"|(?<![^\W_])_|_(?![^\W_])"  # emphasis too, unless it is inside a word
    r"|&(?=#?\w+;)"  # an entity
)
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What formulas of spreadsheets start with."""


def terminal(text: str) -> str:
    r"""Escape text for a terminal.

    >>> terminal("a\nb\x1b[2J")
    'a b\\u001b[2J'
    """
    if text.isprintable():
        return text
    return printable(re.sub(r"\s", lambda sign: " " if sign[0] in "\t\n\r\v\f" else sign[0], text))


def markdown(text: str) -> str:
    r"""Escape text for a line of Markdown.

    >>> markdown("[x](javascript:alert(1)) <b> J_mean *")
    '\\[x\\](javascript:alert(1)) \\<b> J_mean \\*'
    """
    return MARKDOWN.sub(r"\\\g<0>", terminal(text))


def markdown_cell(text: str) -> str:
    """Escape text for a cell of a Markdown table."""
    return markdown(text).replace("|", "\\|")


def latex(text: str) -> str:
    r"""Escape text for LaTeX.

    Letters beyond Latin are written as their code points, since pdflatex's fonts do not have them.

    >>> latex("J&F ↑ of a_b, 5 %, 雪")
    'J\\&F $\\uparrow$ of a\\_b, 5 \\%, U+96EA'
    """
    return "".join(LATEX.get(sign) or (sign if sign < "\u0180" else f"U+{ord(sign):04X}") for sign in terminal(text))


def latex_comment(text: str) -> str:
    """Escape text for a comment of LaTeX, which ends with its line."""
    return " ".join(terminal(text).split())


def csv_cell(text: str) -> str:
    """Escape text for CSV, so that spreadsheets do not take it for a formula.

    >>> csv_cell("=1+1"), csv_cell("a=1")
    ("'=1+1", 'a=1')
    """
    return f"'{printable(text)}" if text.lstrip(" ").startswith(FORMULA) else printable(text)


def visible(text: str) -> str:
    r"""Escape what cannot be seen, but keep line breaks: in XML, whose writer escapes the rest, and in JSON as written.

    >>> print(visible('{"a": "\x9b"}'))
    {"a": "\u009b"}
    """
    return "\n".join(map(printable, text.split("\n")))


def github(text: str) -> str:
    r"""Escape the message of a workflow command of GitHub.

    >>> github("100%\nof it")
    '100%25%0Aof it'
    """
    return visible(text).replace("%", "%25").replace("\n", "%0A")


def github_property(text: str) -> str:
    """Escape a property of a workflow command of GitHub, such as its title."""
    return github(text).replace(":", "%3A").replace(",", "%2C")
