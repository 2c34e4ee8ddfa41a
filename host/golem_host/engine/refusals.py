"""
What is refused before anything runs, each with one line that says what to do instead.

A component that this engine cannot carry must not get as far as a call: stream and future values
abort the process.  The engine is configured without them, so it refuses them itself; here its text
is put into words for whoever built the component.
"""

from __future__ import annotations

import re
from typing import Final

from golem_host.engine.binary import FileKind, file_kind
from golem_host.errors import ComponentError

_INTERFACE: Final = (
    r"(?P<package>[a-z][a-z0-9-]*:[a-z][a-z0-9-]*)/(?P<name>[^@]+)(?:@(?P<version>.+))?"
)
"""Compiled when the first component with such names is loaded."""

_NOT_OFFERED: Final = {
    "wasi:clocks/timezone": "the time zone of a host is no durable fact",
    "wasi:keyvalue/cache": "a cache promises nothing that could be replayed",
}

_RELEASED_TOGETHER: Final = {
    "wasi:cli",
    "wasi:clocks",
    "wasi:filesystem",
    "wasi:http",
    "wasi:io",
    "wasi:random",
    "wasi:sockets",
}
"""WASI proper.  Proposals such as wasi:keyvalue have versions of their own, drafts among them."""

_ASYNC_FEATURES: Final = (
    "component model async feature",
    "component model error-context feature",
    "component model async builtins feature",
)


def refuse_header(name: str, wasm: bytes) -> None:
    """Refuse what is not a component; raises `ComponentError`."""
    kind = file_kind(wasm)
    if kind is FileKind.COMPONENT:
        return
    if kind is FileKind.CORE_MODULE:
        reason = (
            "a core module, not a component"
            + (" (it uses WASI preview 1)" if b"wasi_snapshot_preview1" in wasm else "")
            + "; turn it into one with `wasm-tools component new` or `jco new`"
        )
    elif not wasm:
        reason = "the file is empty"
    else:
        reason = "not a WebAssembly component: it does not begin with the component preamble"
    raise ComponentError(component=name, reason=reason)


def refuse_interface(name: str, interface: str, *, exported: bool) -> None:
    """Refuse versions and interfaces that are not offered; raises `ComponentError`."""
    match = re.fullmatch(_INTERFACE, interface)
    if match is None:
        return
    verb = "exports" if exported else "imports"
    version = match["version"] or ""
    why = None if exported else _NOT_OFFERED.get(f"{match['package']}/{match['name']}")
    if why is not None:
        reason = f"imports {interface}, which this host does not offer: {why}"
    elif match["package"] not in _RELEASED_TOGETHER or not version:
        return
    elif version.startswith("0.2.0-"):
        reason = f"{verb} {interface}, a release candidate; build it for WASI 0.2.0 or later"
    elif not version.startswith("0.2."):
        reason = f"{verb} {interface}; this host offers WASI 0.2: build it for that"
    else:
        return
    raise ComponentError(component=name, reason=reason)


def invalid(name: str, engine_text: str) -> ComponentError:
    """The refusal for bytes that the engine did not accept."""
    lines = [line.strip() for line in engine_text.splitlines() if line.strip()]
    cause = lines[-1] if lines else "unknown reason"
    cause = re.sub(r"^\d+: ", "", cause)
    if any(feature in cause for feature in _ASYNC_FEATURES):
        what = cause.partition(" require")[0].replace("`", "")
        reason = (
            f"uses {what}: WASI 0.3 and async components cannot be hosted; build it for WASI 0.2"
        )
    else:
        reason = f"damaged or invalid: {cause}"
    return ComponentError(component=name, reason=reason)
