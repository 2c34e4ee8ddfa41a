"""
A worker's oplog, to make assertions on.

Each assertion that fails shows the log, one line per entry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from golem_host.wire import Public
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.views import EntryView, TypedValue

LINES_MAX: Final = 200
"""Of a log in a failure's message; its last ones are shown."""
TEXT_MAX: Final = 120
"""Characters of one value in such a line."""

_CALL: Final = "imported-function-invoked"
_INVOKED: Final = "exported-function-invoked"
_COMPLETED: Final = "exported-function-completed"


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """One function that was called, values in public form."""

    index: int
    """Of its entry; of an invocation, of the one that begins it."""
    function: str
    args: tuple[Public, ...]
    result: Public = None
    """None too where there is none (yet)."""


class WorkerLog:
    """The log at the time of each question."""

    def __init__(self, read: Callable[[], Iterator[EntryView]]) -> None:
        self._read = read

    def entries(self, kind: str | None = None) -> list[EntryView]:
        """All entries, or those of a kind, such as ``begin-atomic-region``."""
        return [entry for entry in self._read() if kind is None or entry.kind == kind]

    def kinds(self, *, hints: bool = True) -> list[str]:
        """The kind of each entry; without hints only what replay looks at."""
        return [entry.kind for entry in self._read() if hints or not entry.is_hint]

    def calls(self, function: str | None = None) -> list[RecordedCall]:
        """
        The host calls that were recorded, in order.

        Args:
            function: Only those whose name is this, or ends with it behind ``::``.
        """
        found = []
        for entry in self.entries(_CALL):
            name = str(entry.fields["function-name"])
            if function is None or name == function or name.endswith(f"::{function}"):
                args, result = entry.fields["request"], entry.fields["response"]
                found.append(RecordedCall(entry.index, name, _values(args), _value(result)))
        return found

    def invocations(self) -> list[RecordedCall]:
        """The exports that were called, in order."""
        found: list[RecordedCall] = []
        for entry in self._read():
            if entry.kind == _INVOKED:
                name = str(entry.fields["function-name"])
                found.append(RecordedCall(entry.index, name, _values(entry.fields["request"])))
            elif entry.kind == _COMPLETED and found:
                last = found[-1]
                result = _value(entry.fields["response"])
                found[-1] = RecordedCall(last.index, last.function, last.args, result)
        return found

    def errors(self) -> list[str]:
        """What each failed attempt failed of, in one line each."""
        return [str(entry.fields["error"]) for entry in self.entries("error")]

    def assert_count(self, what: str, times: int) -> None:
        """
        So many entries of a kind, or recorded calls of a function.

        Raises:
            AssertionError: There are more or fewer.
        """
        count = len(self.entries(what)) or len(self.calls(what))
        if count != times:
            raise AssertionError(f"{what}: {count} times, not {times}, in\n{self}")

    def assert_order(self, *steps: str) -> None:
        """
        Entries of these kinds, or calls of these functions, one after the other; others may stand
        in between.

        Raises:
            AssertionError: They do not.
        """
        left: Sequence[str] = steps
        for entry in self._read():
            name = str(entry.fields.get("function-name", ""))
            if left and (left[0] in (entry.kind, name) or name.endswith(f"::{left[0]}")):
                left = left[1:]
        if left:
            raise AssertionError(f"{left[0]} does not come (any more) in\n{self}")

    def __str__(self) -> str:
        lines = [_line(entry) for entry in self._read()]
        left_out = len(lines) - LINES_MAX
        head = [f"({left_out} more)"] if left_out > 0 else []
        return "\n".join([*head, *lines[-LINES_MAX:]])


def _value(typed: object) -> Public:
    """In public form; what cannot be read stands for itself."""
    return typed.value if isinstance(typed, TypedValue) else typed


def _values(typed: object) -> tuple[Public, ...]:
    return tuple(map(_value, typed)) if isinstance(typed, tuple) else (typed,)


def _line(entry: EntryView) -> str:
    fields = entry.fields
    parts = [f"{entry.index:>5}  {entry.kind}"]
    if "function-name" in fields:
        args = ", ".join(_short(each) for each in _values(fields.get("request", ())))
        parts.append(f"{fields['function-name']}({args})")
    if fields.get("response") is not None:
        parts.append(f"= {_short(_value(fields['response']))}")
    parts += [
        str(fields[name]).rstrip() for name in ("message", "error", "reason") if fields.get(name)
    ]
    return "  ".join(parts)


def _short(value: Public) -> str:
    text = repr(value)
    return text if len(text) <= TEXT_MAX else f"{text[:TEXT_MAX]}..."
