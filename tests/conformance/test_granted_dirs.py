"""
Directories of the host that a worker was granted: recorded, never repeated, and never left.

What is the same as in wasmtime's WASI is compared in `test_file_oracle`.

Source: ARCHITECTURE sections 5, 7 and 9.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest

from golem_host import Host, InvalidRequestError, Worker
from golem_host.rest.remote import RemoteHost
from tests.support.cli import Cli
from tests.support.guests import python_guest
from tests.support.hosts import QUICK, open_host
from tests.support.repository import ROOT
from tests.support.rest import served


@pytest.fixture(scope="module")
def wasm() -> Path:
    return python_guest(ROOT / "tests/support/file_worker")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """What is granted, with a secret beside it."""
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with open_host(tmp_path / "state") as opened:
        yield opened


@pytest.fixture
def worker(host: Host, wasm: Path, data: Path) -> Worker:
    component = host.components.deploy(wasm, name="files")
    return host.workers.create(component, "w", dirs=[f"{data}::/data"])


def told(worker: Worker, program: str) -> list[str]:
    said = worker.invoke("run", program)
    assert isinstance(said, str)
    return said.splitlines()


def test_what_was_read_and_written_is_in_the_log(worker: Worker, data: Path) -> None:
    """A replay neither looks at the host again nor writes again."""
    (data / "in").write_text("first")
    told(worker, "text = open('/data/in').read(); open('/data/out', 'w').write(text + '!')")
    (data / "in").write_text("second")
    (data / "out").write_text("mine")
    worker.simulate_crash()

    assert ["first", "second"] == told(
        worker, "said.append(text); said.append(open('/data/in').read())"
    )
    assert "mine" == (data / "out").read_text()
    kinds = {
        entry.fields["function-name"]: entry.fields["wrapped-function-type"]
        for entry in worker.oplog()
        if entry.kind == "imported-function-invoked"
    }
    assert "read-remote" in str(kinds["filesystem::types::host::read"])
    assert "write-remote" in str(kinds["filesystem::types::host::write"])


def test_what_is_open_stays_open_through_a_replay(worker: Worker, data: Path) -> None:
    """A file is opened again by its names; one that is another now is not taken for it."""
    for name in ("same", "replaced", "gone", "log"):
        (data / name).write_text(name * 2)
    told(
        worker,
        "files = {n: open(f'/data/{n}', 'rb', 0) for n in ('same', 'replaced', 'gone')}\n"
        "for file in files.values(): file.read(2)\n"
        "log = open('/data/log', 'ab', 0); log.write(b'1')",
    )
    (data / "new").write_text("other")
    (data / "new").rename(data / "replaced")
    (data / "gone").unlink()
    worker.simulate_crash()

    assert ["b'mesame'"] == told(worker, "said.append(files['same'].read())")
    for name in ("replaced", "gone"):
        assert told(worker, f"files['{name}'].read()") in (
            ["OSError ENOTRECOVERABLE"],
            ["OSError EIO"],
        )
    told(worker, "log.write(b'2')")
    assert "loglog12" == (data / "log").read_text()


def test_what_the_guest_renames_stays_open(worker: Worker, data: Path) -> None:
    """With everything below it, also where the names are only in the log."""
    told(
        worker,
        "os.makedirs('/data/a/b'); f = open('/data/a/b/f', 'wb', 0); f.write(b'1')\n"
        "d = os.open('/data/a/b', os.O_RDONLY); os.rename('/data/a', '/data/c')\n"
        "os.rename('/data/c/b/f', '/data/g')",
    )
    worker.simulate_crash()
    told(worker, "f.write(b'2'); os.rename('/data/c', '/data/e'); said.append(os.fstat(d))")

    assert "12" == (data / "g").read_text()
    assert ["e", "g"] == sorted(path.name for path in data.iterdir())


def test_what_a_kill_has_swallowed_is_made_again_at_its_place(worker: Worker, data: Path) -> None:
    """
    Between an effect and its entry: a write and an append go where they went before.

    The fork is cut there, so that it does again what its source did, and the file is as it was.
    """
    program = "f = open('/data/log', 'ab', 0); f.write(b'one'); f.write(b'two')"
    told(worker, program)
    writes = [
        entry.index
        for entry in worker.oplog()
        if "types::host::write" in str(entry.fields.get("function-name"))
    ]
    for number, index in enumerate(writes):
        # As the kill found it: the write has happened.
        (data / "log").write_text(("one", "onetwo")[number])
        fork = worker.fork(f"cut{number}", at=index - 1)
        assert ["3"] == told(fork, "said.append(f.write(b'!!!'))")
        assert "onetwo!!!" == (data / "log").read_text()
    assert 2 == len(writes)


def test_only_reading_is_only_reading(host: Host, wasm: Path, data: Path) -> None:
    """Neither by descriptor nor by path, nor by a link into a directory that may be written."""
    (data / "f").write_text("text")
    (data.parent / "rw").mkdir()
    component = host.components.deploy(wasm, name="files")
    dirs = [f"{data}::/ro::ro", f"{data.parent}/rw::/rw"]
    worker = host.workers.create(component, "ro", dirs=dirs)
    changes = (
        "open('/ro/f', 'w')", "open('/ro/f', 'r+')", "open('/ro/new', 'w')", "os.mkdir('/ro/d')",
        "os.remove('/ro/f')", "os.rename('/ro/f', '/ro/g')", "os.rename('/ro/f', '/rw/g')",
        "os.link('/ro/f', '/rw/f')", "os.link('/ro/f', '/ro/g')", "os.utime('/ro/f', (1, 1))",
        "os.truncate('/ro/f', 0)", "os.symlink('f', '/ro/l')", "os.rmdir('/ro/d')",
        "open('/rw/x', 'w').close(); os.rename('/rw/x', '/ro/f')",
    )  # fmt: skip

    for change in changes:
        assert ["PermissionError EPERM"] == told(worker, change), change
    assert ["text"] == told(worker, "said.append(open('/ro/f').read())")
    assert ["f"] == sorted(path.name for path in data.iterdir())
    assert "text" == (data / "f").read_text()


def test_private_and_granted_are_two_devices(worker: Worker, data: Path) -> None:
    """Neither renamed nor linked from one to the other; copying is for the guest."""
    (data / "f").touch()
    for act in ("rename", "link"):
        for old, new in (("/data/f", "/f"), ("/p", "/data/p")):
            program = f"open('/p', 'w').close(); os.{act}('{old}', '{new}')"
            assert ["OSError EXDEV"] == told(worker, program), program
    assert ["['p']"] == told(worker, "said.append(os.listdir('/'))")


WAYS_OUT = {
    "above": "/data/../secret",
    "far above": "/data/../../../../../etc/hostname",
    "a link": "/data/relative",
    "an absolute link": "/data/absolute",
    "a link to the directory above": "/data/above/secret",
    "a link to the root": "/data/whole/etc/hostname",
    "a link through a link": "/data/chain/secret",
    "the processes": "/data/proc/self/cwd/etc/hostname",
}


@pytest.mark.parametrize("way", WAYS_OUT)
def test_no_path_leads_out(worker: Worker, data: Path, way: str) -> None:
    """Whatever is found on the way, be it made by the host itself."""
    (data / "sub").mkdir()
    for name, target in {
        "relative": "../secret", "absolute": str(data.parent / "secret"), "above": "..",
        "whole": "/", "chain": "sub/up/..", "sub/up": "..", "proc": "/proc",
    }.items():  # fmt: skip
        (data / name).symlink_to(target)

    for act in ("open(p)", "open(p, 'w')", "os.stat(p)", "os.remove(p)", "os.rename(p, '/data/x')"):
        said = told(worker, f"p = '{WAYS_OUT[way]}'\nsaid.append({act})")
        if act.startswith("os.re") and way in ("a link", "an absolute link"):
            # The link itself is the guest's.
            continue
        assert said in (
            ["PermissionError EPERM"],
            ["FileNotFoundError ENOENT"],
        ), (act, said)
    assert "secret" == (data.parent / "secret").read_text()


def test_only_files_and_directories_are_opened(worker: Worker, data: Path) -> None:
    """A pipe keeps nobody waiting, a device is not touched."""
    os.mkfifo(data / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(data / "s"))
    if os.geteuid() == 0:
        os.mknod(data / "null", 0o666 | 0o20000, os.makedev(1, 3))

    for name in [path.name for path in data.iterdir()]:
        for mode in ("rb", "wb", "r+b"):
            assert ["PermissionError EPERM"] == told(worker, f"open('/data/{name}', '{mode}', 0)")


def test_the_systems_own_files_are_refused(host: Host, worker: Worker) -> None:
    """They cannot be granted, and where the root is, nothing is opened in them."""
    component = worker.component
    for folder in ("/proc", "/sys", "/proc/self"):
        with pytest.raises(InvalidRequestError, match="own files cannot be granted"):
            host.workers.create(component, "proc", dirs=[f"{folder}::/p"])
    whole = host.workers.create(component, "whole", dirs=["/::/all::ro"])

    for path in ("proc/self/mem", "proc/self/environ", "proc/1/cwd", "sys/kernel"):
        assert ["PermissionError EPERM"] == told(whole, f"open('/all/{path}', 'rb')"), path
    assert ["PermissionError EPERM"] == told(whole, "os.listdir('/all/proc')")
    assert [] == told(whole, "os.listdir('/all/etc')")


def test_names_that_are_no_text_are_told(worker: Worker, data: Path) -> None:
    """As wasmtime does: the listing fails there, and what has a name is reached by it."""
    (data / "good").write_text("x")
    os.close(os.open(os.fsencode(data) + b"/bad\xff", os.O_CREAT | os.O_WRONLY))
    (data / "to_bad").symlink_to(os.fsdecode(b"bad\xff"))

    assert ["OSError EILSEQ"] == told(worker, "os.listdir('/data')")
    assert ["OSError EILSEQ"] == told(worker, "os.readlink('/data/to_bad')")
    read = "said.append([open(p).read() for p in ('/data/good', '/data/to_bad')])"
    assert ["['x', '']"] == told(worker, read)


def test_a_full_disk_is_told(worker: Worker, data: Path) -> None:
    """By the descriptor's own error; the guest goes on."""
    program = """
root = preopens.get_directories()[1][0]
file = root.open_at(types.PathFlags(0), "f", types.OpenFlags.CREATE, types.DescriptorFlags.WRITE)
try:
    file.write(b"x" * 1_000_000, 0)
except componentize_py_types.Err as error:
    said.append(error.value.name)
finally:
    file.__exit__(None, None, None)
"""
    if os.system(f"mount -t tmpfs -o size=64k none {data} 2>/dev/null") != 0:
        pytest.skip("no file system can be mounted here")
    try:
        assert ["INSUFFICIENT_SPACE"] == told(worker, program)
    finally:
        # Lazily: the worker's instance still has descriptors there.
        assert 0 == os.system(f"umount -l {data}")
    assert ["on"] == told(worker, "said.append('on')")


def test_descriptors_of_the_host_are_bounded(worker: Worker, data: Path) -> None:
    """A guest that opens without end gets an error, gives back, and goes on."""
    (data / "f").touch()
    program = """
files = []
try:
    for n in range(1000): files.append(open("/data/f"))
except OSError as error:
    said.append(errno.errorcode[error.errno])
said.append(len(files) > 200)
del files
said.append(open("/data/f").read() == "")
"""

    assert ["ENOMEM", "True", "True"] == told(worker, program)


def test_grants_are_of_this_machine(host: Host, wasm: Path, worker: Worker, data: Path) -> None:
    """A fork has those of its source; a worker that comes in from a file has none."""
    (data / "f").write_text("text")
    read = "said.append(open('/data/f').read())"
    assert ["text"] == told(worker, read)
    fork = worker.fork("fork")
    exported = b"".join(worker.export())
    moved = host.workers.take_in(host.components.get("files"), "moved", BytesIO(exported))

    assert ["text"] == told(fork, read)
    assert (worker.dirs, fork.dirs, moved.dirs) == ((f"{data}::/data",),) * 2 + ((),)
    assert ["PermissionError EACCES"] == told(moved, read)
    worker.delete()
    again = host.workers.create(host.components.get("files"), "w")
    assert () == again.dirs
    assert ["FileNotFoundError ENOENT"] == told(again, read)


def test_a_host_grants_to_all_of_its_workers(tmp_path: Path, wasm: Path, data: Path) -> None:
    """As `HostConfig` says; without it a worker that used it is refused."""
    (data / "f").write_text("text")
    read = "said.append(open('/data/f').read())"
    with open_host(tmp_path / "state", replace(QUICK, dirs=(f"{data}::/data::ro",))) as host:
        worker = host.workers.create(host.components.deploy(wasm, name="files"), "w")
        assert ["text"] == told(worker, read)
    with open_host(tmp_path / "state") as host:
        assert ["PermissionError EACCES"] == told(host.workers.get("files", "w"), read)
    with pytest.raises(ValueError, match="not an absolute path"):
        replace(QUICK, dirs=("data::/data",))


@pytest.mark.parametrize(
    "dirs",
    [["x::/x"], ["/nonexistent::/x"], ["/etc/hostname::/x"], ["/::/"], ["/etc::/a", "/::/a"]],
)
def test_what_cannot_be_granted_is_refused(host: Host, wasm: Path, dirs: list[str]) -> None:
    """In one line, and no worker is made."""
    component = host.components.deploy(wasm, name="files")
    with pytest.raises(InvalidRequestError) as refused:
        host.workers.create(component, "w", dirs=dirs)

    assert "\n" not in str(refused.value)
    assert [] == list(host.workers.list("files"))


def test_only_the_control_socket_grants(host: Host, wasm: Path, data: Path, tmp_path: Path) -> None:
    """Whoever may use it could read the directory anyway; a token for the network says less."""
    component = host.components.deploy(wasm, name="files")
    remote = RemoteHost.of_owner(tmp_path / "state")
    assert remote is not None
    dirs = [f"{data}::/data"]
    made = remote.workers.create(component, "socket", dirs=dirs)
    with served(host) as web:
        body = {"name": "tcp", "dirs": dirs}
        refused = web.post("/v1/components/files/workers", body)

    assert tuple(dirs) == made.dirs == host.workers.get("files", "socket").dirs
    assert (400, "InvalidRequestError") == refused.error
    assert "control socket" in refused.document["error"]["message"]


def test_run_grants_by_an_option(wasm: Path, tmp_path: Path) -> None:
    """Relative to where it is run, also through an owner elsewhere; other ones are refused."""
    cli = Cli(tmp_path)
    (tmp_path / "in").mkdir()
    (tmp_path / "in/f").write_text("text")
    read = "run(\"said.append(open('/d/f').read())\")"
    command = ("run", wasm, "--name", "files", "--invoke", read)

    assert '"text"\n' == cli.ok(*command, "--dir", "in::/d::ro")
    assert "in::/d::ro" in cli.ok("worker", "get", "files")
    with cli.start("serve", "--port", "0", "--json") as serving:
        serving.wait_for(b"\n")
        assert '"text"\n' == cli.ok(*command, "--worker", "b", "--dir", "in::/d")
    other = cli.run(*command, "--dir", "in::/d")
    missing = cli.run(*command, "--worker", "c", "--dir", "none::/d")
    malformed = cli.run(*command, "--worker", "c", "--dir", "in")

    assert (4, True) == (other.code, "made with other directories" in other.error)
    assert "none: no such file" in missing.error
    assert (2, True) == (malformed.code, "HOST::GUEST" in malformed.error)


def test_serve_grants_to_every_guest(wasm: Path, tmp_path: Path) -> None:
    """Relative to where it is run, while it runs; what cannot be granted ends it in one line."""
    cli = Cli(tmp_path)
    (tmp_path / "in").mkdir()
    (tmp_path / "in/f").write_text("text")
    read = "run(\"said.append(open('/d/f').read())\")"
    command = ("run", wasm, "--name", "files", "--invoke", read)
    with cli.start("serve", "--port", "0", "--json", "--dir", "in::/d::ro") as serving:
        serving.wait_for(b"\n")
        read_there = cli.ok(*command)
    missing = cli.run("serve", "--port", "0", "--dir", "none::/d")
    twice = cli.run("serve", "--port", "0", "--dir", "in::/d", "--dir", "in::/d")

    assert '"text"\n' == read_there
    assert "none: no such file" in missing.error
    assert "same path in the guest" in twice.error
    assert 2 == missing.code == twice.code
