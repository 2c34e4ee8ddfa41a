"""Oplog entries for programs (JSON) and for whoever wants to see what is stored (``--raw``)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from golem_cli.diagnostic import Embedded, notation
from golem_cli.render import escaped
from golem_oplog.cbor import decode_value
from golem_oplog.documents import entry_document
from golem_oplog.entries import (
    KIND_BY_CLASS,
    BlobRef,
    Entry,
    ExportedFunctionCompleted,
    ExportedFunctionInvoked,
    PendingWorkerInvocation,
)
from golem_oplog.errors import OplogError
from golem_oplog.protocol import ReadableOplog
from golem_oplog.views import EntryView
from golem_oplog.wittext import format_function

_HOLDS_CBOR = (ExportedFunctionInvoked, ExportedFunctionCompleted, PendingWorkerInvocation)
_SPANS = "spans"
"""The one field of these that is none."""


class JsonForm:
    """One document per entry, on one line."""

    def lines(self, view: EntryView, mark: str) -> Iterable[str]:
        document = entry_document(view)
        fields = document.pop("fields")
        return [json.dumps(document | {"mark": mark or None, "fields": fields})]


class RawForm:
    """The stored fields in CBOR diagnostic notation, each definition before its first use."""

    def __init__(self, log: ReadableOplog) -> None:
        self._log = log
        self._defined: set[int] = set()

    def lines(self, view: EntryView, mark: str) -> Iterable[str]:
        entry = view.entry
        function = getattr(entry, "function", None)
        if isinstance(function, int) and function not in self._defined:
            self._defined.add(function)
            yield from self._definition(function)
        stored: dict[str, object] = {
            "index": view.index,
            "kind": view.kind,
            "tag": KIND_BY_CLASS[type(entry)].tag,
        }
        names = entry._fields
        stored.update(
            (name, _raw(entry, name, value)) for name, value in zip(names, entry, strict=True)
        )
        comment = f" / {mark} /" if mark else ""
        yield escaped(notation(stored)) + comment

    def _definition(self, number: int) -> Iterator[str]:
        try:
            function = self._log.function(number)
        except OplogError:
            # The entry is shown all the same: its number is what is stored.
            return
        signature = format_function(function).removeprefix(f"{function.name}: ")
        stored = {"definition": number, "name": function.name, "type": signature}
        yield escaped(notation(stored))


def _raw(entry: Entry, name: str, value: object) -> object:
    match value:
        case BlobRef(sha256, size_bytes):
            return {"blob": sha256, "size_bytes": size_bytes}
        case bytes() if value and name != _SPANS and isinstance(entry, _HOLDS_CBOR):
            try:
                return Embedded(decode_value(value))
            except OplogError:
                return value
        case _:
            return value
