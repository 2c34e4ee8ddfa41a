"""
Idempotency keys that follow from an invocation's own key and a place in the log.

Source: spec 2.8, with the project's remark R17: a fork's keys differ from its source's.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID, uuid5

_ROOT_NAMESPACE: Final = "9c19b15a-c83d-46f7-9bc3-ead7923733f4"


def derive_key(base: str, index: int, fork_name: str = "") -> UUID:
    """
    The key of what happens at ``index`` of an invocation.

    Args:
        base: The invocation's own key, any text.
        index: Index of the last entry before the one that records the effect.
        fork_name: Name of the worker where it is a fork; empty where it is not.
    """
    namespace = _namespace(base)
    if fork_name:
        namespace = uuid5(namespace, f"fork-{fork_name}")
    return uuid5(namespace, f"oplog-index-{index}")


def _namespace(base: str) -> UUID:
    try:
        return UUID(base)
    except ValueError:
        return uuid5(UUID(_ROOT_NAMESPACE), base)
