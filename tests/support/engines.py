"""Getting from bytes to a running instance in one line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from golem_host.engine import Engine, Handler, ImportedFunction, Instance, StoreContext


def returns_argument(_context: StoreContext, value: Any) -> Any:
    """A handler that gives back what it was given."""
    return value


class Guest:
    """An instance together with its exports by name; every import is answered by one handler."""

    def __init__(
        self,
        engine: Engine,
        wasm: bytes,
        handler: Handler | Callable[[ImportedFunction], Handler | None] = returns_argument,
        *,
        by_function: bool = False,
        dropped: list[tuple[str, int]] | None = None,
    ) -> None:
        self.component = engine.load(wasm, name="guest")
        self.exports = {export.name: export for export in self.component.exports}
        self.linked = self.component.link(
            handler if by_function else lambda _: handler,
            lambda name: (
                lambda _, rep: (dropped if dropped is not None else []).append((name, rep))
            ),
        )
        self.context = StoreContext()
        self.instance: Instance = self.linked.instantiate(self.context)

    def call(self, name: str, *args: Any) -> Any:
        return self.call_all(name, args)

    def call_all(self, name: str, args: Sequence[Any]) -> Any:
        return self.instance.call(self.exports[name], args)

    def renew(self) -> None:
        """Replace an instance that has died."""
        self.instance.close()
        self.context = StoreContext()
        self.instance = self.linked.instantiate(self.context)

    def close(self) -> None:
        self.instance.close()
