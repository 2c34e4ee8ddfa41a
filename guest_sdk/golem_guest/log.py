"""`logging` by way of ``wasi:logging``."""

from __future__ import annotations

import logging

from golem_guest._limits import check_text
from golem_guest._world import imported

_WASI = imported("wasi:logging/logging", marker="Level")
_TRACE = 5


class WasiHandler(logging.Handler):
    """
    Writes records to the worker's log, each once however often the worker is rebuilt.

    ``logging.basicConfig(level=logging.INFO, handlers=[WasiHandler()])``
    """

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = self.format(record)
            check_text("a log message", text, "log less of it")
            _WASI.log(_level(record.levelno), record.name, text)
        except Exception:  # noqa: BLE001 - as every handler
            self.handleError(record)


def _level(number: int) -> object:
    levels = (
        (logging.CRITICAL, _WASI.Level.CRITICAL),
        (logging.ERROR, _WASI.Level.ERROR),
        (logging.WARNING, _WASI.Level.WARN),
        (logging.INFO, _WASI.Level.INFO),
        (_TRACE + 1, _WASI.Level.DEBUG),
    )
    return next((level for least, level in levels if number >= least), _WASI.Level.TRACE)
