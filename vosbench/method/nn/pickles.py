"""Read pickles as data: nothing that a pickle names is imported, and nothing is called.

A pickle is a program for a small stack machine, whose instructions may call anything that can be imported. Here the
instructions are carried out on inert values. What a pickle names becomes a `Name`, what it would call an `Object`; only
the few functions that the caller passes, for tensors and the like, are called in its place.
"""

import io
import pickletools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import IO, Any

Value = Any
"""Plain values, containers, `Name` and `Object`, and what the caller's functions return."""


@dataclass(frozen=True, slots=True)
class Name:
    """A class or function that a pickle names; it is never looked up."""

    module: str
    name: str

    def __str__(self) -> str:
        """Module and name."""
        return f"{self.module}.{self.name}"


@dataclass(slots=True, eq=False)
class Object:
    """Something that a pickle would make by a call, and what it would put into it.

    Attributes:
        kind: what it would call.
        args: with which arguments.
        state: its attributes, if they are a dictionary.
        entries: the items that it would be given, as a dictionary is.
        listed: those that it would be given as a list is.
    """

    kind: Value
    args: tuple[Value, ...] = ()
    state: Value = None
    entries: dict[Value, Value] = field(default_factory=dict)
    listed: list[Value] = field(default_factory=list)


Maker = Callable[..., Value]
KEYS = (str, int, float, bytes, bool, type(None), Name)
"""What can be a key; other keys are dropped with their values, since hashing a nested tuple may take forever."""
PUSHED = {
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
    *("UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"),
}
CONSTANTS: dict[str, Value] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}


class Machine:
    """The stack machine of one pickle.

    Args:
        makers: ``"module.name"`` → what is called instead.
        persistent: turns the key of a persistent object, such as the bytes of a tensor, into the object.
    """

    def __init__(self, makers: Mapping[str, Maker], persistent: Callable[[Value], Value]) -> None:
        self._makers = makers
        self._persistent = persistent
        self._stack: list[Value] = []
        self._marks: list[int] = []
        self._memo: dict[int, Value] = {}

    def run(self, stream: IO[bytes]) -> Value:
        """Carry out a pickle up to its end.

        Raises:
            ValueError: if it is damaged or cut off. A damaged pickle may also cause an `IndexError`, `KeyError`,
                `TypeError`, `AttributeError`, `OverflowError` or `MemoryError`.
        """
        for code, arg, _ in pickletools.genops(stream):
            self._step(code.name, arg)
        return self._stack.pop()

    def _step(self, name: str, arg: Value) -> None:  # noqa: C901, PLR0912, PLR0915 - one case per instruction
        stack = self._stack
        if name in PUSHED:
            stack.append(arg)
            return
        if name in CONSTANTS:
            stack.append(CONSTANTS[name])
            return
        match name:
            case "PROTO" | "FRAME" | "STOP" | "READONLY_BUFFER":
                pass
            case "MARK":
                self._marks.append(len(stack))
            case "POP_MARK":
                self._since_mark()
            case "POP":
                if self._marks and self._marks[-1] == len(stack):
                    self._marks.pop()
                else:
                    stack.pop()
            case "DUP":
                stack.append(stack[-1])
            case "PUT" | "BINPUT" | "LONG_BINPUT":
                self._memo[arg] = stack[-1]
            case "MEMOIZE":
                self._memo[len(self._memo)] = stack[-1]
            case "GET" | "BINGET" | "LONG_BINGET":
                stack.append(self._memo[arg])
            case "EMPTY_TUPLE":
                stack.append(())
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                self._tuple(int(name[-1]))
            case "TUPLE":
                stack.append(tuple(self._since_mark()))
            case "EMPTY_LIST" | "EMPTY_SET":
                stack.append([])
            case "LIST" | "FROZENSET":
                stack.append(self._since_mark())
            case "APPEND":
                value = stack.pop()
                _extend(stack[-1], [value])
            case "APPENDS" | "ADDITEMS":
                values = self._since_mark()
                _extend(stack[-1], values)
            case "EMPTY_DICT":
                stack.append({})
            case "DICT":
                values, made = self._since_mark(), dict[Value, Value]()
                _update(made, values)
                stack.append(made)
            case "SETITEM":
                value, key = stack.pop(), stack.pop()
                _update(stack[-1], [key, value])
            case "SETITEMS":
                values = self._since_mark()
                _update(stack[-1], values)
            case "GLOBAL":
                module, _, called = arg.partition(" ")
                stack.append(Name(module, called))
            case "STACK_GLOBAL":
                called, module = stack.pop(), stack.pop()
                stack.append(Name(str(module), str(called)))
            case "INST":
                module, _, called = arg.partition(" ")
                stack.append(self._make(Name(module, called), self._since_mark()))
            case "OBJ":
                kind, *values = self._since_mark()
                stack.append(self._make(kind, values))
            case "REDUCE" | "NEWOBJ":
                values, kind = stack.pop(), stack.pop()
                stack.append(self._make(kind, values))
            case "NEWOBJ_EX":
                _, values, kind = stack.pop(), stack.pop(), stack.pop()
                stack.append(self._make(kind, values))
            case "BUILD":
                state = stack.pop()
                if isinstance(stack[-1], Object):
                    stack[-1].state = state
            case "PERSID":
                stack.append(self._persistent(arg))
            case "BINPERSID":
                stack.append(self._persistent(stack.pop()))
            case _:
                raise ValueError(f"its instruction {name} is not supported")

    def _since_mark(self) -> list[Value]:
        mark = self._marks.pop()
        values = self._stack[mark:]
        del self._stack[mark:]
        return values

    def _tuple(self, size: int) -> None:
        values = tuple(self._stack[-size:])
        if len(values) < size:
            raise ValueError("it is damaged")
        self._stack[-size:] = [values]

    def _make(self, kind: Value, values: Value) -> Value:
        args = tuple(values) if isinstance(values, (tuple, list)) else ()
        maker = self._makers.get(str(kind)) if isinstance(kind, Name) else None
        return Object(kind, args) if maker is None else maker(*args)


def _extend(container: Value, values: list[Value]) -> None:
    if isinstance(container, list):
        container.extend(values)
    elif isinstance(container, Object):
        container.listed.extend(values)


def _update(container: Value, values: list[Value]) -> None:
    held = container.entries if isinstance(container, Object) else container
    if isinstance(held, dict):
        held.update((key, value) for key, value in zip(values[::2], values[1::2], strict=True) if isinstance(key, KEYS))


def _no_persistent(key: Value) -> Value:
    return Object("persistent", (key,))


def load(
    source: bytes | IO[bytes],
    makers: Mapping[str, Maker] | None = None,
    persistent: Callable[[Value], Value] = _no_persistent,
) -> Value:
    """Read one pickle as data.

    Args:
        source: the pickle, or a file that stands at its beginning, and then behind its end.
        makers: see `Machine`.
        persistent: see `Machine`.

    Raises:
        ValueError: see `Machine.run`.

    >>> import pickle, pathlib
    >>> load(pickle.dumps({"epoch": 3, "path": pathlib.PurePosixPath("a")}))["path"].kind
    Name(module='pathlib', name='PurePosixPath')
    """
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    return Machine(makers or {}, persistent).run(stream)
