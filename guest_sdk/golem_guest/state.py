"""State that goes along to a new version of the guest (``save-snapshot`` and ``load-snapshot``)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

from componentize_py_types import Err

from golem_guest._limits import check_bytes


class State(MutableMapping[str, Any]):
    """
    A mapping of names to values of JSON, which saves and loads itself.

    ::

        state = State(count=0)
        SaveSnapshot, LoadSnapshot = state.snapshots()

    The world exports ``golem:api/save-snapshot@1.1.7`` and ``golem:api/load-snapshot@1.1.7``.
    """

    def __init__(self, **initial: Any) -> None:
        self._values: dict[str, Any] = dict(initial)

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._values[name] = value

    def __delitem__(self, name: str) -> None:
        del self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def snapshots(
        self, migrate: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    ) -> tuple[type, type]:
        """
        The classes that the world's two exports are made of.

        Args:
            migrate: Makes what an older version has saved into what this one expects.  Names that
                it does not give keep their initial values.
        """
        values = self._values

        class SaveSnapshot:
            def save(self) -> bytes:
                saved = json.dumps(values, ensure_ascii=False).encode()
                check_bytes("the state, as JSON", saved, "keep what is large outside of it")
                return saved

        class LoadSnapshot:
            def load(self, bytes: bytes) -> None:  # noqa: A002 - the name that the WIT gives it
                try:
                    saved = json.loads(bytes)
                    if not isinstance(saved, dict):
                        raise Err("the snapshot is no JSON object")
                    values.update(saved if migrate is None else migrate(saved))
                except ValueError as error:
                    raise Err(f"the snapshot is no JSON: {error}") from error

        return SaveSnapshot, LoadSnapshot
