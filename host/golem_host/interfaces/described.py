"""What can be said of functions beyond their declarations: for the documentation and the tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from golem_host.declare import (
    READ_LOCAL,
    READ_REMOTE,
    WRITE_REMOTE,
    WRITE_REMOTE_BATCHED,
    HostFunction,
    Recorded,
)
from golem_host.interfaces.golem.api import identity, promises, search
from golem_host.interfaces.golem.rpc import asked, future
from golem_host.interfaces.golem.rpc import types as rpc
from golem_host.interfaces.offered import HOMES, registry
from golem_host.interfaces.wasi.blobstore import calls as blobstore
from golem_host.interfaces.wasi.filesystem.preopens import RECORD as DIRECTORIES_RECORD
from golem_host.interfaces.wasi.filesystem.types import STAT_AT_RECORD, STAT_RECORD
from golem_host.interfaces.wasi.keyvalue import calls as keyvalue
from golem_host.interfaces.wasi.sockets import ip_name_lookup, tcp, udp
from golem_oplog.entries import FunctionKind
from golem_oplog.log_pages import GET_NEXT, SEARCH_NEXT

if TYPE_CHECKING:
    from golem_host.component import Component

EXPORTED_BY_GUESTS: Final = frozenset(
    {
        "golem:api/load-snapshot",
        "golem:api/oplog-processor",
        "golem:api/save-snapshot",
        "wasi:cli/run",
        "wasi:http/incoming-handler",
    }
)


class Inside(NamedTuple):
    """A recorded call that a re-executed function makes on its own."""

    kind: FunctionKind
    record: str


def _inside(recorded: Recorded) -> Inside:
    return Inside(recorded.kind, recorded.type.name)


RECORDED_INSIDE: Final = {
    "golem:api/host.{[method]get-agents.get-next}": Inside(READ_REMOTE, search.RECORD),
    "golem:api/host.{[method]get-promise-result.get}": Inside(READ_REMOTE, promises.POLL_RECORD),
    "golem:api/host.{[method]get-workers.get-next}": Inside(READ_REMOTE, search.RECORD),
    "golem:api/host.{await-promise}": Inside(READ_REMOTE, promises.AWAIT_RECORD),
    "golem:api/host.{get-agent-metadata}": Inside(READ_REMOTE, identity.OTHER_RECORD),
    "golem:api/host.{get-self-metadata}": Inside(READ_REMOTE, identity.SELF_RECORD),
    "golem:api/host.{get-worker-metadata}": Inside(READ_REMOTE, identity.OTHER_RECORD),
    "golem:api/host.{resolve-agent-id}": Inside(WRITE_REMOTE, identity.RESOLVE_RECORD),
    "golem:api/host.{resolve-worker-id}": Inside(WRITE_REMOTE, identity.RESOLVE_RECORD),
    "golem:api/oplog.{[method]get-oplog.get-next}": Inside(READ_REMOTE, GET_NEXT),
    "golem:api/oplog.{[method]search-oplog.get-next}": Inside(READ_REMOTE, SEARCH_NEXT),
    **{f"wasi:blobstore/{name}": _inside(call) for name, call in blobstore.OF.items()},
    "golem:rpc/types.{[method]cancellation-token.cancel}": _inside(rpc.CANCEL),
    "golem:rpc/types.{[method]future-invoke-result.get}": _inside(future.GET),
    "golem:rpc/types.{[method]wasm-rpc.async-invoke-and-await}": _inside(asked.KEY),
    "golem:rpc/types.{[method]wasm-rpc.invoke-and-await}": _inside(rpc.AWAIT),
    "golem:rpc/types.{[method]wasm-rpc.invoke}": _inside(rpc.INVOKE),
    "golem:rpc/types.{[method]wasm-rpc.schedule-cancelable-invocation}": _inside(rpc.SCHEDULE),
    "golem:rpc/types.{[method]wasm-rpc.schedule-invocation}": _inside(rpc.SCHEDULE),
    "golem:rpc/types.{[static]wasm-rpc.ephemeral}": _inside(rpc.EPHEMERAL),
    "wasi:clocks/monotonic-clock.{subscribe-duration}": Inside(READ_LOCAL, "monotonic_clock::now"),
    "wasi:filesystem/preopens.{get-directories}": Inside(READ_LOCAL, DIRECTORIES_RECORD),
    "wasi:filesystem/types.{[method]descriptor.stat-at}": Inside(READ_LOCAL, STAT_AT_RECORD),
    "wasi:filesystem/types.{[method]descriptor.stat}": Inside(READ_LOCAL, STAT_RECORD),
    "wasi:http/types.{[method]future-incoming-response.get}": Inside(
        WRITE_REMOTE_BATCHED, "http::types::future_incoming_response::get"
    ),
    "wasi:http/types.{[method]future-trailers.get}": Inside(
        WRITE_REMOTE_BATCHED, "golem http::types::future_trailers::get"
    ),
    "wasi:io/poll.{[method]pollable.block}": Inside(READ_LOCAL, "golem io::poll::poll"),
    "wasi:io/poll.{poll}": Inside(READ_LOCAL, "golem io::poll::poll"),
    **{f"wasi:keyvalue/{name}": _inside(call) for name, call in keyvalue.OF.items()},
    "wasi:sockets/ip-name-lookup.{resolve-addresses}": _inside(ip_name_lookup.RESOLVE),
    "wasi:sockets/tcp.{[method]tcp-socket.accept}": _inside(tcp.ACCEPT),
    "wasi:sockets/tcp.{[method]tcp-socket.finish-connect}": _inside(tcp.CONNECT),
    "wasi:sockets/tcp.{[method]tcp-socket.start-bind}": _inside(tcp.BIND),
    "wasi:sockets/tcp.{[method]tcp-socket.start-listen}": _inside(tcp.LISTEN),
    "wasi:sockets/udp.{[method]incoming-datagram-stream.receive}": _inside(udp.RECEIVE),
    "wasi:sockets/udp.{[method]outgoing-datagram-stream.send}": _inside(udp.SEND),
    "wasi:sockets/udp.{[method]udp-socket.start-bind}": _inside(udp.BIND),
    "wasi:sockets/udp.{[method]udp-socket.stream}": _inside(udp.STREAM),
}
"""Functions that run again on replay, but for one call inside of them that is recorded."""

MARKERS: Final = {
    "golem:api/context.{[method]span.finish}": "finish-span",
    "golem:api/context.{[method]span.set-attribute}": "set-span-attribute",
    "golem:api/context.{[method]span.set-attributes}": "set-span-attribute",
    "golem:api/context.{start-span}": "start-span",
    "golem:api/host.{get-oplog-index}": "no-op",
    "golem:api/host.{mark-begin-operation}": "begin-atomic-region",
    "golem:api/host.{mark-end-operation}": "end-atomic-region",
    "golem:api/host.{set-oplog-index}": "jump",
    "golem:api/host.{set-oplog-persistence-level}": "change-persistence-level",
    "golem:api/host.{set-retry-policy}": "change-retry-policy",
    "golem:durability/durability.{begin-durable-function}": "begin-remote-write",
    "golem:durability/durability.{end-durable-function}": "end-remote-write",
    "golem:durability/durability.{persist-durable-function-invocation}": (
        "imported-function-invoked"
    ),
    "golem:durability/durability.{persist-typed-durable-function-invocation}": (
        "imported-function-invoked"
    ),
    "wasi:http/outgoing-handler.{handle}": "begin-remote-write",
}
"""Functions that leave an entry of a kind of their own."""


class Served(NamedTuple):
    """How the calls of a function are answered."""

    how: str
    """
    ``recorded``, ``re-executed`` on replay, ``refused``, or ``lent`` by an embedder, who decides
    about the rest.
    """
    kind: str = ""
    """The durable function type, or the kind of the entry that stands for the call."""
    record: str = ""
    """The name of its entries in the log."""


def served(function: HostFunction) -> Served:
    declaration = function.declaration
    if declaration.refused:
        return Served("refused")
    marker = MARKERS.get(function.full_name)
    if marker is not None:
        return Served("recorded", marker)
    inside = RECORDED_INSIDE.get(function.full_name)
    if inside is not None:
        return Served("recorded", inside.kind.label, inside.record)
    if declaration.kind is not None:
        return Served("recorded", declaration.kind.label, declaration.record or "")
    return Served("re-executed")


def served_imports(component: Component) -> dict[str, Served]:
    """How each function that a component imports is answered, by its full name."""
    offered = registry()
    found = {}
    for each in component.load(component).imports:
        function = offered.find(each.interface, each.name)
        found[each.type.name] = _unknown(each.interface) if function is None else served(function)
    return found


def _unknown(interface: str) -> Served:
    # Whatever was deployed is offered; an older version of the host may have offered more.
    is_ours = interface.partition("/")[0] in HOMES
    return Served("unknown" if is_ours else "lent")
