"""Imports of the right name and another type: refused at load, each with both types."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from golem_host import Host, UnlinkableComponentError
from tests.support.components import component
from tests.support.wasi_text import wasi_guest

SELF = "self: borrow<wasi:io/streams.output-stream>"
FAILED = "last-operation-failed(own<wasi:io/error.error>)"
DATETIME = "record { seconds: u64, nanoseconds: u32 }"

RESULT = (
    '(import "wasi:clocks/wall-clock@0.2.3" (instance (export "now" (func (result string)))))',
    "wasi:clocks/wall-clock@0.2.3.{now}",
    "func() -> string",
    f"func() -> {DATETIME}",
)
PARAM = (
    """(import "wasi:random/random@0.2.0" (instance
      (export "get-random-bytes" (func (param "len" u32) (result (list u8))))))""",
    "wasi:random/random@0.2.0.{get-random-bytes}",
    "func(len: u32) -> list<u8>",
    "func(len: u64) -> list<u8>",
)
PARAM_NAME = (
    """(import "wasi:random/random@0.2.0" (instance
      (export "get-random-bytes" (func (param "size" u64) (result (list u8))))))""",
    "wasi:random/random@0.2.0.{get-random-bytes}",
    "func(size: u64) -> list<u8>",
    "func(len: u64) -> list<u8>",
)
RESOURCE = (
    """(import "wasi:io/error@0.2.3" (instance $error (export "error" (type (sub resource)))))
    (alias export $error "error" (type $error-type))
    (import "wasi:io/poll@0.2.3" (instance
      (alias outer 1 $error-type (type $e0)) (export "error" (type $e (eq $e0)))
      (export "poll" (func (param "in" (list (borrow $e))) (result (list u32))))))""",
    "wasi:io/poll@0.2.3.{poll}",
    "func(in: list<borrow<wasi:io/error.error>>) -> list<u32>",
    "func(in: list<borrow<wasi:io/poll.pollable>>) -> list<u32>",
)
OWNERSHIP = (
    """(import "wasi:io/poll@0.2.3" (instance (export "pollable" (type $p (sub resource)))
      (export "[method]pollable.ready" (func (param "self" (borrow $p)) (result bool)))
      (export "poll" (func (param "in" (list (own $p))) (result (list u32))))))""",
    "wasi:io/poll@0.2.3.{poll}",
    "func(in: list<own<wasi:io/poll.pollable>>) -> list<u32>",
    "func(in: list<borrow<wasi:io/poll.pollable>>) -> list<u32>",
)
HANDLE = (
    """(import "wasi:io/poll@0.2.3" (instance $poll (export "pollable" (type (sub resource)))))
    (alias export $poll "pollable" (type $pollable))
    (import "wasi:clocks/monotonic-clock@0.2.3" (instance
      (alias outer 1 $pollable (type $p0)) (export "pollable" (type $p (eq $p0)))
      (export "now" (func (result (own $p))))))""",
    "wasi:clocks/monotonic-clock@0.2.3.{now}",
    "func() -> own<wasi:io/poll.pollable>",
    "func() -> u64",
)
CASE = (
    """(import "wasi:io/error@0.2.3" (instance $error (export "error" (type (sub resource)))))
    (alias export $error "error" (type $error-type))
    (import "wasi:io/streams@0.2.3" (instance
      (alias outer 1 $error-type (type $e0)) (export "error" (type $e (eq $e0)))
      (export "output-stream" (type $o (sub resource)))
      (type $se0 (variant (case "closed") (case "last-operation-failed" (own $e))))
      (export "stream-error" (type $se (eq $se0)))
      (export "[method]output-stream.check-write"
        (func (param "self" (borrow $o)) (result (result u64 (error $se)))))))""",
    "wasi:io/streams@0.2.3.{[method]output-stream.check-write}",
    f"func({SELF}) -> result<u64, variant {{ closed, {FAILED} }}>",
    f"func({SELF}) -> result<u64, variant {{ {FAILED}, closed }}>",
)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with Host.open(tmp_path / "state") as opened:
        yield opened


@pytest.mark.parametrize(
    ("text", "function", "found", "expected"),
    [RESULT, PARAM, PARAM_NAME, RESOURCE, OWNERSHIP, HANDLE, CASE],
    ids=["result", "param", "param-name", "resource", "ownership", "handle", "case"],
)
def test_an_import_of_another_type_is_refused(
    text: str, function: str, found: str, expected: str, host: Host
) -> None:
    """The message has the import, its type and ours; nothing is stored."""
    with pytest.raises(UnlinkableComponentError) as caught:
        host.components.deploy(component(f"(component {text})"), name="guest")

    assert f"guest: imports {function} as {found}, but this host offers {expected}" == str(
        caught.value
    )
    assert (function,) == caught.value.mistyped
    assert () == caught.value.missing
    assert [] == host.components.all()


def test_all_that_is_missing_and_mistyped_is_one_message(host: Host) -> None:
    """A guest's author repairs everything at once."""
    wasm = component(f"""(component {RESULT[0]} {PARAM[0]}
      (import "acme:bank/vault" (instance (export "open" (func))))
      (import "wasi:random/insecure@0.2.9" (instance (export "get-dice" (func)))))""")
    with pytest.raises(UnlinkableComponentError) as caught:
        host.components.deploy(wasm, name="guest")

    error = caught.value
    assert ("acme:bank/vault.{open}", "wasi:random/insecure@0.2.9.{get-dice}") == error.missing
    assert (RESULT[1], PARAM[1]) == error.mistyped
    for part in (*error.missing, *RESULT[1:], *PARAM[1:]):
        assert part in str(error)
    assert 1 == len(str(error).splitlines())


def test_each_dialect_is_offered_in_the_message(host: Host) -> None:
    """Where several types would do, all of them are named."""
    wasm = component("""(component (import "golem:api/host@1.1.7" (instance
      (export "create-promise" (func (result u64))))))""")
    with pytest.raises(UnlinkableComponentError) as caught:
        host.components.deploy(wasm, name="guest")

    assert "but this host offers func() -> record { worker-id: record" in str(caught.value)
    assert " or func() -> record { agent-id: record" in str(caught.value)


def test_a_type_of_any_size_leaves_a_message_that_can_be_read(host: Host) -> None:
    """A guest may import what it likes; what is printed of it is bounded."""
    fields = " ".join(f'(field "name-{n}" string)' for n in range(1_000))
    wasm = component(f"""(component (import "wasi:clocks/wall-clock@0.2.3" (instance
      (type $d0 (record {fields})) (export "datetime" (type $d (eq $d0)))
      (export "now" (func (result $d))))))""")
    with pytest.raises(UnlinkableComponentError) as caught:
        host.components.deploy(wasm, name="guest")

    assert f"..., but this host offers func() -> {DATETIME}" in str(caught.value)
    assert 5_000 > len(str(caught.value))


@pytest.mark.parametrize("version", ["0.2.0", "0.2.3", "0.2.12"])
def test_every_version_of_wasi_links(version: str, host: Host) -> None:
    """All of io, clocks, random and cli, whatever the 0.2 a guest was built for."""
    guest = host.components.deploy(wasi_guest("", "", version=version), name="guest")

    assert f"wasi:io/streams@{version}" in {name.partition(".{")[0] for name in guest.imports}
