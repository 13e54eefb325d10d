"""YAML that people write, read as text, lists and mappings.

Conventions:
    Every scalar is text, as in ``[001, 002]`` or ``[no, yes]``, so that YAML turns no name into a number or a truth
    value. There are no aliases and no keys that are given twice; a key without a value is left out.
"""

from pathlib import Path
from typing import Any

from vosbench.errors import DataError
from vosbench.images.opening import read_bytes

MOST = 2**20
"""Bytes of a file; a list of a hundred thousand frames fits."""
LONGEST = 200
"""Characters of a problem that are shown."""


def read_yaml(path: Path) -> Any:  # noqa: ANN401 - YAML
    """Read a file.

    Raises:
        DataError: if it cannot be read, is too large, is not YAML, has aliases, or keys that are given twice.
    """
    data = read_bytes(path, str(path))
    if len(data) > MOST:
        raise DataError(f'"{path}" has more than {MOST:,} bytes')
    return _parse(data, path)


def _parse(data: bytes, path: Path) -> Any:  # noqa: ANN401 - YAML
    import yaml

    try:
        text = data.decode("utf-8-sig")
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.BaseLoader)):
            raise DataError(f'"{path}" has an alias (*name), which is not read here; repeat what it stands for')
        node = yaml.compose(text, yaml.BaseLoader)
        return {} if node is None else _plain_value(node, path)
    except UnicodeDecodeError as error:
        raise DataError(f'"{path}" is not text in UTF-8: {error.reason}') from None
    except RecursionError:
        raise DataError(f'"{path}" is nested too deeply') from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        at = "" if mark is None else f" in line {mark.line + 1}"
        said = getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be parsed"
        raise DataError(f'"{path}" is not YAML{at}: {said[:LONGEST]}') from None


def _plain_value(node: Any, path: Path) -> Any:  # noqa: ANN401 - YAML
    """What a node holds: text, lists, and mappings whose keys are text; what is empty is left out of mappings."""
    import yaml

    if isinstance(node, yaml.ScalarNode):
        return node.value
    if isinstance(node, yaml.SequenceNode):
        return [_plain_value(each, path) for each in node.value]
    found: dict[str, Any] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise DataError(f'"{path}", line {line}: a key is not a name')
        if key.value in found:
            raise DataError(f'"{path}", line {line}: the key "{key.value[:LONGEST]}" is given twice')
        found[key.value] = _plain_value(value, path)
    return {key: value for key, value in found.items() if value != ""}
