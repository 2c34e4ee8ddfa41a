"""
One oplog entry on one line: index, time, kind, and what it says, with values in WAVE.

The cost of a line is bounded by its length, however large the values are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, TypeAlias

from golem_cli.render import escaped, indented, shortened, time_text
from golem_oplog.entries import (
    CancelPendingInvocation,
    Create,
    EndAtomicRegion,
    EndRemoteWrite,
    Error,
    Exited,
    ExportedFunctionCompleted,
    ExportedFunctionInvoked,
    ImportedFunctionInvoked,
    Jump,
    Log,
    PendingUpdate,
    PendingWorkerInvocation,
    Revert,
    Suspend,
)
from golem_oplog.public import Variant
from golem_oplog.types import Prim
from golem_oplog.views import EntryView, TypedValue, Undecodable
from golem_oplog.wave import render_wire

Fields: TypeAlias = dict[str, object]

VALUE_CHARS_MAX: Final = 80
"""Each list of arguments and each result, unless everything is asked for."""
KIND_WIDTH: Final = 27
INDEX_WIDTH: Final = 6
_FRAME: Final = re.compile(r'^[ |]*File "([^"\n]+)", line (\d+), in (\S+)$', re.MULTILINE)
"""Of a Python traceback."""


class LineForm:
    """How entries become lines for people."""

    def __init__(self, *, full: bool, color: bool) -> None:
        self._chars_max = None if full else VALUE_CHARS_MAX
        self._color = color

    def lines(self, view: EntryView, mark: str) -> Iterable[str]:
        when = time_text(view.timestamp)
        head = f"{view.index:>{INDEX_WIDTH}}  {when}  "
        flag = f"[{mark}] " if mark else ""
        body = f"{view.kind:<{KIND_WIDTH}} {flag}{escaped(self._details(view))}".rstrip()
        # With --full the only entry of several lines.
        detail = view.entry.detail if isinstance(view.entry, Error) else ""
        more = list(indented(detail)) if self._chars_max is None else []
        if not self._color:
            return [head + body, *more]
        # Dead entries recede as a whole, living ones let their kind stand out.
        first = f"\x1b[2m{head}{body}\x1b[0m" if mark else f"\x1b[2m{head}\x1b[0m{body}"
        return [first, *more]

    def _details(self, view: EntryView) -> str:  # noqa: PLR0911 - an arm per kind
        fields = view.fields
        match view.entry:
            case Create():
                return self._created(view.entry)
            case ImportedFunctionInvoked():
                return self._host_call(fields)
            case ExportedFunctionInvoked(idempotency_key=key):
                return f"{self._call(fields['function-name'], fields['request'])} key={key}"
            case ExportedFunctionCompleted(response=None):
                return ""
            case ExportedFunctionCompleted():
                return f"-> {self._value(fields['response'])}"
            case PendingWorkerInvocation():
                return self._pending(fields)
            case PendingUpdate(target_version=version):
                description = fields["update-description"]
                assert isinstance(description, Variant)
                return f"to version {version}, {description.case}"
            case Error():
                return self._failed(view.entry)
            case Log(context=context):
                speaker = f"{self._text(context)}: " if context else ""
                return f"{fields['level']} {speaker}{self._text(fields['message'])}"
            case Suspend(reason=reason, wake_at=wake_at):
                return reason if wake_at is None else f"{reason}, until {time_text(wake_at)}"
            case Jump(start=start, end=end) | Revert(start=start, end=end):
                return f"entries {start} to {end}"
            case EndAtomicRegion(begin_index=begin) | EndRemoteWrite(begin_index=begin):
                return f"begun at {begin}"
            case Exited(exit_code=code):
                return f"code {code}"
            case CancelPendingInvocation(idempotency_key=key):
                return f"key={key}"
            case _:
                return self._listed(fields)

    def _created(self, entry: Create) -> str:
        words = [entry.worker_name, f"version {entry.component_version}"]
        if entry.args:
            words.append(f"args {self._strings(entry.args)}")
        if entry.env:
            words.append(f"env {self._strings(f'{name}={value}' for name, value in entry.env)}")
        if entry.parent is not None:
            from golem_host.services.calls import CallRef

            how = "forked from" if CallRef.parse(entry.token) is None else "first called by"
            words.append(f"{how} {entry.parent[1]}")
        return " ".join(words)

    def _host_call(self, fields: Fields) -> str:
        call = self._call(fields["function-name"], fields["request"])
        if "error" in fields:
            return f"{call} failed: {self._text(fields['error'])}"
        response = fields["response"]
        return call if response is None else f"{call} -> {self._value(response)}"

    def _pending(self, fields: Fields) -> str:
        invocation = fields["invocation"]
        assert isinstance(invocation, Variant)
        if not isinstance(invocation.value, dict):
            return f"manual update to version {invocation.value}"
        parameters = invocation.value
        call = self._call(parameters["function-name"], parameters["input"])
        start = fields["not-before"]
        later = f" not before {time_text(start)}" if isinstance(start, int) else ""
        return f"{call} key={parameters['idempotency-key']}{later}"

    def _failed(self, entry: Error) -> str:
        retry = "" if entry.retry_at is None else f", retry at {time_text(entry.retry_at)}"
        frames = _FRAME.findall(entry.detail)
        # The traceback itself is shown with --full.
        place = " at {}:{} in {}".format(*frames[-1]) if frames else ""
        return f"{shortened(entry.message, self._chars_max)}{place}{retry}"

    def _call(self, name: object, arguments: object) -> str:
        if not isinstance(arguments, tuple):
            return f"{name}({self._value(arguments)})"
        shown = ", ".join(self._value(argument) for argument in arguments)
        return f"{name}({shortened(shown, self._chars_max)})"

    def _value(self, value: object) -> str:
        match value:
            case TypedValue(ty, wire):
                return render_wire(wire, ty, self._chars_max)
            case Undecodable(reason):
                return f"<{shortened(reason, self._chars_max)}>"
            case None:
                return "()"
            case _:
                return shortened(str(value), self._chars_max)

    def _text(self, text: object) -> str:
        return render_wire(str(text), Prim.STRING, self._chars_max)

    def _strings(self, texts: Iterable[str]) -> str:
        return shortened(" ".join(self._text(text) for text in texts), self._chars_max)

    def _listed(self, fields: Fields) -> str:
        shown = (
            f"{name}={self._value(value)}"
            for name, value in fields.items()
            if value not in (None, "", (), b"")
        )
        return " ".join(shown)
