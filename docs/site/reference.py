"""Pages of commands, messages, fields and names, from their parsers, tables, models and docstrings."""

import importlib
import inspect
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer
from pieces import cell, plain, table

from vosbench.cli import app
from vosbench.dataset import description as descriptions
from vosbench.plan import schema as plans
from vosbench.records import record as records

SOURCES = ("faults.md", "masks.md", "weights.md")
"""Pages with tables of messages."""
COMMANDS = """# Command line

Options of several commands mean the same in each. [Exit codes](faults.md) tell what failed. `--debug` shows the
traceback of an error.
"""
MESSAGES = """# Errors by message

What an error message means, sorted by its first words; `…` stands for names and values. All of these are tested.
The last column has the page that says more, also what is left on disk. A message that is not here should explain
itself; one that ends in *unexpected* is a fault of vosbench: run the command again with `--debug` and report the
traceback.

"""
FIELDS = """# Fields of a record

A record is a JSON file, `<results>/<dataset>/<method>.json`; [records](records.md) says how it is named and when it
is replaced. Values are raw fractions, unrounded; `null` is unknown or incomplete, never 0. The JSON Schema is
shipped as `vosbench/records/record.schema.json`.
"""
DESCRIPTION = """## dataset.yaml

The optional description of [a folder of your own](own-data.md). Its JSON Schema is shipped as
`vosbench/dataset/dataset.schema.json`.
"""
PLAN = """## plan.yaml

A [plan](plans.md) of runs or scores. Its JSON Schema is shipped as `vosbench/plan/plan.schema.json`.
"""
ROOMS = {
    "vosbench": ("Python", "What `import vosbench` offers; [From Python](../python.md) introduces it."),
    "vosbench.method": (
        "Contracts of methods",
        "What a method implements and gets; [Add a method](../add-method.md) introduces it.",
    ),
    "vosbench.dataset": (
        "Contracts of datasets",
        "Datasets, videos, protocols and suites; [Add a dataset](../add-dataset.md) introduces them.",
    ),
    "vosbench.metrics": (
        "Measures as functions",
        "NumPy arrays in, Python numbers out; [Measures](../measures.md) has the definitions.",
    ),
    "vosbench.images": ("Images", "Reading and writing frames, masks and maps."),
}
"""Room → title and introduction of the page of its names."""


# Commands


def cli_page() -> str:
    """Every command with its arguments and options, from the parsers."""
    root = typer.main.get_command(app)
    parts = [COMMANDS]
    for name, command in root.commands.items():  # type: ignore[attr-defined]
        if hasattr(command, "commands"):
            parts.append(f"## vosbench {name}\n\n{command.help}\n")
            parts += [_command(f"{name} {each}", child, "###") for each, child in command.commands.items()]
        else:
            parts.append(_command(name, command, "##"))
    return "\n".join(parts)


def _command(name: str, command: Any, level: str) -> str:  # noqa: ANN401 - the class of the parser is typer's own
    context = command.make_context(f"vosbench {name}", [], resilient_parsing=True)
    usage = " ".join(["vosbench", name, *reversed(command.collect_usage_pieces(context))])
    records = [each.get_help_record(context) for each in command.params]
    rows = [
        (f"`{of.replace('|', '/')}`", _help(said)) for of, said in filter(None, records) if not of.startswith("--help")
    ]
    text = inspect.cleandoc(command.help or "")
    return f"{level} vosbench {name}\n\n```text\n{usage}\n```\n\n{_marked(text)}\n\n" + table(
        ("argument or option", "what it is"), rows
    )


def _help(text: str) -> str:
    return _marked(cell(text)).replace("  [", " [")


def _marked(text: str) -> str:
    """Text of a help with options and patterns of names as code, which Markdown would take for tags."""
    return re.sub(r"(?<![\w`-])(--[a-z][a-z-]*|(?:<[a-z]+>/?)+[.\w]*)", r"`\1`", text)


# Errors


def messages(text: str) -> Iterator[tuple[str, str, str]]:
    """The rows of a page's tables of messages: what failed, what is printed, the exit code ("" if there is none)."""
    message = code = None
    for line in text.splitlines():
        if not line.startswith("|"):
            message = None
            continue
        cells = [each.strip() for each in line.strip("|").split("|")]
        heads = [name for name in cells if name.startswith("what is printed") or name == "message"]
        if heads:
            message = cells.index(heads[0])
            code = cells.index("exit code") if "exit code" in cells else None
        elif message is not None and set(line) - set("|-: ") and cells[message] not in {"–", ""}:
            yield cells[0], cells[message], "3" if code is None else cells[code]


def troubleshooting_page(docs: Path) -> str:
    """Every message of the tables of faults, by its first words."""
    found = []
    for source in SOURCES:
        for fault, printed, code in messages((docs / source).read_text("utf-8")):
            found.append((printed, fault, code, f"[{source.removesuffix('.md')}]({source})"))
    rows = sorted(found, key=lambda row: re.sub(r"^[^a-z]*", "", row[0].lower()))
    return MESSAGES + table(("message", "what happened", "exit code", "more"), rows)


# Records and names


def schema_page() -> str:
    """The fields of a record, of a folder's description and of a plan, from their models."""
    record = json.loads(records.json_schema())
    parts = [
        FIELDS,
        _model("Record", record),
        *(_model(name, part) for name, part in record["$defs"].items()),
        DESCRIPTION,
    ]
    own = json.loads(descriptions.json_schema())
    parts.append(_fields(own))
    parts += [_model(name, part) for name, part in own.get("$defs", {}).items()]
    plan = json.loads(plans.json_schema())
    parts += [PLAN, _fields(plan)]
    # a name alone is short for the rest
    parts += [_model(name, part.get("anyOf", [part])[-1]) for name, part in plan["$defs"].items()]
    return "\n".join(parts)


def _model(name: str, schema: Mapping[str, Any]) -> str:
    about = str(schema.get("description", ""))
    return f"## {name}\n\n{plain(about)}\n\n{_fields(schema)}"


def _fields(schema: Mapping[str, Any]) -> str:
    required = set(schema.get("required", ()))
    rows = [
        (f"`{name}`", f"`{_type(of)}`", "yes" if name in required else "", cell(plain(of.get("description", ""))))
        for name, of in schema.get("properties", {}).items()
    ]
    return table(("field", "type", "required", "what it is"), rows)


def _type(schema: Mapping[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_type(each) for each in schema["anyOf"])
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema or "const" in schema:
        return " or ".join(json.dumps(each) for each in schema.get("enum", [schema.get("const")]))
    if "array" in schema.get("type", ""):
        return f"list of {_type(schema.get('items', {}))}"
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"name → {_type(schema['additionalProperties'])}"
    kind = schema.get("type", "any")
    return kind if isinstance(kind, str) else " or ".join(kind)


def _api(title: str, about: str, module: str, names: Sequence[str]) -> str:
    return f"# {title}\n\n{about}\n\n" + "\n".join(f"::: {module}.{name}\n" for name in names)


def _kind(of: object) -> int:
    """Functions come first, then classes, then errors."""
    return 0 if not isinstance(of, type) else 2 if issubclass(of, Exception) else 1


def api_pages() -> dict[str, str]:
    """Pages of names that mkdocstrings fills from docstrings."""
    elsewhere = {name for room in ROOMS if room != "vosbench" for name in importlib.import_module(room).__all__}
    pages = {}
    for room, (title, about) in ROOMS.items():
        found = importlib.import_module(room)
        names = [name for name in found.__all__ if room != "vosbench" or name not in elsewhere]
        names.sort(key=lambda name, of=found: _kind(getattr(of, name)))
        pages[f"api/{room.rpartition('.')[2]}.md"] = _api(title, about, room, names)
    return pages
