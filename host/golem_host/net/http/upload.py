"""
A request's body on its way out: written by the guest's thread, read by the loop.

While a replay rebuilds a guest nothing is sent.  What it writes then is thrown away where the
exchange is known to be over, and else kept in a file, for the case that the request is sent again.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Final

from golem_host.files.errors import PagesError
from golem_host.files.pages import TemporaryBacking
from golem_host.net.http.errors import HttpError, internal
from golem_host.net.http.pipe import WINDOW_BYTES, Bells, Fields, Pipe

KEPT_BYTES_MAX: Final = 4 << 30
"""Of a body that a replay writes; one with more is not sent again."""
PIECE_BYTES: Final = 65_536


class Upload:
    def __init__(self, bells: Bells) -> None:
        self.bells = bells
        self._pipe = Pipe(bells)
        self._kept: TemporaryBacking | None = None
        self._kept_bytes = self._read_bytes = 0
        self._is_kept = self._is_discarded = False
        self._taken: bytearray | None = bytearray()
        """What was sent so far, as long as it is little: for a second attempt."""
        self._again = b""

    # -- the guest's side ---------------------------------------------------------------------

    @property
    def room(self) -> int:
        return self._pipe.room

    @property
    def is_cut(self) -> bool:
        """Whether nobody reads it any more."""
        return self._pipe.is_cut

    def put(self, data: bytes) -> None:
        if self._is_kept:
            self._keep(data)
        elif not self._is_discarded:
            self._pipe.put(data)

    def end(self, trailers: Fields) -> None:
        self._pipe.end(trailers)

    def fail(self, error: HttpError) -> None:
        self._pipe.fail(error)

    def cut(self) -> None:
        """Nothing more is read."""
        self._pipe.cut()
        if self._kept is not None:
            self._kept.close()
        self._kept = None
        self._is_kept, self._is_discarded = False, True

    def keep(self, folder: Path | None) -> None:
        """From now on nothing is sent, and everything kept, until `resume`."""
        self._kept = TemporaryBacking(folder)
        self._is_kept = True
        # Where it has failed already, it is the sending that tells.
        with suppress(HttpError):
            while data := self._pipe.take(PIECE_BYTES):
                self._keep(data)

    def resume(self) -> None:
        """What is written from now on is sent behind what was kept."""
        self._is_kept = False
        self._taken = None

    def _keep(self, data: bytes) -> None:
        assert self._kept is not None
        if self._kept_bytes + len(data) > KEPT_BYTES_MAX:
            self.fail(internal("the request's body is too large to be sent again"))
            return
        try:
            self._kept.write(self._kept_bytes, data)
        except PagesError as error:
            self.fail(internal(f"the request's body cannot be kept to be sent again: {error}"))
            return
        self._kept_bytes += len(data)

    # -- the loop's side ----------------------------------------------------------------------

    @property
    def is_ready(self) -> bool:
        return bool(self._again) or self._read_bytes < self._kept_bytes or self._pipe.is_ready

    @property
    def trailers(self) -> Fields:
        return self._pipe.trailers

    def take(self) -> bytes | None:
        """
        The next piece, empty where there is none yet; None at the end.

        Raises:
            HttpError: It will never be whole.
        """
        if self._again:
            data, self._again = self._again, b""
            return data
        if self._kept is not None and self._read_bytes < self._kept_bytes:
            size = min(PIECE_BYTES, self._kept_bytes - self._read_bytes)
            try:
                data = self._kept.read(self._read_bytes, size)
            except PagesError as error:
                raise internal(f"the request's body cannot be read again: {error}") from error
            self._read_bytes += len(data)
            return data
        taken = self._pipe.take(PIECE_BYTES)
        if taken and self._taken is not None:
            self._taken += taken
            if len(self._taken) > WINDOW_BYTES:
                self._taken = None
        return taken

    def rewind(self) -> bool:
        """Whether it can be, and now is, sent from the beginning once more."""
        if self._taken is None:
            return False
        self._again = bytes(self._taken)
        return True
