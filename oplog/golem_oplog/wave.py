"""
WAVE, the text form of WIT values: ``{name: "book", price: 9.5}``, ``some(1)``, ``[red, blue]``.

What people type on a command line and read in a dump. Reading is directed by the type and gives
public values; see `golem_oplog.values` for those.

Source: ``crates/wasm-wave`` of wasm-tools, README and ``wave_ebnf.md``.
"""

from __future__ import annotations

from golem_oplog.wave_call import Call, parse_args, parse_call
from golem_oplog.wave_parser import parse_value
from golem_oplog.wave_printer import render_call, render_value, render_wire

__all__ = [
    "Call",
    "parse_args",
    "parse_call",
    "parse_value",
    "render_call",
    "render_value",
    "render_wire",
]
