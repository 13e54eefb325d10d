"""The card of a contributed method: whose results a record holds, and what they were made with.

Conventions:
    A card is a YAML file, `FILE`, of which every value is text but the year. Links are https. A contribution is a
    folder with a card, a folder for each dataset with records, and perhaps thumbnails and masks.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from vosbench.errors import DataError, UsageError
from vosbench.files import write_whole
from vosbench.records.naming import check_name

FILE, THUMBNAILS, MASKS = "card.yaml", "thumbnails", "masks"
"""The names of a card, and of folders in a contribution that hold no records."""
MOST = 2**16
"""Bytes of a card."""
LONGEST = 200
"""Characters of a problem that are shown."""


def _printable(text: str) -> str:
    if not all(sign.isprintable() for sign in text):
        raise ValueError("invisible characters are not allowed")
    return text


def _name(text: str) -> str:
    try:
        return check_name(text)
    except UsageError as error:
        raise ValueError(str(error)) from None


def _link(text: str) -> str:
    if text and (not text.startswith("https://") or any(sign in text for sign in " \"'<>")):
        raise ValueError("links begin with https:// and have no spaces or quotes")
    return text


Line = Annotated[str, AfterValidator(_printable), Field(min_length=1, max_length=500)]
Link = Annotated[str, AfterValidator(_printable), AfterValidator(_link), Field(max_length=500)]


class MethodCard(BaseModel):
    """What a contribution says of its method."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: Annotated[Line, AfterValidator(_name)] = Field(description="name of the method, as its records are called")
    title: Line = Field(description="the name in the paper")
    paper: Line = Field(description="the citation; unpublished if there is none")
    year: int = Field(ge=1990, le=2100, description="of the paper, or of the masks")
    task: Literal["unsupervised", "semi-supervised", "image-saliency", "video-saliency"] = Field(
        description="semi-supervised if the method sees the annotation of a frame"
    )
    training: Line = Field(description="the data that it was trained on, also those of its backbone")
    contact: Line = Field(description="whom to ask: a name, an address, an account")
    venue: Annotated[str, AfterValidator(_printable), Field(max_length=100)] = Field(
        default="", description="where the paper appeared, such as ICCV"
    )
    url: Link = Field(default="", description="of the paper")
    code: Link = Field(default="", description="of the code")
    masks: Link = Field(default="", description="of the masks that were scored")
    notes: Annotated[str, AfterValidator(_printable), Field(max_length=2000)] = Field(
        default="", description="what else moves the numbers: post-processing, several scales, other frames"
    )


def read_card(path: Path) -> MethodCard:
    """Read a card.

    Raises:
        DataError: if the file is missing or not a card; the message names the first problem.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST + 1)
    except OSError as error:
        raise DataError(f'the card "{path}" cannot be read: {error.strerror}') from None
    if len(content) > MOST:
        raise DataError(f'"{path}" is not a card: it has more than {MOST} bytes')
    try:
        told: Any = yaml.load(content.decode("utf-8"), yaml.BaseLoader)  # noqa: S506 - makes nothing but text
        return MethodCard.model_validate(told)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])[:LONGEST] or "the file"
        raise DataError(f'"{path}" is not a card: {where}: {first["msg"][:LONGEST]}') from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        raise DataError(f'"{path}" is not a card: it is not YAML') from None


def card_of(record: Path, method: str) -> MethodCard | None:
    """The card of the contribution that a record's file is in; None if there is no valid one of this method."""
    path = record.parent.parent / FILE
    try:
        card = read_card(path) if path.is_file() else None
    except DataError:
        return None
    return card if card is not None and card.method == method else None


def write_card(path: Path, card: MethodCard) -> None:
    """Write a card, in the order of its fields, without what is empty."""
    said = {name: value for name, value in card.model_dump().items() if value != ""}
    write_whole(path, yaml.safe_dump(said, sort_keys=False, allow_unicode=True, width=100).encode())
