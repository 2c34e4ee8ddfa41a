"""Reading ``host.db`` beside its owner, after its death, and where nothing can be written."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copyfile

import pytest

from golem_host.errors import StateDirError
from golem_host.storage.database import Database

FILES = ("host.db", "host.db-wal", "host.db-shm")


def put(database: Database, name: str) -> None:
    with database.transaction() as connection:
        connection.execute("INSERT INTO component VALUES (?, ?, NULL, 0)", (name, name))


def names(database: Database) -> list[str]:
    with database.reading() as connection:
        return [name for (name,) in connection.execute("SELECT name FROM component ORDER BY name")]


def left_behind(folder: Path, *files: str) -> Path:
    """A directory with what an owner leaves that was killed after it had stored ``cart``."""
    owner = Database(folder / "host.db")
    put(owner, "cart")
    left = folder / "left"
    left.mkdir()
    for name in files:
        copyfile(folder / name, left / name)
    owner.close()
    return left


def snapshot(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def looking() -> Iterator[Callable[[Path], Database]]:
    opened: list[Database] = []

    def look(folder: Path) -> Database:
        opened.append(Database(folder / "host.db", read_only=True))
        return opened[-1]

    yield look
    for database in opened:
        database.close()


def test_a_log_without_its_index_is_read_from_a_copy(
    tmp_path: Path, looking: Callable[[Path], Database]
) -> None:
    """What its owner had committed is there, and nothing in the directory changes."""
    left = left_behind(tmp_path, "host.db", "host.db-wal")
    before = snapshot(left)
    found = names(looking(left))

    assert ["cart"] == found
    assert before == snapshot(left)


def test_a_database_at_rest_is_read_without_a_trace(
    tmp_path: Path, looking: Callable[[Path], Database]
) -> None:
    """SQLite would leave an empty log and an index beside it."""
    left = left_behind(tmp_path)
    owner = Database(left / "host.db")
    put(owner, "cart")
    owner.close()
    before = snapshot(left)
    found = names(looking(left))

    assert ["cart"] == found
    assert ["host.db"] == list(before)
    assert before == snapshot(left)


@pytest.mark.parametrize("files", [FILES, FILES[:2], ()])
def test_a_look_sees_what_an_owner_writes_later(
    files: tuple[str, ...], tmp_path: Path, looking: Callable[[Path], Database]
) -> None:
    """Whatever it was made of: a dead owner's files, or nothing."""
    left = left_behind(tmp_path, *files)
    database = looking(left)
    before = names(database)
    owner = Database(left / "host.db")
    put(owner, "zoo")
    during = names(database)
    owner.close()

    assert (["cart"] if files else []) == before
    assert [*before, "zoo"] == during == names(database)


def test_a_copy_is_gone_after_the_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is left in the directory for temporary files either."""
    left = left_behind(tmp_path, "host.db", "host.db-wal")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    database = Database(left / "host.db", read_only=True)
    during = len(list(temporary.iterdir()))
    database.close()

    assert (1, []) == (during, list(temporary.iterdir()))


def test_a_look_refuses_a_newer_format(tmp_path: Path) -> None:
    """As an owner does."""
    with sqlite3.connect(tmp_path / "host.db") as connection:
        connection.execute("PRAGMA user_version = 999")
    connection.close()
    with pytest.raises(StateDirError, match="upgrade golem-host"):
        Database(tmp_path / "host.db", read_only=True)


def test_a_look_at_what_is_no_database_is_refused(tmp_path: Path) -> None:
    """It is named."""
    (tmp_path / "host.db").write_bytes(b"no database at all" * 1000)
    with pytest.raises(StateDirError, match=r"host\.db"):
        Database(tmp_path / "host.db", read_only=True)
