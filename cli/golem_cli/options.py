"""Options that several commands share, each explained once, and the types they are read as."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import click

T = TypeVar("T")
R = TypeVar("R")

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

DEFAULT_WORKER: Final = "main"

state_dir: Decorator = click.option(
    "--state-dir",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Where workers, logs and components are kept  [default: $GOLEM_HOST_STATE_DIR, "
    "or golem-host in the XDG state directory].",
)
json_output: Decorator = click.option(
    "--json", "json_output", is_flag=True, help="Print JSON, one document per line."
)
quiet: Decorator = click.option(
    "-q", "--quiet", is_flag=True, help="Say nothing on stderr except errors."
)
full: Decorator = click.option("--full", is_flag=True, help="Print long values whole.")


class WorkerName(NamedTuple):
    """A worker as the command line names it."""

    component: str
    worker: str

    def __str__(self) -> str:
        return f"{self.component}/{self.worker}"


class WorkerNameType(click.ParamType[WorkerName]):
    """``COMPONENT/NAME``; ``COMPONENT`` alone means its worker ``main``."""

    name = "worker"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> WorkerName:
        if isinstance(value, WorkerName):
            return value
        component, slash, worker = str(value).partition("/")
        if not component or (slash and not worker):
            self.fail(f"{value!r} is not COMPONENT/NAME", param, ctx)
        return WorkerName(component, worker or DEFAULT_WORKER)


class DurationType(click.ParamType[float]):
    """Seconds, or a number with one of the units ``ms``, ``s``, ``m``, ``h``."""

    name = "duration"
    _SECONDS: Final = {"ms": 0.001, "": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}
    _FORM: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|)")

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        if isinstance(value, float):
            return value
        form = self._FORM.fullmatch(str(value).strip())
        if form is None:
            self.fail(f"{value!r} is not a duration such as 5, 500ms or 2m", param, ctx)
        return float(form[1]) * self._SECONDS[form[2]]


class EnvType(click.ParamType[tuple[str, str | None]]):
    """``NAME=VALUE``, or ``NAME`` for the value it has here; None for one that is not set here."""

    name = "env"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str | None]:
        if isinstance(value, tuple):
            return value
        name, equals, text = str(value).partition("=")
        if not name:
            self.fail(f"{value!r} is not NAME=VALUE or NAME", param, ctx)
        return name, text if equals else os.environ.get(name)


WORKER: Final = WorkerNameType()
DURATION: Final = DurationType()
ENV: Final = EnvType()


def bundled(cls: type[T]) -> Callable[[Callable[[T], R]], Callable[..., R]]:
    """Hand a command its parameters as one `cls`, whose fields carry their names."""

    def decorate(command: Callable[[T], R]) -> Callable[..., R]:
        @wraps(command)
        def call(**values: Any) -> R:
            return command(cls(**values))

        return call

    return decorate
