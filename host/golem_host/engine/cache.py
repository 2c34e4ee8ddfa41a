"""
Compiled code on disk, so that a component is compiled once per machine.

One file per component, engine version, configuration and processor, written under another name and
renamed, never changed.  The file's name ends in the checksum of its content: what a crash or a bad
disk left behind is found out before it is mapped, because the engine would run damaged machine code.

Compiled code is code.  A directory that another user could write to is not used at all.

Nothing here is needed: whatever goes wrong with the cache, the component is compiled.
"""

from __future__ import annotations

import hashlib
import itertools
import logging
import os
import re
import stat
import sys
from pathlib import Path
from typing import Final

import google_crc32c

from golem_host.engine import library
from golem_host.engine.raw import EngineError, RawComponent, RawEngine

_SUFFIX: Final = ".cwasm"
_PROOF_SUFFIX: Final = ".proof"
_PRIVATE: Final = 0o700
_CHUNK_BYTES: Final = 1 << 18
_PROCESSOR_LINE: Final = re.compile(r"^(?:flags|Features)\s*:.*$", re.MULTILINE)

_numbers = itertools.count()
_log = logging.getLogger(__name__)


def default_directory() -> Path:
    """``$XDG_CACHE_HOME/golem-host/compiled``, or the same in ``~/.cache``."""
    root = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(root) if os.path.isabs(root) else Path.home() / ".cache"  # noqa: PTH117 # a str
    return base / "golem-host" / "compiled"


class CompileCache:
    """Finds and keeps compiled components."""

    def __init__(self, directory: Path, *, settings: str, bytes_max: int) -> None:
        self._directory = directory
        self._bytes_max = bytes_max
        self._stamp = f"{_engine_build()} {settings} {_processor()}"
        self._usable = self._prepare()

    def load(self, engine: RawEngine, sha256: str) -> RawComponent | None:
        """The compiled component, or None where there is none that can be trusted."""
        if not self._usable:
            return None
        for path in self._directory.glob(f"{self._key(sha256)}-*{_SUFFIX}"):
            try:
                if path.name != self._file_name(sha256, _checksum(path)):
                    raise ValueError("its content has another checksum")  # noqa: TRY301
                component = RawComponent.load(engine, path)
                os.utime(path)
            except (OSError, ValueError, EngineError) as error:
                _log.warning("compiled code is unusable: compiling anew (%s: %s)", path, error)
                path.unlink(missing_ok=True)
            else:
                return component
        return None

    def store(self, sha256: str, component: RawComponent) -> None:
        """Keep a component that has just been compiled."""
        if not self._usable:
            return
        code = component.serialize()
        target = self._directory / self._file_name(sha256, google_crc32c.value(code))
        temporary = self._directory / f"{os.getpid()}-{next(_numbers)}.new"
        try:
            try:
                temporary.write_bytes(code)
                temporary.rename(target)
            except OSError:
                temporary.unlink(missing_ok=True)
                raise
            self._evict(target)
        except OSError as error:
            _log.warning("compiled code was not kept (%s)", error)

    def is_proved(self, fact: str) -> bool:
        """Whether `prove` has been told of it, with this engine on this machine."""
        try:
            return self._usable and self._proof.read_text("utf-8") == self._proof_of(fact)
        except (OSError, ValueError):
            return False

    def prove(self, fact: str) -> None:
        """Remember something about the engine; of each installation the last fact is kept."""
        if self._usable:
            try:
                self._proof.write_text(self._proof_of(fact), "utf-8")
            except OSError as error:
                _log.warning("what was proved is not kept (%s)", error)

    @property
    def _proof(self) -> Path:
        place = hashlib.sha256(f"{sys.executable} {library.PATH}".encode()).hexdigest()[:16]
        return self._directory / f"{place}{_PROOF_SUFFIX}"

    def _proof_of(self, fact: str) -> str:
        # Another build of the same size is told by its file, which code does not need: the engine
        # refuses what another version compiled.
        build = library.PATH.stat()
        # Whole or worth nothing: a torn file has another checksum.
        text = f"{self._stamp}\n{build.st_ino} {build.st_mtime_ns}\n{fact}\n"
        return f"{text}{google_crc32c.value(text.encode()):08x}\n"

    def _key(self, sha256: str) -> str:
        return hashlib.sha256(f"{sha256} {self._stamp}".encode()).hexdigest()[:32]

    def _file_name(self, sha256: str, checksum: int) -> str:
        return f"{self._key(sha256)}-{checksum:08x}{_SUFFIX}"

    def _prepare(self) -> bool:
        """Make the directory; False where it cannot be used safely."""
        try:
            self._directory.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
            found = self._directory.stat()
            if found.st_uid != os.getuid():
                _log.warning("compiled code is not kept: %s is another user's", self._directory)
                return False
            if stat.S_IMODE(found.st_mode) & 0o077:
                self._directory.chmod(_PRIVATE)
        except OSError as error:
            _log.warning("compiled code is not kept (%s)", error)
            return False
        return True

    def _evict(self, newest: Path) -> None:
        """Remove what was used longest ago until the rest fits; never what was just written."""
        files = []
        for path in self._directory.glob(f"*{_SUFFIX}"):
            if path != newest:
                found = path.stat()
                files.append((found.st_mtime_ns, found.st_size, path))
        files.sort(reverse=True)
        kept = newest.stat().st_size
        for _, size, path in files:
            kept += size
            if kept > self._bytes_max:
                path.unlink(missing_ok=True)


def _checksum(path: Path) -> int:
    """CRC32C of a file, read in pieces: the whole would cost three times as long."""
    checksum = 0
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(_CHUNK_BYTES):
            checksum = google_crc32c.extend(checksum, chunk)
    return checksum


def _engine_build() -> str:
    """
    Tells builds of wasmtime apart.

    Its version would do as well, but asking for it costs 30 ms of imports.  Two builds of one size
    are told apart by the engine, which refuses what another version compiled.
    """
    return f"wasmtime-{library.PATH.stat().st_size}"


def _processor() -> str:
    """What compiled code depends on besides the engine: platform and processor features."""
    try:
        found = _PROCESSOR_LINE.search(Path("/proc/cpuinfo").read_text("utf-8"))
    except OSError:
        # Elsewhere than on Linux the engine's own check of processor features has to do.
        found = None
    features = hashlib.sha256(found[0].encode()).hexdigest()[:16] if found else ""
    return f"{sys.platform} {os.uname().machine} {features}"
