"""What a method of an embedder may know about the call that it answers."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NoReturn, TypeVar, cast
from uuid import uuid5

from golem_host.declare import Recorded
from golem_host.dispatch import recorded_call
from golem_host.effects import effect_name
from golem_host.errors import DeclarationError
from golem_oplog.entries import FunctionKind
from golem_oplog.errors import ValueTypeError
from golem_oplog.types import FunctionType, ListType, Prim, WitType
from golem_oplog.values import from_wire, to_wire

if TYPE_CHECKING:
    from golem_host.context import InstanceContext

T = TypeVar("T", str, int, bool, float, bytes)

_STEP_TYPES: Final[dict[type, WitType]] = {
    str: Prim.STRING,
    int: Prim.S64,
    bool: Prim.BOOL,
    float: Prim.F64,
    bytes: ListType(Prim.U8),
}


STEPS_MAX: Final = 1_024
"""Different recorded steps whose types are kept: their names are meant to be few and fixed."""


@lru_cache(maxsize=STEPS_MAX)
def _step(name: str, kind: FunctionKind, ty: WitType) -> Recorded:
    # One object per step: an instance keeps the number of a definition under it.
    return Recorded(kind, FunctionType(name, (), ty))


class CallContext:
    """
    One call of an embedder's method, for as long as it runs.

    A method gets it by a keyword-only parameter with this annotation.
    """

    __slots__ = ("_context", "_function", "_index", "_is_recorded", "_raised", "_token")

    def __init__(self, context: InstanceContext, function: str, *, is_recorded: bool) -> None:
        self._context = context
        self._function = function
        self._is_recorded = is_recorded
        self._index = context.agreed_index
        # Counted for each call, whether it asks for its key or not.
        self._token = effect_name(context) if is_recorded else ""
        self._raised: BaseException | None = None

    @property
    def worker(self) -> str:
        """The name of the worker that calls."""
        return self._context.services.identity.worker_name

    @property
    def component_id(self) -> str:
        """UUID of its component, the same for all versions."""
        return self._context.services.identity.component_id

    @property
    def component_version(self) -> int:
        return self._context.services.identity.component_version

    @property
    def function(self) -> str:
        """The full name of what is called, ``ns:pkg/api.{charge}``."""
        return self._function

    @property
    def invocation_key(self) -> str:
        """The idempotency key of the invocation that calls; empty while the guest is made."""
        return self._context.key

    @property
    def live(self) -> bool:
        """False while the log is replayed: of unrecorded methods only, as others do not run then."""
        return self._context.replay.live

    @property
    def is_last_attempt(self) -> bool:
        """Whether a failure here and now leaves no retry."""
        return self._context.is_last_attempt()

    @property
    def idempotency_key(self) -> str:
        """
        A UUID for the effect of this call, the same again when the call is repeated.

        It is repeated after a crash or a failure that came before its outcome was in the log.
        Inside of an atomic region each attempt of the region has its own, as it may do something
        else.  A fork's keys differ from its source's, and those after a revert from those before.

        Raises:
            DeclarationError: The method is unrecorded: it runs at every replay.
        """
        if not self._is_recorded:
            raise self._kept(
                DeclarationError(
                    function=self._function,
                    reason="is declared UNRECORDED, so that its calls have no idempotency key",
                )
            )
        if self._context.is_unrecorded:
            # While a snapshot is saved or loaded nothing is remembered: the next time is another.
            return self._context.services.random.uuid()
        name = f"{self._function}/{self._token}"
        return str(uuid5(self._context.derive_key(self._index), name))

    def check(self) -> None:
        """
        Return if the worker is to go on; else end the call, by a signal that is no `Exception`.

        For a method that takes long: what interrupts the worker, or closes the host, waits for it.
        A recorded method that is ended this way leaves no entry, and is repeated.
        """
        try:
            self._context.check_kill()
        except BaseException as signal:
            self._raised = signal
            raise

    def recorded(self, name: str, kind: FunctionKind, of: type[T], perform: Callable[[], T]) -> T:
        """
        A step of an unrecorded method whose outcome is in the log: performed once, answered after.

        So a constructor that runs again on replay is given what it was given the first time.

        Args:
            name: Of the step; part of the log.
            kind: As above a method.
            of: The type of the outcome: str, int (64 bits), bool, float or bytes.
            perform: What gives it.

        Raises:
            DeclarationError: The method itself is recorded, or the type is another one.
        """
        ty = _STEP_TYPES.get(of)
        if self._is_recorded or ty is None or not isinstance(kind, FunctionKind):
            reason = (
                "is recorded itself: only an unrecorded method has recorded steps"
                if self._is_recorded
                else f"has a step {name!r} that cannot be recorded; it needs a kind such as "
                "READ_REMOTE, and gives str, int, bool, float or bytes"
            )
            raise self._kept(DeclarationError(function=self._function, reason=reason))
        step = f"{self._function}#{name}"
        failed: list[BaseException] = []

        def act() -> object:
            try:
                value = perform()
            except BaseException as error:
                failed.append(error)
                raise
            try:
                return to_wire(ty)(value)
            except ValueTypeError as error:
                failed.append(error)
                raise

        try:
            wire = recorded_call(self._context, _step(step, kind, ty), (), act)
        except BaseException as error:
            if error not in failed:
                self._raised = error
            raise
        value: T = from_wire(ty)(wire)
        return value

    def _kept(self, error: DeclarationError) -> DeclarationError:
        self._raised = error
        return error


def raised_by_host(call: CallContext | None) -> BaseException | None:
    """What the host has raised out of a call's context: it ends the attempt, caught or not."""
    return None if call is None else call._raised  # noqa: SLF001 - no matter of the method's


def end_call(call: CallContext) -> None:
    """The method has returned: whoever has kept the context is told so."""
    call._context = cast("InstanceContext", _Over(call.function))  # noqa: SLF001 - as above


class _Over:
    """Stands for the context of a call that is over."""

    def __init__(self, function: str) -> None:
        self._function = function

    def __getattr__(self, name: str) -> NoReturn:
        reason = "has returned: its CallContext is for the time of the call"
        raise DeclarationError(function=self._function, reason=reason)
