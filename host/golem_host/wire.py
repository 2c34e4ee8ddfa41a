"""The two forms of a WIT value, as type names for whatever passes one on without looking inside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

Wire: TypeAlias = Any
"""A value in wire form: see `golem_oplog.types`."""

Public: TypeAlias = Any
"""A value in public form: see `golem_oplog.values`."""

WireFunction: TypeAlias = Callable[..., Any]
"""From a context and wire arguments to a wire result."""
