"""What the errors of the log and of the host have in common."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from golem_oplog.lazy_dataclass import dataclass


@dataclass(eq=False, kw_only=True)
class DataError(Exception):
    """An exception whose fields are data; the base of this package's root and of the host's."""

    def __reduce__(self) -> tuple[Any, ...]:
        # A keyword-only dataclass exception does not unpickle by itself.
        return (_rebuild, (type(self), {f.name: getattr(self, f.name) for f in fields(self)}))


def _rebuild(cls: type[DataError], values: dict[str, Any]) -> DataError:
    return cls(**values)
