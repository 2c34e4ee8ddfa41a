"""The allocator is told once, and asked nothing where it has no such setting."""

from __future__ import annotations

import ctypes
from pathlib import Path
from types import SimpleNamespace

import pytest

from golem_host.engine import Engine, EngineConfig
from golem_host.engine.allocator import keep_freed_memory


class Library(SimpleNamespace):
    """A C library that records what is set."""

    def __init__(self) -> None:
        super().__init__()
        self.settings: list[tuple[int, int]] = []

    def mallopt(self, parameter: int, value: int) -> int:
        self.settings.append((parameter, value))
        return 1


def test_both_thresholds_are_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """One alone would switch the adaptation of the other off."""
    library = Library()
    monkeypatch.setattr(ctypes, "CDLL", lambda _: library)
    kept = keep_freed_memory(1 << 20)

    assert kept
    assert [(-3, 1 << 20), (-1, 1 << 20)] == library.settings


def test_a_library_without_the_setting_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on macOS, or with musl."""
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace())

    assert not keep_freed_memory(1 << 20)


def test_it_can_be_switched_off(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A program with an allocator policy of its own keeps it."""
    library = Library()
    monkeypatch.setattr(ctypes, "CDLL", lambda _: library)
    Engine(EngineConfig(cache_dir=tmp_path, freed_bytes_kept=0)).close()
    off = list(library.settings)
    Engine(EngineConfig(cache_dir=tmp_path)).close()

    assert [] == off
    assert library.settings
