"""One engine for all tests of the folder: making one costs a thread and a self-test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from golem_host.engine import Engine, EngineConfig


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    config = EngineConfig(cache_dir=tmp_path_factory.mktemp("compiled"), epoch_tick_ms=1)
    with Engine(config) as made:
        yield made
