"""``golem:rpc/types``: names and values work, calls to other workers are refused."""

from __future__ import annotations

from typing import Any

import pytest

from golem_host.failures import GuestError
from golem_host.interfaces.golem.rpc.types import RPC, WHY
from golem_oplog.types import (
    FunctionType,
    HandleType,
    ListType,
    OptionType,
    Prim,
    RecordType,
    ResultType,
    VariantType,
    WitType,
)
from golem_oplog.values import Err, Ok, Variant, from_wire, to_wire
from tests.support.contexts import context_on, new_log
from tests.support.host_api import COMPONENT_ID, UUID, uuid_value, worker_value
from tests.support.scripted_guest import Params, handlers, imported

INTERFACE = "golem:rpc/types"
TEXT = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"

ERROR = VariantType(
    (
        ("protocol-error", Prim.STRING),
        ("denied", Prim.STRING),
        ("not-found", Prim.STRING),
        ("remote-internal-error", Prim.STRING),
    )
)
# Their insides are nothing to these functions.
VALUE = RecordType((("nodes", ListType(Prim.U8)),))
TYPE = RecordType((("nodes", ListType(Prim.STRING)),))
BOTH = RecordType((("value", VALUE), ("typ", TYPE)))
WORKER_ID = RecordType((("component-id", COMPONENT_ID), ("worker-name", Prim.STRING)))
TIME = RecordType((("seconds", Prim.U64), ("nanoseconds", Prim.U32)))


def handle(name: str, *, owned: bool = False) -> HandleType:
    return HandleType(f"{INTERFACE}.{name}", owned=owned)


CALL: Params = (("function-name", Prim.STRING), ("function-params", ListType(VALUE)))
LINE = ("self", handle("wasm-rpc"))
FUNCTIONS: dict[str, tuple[Params, WitType | None]] = {
    "parse-uuid": ((("uuid", Prim.STRING),), ResultType(UUID, Prim.STRING)),
    "uuid-to-string": ((("uuid", UUID),), Prim.STRING),
    "extract-value": ((("vnt", BOTH),), VALUE),
    "extract-type": ((("vnt", BOTH),), TYPE),
    "[constructor]wasm-rpc": ((("worker-id", WORKER_ID),), handle("wasm-rpc", owned=True)),
    "[static]wasm-rpc.ephemeral": (
        (("component-id", COMPONENT_ID),),
        handle("wasm-rpc", owned=True),
    ),
    "[method]wasm-rpc.invoke-and-await": ((LINE, *CALL), ResultType(VALUE, ERROR)),
    "[method]wasm-rpc.invoke": ((LINE, *CALL), ResultType(None, ERROR)),
    "[method]wasm-rpc.async-invoke-and-await": (
        (LINE, *CALL),
        handle("future-invoke-result", owned=True),
    ),
    "[method]wasm-rpc.schedule-invocation": ((LINE, ("time", TIME), *CALL), None),
    "[method]wasm-rpc.schedule-cancelable-invocation": (
        (LINE, ("time", TIME), *CALL),
        handle("cancellation-token", owned=True),
    ),
    "[method]future-invoke-result.subscribe": (
        (("self", handle("future-invoke-result")),),
        HandleType("wasi:io/poll.pollable", owned=True),
    ),
    "[method]future-invoke-result.get": (
        (("self", handle("future-invoke-result")),),
        OptionType(ResultType(VALUE, ERROR)),
    ),
}


class Guest:
    def __init__(self) -> None:
        imports = [imported(INTERFACE, n, p, r) for n, (p, r) in FUNCTIONS.items()]
        self._types: dict[str, FunctionType] = {each.name: each.type for each in imports}
        self._handlers = handlers(RPC, imports)
        self.context = context_on(new_log())

    def __call__(self, name: str, *args: Any) -> Any:
        function = self._types[name]
        wires = [
            arg if isinstance(ty, HandleType) else to_wire(ty)(arg)
            for (_, ty), arg in zip(function.params, args, strict=True)
        ]
        wire = self._handlers[name](self.context, *wires)
        if function.result is None or isinstance(function.result, HandleType):
            return wire
        return from_wire(function.result)(wire)


@pytest.fixture
def guest() -> Guest:
    return Guest()


def test_uuids_are_read_and_written(guest: Guest) -> None:
    """The usual form, with lower case hexadecimal digits."""
    assert Ok(uuid_value(TEXT)) == guest("parse-uuid", TEXT.upper())
    assert TEXT == guest("uuid-to-string", uuid_value(TEXT))


@pytest.mark.parametrize("text", ["", "x", TEXT[:-1], TEXT + "0", "ü" * 36, "\0" * 10_000])
def test_other_texts_are_no_uuid(guest: Guest, text: str) -> None:
    """The guest is told, and nothing traps."""
    assert Err(f"{text!r} is no UUID") == guest("parse-uuid", text)


def test_a_pair_has_two_halves(guest: Guest) -> None:
    """Each is given back as it is."""
    pair = {"value": {"nodes": b"abc"}, "typ": {"nodes": ["x"]}}

    assert pair["value"] == guest("extract-value", pair)
    assert pair["typ"] == guest("extract-type", pair)


@pytest.mark.parametrize("ephemeral", [False, True])
def test_a_call_to_another_worker_is_denied(guest: Guest, *, ephemeral: bool) -> None:
    """As a value, which the guest can handle; nothing is recorded."""
    if ephemeral:
        line = guest("[static]wasm-rpc.ephemeral", worker_value("bob")["component-id"])
    else:
        line = guest("[constructor]wasm-rpc", worker_value("bob"))
    denied = Err(Variant("denied", WHY))

    assert denied == guest("[method]wasm-rpc.invoke", line, "f", [])
    assert denied == guest("[method]wasm-rpc.invoke-and-await", line, "f", [])
    future = guest("[method]wasm-rpc.async-invoke-and-await", line, "f", [])
    assert guest("[method]future-invoke-result.subscribe", future) > 0
    assert denied == guest("[method]future-invoke-result.get", future)
    with pytest.raises(GuestError, match="was taken before"):
        guest("[method]future-invoke-result.get", future)
    assert 1 == guest.context.oplog.last_index


def test_a_schedule_traps(guest: Guest) -> None:
    """It has no way to say no, and must not pretend."""
    line = guest("[constructor]wasm-rpc", worker_value("bob"))
    for name in ("schedule-invocation", "schedule-cancelable-invocation"):
        with pytest.raises(GuestError, match="not offered by this version"):
            guest(f"[method]wasm-rpc.{name}", line, {"seconds": 0, "nanoseconds": 0}, "f", [])
