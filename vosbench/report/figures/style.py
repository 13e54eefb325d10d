"""The style sheet of figures: sizes, fonts, colours, legend and caption, and how they are written.

Conventions:
    A figure is as wide as a column or the text of a two-column page of CVPR and ICCV, and is included at that size:
    its fonts then have their stated sizes. Colours are those of Okabe and Ito, which people with any colour vision
    can tell apart, but with a wine for the yellow, which is pale on white; markers and dashes differ as well, for print
    in grey. Fonts are embedded in PDF as TrueType (type 42), since publishers refuse type 3; in SVG, text is drawn as
    shapes. Equal figures are equal bytes.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from vosbench import __version__
from vosbench.errors import UsageError, extras_needed, printable
from vosbench.files import being_written

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Width = Literal["column", "page"]
FORMATS = (".pdf", ".svg", ".png")
INCHES = {"column": 3.25, "page": 6.875}
POINTS = {"column": 7.0, "page": 8.0}
"""Size of fonts; ticks, legends and notes are a point smaller."""
DPI = 300
FONT = "DejaVu Sans"
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#882255")
DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (6, 1.5, 1.5, 1.5)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p")
GREY, FAINT = "#606060", "#d8d8d8"
SEQUENTIAL = "cividis"
"""Colour map of values; its lightness rises evenly for every colour vision."""
EM = 0.56
"""Mean width of a character, in units of the size of its font."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """How a figure is drawn.

    Attributes:
        width: of the figure.
        caption: a small line below it that says what its numbers are of; empty for none.
    """

    width: Width = "column"
    caption: str = ""

    @property
    def inches(self) -> float:
        """The width in inches."""
        return INCHES[self.width]

    @property
    def small(self) -> float:
        """The size of small text, in points."""
        return POINTS[self.width] - 1

    def new(self, height: float, rows: int = 1, columns: int = 1, **options: Any) -> "tuple[Figure, list[list[Axes]]]":  # noqa: ANN401 - of matplotlib
        """Make a figure.

        Args:
            height: in inches, without legend and caption.
            rows: of axes.
            columns: of axes.
            options: of ``Figure.subplots``.

        Returns:
            the figure and its axes, by row.
        """
        from matplotlib.figure import Figure

        lines = self._lines()
        figure = Figure(figsize=(self.inches, height + 0.13 * len(lines)), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False, **options)
        if lines:
            size = self.small - 1.5
            figure.supxlabel("\n".join(lines), fontsize=size, color=GREY, x=0.01, ha="left", linespacing=1.1)
        return figure, [list(row) for row in axes]

    def _lines(self) -> list[str]:
        return wrapped(legible(self.caption), self.small - 1.5, self.inches * 0.97)

    def legend(self, figure: "Figure", handles: "Sequence[Artist]", labels: Sequence[str]) -> None:
        """Add a legend above the axes, in as many columns as fit."""
        if not handles:
            return
        shown = [legible(label) for label in labels]
        entry = max(map(len, shown)) * EM + 4.5
        columns = max(1, min(len(shown), int(self.inches * 72 / self.small / entry)))
        columns = -(-len(shown) // -(-len(shown) // columns))  # equally long columns
        lines = -(-len(shown) // columns)
        figure.set_figheight(figure.get_figheight() + lines * self.small * 1.45 / 72)
        figure.legend(handles, shown, loc="outside upper center", ncols=columns)


@contextmanager
def style_sheet(width: Width) -> Iterator[None]:
    """The style of all that is drawn and written in the block, whatever the user's own settings are.

    Raises:
        UsageError: if matplotlib is not installed.
    """
    with extras_needed():
        import matplotlib as mpl
    size = POINTS[width]
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(
            {
                "font.family": FONT,
                "font.size": size,
                "axes.titlesize": size,
                "axes.labelsize": size,
                "xtick.labelsize": size - 1,
                "ytick.labelsize": size - 1,
                "legend.fontsize": size - 1,
                "legend.frameon": False,
                "legend.handlelength": 1.8,
                "legend.columnspacing": 1.2,
                "legend.borderaxespad": 0.1,
                "text.parse_math": False,  # names may contain $
                "axes.formatter.use_mathtext": False,
                "axes.spines.top": False,
                "axes.spines.right": False,
                "axes.linewidth": 0.6,
                "axes.edgecolor": "#404040",
                "axes.grid": True,
                "axes.axisbelow": True,
                "grid.color": FAINT,
                "grid.linewidth": 0.4,
                "xtick.major.width": 0.6,
                "ytick.major.width": 0.6,
                "xtick.major.size": 2.5,
                "ytick.major.size": 2.5,
                "lines.linewidth": 1.1,
                "lines.markersize": 3.5,
                "patch.linewidth": 0.5,
                "figure.constrained_layout.h_pad": 0.03,
                "figure.constrained_layout.w_pad": 0.03,
                "pdf.fonttype": 42,
                "ps.fonttype": 42,
                "svg.fonttype": "path",
                "svg.hashsalt": "vosbench",
                "savefig.dpi": DPI,
                "savefig.facecolor": "white",
            }
        )
        yield


def series(index: int) -> dict[str, Any]:
    """Colour, dashes and marker of a series.

    >>> series(0)["color"], series(8)["linestyle"] == DASHES[1]
    ('#0072B2', True)
    """
    return {
        "color": COLOURS[index % len(COLOURS)],
        "linestyle": DASHES[index // len(COLOURS) % len(DASHES)],
        "marker": MARKERS[index % len(MARKERS)],
    }


def line(index: int) -> dict[str, Any]:
    """Colour and dashes of a line without markers."""
    return {key: value for key, value in series(index).items() if key != "marker"}


def unit_axis(axes: "Axes", which: str, label: str) -> None:
    """Label an axis whose values are in [0, 1]."""
    getattr(axes, f"set_{which}label")(label)
    getattr(axes, f"set_{which}lim")(0, 1)
    getattr(axes, f"set_{which}ticks")([0, 0.2, 0.4, 0.6, 0.8, 1])


def check_suffix(path: Path) -> None:
    """Refuse a file of another format.

    Raises:
        UsageError: if its name does not end in one of `FORMATS`.
    """
    if path.suffix.lower() not in FORMATS:
        raise UsageError(f'"{path}" should end in {", ".join(FORMATS[:-1])} or {FORMATS[-1]}')


def write(path: Path, figure: "Figure", dpi: int = DPI) -> None:
    """Write a figure, within its `style_sheet`; nothing in the file tells when or where."""
    kind = path.suffix.lower()[1:]
    creator = f"vosbench {__version__}"
    known: dict[str, dict[str, str | None]] = {
        "pdf": {"Creator": creator, "Producer": None, "CreationDate": None},
        "svg": {"Creator": creator, "Date": None},
        "png": {"Software": creator},
    }
    with being_written(path) as part:
        figure.savefig(part, format=kind, dpi=dpi, metadata=known[kind])


def legible(text: str) -> str:
    r"""Text with the characters that the font lacks as escapes, so that none becomes an empty box.

    >>> print(legible("J&F of 雪"))
    J&F of \u96ea
    """
    shown = "".join(sign if sign == " " or ord(sign) in _signs() else _escape(sign) for sign in printable(text))
    return f" {shown}" if shown.startswith("_") else shown  # matplotlib leaves labels with _ out of legends


def wrapped(text: str, size: float, inches: float) -> list[str]:
    """Text in lines of a width, divided at spaces and behind commas."""
    from matplotlib import font_manager

    font = font_manager.get_font(font_manager.findfont(FONT))
    font.set_size(size, 72)
    lines = [""]
    for word in re.findall(r"[^ ,]*[ ,]?", text):
        font.set_text(lines[-1] + word.rstrip())
        if font.get_width_height()[0] / 64 > inches * 72:
            lines.append("")
        lines[-1] += word
    return [line.rstrip() for line in lines if line.strip()]


def _escape(sign: str) -> str:
    units = sign.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


@cache
def _signs() -> frozenset[int]:
    from matplotlib import font_manager

    return frozenset(font_manager.get_font(font_manager.findfont(FONT)).get_charmap())
