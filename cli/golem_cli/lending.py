"""
``--interface MODULE:NAME``: objects of the caller's own Python, lent to guests.

They live in this process, so they can be lent by a process that runs workers itself, and by no
other.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Final

import click

OPTION: Final = "--interface"


def load(named: Sequence[str]) -> tuple[object, ...]:
    """
    The objects that are named, made where a name is a class or a function.

    Modules are found from the current directory, as by ``python -m``.

    Raises:
        click.UsageError: In one line, whatever an embedder's code did.
    """
    if not named:
        return ()
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    return tuple(each for text in named for each in _load(text))


def refuse_through_owner(named: Sequence[str]) -> None:
    """
    Another process owns the state directory, and it is there that workers run.

    Raises:
        click.UsageError: There is something to lend.
    """
    if named:
        raise click.UsageError(
            f"{OPTION} lends an object of this process, and another process owns the state "
            f"directory: start that one with {OPTION} {named[0]} (`golem-host serve` takes it), "
            "end it, or give another --state-dir"
        )


def _load(text: str) -> tuple[object, ...]:
    module_name, colon, path = text.partition(":")
    if not (module_name and colon and path):
        raise click.UsageError(
            f"{OPTION} {text}: write MODULE:CLASS, as in {OPTION} payments:Payments"
        )
    found = _attribute(text, _module(text, module_name), module_name, path)
    if callable(found):
        try:
            found = found()
        except Exception as error:
            raise _failed(text, f"{path}() raised", error) from error
    return tuple(found) if isinstance(found, list | tuple) else (found,)


def _module(text: str, name: str) -> object:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise click.UsageError(
                f"{OPTION} {text}: there is no module {name} in {Path.cwd()}, or installed"
            ) from error
        raise _failed(text, f"importing {name} raised", error) from error
    except Exception as error:
        raise _failed(text, f"importing {name} raised", error) from error


def _attribute(text: str, module: object, module_name: str, path: str) -> object:
    found = module
    for name in path.split("."):
        try:
            found = getattr(found, name)
        except AttributeError as error:
            from golem_cli.lazy import nearest_name

            nearest = nearest_name(name, [each for each in dir(found) if not each.startswith("_")])
            advice = f"; did you mean {nearest}?" if nearest else ""
            raise click.UsageError(
                f"{OPTION} {text}: {module_name} has no {name}{advice}"
            ) from error
    return found


def _failed(text: str, what: str, error: BaseException) -> click.UsageError:
    """With the exception's last line, and the innermost place of the embedder's own."""
    place, trace = "", error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if "importlib" not in code.co_filename and code.co_filename != __file__:
            place = f" ({Path(code.co_filename).name}, line {trace.tb_lineno})"
        trace = trace.tb_next
    said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return click.UsageError(f"{OPTION} {text}: {what} {said}{place}")
