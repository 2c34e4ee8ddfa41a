"""
What the host offers, against every interface of ``wit/`` and against the names in its logs.

Recorded names and durable function types are log format: `RECORDED` is a literal table on purpose.
Whoever changes a line of it breaks every log that has the old one.

Source: spec section 4; ARCHITECTURE sections 7 and 11.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.generate_interfaces import TARGETS, with_table
from golem_host import Host
from golem_host.declare import without_version
from golem_host.errors import ComponentError, UnlinkableComponentError
from golem_host.interfaces.described import EXPORTED_BY_GUESTS, MARKERS, RECORDED_INSIDE
from golem_host.interfaces.golem.api.host import DIALECT_ONLY
from golem_host.interfaces.offered import registry
from golem_oplog.entries import KIND_BY_NAME, FunctionKind
from tests.support.components import component
from tests.support.repository import ROOT, shown
from tests.support.wasi_text import LOWERED, wasi_guest
from tests.support.wit_reader import read_folder

NOT_OFFERED = ("wasi:clocks/timezone", "wasi:keyvalue/cache")
"""Part of WASI, and of no host: not shipped."""

RECORDED = {
    "golem:api/host.{[method]get-agents.get-next}": "golem::api::get_workers",
    "golem:api/host.{[method]get-promise-result.get}": "golem::api::poll_promise",
    "golem:api/host.{[method]get-workers.get-next}": "golem::api::get_workers",
    "golem:api/host.{await-promise}": "golem::api::await_promise",
    "golem:api/host.{complete-promise}": "golem::api::complete_promise",
    "golem:api/host.{create-promise}": "golem::api::create_promise",
    "golem:api/host.{delete-promise}": "golem::api::delete_promise",
    "golem:api/host.{fork-agent}": "golem::api::fork_worker",
    "golem:api/host.{fork-worker}": "golem::api::fork_worker",
    "golem:api/host.{fork}": "golem::api::fork",
    "golem:api/host.{generate-idempotency-key}": "golem api::generate_idempotency_key",
    "golem:api/host.{get-agent-metadata}": "golem::api::get_worker_metadata",
    "golem:api/host.{get-self-metadata}": "golem::api::get_self_metadata",
    "golem:api/host.{get-worker-metadata}": "golem::api::get_worker_metadata",
    "golem:api/host.{poll-promise}": "golem::api::poll_promise",
    "golem:api/host.{resolve-agent-id-strict}": "golem::api::resolve_worker_id_strict",
    "golem:api/host.{resolve-agent-id}": "golem::api::resolve_component_id",
    "golem:api/host.{resolve-component-id}": "golem::api::resolve_component_id",
    "golem:api/host.{resolve-worker-id-strict}": "golem::api::resolve_worker_id_strict",
    "golem:api/host.{resolve-worker-id}": "golem::api::resolve_component_id",
    "golem:api/host.{revert-agent}": "golem::api::revert_worker",
    "golem:api/host.{revert-worker}": "golem::api::revert_worker",
    "golem:api/host.{update-agent}": "golem::api::update-worker",
    "golem:api/host.{update-worker}": "golem::api::update-worker",
    "golem:api/oplog.{[method]get-oplog.get-next}": "golem::api::oplog::get_next",
    "golem:api/oplog.{[method]search-oplog.get-next}": "golem::api::oplog::search_next",
    "wasi:blobstore/blobstore.{container-exists}": "golem blobstore::blobstore::container_exists",
    "wasi:blobstore/blobstore.{copy-object}": "golem blobstore::blobstore::copy_object",
    "wasi:blobstore/blobstore.{create-container}": "golem blobstore::blobstore::create_container",
    "wasi:blobstore/blobstore.{delete-container}": "golem blobstore::blobstore::delete_container",
    "wasi:blobstore/blobstore.{get-container}": "golem blobstore::blobstore::get_container",
    "wasi:blobstore/blobstore.{move-object}": "golem blobstore::blobstore::move_object",
    "wasi:blobstore/container.{[method]container.clear}": "golem blobstore::container::clear",
    "wasi:blobstore/container.{[method]container.delete-object}": (
        "golem blobstore::container::delete_object"
    ),
    "wasi:blobstore/container.{[method]container.delete-objects}": (
        "golem blobstore::container::delete_objects"
    ),
    "wasi:blobstore/container.{[method]container.get-data}": "golem blobstore::container::get_data",
    "wasi:blobstore/container.{[method]container.has-object}": (
        "golem blobstore::container::has_object"
    ),
    "wasi:blobstore/container.{[method]container.list-objects}": (
        "golem blobstore::container::list_object"
    ),
    "wasi:blobstore/container.{[method]container.object-info}": (
        "golem blobstore::container::object_info"
    ),
    "wasi:blobstore/container.{[method]container.write-data}": (
        "golem blobstore::container::write_data"
    ),
    "golem:rpc/types.{[method]cancellation-token.cancel}": "golem::rpc::cancellation-token::cancel",
    "golem:rpc/types.{[method]future-invoke-result.get}": "golem::rpc::future-invoke-result::get",
    "golem:rpc/types.{[method]wasm-rpc.async-invoke-and-await}": (
        "golem::rpc::wasm-rpc::invoke-and-await idempotency key"
    ),
    "golem:rpc/types.{[method]wasm-rpc.invoke-and-await}": (
        "golem::rpc::wasm-rpc::invoke-and-await result"
    ),
    "golem:rpc/types.{[method]wasm-rpc.invoke}": "golem::rpc::wasm-rpc::invoke",
    "golem:rpc/types.{[method]wasm-rpc.schedule-cancelable-invocation}": (
        "golem::rpc::wasm-rpc::schedule_invocation"
    ),
    "golem:rpc/types.{[method]wasm-rpc.schedule-invocation}": (
        "golem::rpc::wasm-rpc::schedule_invocation"
    ),
    "golem:rpc/types.{[static]wasm-rpc.ephemeral}": (
        "golem::rpc::wasm-rpc::generate_unique_local_worker_id"
    ),
    "wasi:cli/environment.{get-arguments}": "golem_environment::get_arguments",
    "wasi:cli/environment.{get-environment}": "golem_environment::get_environment",
    "wasi:cli/environment.{initial-cwd}": "golem_environment::initial_cwd",
    "wasi:clocks/monotonic-clock.{now}": "monotonic_clock::now",
    "wasi:clocks/monotonic-clock.{resolution}": "monotonic_clock::resolution",
    "wasi:clocks/monotonic-clock.{subscribe-duration}": "monotonic_clock::now",
    "wasi:clocks/wall-clock.{now}": "wall_clock::now",
    "wasi:clocks/wall-clock.{resolution}": "wall_clock::resolution",
    "wasi:filesystem/preopens.{get-directories}": "cli::preopens::get_directories",
    "wasi:filesystem/types.{[method]descriptor.stat-at}": "filesystem::types::descriptor::stat_at",
    "wasi:filesystem/types.{[method]descriptor.stat}": "filesystem::types::descriptor::stat",
    "wasi:http/types.{[method]future-incoming-response.get}": (
        "http::types::future_incoming_response::get"
    ),
    "wasi:http/types.{[method]future-trailers.get}": "golem http::types::future_trailers::get",
    "wasi:io/poll.{[method]pollable.block}": "golem io::poll::poll",
    "wasi:io/poll.{[method]pollable.ready}": "golem io::poll::ready",
    "wasi:io/poll.{poll}": "golem io::poll::poll",
    "wasi:keyvalue/atomic.{compare-and-swap}": "golem keyvalue::atomic::compare_and_swap",
    "wasi:keyvalue/atomic.{increment}": "golem keyvalue::atomic::increment",
    "wasi:keyvalue/eventual-batch.{delete-many}": "golem keyvalue::eventual_batch::delete_many",
    "wasi:keyvalue/eventual-batch.{get-many}": "golem keyvalue::eventual_batch::get_many",
    "wasi:keyvalue/eventual-batch.{keys}": "golem keyvalue::eventual_batch::get_keys",
    "wasi:keyvalue/eventual-batch.{set-many}": "golem keyvalue::eventual_batch::set_many",
    "wasi:keyvalue/eventual.{delete}": "golem keyvalue::eventual::delete",
    "wasi:keyvalue/eventual.{exists}": "golem keyvalue::eventual::exists",
    "wasi:keyvalue/eventual.{get}": "golem keyvalue::eventual::get",
    "wasi:keyvalue/eventual.{set}": "golem keyvalue::eventual::set",
    "wasi:random/insecure-seed.{insecure-seed}": "golem random::insecure_seed::insecure_seed",
    "wasi:random/insecure.{get-insecure-random-bytes}": (
        "golem random::insecure::get_insecure_random_bytes"
    ),
    "wasi:random/insecure.{get-insecure-random-u64}": (
        "golem random::insecure::get_insecure_random_u64"
    ),
    "wasi:random/random.{get-random-bytes}": "golem random::get_random_bytes",
    "wasi:random/random.{get-random-u64}": "golem random::get_random_u64",
    "wasi:sockets/ip-name-lookup.{resolve-addresses}": (
        "sockets::ip_name_lookup::resolve_addresses"
    ),
    "wasi:sockets/tcp.{[method]tcp-socket.accept}": "sockets::tcp::accept",
    "wasi:sockets/tcp.{[method]tcp-socket.finish-connect}": "sockets::tcp::finish_connect",
    "wasi:sockets/tcp.{[method]tcp-socket.start-bind}": "sockets::tcp::bind",
    "wasi:sockets/tcp.{[method]tcp-socket.start-listen}": "sockets::tcp::listen",
    "wasi:sockets/udp.{[method]incoming-datagram-stream.receive}": "sockets::udp::receive",
    "wasi:sockets/udp.{[method]outgoing-datagram-stream.send}": "sockets::udp::send",
    "wasi:sockets/udp.{[method]udp-socket.start-bind}": "sockets::udp::bind",
    "wasi:sockets/udp.{[method]udp-socket.stream}": "sockets::udp::stream",
}
"""Host function -> the name under which it is recorded; every other leaves no trace of its own."""

KINDS = {
    **{
        f"wasi:http/types.{{[method]{name}.get}}": FunctionKind.WRITE_REMOTE_BATCHED
        for name in ("future-incoming-response", "future-trailers")
    },
    "golem:api/host.{[method]get-agents.get-next}": FunctionKind.READ_REMOTE,
    "golem:api/host.{[method]get-promise-result.get}": FunctionKind.READ_REMOTE,
    "golem:api/host.{[method]get-workers.get-next}": FunctionKind.READ_REMOTE,
    "golem:api/host.{await-promise}": FunctionKind.READ_REMOTE,
    "golem:api/host.{complete-promise}": FunctionKind.WRITE_REMOTE,
    "golem:api/host.{create-promise}": FunctionKind.WRITE_LOCAL,
    "golem:api/host.{delete-promise}": FunctionKind.WRITE_REMOTE,
    "golem:api/host.{fork-agent}": FunctionKind.WRITE_REMOTE,
    "golem:api/host.{fork-worker}": FunctionKind.WRITE_REMOTE,
    "golem:api/host.{fork}": FunctionKind.WRITE_REMOTE,
    "golem:api/host.{generate-idempotency-key}": FunctionKind.WRITE_REMOTE,
    "golem:api/host.{get-agent-metadata}": FunctionKind.READ_REMOTE,
    "golem:api/host.{get-self-metadata}": FunctionKind.READ_REMOTE,
    "golem:api/host.{get-worker-metadata}": FunctionKind.READ_REMOTE,
    "golem:api/host.{poll-promise}": FunctionKind.READ_REMOTE,
    "golem:api/host.{resolve-agent-id-strict}": FunctionKind.WRITE_REMOTE,
    "golem:api/host.{resolve-agent-id}": FunctionKind.WRITE_REMOTE,
    "golem:api/host.{resolve-component-id}": FunctionKind.WRITE_REMOTE,
    "golem:api/host.{resolve-worker-id-strict}": FunctionKind.WRITE_REMOTE,
    "golem:api/host.{resolve-worker-id}": FunctionKind.WRITE_REMOTE,
    "golem:api/host.{revert-agent}": FunctionKind.WRITE_REMOTE,
    "golem:api/host.{revert-worker}": FunctionKind.WRITE_REMOTE,
    "golem:api/host.{update-agent}": FunctionKind.WRITE_REMOTE,
    "golem:api/host.{update-worker}": FunctionKind.WRITE_REMOTE,
    "golem:api/oplog.{[method]get-oplog.get-next}": FunctionKind.READ_REMOTE,
    "golem:api/oplog.{[method]search-oplog.get-next}": FunctionKind.READ_REMOTE,
    "wasi:blobstore/blobstore.{container-exists}": FunctionKind.READ_REMOTE,
    "wasi:blobstore/blobstore.{copy-object}": FunctionKind.WRITE_REMOTE,
    "wasi:blobstore/blobstore.{create-container}": FunctionKind.WRITE_REMOTE,
    "wasi:blobstore/blobstore.{delete-container}": FunctionKind.WRITE_REMOTE,
    "wasi:blobstore/blobstore.{get-container}": FunctionKind.READ_REMOTE,
    "wasi:blobstore/blobstore.{move-object}": FunctionKind.WRITE_REMOTE,
    "wasi:blobstore/container.{[method]container.clear}": FunctionKind.WRITE_REMOTE,
    "wasi:blobstore/container.{[method]container.delete-object}": FunctionKind.WRITE_REMOTE,
    "wasi:blobstore/container.{[method]container.delete-objects}": FunctionKind.WRITE_REMOTE,
    "wasi:blobstore/container.{[method]container.get-data}": FunctionKind.READ_REMOTE,
    "wasi:blobstore/container.{[method]container.has-object}": FunctionKind.READ_REMOTE,
    "wasi:blobstore/container.{[method]container.list-objects}": FunctionKind.READ_REMOTE,
    "wasi:blobstore/container.{[method]container.object-info}": FunctionKind.READ_REMOTE,
    "wasi:blobstore/container.{[method]container.write-data}": FunctionKind.WRITE_REMOTE,
    "wasi:keyvalue/atomic.{compare-and-swap}": FunctionKind.WRITE_REMOTE,
    "wasi:keyvalue/atomic.{increment}": FunctionKind.WRITE_REMOTE,
    "wasi:keyvalue/eventual-batch.{delete-many}": FunctionKind.WRITE_REMOTE,
    "wasi:keyvalue/eventual-batch.{get-many}": FunctionKind.READ_REMOTE,
    "wasi:keyvalue/eventual-batch.{keys}": FunctionKind.READ_REMOTE,
    "wasi:keyvalue/eventual-batch.{set-many}": FunctionKind.WRITE_REMOTE,
    "wasi:keyvalue/eventual.{delete}": FunctionKind.WRITE_REMOTE,
    "wasi:keyvalue/eventual.{exists}": FunctionKind.READ_REMOTE,
    "wasi:keyvalue/eventual.{get}": FunctionKind.READ_REMOTE,
    "wasi:keyvalue/eventual.{set}": FunctionKind.WRITE_REMOTE,
    "golem:rpc/types.{[method]cancellation-token.cancel}": FunctionKind.WRITE_REMOTE,
    "golem:rpc/types.{[method]future-invoke-result.get}": FunctionKind.WRITE_REMOTE,
    "golem:rpc/types.{[method]wasm-rpc.invoke-and-await}": FunctionKind.WRITE_REMOTE,
    "golem:rpc/types.{[method]wasm-rpc.invoke}": FunctionKind.WRITE_REMOTE,
    "golem:rpc/types.{[method]wasm-rpc.schedule-cancelable-invocation}": FunctionKind.WRITE_REMOTE,
    "golem:rpc/types.{[method]wasm-rpc.schedule-invocation}": FunctionKind.WRITE_REMOTE,
    "wasi:sockets/ip-name-lookup.{resolve-addresses}": FunctionKind.READ_REMOTE,
    "wasi:sockets/tcp.{[method]tcp-socket.accept}": FunctionKind.READ_REMOTE,
    "wasi:sockets/tcp.{[method]tcp-socket.finish-connect}": FunctionKind.READ_REMOTE,
    "wasi:sockets/tcp.{[method]tcp-socket.start-bind}": FunctionKind.WRITE_LOCAL,
    "wasi:sockets/tcp.{[method]tcp-socket.start-listen}": FunctionKind.WRITE_LOCAL,
    "wasi:sockets/udp.{[method]incoming-datagram-stream.receive}": FunctionKind.READ_REMOTE,
    "wasi:sockets/udp.{[method]outgoing-datagram-stream.send}": FunctionKind.WRITE_LOCAL,
    "wasi:sockets/udp.{[method]udp-socket.start-bind}": FunctionKind.WRITE_LOCAL,
    "wasi:sockets/udp.{[method]udp-socket.stream}": FunctionKind.WRITE_LOCAL,
}
"""Recorded functions that are not read-local."""

INTERFACES = {
    without_version(name): interface for name, interface in read_folder(ROOT / "wit")[0].items()
}
VERSIONS = {without_version(name): name.partition("@")[2] for name in read_folder(ROOT / "wit")[0]}


def offered() -> dict[str, set[str]]:
    """Interface -> import names of its functions."""
    functions: dict[str, set[str]] = defaultdict(set)
    for function in registry().functions():
        functions[function.interface].add(function.import_name)
    return functions


def declared(interface: str) -> tuple[set[str], set[str]]:
    """Functions and resources of an interface of ``wit/``."""
    lines = INTERFACES[interface].lines
    functions = {line.partition(": func")[0] for line in lines if ": func" in line}
    return functions, {line.split()[1] for line in lines if line.startswith("resource ")}


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with Host.open(tmp_path / "state") as opened:
        yield opened


def test_every_interface_has_one_place() -> None:
    """Each interface of wit/ is offered or the guest's to export, and nothing else is."""
    places = [*registry().interfaces(), *EXPORTED_BY_GUESTS]

    assert sorted(INTERFACES) == sorted(places)


@pytest.mark.parametrize("interface", registry().interfaces())
def test_an_offered_interface_is_offered_whole(interface: str) -> None:
    """With exactly its functions, and with each of its resources."""
    functions, resources = declared(interface)
    known = registry()

    assert functions == offered()[interface] - DIALECT_ONLY.get(interface, frozenset())
    assert resources == {r for r in resources if known.offers_resource(f"{interface}.{r}")}


def test_what_wasi_has_and_we_have_not_is_not_shipped() -> None:
    """Guests cannot be built against what no version of the host will answer."""
    assert set() == set(NOT_OFFERED) & {*INTERFACES, *registry().interfaces()}


def importing(interface: str) -> bytes:
    return component(f"""(component
      (import "{interface}" (instance (export "f" (func)))))""")


@pytest.mark.parametrize("interface", ["wasi:clocks/timezone@0.2.9", "wasi:keyvalue/cache@0.1.0"])
def test_an_import_that_no_host_offers_is_refused_by_name(interface: str, host: Host) -> None:
    """The name is in the message, and nothing is stored."""
    with pytest.raises(ComponentError, match=interface):
        host.components.deploy(importing(interface), name="guest")

    assert [] == host.components.all()


def test_all_that_is_missing_is_said_at_once(host: Host) -> None:
    """An unknown interface and an unknown function of a known one stand in one message."""
    wasm = component("""(component
      (import "acme:bank/vault" (instance (export "open" (func))))
      (import "wasi:clocks/wall-clock@0.2.3" (instance (export "tomorrow" (func)))))""")
    with pytest.raises(UnlinkableComponentError) as caught:
        host.components.deploy(wasm, name="guest")

    assert (
        "acme:bank/vault.{open}",
        "wasi:clocks/wall-clock@0.2.3.{tomorrow}",
    ) == caught.value.missing


def test_recorded_names_are_what_logs_have() -> None:
    """A change here is a change of the log format."""
    names = {
        function.full_name: function.declaration.record
        for function in registry().functions()
        if function.declaration.record is not None
    }

    inside = {name: call.record for name, call in RECORDED_INSIDE.items()}
    assert RECORDED == names | inside


def test_durable_function_types_are_what_logs_have() -> None:
    """Which calls are committed, and which are bracketed, follows from these."""
    kinds = {
        function.full_name: function.declaration.kind
        for function in registry().functions()
        if function.declaration.kind is not None
    }
    inside = {name: call.kind for name, call in RECORDED_INSIDE.items()}

    assert dict.fromkeys(RECORDED, FunctionKind.READ_LOCAL) | KINDS == kinds | inside


def test_markers_are_what_logs_have() -> None:
    """A function that leaves an entry of its own kind is offered, and records nothing else."""
    unrecorded = {f.full_name for f in registry().functions() if f.declaration.kind is None}

    assert set() == MARKERS.keys() - unrecorded
    assert set() == MARKERS.keys() & RECORDED.keys()
    assert set() == set(MARKERS.values()) - KIND_BY_NAME.keys()


CALLS = {
    "resolution": "(drop (call $resolution))",
    "now": "(drop (call $now))",
    "instant": "(local.set $timer (call $instant (i64.const 0)))",
    "ready": "(drop (call $ready (local.get $timer)))",
    "block": "(call $block (local.get $timer))",
    "poll": "(call $poll (i32.const 1024) (i32.const 1) (i32.const 65536))",
    "duration": "(drop (call $duration (i64.const 0)))",
    "wall": "(call $wall (i32.const 65536))",
    "wall-resolution": "(call $wall-resolution (i32.const 65536))",
    "random-bytes": "(call $random-bytes (i64.const 3) (i32.const 65536))",
    "random": "(drop (call $random))",
    "insecure-bytes": "(call $insecure-bytes (i64.const 3) (i32.const 65536))",
    "insecure": "(drop (call $insecure))",
    "seed": "(call $seed (i32.const 65536))",
    "environment": "(call $environment (i32.const 65536))",
    "arguments": "(call $arguments (i32.const 65536))",
    "cwd": "(call $cwd (i32.const 65536))",
    "stdin": "(local.set $in (call $stdin))",
    "stdout": "(local.set $out (call $stdout))",
    "stderr": "(drop (call $stderr))",
    "read": "(call $read (local.get $in) (i64.const 1) (i32.const 65536))",
    "blocking-read": "(call $blocking-read (local.get $in) (i64.const 1) (i32.const 65536))",
    "skip": "(call $skip (local.get $in) (i64.const 1) (i32.const 65536))",
    "blocking-skip": "(call $blocking-skip (local.get $in) (i64.const 1) (i32.const 65536))",
    "subscribe-input": "(drop (call $subscribe-input (local.get $in)))",
    "check-write": "(call $check-write (local.get $out) (i32.const 65536))",
    "write": "(call $write (local.get $out) (i32.const 0) (i32.const 2) (i32.const 65536))",
    "blocking-write": (
        "(call $blocking-write (local.get $out) (i32.const 0) (i32.const 2) (i32.const 65536))"
    ),
    "flush": "(call $flush (local.get $out) (i32.const 65536))",
    "blocking-flush": "(call $blocking-flush (local.get $out) (i32.const 65536))",
    "subscribe-output": "(drop (call $subscribe-output (local.get $out)))",
    "write-zeroes": "(call $write-zeroes (local.get $out) (i64.const 2) (i32.const 65536))",
    "blocking-write-zeroes": (
        "(call $blocking-write-zeroes (local.get $out) (i64.const 2) (i32.const 65536))"
    ),
    "splice": ("(call $splice (local.get $out) (local.get $in) (i64.const 2) (i32.const 65536))"),
    "blocking-splice": (
        "(call $blocking-splice (local.get $out) (local.get $in) (i64.const 2) (i32.const 65536))"
    ),
}
"""One call of each function, in an order that makes every handle before it is used."""


def test_each_call_leaves_its_name_in_the_log_and_no_other(host: Host) -> None:
    """A guest that calls every function once finds in its log what `RECORDED` says, in order."""
    body = " ".join(CALLS.values())
    wasm = wasi_guest(
        f"""(data (i32.const 1024) "\\01\\00\\00\\00")
        (func (export "everything") (local $timer i32) (local $in i32) (local $out i32) {body})""",
        """(func $f (canon lift (core func $main "everything")))
        (export "everything" (func $f))""",
    )
    guest = host.components.deploy(wasm, name="guest")
    worker = host.workers.get_or_create(guest, "alice")
    worker.invoke("everything")

    recorded = [
        entry.fields["function-name"]
        for entry in worker.oplog()
        if entry.kind == "imported-function-invoked"
    ]
    interfaces = dict(imported_as())
    by_stream = [name for name in recorded if str(name).startswith("cli::stdin::")]
    rest = [name for name in recorded if name not in by_stream]
    assert [RECORDED[interfaces[n]] for n in CALLS if interfaces[n] in RECORDED] == rest
    # What a call of a stream is in the log depends on the stream: reading, skipping and splicing.
    assert ["cli::stdin::read", "cli::stdin::blocking_read"] * 3 == by_stream


def imported_as() -> Iterator[tuple[str, str]]:
    """Name in `LOWERED` -> full name of the host function behind it."""
    packages = {
        "poll": "wasi:io/poll",
        "streams": "wasi:io/streams",
        "monotonic": "wasi:clocks/monotonic-clock",
        "wall": "wasi:clocks/wall-clock",
        "random": "wasi:random/random",
        "insecure": "wasi:random/insecure",
        "seed": "wasi:random/insecure-seed",
    }
    for name, (instance, function) in LOWERED.items():
        yield name, f"{packages.get(instance, f'wasi:cli/{instance}')}.{{{function}}}"


@pytest.mark.parametrize("document", TARGETS, ids=shown)
def test_the_table_of_a_document_is_fresh(document: Path) -> None:
    """What README.md and docs/guarantees.md say is offered is what is declared."""
    text = document.read_text(encoding="utf-8")

    assert with_table(text) == text, "run: python -m docs.generate_interfaces"
