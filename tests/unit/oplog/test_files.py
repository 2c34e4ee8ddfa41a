"""The real file system, and the helpers over any."""

from __future__ import annotations

import errno
import fcntl
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from golem_oplog.files import (
    OsFile,
    OsFiles,
    exists,
    make_dirs_durably,
    pick_sync,
    read_whole,
    write_durably,
)
from tests.support.faulty_files import ROOT, FaultyFiles


def open_count(files: OsFiles) -> int:
    return len(files._descriptors._open)


def test_a_file_is_read_and_written_at_offsets(tmp_path: Path) -> None:
    """Writes may leave holes, reads end at the end of the file, truncation goes both ways."""
    file = OsFiles().create(tmp_path / "file")
    file.write_at(5, b"world")
    file.write_at(0, b"hello")

    assert b"helloworld" == file.read_at(0, 100)
    assert b"" == file.read_at(10, 5)
    assert 10 == file.size()
    file.truncate(4)
    file.truncate(5)
    assert b"hell\0" == file.read_at(0, 5)
    file.sync()
    file.close()


def test_reads_and_writes_go_on_where_the_system_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A system call that does only a part is followed by another for the rest."""
    read, write = os.pread, os.pwrite
    monkeypatch.setattr(os, "pread", lambda fd, size, at: read(fd, min(size, 3), at))
    monkeypatch.setattr(os, "pwrite", lambda fd, data, at: write(fd, data[:4], at))
    file = OsFiles().create(tmp_path / "file")

    file.write_at(0, b"0123456789")

    assert b"0123456789" == file.read_at(0, 10)
    assert b"56789" == file.read_at(5, 100)


def test_a_missing_file_is_reported_when_it_is_opened(tmp_path: Path) -> None:
    """`open` opens at once, although the descriptor may be closed and opened again later."""
    with pytest.raises(FileNotFoundError):
        OsFiles().open(tmp_path / "missing")


def test_creating_replaces_what_was_there_but_once(tmp_path: Path) -> None:
    """`create` empties an old file; opening it again behind the scenes does not."""
    files = OsFiles(open_files_max=1)
    path = tmp_path / "file"
    path.write_bytes(b"old")
    file = files.create(path)
    file.write_at(0, b"new")
    files.create(tmp_path / "other")

    assert b"new" == file.read_at(0, 10)
    assert 0o600 == (tmp_path / "other").stat().st_mode & 0o777


def test_at_most_so_many_descriptors_are_open(tmp_path: Path) -> None:
    """The one that was used least recently is closed first, and is opened again when needed."""
    files = OsFiles(open_files_max=3)
    opened = []
    for number in range(10):
        file = files.create(tmp_path / str(number))
        file.write_at(0, b"%d" % number)
        file.sync()
        opened.append(file)
        assert open_count(files) <= 3

    assert [b"%d" % number for number in range(10)] == [file.read_at(0, 5) for file in opened]
    for file in opened:
        file.close()
    assert 0 == open_count(files)


def test_a_file_with_writes_to_sync_keeps_its_descriptor(tmp_path: Path) -> None:
    """Files that are clean are closed before those whose write-back may still fail."""
    files = OsFiles(open_files_max=2)
    dirty, clean = files.create(tmp_path / "dirty"), files.create(tmp_path / "clean")
    assert isinstance(dirty, OsFile)
    assert isinstance(clean, OsFile)
    dirty.write_at(0, b"x")
    clean.size()

    files.create(tmp_path / "other")

    assert dirty.fd is not None
    assert None is clean.fd


def test_a_file_is_synced_before_its_descriptor_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If all files have writes to sync, the oldest is synced, and a failure is not forgotten."""
    files = OsFiles(open_files_max=1)
    first, second = files.create(tmp_path / "first"), files.create(tmp_path / "second")
    assert isinstance(first, OsFile)
    assert isinstance(second, OsFile)
    first.write_at(0, b"x")
    second.write_at(0, b"x")
    assert not first.dirty

    def fail(_: int) -> None:
        raise OSError(errno.EIO, "lost")

    monkeypatch.setattr(second, "_sync", fail)
    first.write_at(0, b"y")

    with pytest.raises(OSError, match="lost"):
        second.sync()
    first.sync()


def test_more_may_be_open_while_all_are_in_use(tmp_path: Path) -> None:
    """Nobody waits for a descriptor: the limit is exceeded for a moment instead."""
    files = OsFiles(open_files_max=1)
    first = files.create(tmp_path / "first")
    assert isinstance(first, OsFile)
    files._descriptors.borrow(first)

    second = files.create(tmp_path / "second")

    assert 2 == open_count(files)
    second.close()
    first.close()
    assert 1 == open_count(files)
    files._descriptors.give_back(first)
    assert 0 == open_count(files)


def test_a_closed_file_cannot_be_used(tmp_path: Path) -> None:
    """Using a file after `close` is an error, and closing it again is none."""
    file = OsFiles().create(tmp_path / "file")
    file.close()
    file.close()

    acts: list[Callable[[], object]] = [
        file.size,
        file.sync,
        lambda: file.read_at(0, 1),
        lambda: file.write_at(0, b"x"),
        lambda: file.truncate(0),
    ]
    for act in acts:
        with pytest.raises(OSError, match="Bad file descriptor"):
            act()


def test_files_are_used_from_many_threads(tmp_path: Path) -> None:
    """No thread reads another's file, however often descriptors are closed and opened."""
    files = OsFiles(open_files_max=2)
    opened = [files.create(tmp_path / str(number)) for number in range(8)]
    for number, file in enumerate(opened):
        file.write_at(0, bytes([number]) * 10)

    def work(number: int) -> bool:
        return all(bytes([number]) * 10 == opened[number].read_at(0, 10) for _ in range(100))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(8)))


def test_directories_are_listed_and_removed(tmp_path: Path) -> None:
    """Names come sorted, each with whether it is a directory; links are none."""
    files = OsFiles()
    files.make_dir(tmp_path / "b")
    files.make_dir(tmp_path / "b")
    files.create(tmp_path / "a")
    (tmp_path / "c").symlink_to(tmp_path / "b")

    assert [("a", False), ("b", True), ("c", False)] == files.list_dir(tmp_path)
    assert 0o700 == (tmp_path / "b").stat().st_mode & 0o777
    with pytest.raises(FileExistsError):
        files.make_dir(tmp_path / "a")
    files.remove_dir(tmp_path / "b")
    files.remove(tmp_path / "a")
    assert [("c", False)] == files.list_dir(tmp_path)


def test_names_can_be_moved_and_shared(tmp_path: Path) -> None:
    """A rename replaces; a link is the same file under another name."""
    files = OsFiles()
    files.create(tmp_path / "old").write_at(0, b"content")
    files.create(tmp_path / "new")

    files.rename(tmp_path / "old", tmp_path / "new")
    files.link(tmp_path / "new", tmp_path / "same")
    files.sync_dir(tmp_path)

    assert [("new", False), ("same", False)] == files.list_dir(tmp_path)
    assert b"content" == read_whole(files, tmp_path / "same")


def test_unique_ids_are_unique() -> None:
    """Sixteen bytes, different each time."""
    files = OsFiles()
    ids = {files.unique_id() for _ in range(100)}

    assert 100 == len(ids)
    assert {16} == {len(one) for one in ids}


def test_macos_is_asked_for_a_full_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a plain sync stops at the drive's cache, the call that does not is used."""
    calls: list[tuple[int, int]] = []
    monkeypatch.setattr(fcntl, "fcntl", lambda fd, command: calls.append((fd, command)))

    pick_sync("darwin")(7)

    assert [(7, 51)] == calls
    assert "fdatasync" == getattr(pick_sync("linux"), "__name__", "")


@pytest.mark.parametrize("operation", ["create", "write_at", "sync"])
def test_a_file_is_replaced_as_a_whole_or_not_at_all(operation: str) -> None:
    """When `write_durably` fails, what was there is there."""
    files = FaultyFiles()
    write_durably(files, ROOT / "file", b"old")
    files.fail(operation, errno.ENOSPC)

    with pytest.raises(OSError, match="No space left"):
        write_durably(files, ROOT / "file", b"new")

    assert b"old" == read_whole(files, ROOT / "file")
    write_durably(files, ROOT / "file", b"new")
    assert b"new" == read_whole(files.after_power_failure(lambda: False), ROOT / "file")


def test_missing_directories_are_made_down_from_the_root() -> None:
    """Every directory from the root to the path is made and survives a power failure."""
    files = FaultyFiles()
    path = ROOT / "root" / "a" / "b"

    make_dirs_durably(files, ROOT / "root", path)
    make_dirs_durably(files, ROOT / "root", path)

    assert [] == files.after_power_failure(lambda: False).list_dir(path)


def test_a_file_exists_or_not() -> None:
    """Neither a missing directory nor a file in place of one is an error."""
    files = FaultyFiles()
    files.create(ROOT / "file")

    assert exists(files, ROOT / "file")
    assert not exists(files, ROOT / "missing")
    assert not exists(files, ROOT / "missing" / "file")


def test_a_file_may_be_closed_in_the_middle_of_opening_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the garbage collector does to a reader that was given up, in whatever thread it runs."""
    files = OsFiles(open_files_max=2)
    given_up = files.create(tmp_path / "a")
    real = os.open

    def opening(*args: object) -> int:
        given_up.close()
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", opening)
    thread = threading.Thread(target=files.create, args=(tmp_path / "b",), daemon=True)
    thread.start()
    thread.join(10)

    assert not thread.is_alive()
    assert 1 == open_count(files)
