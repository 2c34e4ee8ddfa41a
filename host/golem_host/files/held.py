"""
Values on their way between a guest and a store: small ones in memory, others in a nameless file.

The guest makes them again on every replay, from what it does and from what is recorded, so nothing
here outlives the instance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Self

from golem_host.files.errors import FileError
from golem_host.files.pages import PAGE_BYTES, Content, Pages, TemporaryBacking

if TYPE_CHECKING:
    from golem_host.context import InstanceContext

HELD_BYTES_MAX: Final = 2 << 30
"""
What all values of an instance may take together.

The same everywhere: a guest that is replayed meets its bounds where it met them first.
"""
NAMES_BYTES_MAX: Final = 64 << 20
"""And what names of objects that are being listed may."""


NO_ROOM: Final = f"the values that are held take more than {HELD_BYTES_MAX} bytes: drop some"


class FullError(Exception):
    """The values that a guest holds are too much; in words for it."""


class Values:
    """What ``context.part(Values)`` gives."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages
        self._names_bytes = 0

    @classmethod
    def begin(cls, context: InstanceContext) -> Self:
        return cls(Pages(TemporaryBacking(context.services.files.scratch), HELD_BYTES_MAX))

    @property
    def room_bytes(self) -> int:
        """What is left for values; small ones take none of it."""
        return self.pages.bytes_max - self.pages.used_bytes

    def close(self) -> None:
        self.pages.backing.close()

    def hold_names(self, size: int) -> None:
        """
        Count names that lie in memory; negative once they are gone.

        Raises:
            FullError: They are too many.
        """
        if size > 0 and self._names_bytes + size > NAMES_BYTES_MAX:
            raise FullError(f"names of more than {NAMES_BYTES_MAX} bytes are being listed")
        self._names_bytes += size


class Held:
    """
    Bytes that grow at their end.

    Whoever uses them says so: `share` for each use after the first, `release` when one has ended.
    """

    __slots__ = ("_content", "_pages", "_small", "_users")

    def __init__(self, values: Values) -> None:
        self._pages = values.pages
        self._small = b""
        self._content: Content | None = None
        self._users = 1

    @property
    def size(self) -> int:
        return len(self._small) if self._content is None else self._content.size

    def append(self, data: bytes) -> None:
        """
        Raises:
            FullError: There is no room; nothing has changed.
        """
        if self._content is None:
            if len(self._small) + len(data) <= PAGE_BYTES:
                self._small += data
                return
            content = Content(self._pages)
            self._write(content, self._small + data)
            self._content, self._small = content, b""
        else:
            self._write(self._content, data)

    def _write(self, content: Content, data: bytes) -> None:
        try:
            content.write(content.size, data)
        except FileError:
            raise FullError(NO_ROOM) from None

    def read(self, offset: int, size: int) -> bytes:
        if self._content is None:
            return self._small[offset : offset + size]
        return self._content.read(offset, size)

    def share(self) -> None:
        self._users += 1

    def release(self) -> None:
        self._users -= 1
        if self._users == 0 and self._content is not None:
            self._content.free()
