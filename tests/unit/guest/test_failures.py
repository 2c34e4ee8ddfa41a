"""What componentize-py prints when a build fails, and what is made of it."""

from __future__ import annotations

import pytest

from golem_host.guest.failures import explain
from golem_host.guest.project import LAZY_MODULE
from golem_host.guest.toolchain import ToolOutput

LAUNCHER = """Traceback (most recent call last):
  File "<string>", line 1, in <module>
AssertionError: """


def said(body: str, cause: str) -> ToolOutput:
    """The tool's output around one failure."""
    return ToolOutput(1, f"{LAUNCHER}{body}\n\n\nCaused by:\n    {cause}\n")


def traceback(line: str, raised: str) -> ToolOutput:
    body = (
        f'Traceback (most recent call last):\n  File "/0/app.py", line 1, in <module>\n    {line}\n'
    )
    return said(body + raised, raised)


IGNORED = """Exception ignored while calling deallocator <function f at 0x8d6e58>:
Traceback (most recent call last):
AttributeError: 'Loop' object has no attribute '_ssock'"""
DUPLICATES = "one or more duplicate items detected when collecting into set or map"


def panic(place: str, message: str) -> ToolOutput:
    """The tool's output when it fails itself, as version 0.25 prints it."""
    return ToolOutput(
        1,
        f"\nthread '<unnamed>' (21208) panicked at /cargo/registry/src/{place}:\n{message}\n"
        "note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n"
        'Traceback (most recent call last):\n  File "<string>", line 1, in <module>\n'
        f"pyo3_runtime.PanicException: {message}\n",
    )


@pytest.mark.parametrize(
    ("output", "reason", "advice"),
    [
        (
            traceback("import ssl", "ModuleNotFoundError: No module named '_ssl'"),
            "module ssl does not exist inside a guest",
            "for HTTPS import wasi:http/outgoing-handler in the world",
        ),
        (
            traceback("import bz2", "ModuleNotFoundError: No module named '_bz2'"),
            "module bz2 does not exist inside a guest",
            "do without it, or use a package that does",
        ),
        (
            traceback("import idna", "ModuleNotFoundError: No module named 'idna'"),
            "module idna not found",
            "put it into the project, or `pip install --target vendor NAME` there (pure Python only)",
        ),
        (
            traceback("x", "RuntimeError: can't start new thread"),
            "app.py starts a thread, and a guest has only one",
            "use asyncio instead",
        ),
        (
            traceback("x", "OSError: [Errno 58] wasi does not support processes."),
            "app.py starts a process, and a guest cannot",
            "do the work in the guest itself",
        ),
        (
            traceback("x", "ModuleNotFoundError: No module named 'wit_world.imports'"),
            "app.py uses wit_world.imports, which the world does not have",
            "add the import or export to the world in wit/",
        ),
        (
            traceback(
                "x",
                "ImportError: cannot import name 'host' from 'wit_world.imports' "
                "(/world/wit_world/imports/__init__.py)",
            ),
            "app.py uses wit_world.imports.host, which the world does not have",
            "add the import or export to the world in wit/",
        ),
        (
            said("AttributeError: module 'app' has no attribute 'Api'", "AttributeError: ..."),
            "app.py has no class Api",
            "it implements an interface that the world exports: class Api(wit_world.exports.Api)",
        ),
        (
            said("AttributeError: module 'app' has no attribute 'WitWorld'", "AttributeError: ..."),
            "app.py has no class WitWorld",
            "it implements the functions that the world exports: class WitWorld(wit_world.WitWorld)",
        ),
        (
            traceback("x", "RuntimeError: a socket was opened while importing, and is still open"),
            "app.py opens a socket while it is imported, and keeps it",
            "open it in a function: what is open while building leads nowhere later",
        ),
        (
            traceback(
                'connect()\n  File "/python/socket.py", line 987, in getaddrinfo\n    x',
                "socket.gaierror: [Errno -4] Non-recoverable error",
            ),
            "app.py opens a connection while it is imported",
            "connect in a function: while building there is no network",
        ),
        (
            traceback(
                'asyncio.run(go())\n  File "/python/asyncio/runners.py", line 203, in run\n    x',
                "PermissionError: [Errno 2] Permission denied",
            ),
            "app.py runs asyncio while it is imported",
            "call asyncio.run in a function",
        ),
        (
            traceback("x", f"my.oddError: no\n{IGNORED}"),
            "app.py cannot be imported: my.oddError: no",
            "everything is imported while building",
        ),
        (
            said("", "0: error while executing\n    1: Exited with i32 exit status 1"),
            "app.py exits while it is imported",
            "call exit from a function, not while building",
        ),
        (
            traceback("boom()", "ValueError: too bad"),
            "app.py cannot be imported: ValueError: too bad",
            "everything is imported while building",
        ),
        (
            said(
                '  File "/0/app.py", line 1\n    def (:\n        ^\nSyntaxError: invalid syntax',
                "x",
            ),
            "app.py cannot be imported: SyntaxError: invalid syntax",
            "everything is imported while building",
        ),
        (
            said(
                "failed to resolve directory while parsing WIT for path [wit]",
                "0: failed to parse package: wit\n"
                "    1: name `blah` is not defined\n"
                "            --> wit/world.wit:1:42\n",
            ),
            "wit/world.wit:1:42: name `blah` is not defined",
            "",
        ),
        (
            said(
                "failed to resolve directory while parsing WIT for path [wit]",
                "0: failed to parse package: wit\n    1: no `package` header was found",
            ),
            "no `package` header was found",
            "",
        ),
        (
            said(
                "Traceback (most recent call last):\nKeyError: 1\n\nDuring handling of the above "
                "exception, another exception occurred:\n\nValueError: too bad",
                "ValueError: too bad",
            ),
            "app.py cannot be imported: ValueError: too bad",
            "everything is imported while building",
        ),
        (
            panic("wit-component-0.245.1/src/linking.rs:237:9", DUPLICATES),
            "an exported function is named as one of the guest's C library (div, log, read, ...)",
            "rename it, or export it as part of an interface",
        ),
        (
            panic("src/summary.rs:1:2", "not yet implemented"),
            "componentize-py itself failed: not yet implemented",
            "app.py was not at fault; try the world in wit/ in parts to find what it cannot take",
        ),
        (
            ToolOutput(-9, "half a li"),
            "componentize-py was ended by signal 9",
            "it needs about 1 GB of memory",
        ),
        (ToolOutput(-15, ""), "componentize-py was ended by signal 15", ""),
        (ToolOutput(1, "error: no idea\n"), "componentize-py failed: error: no idea", ""),
        (ToolOutput(3, ""), "componentize-py failed: without a word", ""),
    ],
)
def test_each_known_failure_has_a_reason_and_an_advice(
    output: ToolOutput, reason: str, advice: str
) -> None:
    """One line says what is wrong and what to do, whatever the tool printed around it."""
    error = explain("cart", output, ["app"])

    assert ("cart", reason, advice) == (error.component, error.reason, error.advice)


def test_the_detail_is_the_guests_traceback_in_the_projects_paths() -> None:
    """Nothing of our launcher or of the guest's mounts is shown; each root has its own name."""
    body = (
        "Traceback (most recent call last):\n"
        '  File "/0/app.py", line 2, in <module>\n'
        '  File "/1/lib/x.py", line 7, in f\n'
        '  File "/python/json/decoder.py", line 3, in g\n'
        "ValueError: too bad"
    )

    error = explain("cart", said(body, "ValueError: too bad"), ["app", "vendor"])

    assert error.detail == (
        "Traceback (most recent call last):\n"
        '  File "app.py", line 2, in <module>\n'
        '  File "vendor/lib/x.py", line 7, in f\n'
        '  File "/python/json/decoder.py", line 3, in g\n'
        "ValueError: too bad"
    )


def test_the_detail_begins_where_the_guest_asks_for_a_module_that_is_missing() -> None:
    """What carries the import out at the end of the build is not the guest's."""
    body = (
        "Traceback (most recent call last):\n"
        '  File "/0/app.py", line 9, in <module>\n'
        f'    __import__("{LAZY_MODULE}")\n'
        "    ~~~~~~~~~~^^^^^^^^^^^^^^^^^^^^^^^\n"
        f'  File "/0/{LAZY_MODULE}.py", line 6, in <module>\n'
        "    exec(_code)\n"
        "    ~~~~^^^^^^^\n"
        '  File "/0/app.py", line 5, in <module>\n'
        "    import nosuch\n"
        "ModuleNotFoundError: No module named 'nosuch'"
    )

    error = explain("cart", said(body, "x"), ["app"])

    assert "module nosuch not found" == error.reason
    assert error.detail == (
        "Traceback (most recent call last):\n"
        '  File "app.py", line 5, in <module>\n'
        "    import nosuch\n"
        "ModuleNotFoundError: No module named 'nosuch'"
    )
