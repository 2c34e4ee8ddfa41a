"""Directories of the host, without a guest: races, odd names, the words for errors."""

from __future__ import annotations

import errno
import threading
from pathlib import Path

import pytest

from golem_host.files.errors import FileError
from golem_host.files.live.errors import code_of, in_codes
from golem_host.files.live.node import LiveNode
from golem_host.files.live.walk import DEPTH_MAX
from golem_host.files.mapping import Mapping, guest_path, parse_mapping

READ = frozenset(("read",))
NOTHING = frozenset[str]()
LOOKS = 3_000


@pytest.fixture
def root(tmp_path: Path) -> LiveNode:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out/f").write_text("secret")
    return LiveNode.of_grant(Mapping(str(tmp_path / "in"), "/in"))


def opened_count() -> int:
    return sum(1 for _ in Path("/dev/fd").iterdir())


@pytest.mark.parametrize(
    ("path", "swapped", "target"), [("d/f", "d", "../out"), ("f", "f", "../out/f")]
)
def test_nobody_is_led_out_by_a_race(
    root: LiveNode, tmp_path: Path, path: str, swapped: str, target: str
) -> None:
    """While a name is the guest's own, then a link out, then its own again: never the secret."""
    inside = tmp_path / "in"
    (inside / "d").mkdir()
    for name in ("d/f", "f"):
        (inside / name).write_text("mine")
    (inside / "l").symlink_to(target)
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            (inside / swapped).rename(inside / "kept")
            (inside / "l").rename(inside / swapped)
            (inside / swapped).rename(inside / "l")
            (inside / "kept").rename(inside / swapped)

    swapper = threading.Thread(target=swap)
    before = opened_count()
    swapper.start()
    try:
        seen = {look(root, path) for _ in range(LOOKS)}
    finally:
        stop.set()
        swapper.join()
        root.close()

    assert seen <= {"mine", "no-entry", "not-permitted", "not-directory", "loop", "invalid"}
    assert "mine" in seen
    assert before - 1 == opened_count()


def look(root: LiveNode, path: str) -> str:
    try:
        node = root.open_at(path, NOTHING, READ, follow=True)
    except FileError as error:
        return error.code
    try:
        return node.read(0, 100).decode()
    finally:
        node.close()


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("..", "not-permitted"),
        ("/etc", "not-permitted"),
        ("a\0b", "invalid"),
        ("", "no-entry"),
        ("x" * 256, "name-too-long"),
        ("d/../" * 10_000, "name-too-long"),
        ("loop", "loop"),
        ("up/out/f", "not-permitted"),
        ("abs", "not-permitted"),
        ("d/" * 2, "no-entry"),
    ],
)
def test_bad_paths_have_their_codes(root: LiveNode, tmp_path: Path, path: str, code: str) -> None:
    """Whatever is asked, no descriptor is left behind."""
    (tmp_path / "in/d").mkdir()
    (tmp_path / "in/loop").symlink_to("loop")
    (tmp_path / "in/up").symlink_to("..")
    (tmp_path / "in/abs").symlink_to("/etc/hostname")
    before = opened_count()

    with pytest.raises(FileError) as refused:
        root.open_at(path, NOTHING, READ, follow=True)
    assert code == refused.value.code
    assert before == opened_count()
    root.close()


def test_depth_is_bounded(root: LiveNode, tmp_path: Path) -> None:
    """Each directory on the way has a descriptor while a path is walked."""
    deep = tmp_path / "in"
    for _ in range(DEPTH_MAX + 1):
        deep /= "d"
        deep.mkdir()

    assert "directory" == root.known_at("d/" * DEPTH_MAX + "d", follow=False).facts.type
    with pytest.raises(FileError, match="name-too-long"):
        root.known_at("d/" * (DEPTH_MAX + 1) + "d", follow=False)
    root.close()


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "insufficient-space"),
        (errno.EDQUOT, "quota"),
        (errno.EFBIG, "file-too-large"),
        (errno.EACCES, "access"),
        (errno.EPERM, "not-permitted"),
        (errno.EROFS, "read-only"),
        (errno.EMFILE, "insufficient-memory"),
        (errno.EIO, "io"),
        (errno.ESTALE, "not-recoverable"),
        (errno.ENETDOWN, "io"),
    ],
)
def test_an_error_of_the_host_has_a_word_of_wasi(number: int, code: str) -> None:
    """And what has none is io."""
    assert code == code_of(OSError(number, "said"))
    with pytest.raises(FileError, match=code), in_codes():
        raise OSError(number, "said")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a::/b", Mapping("a", "/b")),
        ("a::/b::ro", Mapping("a", "/b", read_only=True)),
        ("a::b::/c", Mapping("a::b", "/c")),
        ("a://b//./c/", Mapping("a", "/b/c")),
        ("/::/r", Mapping("/", "/r")),
    ],
)
def test_a_mapping_is_read(text: str, found: Mapping) -> None:
    """From the right: a host path may hold anything."""
    text = text.replace("a://", "a::/")

    assert found == parse_mapping(text)
    assert found == parse_mapping(str(found))


@pytest.mark.parametrize(
    "text", ["", "a", "::/b", "a::", "a::b", "a::/", "a::/..", "a::/b/../c", "a::ro"]
)
def test_what_is_no_mapping_is_refused(text: str) -> None:
    """In one line."""
    with pytest.raises(ValueError, match=r"^[^\n]+$"):
        parse_mapping(text)


def test_a_guest_path_is_bounded() -> None:
    """As every path of a guest."""
    assert "/a/b" == guest_path("//a/./b/")
    for text in ("/" + "x" * 256, "/x" * 3_000, "/a\0b"):
        with pytest.raises(ValueError, match=r"in the guest|more than"):
            guest_path(text)
