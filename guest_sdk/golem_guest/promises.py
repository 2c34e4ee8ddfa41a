"""Values that somebody else gives (spec 7.4)."""

from __future__ import annotations

import json
from typing import Any, Self
from uuid import UUID

from golem_guest._limits import check_bytes
from golem_guest._world import component_id, host, imported, uuid_of

_HOST = host()
_TYPES = imported("golem:rpc/types", marker="WorkerId")


class Promise:
    """
    A cell that can be filled once, by anybody who knows its name.

    ``str(promise)`` is that name, ``<component>/<worker>/<index>``, for
    ``golem-host promise complete``, and `Promise.parse` its inverse.
    """

    def __init__(self, component: UUID, worker: str, index: int) -> None:
        self.component = component
        self.worker = worker
        self.index = index

    @classmethod
    def create(cls) -> Self:
        """A new one, of this worker."""
        made = _HOST.create_promise()
        component = uuid_of(made.worker_id.component_id.uuid)
        return cls(component, made.worker_id.worker_name, made.oplog_idx)

    @classmethod
    def parse(cls, text: str) -> Self:
        """
        The promise of a name.

        Raises:
            ValueError: It is none.
        """
        # The worker's own name may have slashes in it.
        component, _, rest = text.partition("/")
        worker, slash, index = rest.rpartition("/")
        try:
            if slash and index.isdecimal() and int(index) >> 64 == 0:
                return cls(UUID(component), worker, int(index))
        except ValueError:
            pass  # The id is none, or the index has more digits than Python reads.
        message = f"{text!r} is no promise: <component>/<worker>/<index>"
        raise ValueError(message)

    def __str__(self) -> str:
        return f"{self.component}/{self.worker}/{self.index}"

    def __repr__(self) -> str:
        return f"Promise({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Promise) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))

    def wait(self) -> bytes:
        """Its value, when there is one.  The worker needs no memory meanwhile."""
        found: bytes = _HOST.await_promise(self._id())
        return found

    def wait_json(self) -> Any:
        """As `wait`, for a value in JSON; a `ValueError` if it is none."""
        return json.loads(self.wait())

    def poll(self) -> bytes | None:
        """Its value, or None while there is none."""
        found: bytes | None = _HOST.poll_promise(self._id())
        return found

    def complete(self, value: bytes) -> bool:
        """
        Give it a value; False if it had one already, which it keeps.

        Raises:
            PayloadTooLargeError: It has more than 2,795,000 bytes.
        """
        check_bytes("the value of a promise", value, "store it elsewhere and give its name")
        return bool(_HOST.complete_promise(self._id(), value))

    def complete_json(self, value: object) -> bool:
        """As `complete`, with a value in compact JSON."""
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return self.complete(text.encode())

    def delete(self) -> None:
        """Remove it; no error if it is gone."""
        _HOST.delete_promise(self._id())

    def _id(self) -> object:
        worker = _TYPES.WorkerId(component_id(self.component), self.worker)
        return _HOST.PromiseId(worker, self.index)
