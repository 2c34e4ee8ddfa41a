"""
From the output of a failed build to one line and an advice.

Whatever is not known here still comes with the tool's own last words, and always with the guest's
traceback, in which the paths are those of the project.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from golem_host.errors import GuestBuildError
from golem_host.guest.project import LAZY_MODULE, LEFT_OPEN
from golem_host.guest.toolchain import ToolOutput

_LAUNCHER_FRAMES: Final = re.compile(r"\A.*?^AssertionError: ", re.DOTALL | re.MULTILINE)
# What carries out the imports that a guest makes while it runs.
_LAZY_FRAMES: Final = re.compile(
    rf"""^  File "[^"\n]*app\.py", line \d+, in <module>\n    __import__\("{LAZY_MODULE}"\)\n"""
    rf"""(?:    .*\n)*  File "[^"\n]*{LAZY_MODULE}\.py".*\n(?:    .*\n)*""",
    re.MULTILINE,
)
_CAUSES: Final = re.compile(r"^\s*Caused by:\s*$", re.MULTILINE)
_EXCEPTION: Final = re.compile(
    r"^(?P<line>[A-Za-z_][\w.]*(?:[Ee]rror|Exception|Warning|Exit|Interrupt|Group)\b.*)$",
    re.MULTILINE,
)
# What follows is about objects that an exception has left behind.
_IGNORED: Final = re.compile(r"^Exception ignored ", re.MULTILINE)
_CAUSE_NUMBER: Final = re.compile(r"^\s*(?:\d+: )?")
_WIT_PLACE: Final = re.compile(
    r"^\s*(?:\d+: )?(?P<what>[^\n]+)\n\s*--> (?P<place>\S+)", re.MULTILINE
)

# Modules of the standard library whose compiled half does not exist inside a guest.
_HTTPS = "for HTTPS import wasi:http/outgoing-handler in the world"
_ABSENT_ADVICE: Final = {"ssl": _HTTPS, "multiprocessing": "a guest is one process; use asyncio"}

_KNOWN: Final = (
    (
        # wit-component links the guest with its C library by the names of their functions.
        r"wit-component\S*linking\.rs[^\n]*\n[^\n]*duplicate items",
        "an exported function is named as one of the guest's C library (div, log, read, ...)",
        "rename it, or export it as part of an interface",
    ),
    (
        r"PanicException: (?P<x>[^\n]+)",
        "componentize-py itself failed: {x}",
        "app.py was not at fault; try the world in wit/ in parts to find what it cannot take",
    ),
    (
        r"cannot import name '(?P<x>\w+)' from '(?P<y>wit_world[\w.]*)'",
        "app.py uses {y}.{x}, which the world does not have",
        "add the import or export to the world in wit/",
    ),
    (
        r"No module named 'wit_world\.(?P<x>[\w.]+)'",
        "app.py uses wit_world.{x}, which the world does not have",
        "add the import or export to the world in wit/",
    ),
    (
        r"No module named '(?P<x>[\w.]+)'",
        "module {x} not found",
        "put it into the project, or `pip install --target vendor NAME` there (pure Python only)",
    ),
    (
        r"can't start new thread",
        "app.py starts a thread, and a guest has only one",
        "use asyncio instead",
    ),
    (
        r"does not support processes",
        "app.py starts a process, and a guest cannot",
        "do the work in the guest itself",
    ),
    (
        r"module 'app' has no attribute 'WitWorld'",
        "app.py has no class WitWorld",
        "it implements the functions that the world exports: class WitWorld(wit_world.WitWorld)",
    ),
    (
        r"module 'app' has no attribute '(?P<x>\w+)'",
        "app.py has no class {x}",
        "it implements an interface that the world exports: class {x}(wit_world.exports.{x})",
    ),
    (
        LEFT_OPEN,
        "app.py opens a socket while it is imported, and keeps it",
        "open it in a function: what is open while building leads nowhere later",
    ),
    (
        r'File "/python/asyncio/runners\.py"',
        "app.py runs asyncio while it is imported",
        "call asyncio.run in a function",
    ),
    (
        r'File "/python/socket\.py"',
        "app.py opens a connection while it is imported",
        "connect in a function: while building there is no network",
    ),
    (
        r"Exited with i32 exit status",
        "app.py exits while it is imported",
        "call exit from a function, not while building",
    ),
)


def explain(component: str, output: ToolOutput, roots: Sequence[str]) -> GuestBuildError:
    """Say what went wrong.  ``roots`` are the import folders as they were given to the tool."""
    if output.returncode < 0:
        return GuestBuildError(
            component=component,
            reason=f"componentize-py was ended by signal {-output.returncode}",
            advice="it needs about 1 GB of memory" if output.returncode == -9 else "",
            detail=output.text,
        )
    said = _LAUNCHER_FRAMES.sub("", output.text, count=1).rstrip()
    body = _CAUSES.split(said)[0].rstrip() or said
    body = _IGNORED.split(_LAZY_FRAMES.sub("", body))[0].rstrip()
    detail = _with_project_paths(body, roots)
    if absent := re.search(r"No module named '_(\w+)'", body):
        module = absent[1]
        return GuestBuildError(
            component=component,
            reason=f"module {module} does not exist inside a guest",
            advice=_ABSENT_ADVICE.get(module, "do without it, or use a package that does"),
            detail=detail,
        )
    for pattern, reason, advice in _KNOWN:
        if found := re.search(pattern, said):
            return GuestBuildError(
                component=component,
                reason=reason.format(**found.groupdict()),
                advice=advice.format(**found.groupdict()),
                detail=detail,
            )
    if "parsing WIT" in said:
        return _wit_error(component, said)
    return _other(component, detail)


def _wit_error(component: str, said: str) -> GuestBuildError:
    # The innermost cause comes last, and shows the place below itself.
    places = [*_WIT_PLACE.finditer(said)]
    if places:
        reason = f"{places[-1]['place']}: {places[-1]['what'].strip()}"
    else:
        reason = _CAUSE_NUMBER.sub("", said.splitlines()[-1])
    return GuestBuildError(component=component, reason=reason, detail=said)


def _other(component: str, detail: str) -> GuestBuildError:
    raised = _EXCEPTION.findall(detail)
    if not raised:
        last = detail.splitlines()[-1].strip() if detail else "without a word"
        return GuestBuildError(
            component=component, reason=f"componentize-py failed: {last}", detail=detail
        )
    return GuestBuildError(
        component=component,
        reason=f"app.py cannot be imported: {raised[-1]}",
        advice="everything is imported while building",
        detail=detail,
    )


def _with_project_paths(text: str, roots: Sequence[str]) -> str:
    """Name files as they are named in the project; the guest saw ``/0/app.py``."""
    for number, root in enumerate(roots):
        folder = "" if root == "app" else f"{root}/"
        text = text.replace(f'File "/{number}/', f'File "{folder}')
    return text
