"""Options that several commands share, each explained once, and the types they are read as."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from golem_host.files.mapping import Mapping

T = TypeVar("T")
R = TypeVar("R")

Offer = Callable[[click.Context, click.Parameter, str], "list[CompletionItem]"]
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
no_retry: Decorator = click.option("--no-retry", is_flag=True, help="Give up at the first trap.")
first_index: Decorator = click.option(
    "--from", "first", type=click.IntRange(1), default=1, metavar="N", help="First index."
)
last_index: Decorator = click.option(
    "--to", "last", type=click.IntRange(1), metavar="N", help="Last index."
)
full: Decorator = click.option("--full", is_flag=True, help="Print long values whole.")


def offering(function: str) -> Offer:
    """For ``shell_complete``: a function of `golem_cli.completion`, which is imported when asked."""

    def offer(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        del param
        from click.shell_completion import CompletionItem

        from golem_cli import completion

        found = getattr(completion, function)(ctx.params.get("state_dir"), incomplete)
        return [CompletionItem(each.text, type=each.kind) for each in found]

    return offer


complete_component: Final = offering("complete_component")
complete_app: Final = offering("complete_app")
complete_log: Final = offering("complete_log")


class WorkerName(NamedTuple):
    """A worker as the command line names it."""

    component: str
    worker: str

    def __str__(self) -> str:
        return f"{self.component}/{self.worker}"


class WorkerNameType(click.ParamType[WorkerName]):
    """``COMPONENT/NAME``; ``COMPONENT`` alone means its worker ``main``."""

    name = "worker"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        return offering("complete_worker")(ctx, param, incomplete)

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


class MomentType(click.ParamType[int]):
    """RFC 3339, or ``+`` and a duration from now; Unix nanoseconds."""

    name = "moment"
    _NS_PER_S: Final = 1_000_000_000
    _AHEAD_S_MAX: Final = 100 * 365 * 86_400.0

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        if isinstance(value, int):
            return value
        from golem_host.errors import InvalidRequestError
        from golem_host.rest.times import time_of
        from golem_host.system import SystemClock

        text = str(value).strip()
        if text.startswith("+"):
            ahead_s = DURATION.convert(text[1:], param, ctx)
            if ahead_s > self._AHEAD_S_MAX:
                self.fail(f"{value!r} is more than a century ahead", param, ctx)
            return SystemClock.unix_ns() + round(ahead_s * self._NS_PER_S)
        try:
            return time_of(text)
        except InvalidRequestError as error:
            self.fail(f"{error}, or +10s for ten seconds from now", param, ctx)


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


class NetType(click.ParamType[str]):
    """A pattern of `golem_host.net.grants`."""

    name = "net"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        from golem_host.net.grants import Grants

        text = str(value)
        try:
            Grants.parse([text])
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return text


class MappingType(click.ParamType["Mapping"]):
    """``HOST::GUEST`` or ``HOST::GUEST::ro``; the path of this machine is made absolute."""

    name = "mapping"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Mapping:
        from golem_host.files.mapping import Mapping, parse_mapping

        if isinstance(value, Mapping):
            return value
        try:
            found = parse_mapping(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return Mapping(str(Path(found.host).absolute()), found.guest, found.read_only)


WORKER: Final = WorkerNameType()
DURATION: Final = DurationType()
MOMENT: Final = MomentType()
ENV: Final = EnvType()
MAPPING: Final = MappingType()

env: Decorator = click.option(
    "-e",
    "--env",
    multiple=True,
    type=ENV,
    metavar="NAME[=VALUE]",
    help="Set a variable for it; without a value, as it is set here.  May be repeated.",
)
config_var: Decorator = click.option(
    "--config-var",
    multiple=True,
    type=ENV,
    metavar="NAME=VALUE",
    help="Set a configuration variable for it; may be repeated.",
)


net: Decorator = click.option(
    "--net",
    multiple=True,
    type=NetType(),
    metavar="PATTERN",
    help="Let guests connect to HOST:PORT, as in example.org:443, *.example.org:443, "
    "192.0.2.0/24:8000-8099, [::1]:* or *:80; or accept, as in listen:127.0.0.1:8080.  May be "
    "repeated; without it there is no network.",
)


def directory(who: str) -> Decorator:
    """``--dir``, which grants ``who`` a directory of this machine."""
    return click.option(
        "--dir",
        multiple=True,
        type=MAPPING,
        metavar="HOST::GUEST[::ro]",
        help=f"Let {who} use a directory of this machine, under an absolute path in the guest, "
        "only for reading with `::ro`.  May be repeated.",
    )


interface: Decorator = click.option(
    "--interface",
    multiple=True,
    metavar="MODULE:NAME",
    help="Lend guests an interface in Python: a class, made without arguments, a function that "
    "returns one or several, or an object.  The module is found from the current directory.  May "
    "be repeated.",
)


def pairs(given: Iterable[tuple[str, str | None]]) -> dict[str, str]:
    """As in the wasmtime CLI, a variable that is not set here is not set there."""
    return {name: value for name, value in given if value is not None}


def bundled(cls: type[T]) -> Callable[[Callable[[T], R]], Callable[..., R]]:
    """Hand a command its parameters as one `cls`, whose fields carry their names."""

    def decorate(command: Callable[[T], R]) -> Callable[..., R]:
        @wraps(command)
        def call(**values: Any) -> R:
            return command(cls(**values))

        return call

    return decorate
