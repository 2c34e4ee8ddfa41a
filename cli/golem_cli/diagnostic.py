"""
CBOR diagnostic notation: how stored values are shown exactly as they are stored.

Source: RFC 8949 section 8, with ``<<...>>`` for CBOR inside a byte string (RFC 8610, appendix G).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import NamedTuple


class Embedded(NamedTuple):
    """A byte string that holds CBOR, shown as the value in it."""

    value: object


def notation(value: object) -> str:
    """`value` in diagnostic notation, on one line."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(int(value))
        case float():
            return _float(value)
        case str():
            return json.dumps(value, ensure_ascii=False)
        case bytes() | bytearray() | memoryview():
            return f"h'{bytes(value).hex()}'"
        case Embedded():
            return f"<<{notation(value.value)}>>"
        case Mapping():
            pairs = (f"{notation(name)}: {notation(item)}" for name, item in value.items())
            return f"{{{', '.join(pairs)}}}"
        case list() | tuple():
            return f"[{', '.join(map(notation, value))}]"
        case _:
            # Nothing else is ever stored.
            raise TypeError(type(value))


def _float(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return repr(value)
