"""
Host functions made of an embedder's instances, and the registry that offers them.

What can be known without a component is refused when the host is opened: names, shapes, two that
answer the same import.  What depends on types is refused when a component that imports the function
is linked.  Once a call runs, nothing of the embedder's is let through but what it may say:

=====================  ===========================================================================
a method               means
=====================  ===========================================================================
returns a value        the outcome; `HandlerResultError` if it does not fit
raises `WorldError`    as everywhere: tried again, and remembered once no attempt is left
raises anything else   the failure of this attempt, with the exception's last line
=====================  ===========================================================================
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Final

from golem_host.declare import (
    READ_REMOTE,
    WRITE_REMOTE,
    Declaration,
    HostFunction,
    Registry,
    Shape,
)
from golem_host.errors import DeclarationError, HandlerResultError
from golem_host.failures import EmbedderError, WorldError
from golem_host.lending import annotations as hints
from golem_host.lending.call import CallContext, end_call, raised_by_host
from golem_host.lending.declaring import LentMethod, class_mark, method_mark
from golem_host.resources import Convert, handles, lowerer
from golem_oplog.errors import ValueTypeError
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.shape import describe, python_name
from golem_oplog.types import FunctionType, HandleType, WitType
from golem_oplog.values import to_wire
from golem_oplog.wittext import format_function, format_type

if TYPE_CHECKING:
    from golem_host.context import InstanceContext

_LOG: Final = logging.getLogger(__name__)

MESSAGE_CHARS_MAX: Final = 1_000
"""Of what an embedder's exception says: it stands in the log, and may quote anything."""

_WAITING: Final = (READ_REMOTE, WRITE_REMOTE)
"""Kinds of functions that may wait for the world: other workers run meanwhile."""

_OBJECT_FIRST: Final = (Shape.METHOD, Shape.DROP)


@dataclass(frozen=True, slots=True)
class LentFunction(HostFunction):
    """A method of an embedder; its ``action`` is the bound method."""

    method: str
    """``Payments.charge``, for errors."""

    def action_for(self, imported: FunctionType) -> Callable[..., Any]:
        """From a context and values in public form to a result in wire form."""
        signature = _Signature.of(self)
        try:
            shapes = signature.fit(imported)
        except hints.MisfitError as error:
            raise DeclarationError(
                function=format_function(imported),
                reason=f"is imported, and {self.method} does not fit: {error}",
            ) from None
        return _action(self, signature, shapes, _lowering(self, imported.result))


@dataclass(frozen=True, slots=True)
class _Signature:
    """What a method takes, as far as Python knows it."""

    params: tuple[inspect.Parameter, ...]
    """The positional ones."""
    call: str | None
    """The keyword-only parameter that is given a `CallContext`."""
    annotations: dict[str, Any]

    @classmethod
    def of(cls, function: LentFunction) -> _Signature:
        """
        Raises:
            DeclarationError: It cannot be called as any host function is.
        """

        def refuse(reason: str) -> DeclarationError:
            return DeclarationError(function=function.method, reason=reason)

        action = function.action
        if inspect.iscoroutinefunction(action) or inspect.isasyncgenfunction(action):
            raise refuse("is async: a guest waits for its answer, so declare it with plain def")
        try:
            annotations = hints.hints_of(action)
        except hints.MisfitError as error:
            raise refuse(f"is {error}: import it where the module runs") from None
        params, call = [], None
        for parameter in inspect.signature(action).parameters.values():
            match parameter.kind:
                case inspect.Parameter.VAR_POSITIONAL | inspect.Parameter.VAR_KEYWORD:
                    raise refuse(f"takes *{parameter.name}: name each parameter as the WIT does")
                case inspect.Parameter.KEYWORD_ONLY:
                    if annotations.get(parameter.name) is CallContext and call is None:
                        call = parameter.name
                    elif parameter.default is inspect.Parameter.empty:
                        raise refuse(
                            f"takes {parameter.name} by keyword alone, which is for one parameter "
                            "annotated CallContext"
                        )
                case _:
                    if annotations.get(parameter.name) is CallContext:
                        raise refuse(
                            f"takes its CallContext by position: write *, {parameter.name}: "
                            "CallContext at the end"
                        )
                    params.append(parameter)
        return cls(tuple(params), call, annotations)

    def fit(self, imported: FunctionType) -> list[hints.Shape]:
        """
        What each argument needs on its way in.

        Raises:
            MisfitError: Number, names or annotations are others.
        """
        is_method = imported.name.partition("{")[2].startswith("[method]")
        wit = [name for name, _ in imported.params]
        names = [parameter.name for parameter in self.params]
        expected = [python_name(name) for name in wit]
        # The object behind the handle may be called anything.
        first = 1 if is_method else 0
        same = all(n in {e, f"{e}_"} for n, e in zip(names[first:], expected[first:], strict=False))
        if len(names) != len(wit) or not same:
            if is_method:
                expected[0] = "the object"
            wanted, found = ", ".join(expected) or "nothing", ", ".join(names) or "nothing"
            raise hints.MisfitError(f"it takes ({found}), where the WIT says ({wanted})")
        shapes = []
        for name, (wit_name, ty) in zip(names, imported.params, strict=True):
            try:
                shapes.append(hints.fit(self._annotation(name), ty))
            except hints.MisfitError as error:
                where = f"its parameter {name} is {error}"
                raise hints.MisfitError(f"{where} ({wit_name}: {_type_text(ty)})") from None
        try:
            hints.fit_result(self._annotation("return"), imported.result)
        except hints.MisfitError as error:
            raise hints.MisfitError(f"it returns {error}") from None
        return shapes

    def _annotation(self, name: str) -> Any:
        if name == "return" and name in self.annotations:
            return self.annotations[name]
        return self.annotations.get(name, inspect.Parameter.empty)


def _type_text(ty: WitType) -> str:
    text = format_type(ty)
    return text if len(text) <= MESSAGE_CHARS_MAX else f"{text[:MESSAGE_CHARS_MAX]}..."


def _lowering(function: LentFunction, result: WitType | None) -> Convert:
    """A checked result in wire form; what does not fit never gets into the log."""

    def misfit(reason: str) -> HandlerResultError:
        return HandlerResultError(function=function.full_name, reason=reason)

    if result is None:

        def nothing(_table: object, value: object) -> None:
            if value is not None:
                raise misfit(f"{function.method} returned {describe(value)}, and is to return None")

        return nothing
    has_handles = any(handles(result))
    convert: Convert | None = lowerer(result) if has_handles else None
    plain = None if has_handles else to_wire(result)

    def lower(table: Any, value: object) -> Any:
        if value is None and isinstance(result, HandleType):
            # The object is whatever an embedder likes, but one has to be there.
            raise misfit(f"{function.method} returned None in place of the object of a handle")
        try:
            return convert(table, value) if plain is None and convert else plain(value)  # type: ignore[misc]
        except ValueTypeError as error:
            raise misfit(f"{function.method} returned what does not fit: {error}") from error
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            # Types with handles are not checked by `to_wire`.
            text = f"{type(error).__name__}: {error}"
            raise misfit(f"{function.method} returned what does not fit: {text}") from error

    return lower


def _action(
    function: LentFunction, signature: _Signature, shapes: list[hints.Shape], lower: Convert
) -> Callable[..., Any]:
    method, call_name = function.action, signature.call
    kind = function.declaration.kind
    waits = kind in _WAITING
    is_shaped = any(shapes)
    name = function.full_name

    def act(context: InstanceContext, *args: Any) -> Any:
        named: dict[str, CallContext] = {}
        call = None
        if call_name is not None:
            call = named[call_name] = CallContext(context, name, is_recorded=kind is not None)
        try:
            given = (
                [a if s is None else s(a) for s, a in zip(shapes, args, strict=True)]
                if is_shaped
                else args
            )
            # A wait leaves the right to run guest code to others.
            with context.services.slot.released() if waits else nullcontext():
                result = method(*given, **named)
        except BaseException as error:
            failure = _failure(function, call, error)
            if failure is error:
                raise
            raise failure from error
        finally:
            if call is not None:
                end_call(call)
        raised = raised_by_host(call)
        if raised is not None:
            # It was caught, and ends the attempt all the same.
            raise raised
        return lower(context.resources, result)

    return act


def _failure(
    function: LentFunction, call: CallContext | None, error: BaseException
) -> BaseException:
    """What to raise in place of what a method has raised."""
    raised = raised_by_host(call)
    if raised is not None:
        return raised
    if isinstance(error, WorldError):
        return error
    _LOG.info("a lent method raised", exc_info=error, extra={"function": function.full_name})
    said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    text = f"{function.full_name}: {said}"[:MESSAGE_CHARS_MAX]
    return EmbedderError(f"{text}{_place(error)}")


def _place(error: BaseException) -> str:
    """Where it was raised: file and line of the innermost frame."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return ""
    file = trace.tb_frame.f_code.co_filename.rpartition("/")[2]
    return f" ({file}, line {trace.tb_lineno})"


def lend(registry: Registry, instances: Sequence[object], own_packages: frozenset[str]) -> None:
    """
    Offer what an embedder's instances declare.

    Raises:
        DeclarationError: One declares nothing, or what is ours, or what another one declares.
    """
    taken: dict[tuple[str, str], str] = {}
    for instance in instances:
        mark = class_mark(instance if isinstance(instance, type) else type(instance))
        label = _label(instance)
        if mark is None:
            raise DeclarationError(
                function=label,
                reason='declares no interface: write @interface("ns:package/name") above its class',
            )
        if isinstance(instance, type):
            raise DeclarationError(
                function=label, reason=f"is a class: lend an instance, {label}(...)"
            )
        package = mark.interface.partition("/")[0]
        if package in own_packages:
            raise DeclarationError(
                function=label,
                reason=f"declares {mark.interface}: what is in {package} this host offers itself",
            )
        functions = list(_functions(instance, mark.interface, mark.resource))
        if not functions:
            raise DeclarationError(
                function=label,
                reason="declares no function: write @function(READ_REMOTE), say, above a method",
            )
        for each in functions:
            key = (each.interface, each.import_name)
            if key in taken:
                raise DeclarationError(
                    function=each.full_name,
                    reason=f"is declared twice: by {taken[key]} and {each.method}",
                )
            taken[key] = each.method
        resource = [] if mark.resource is None else [f"{mark.interface}.{mark.resource}"]
        registry.lend(functions, resource)


def _label(instance: object) -> str:
    cls = instance if isinstance(instance, type) else type(instance)
    return cls.__name__


def _functions(instance: object, interface: str, resource: str | None) -> Iterator[LentFunction]:
    for attribute in dir(type(instance)):
        mark = _mark(type(instance), attribute)
        if mark is not None:
            yield _function(instance, attribute, mark, interface, resource)


def _mark(cls: type, attribute: str) -> LentMethod | None:
    """What stands above a method, or above the one that it overrides."""
    marks = (method_mark(vars(base).get(attribute)) for base in cls.__mro__)
    return next((mark for mark in marks if mark is not None), None)


def _function(
    instance: object, attribute: str, mark: LentMethod, interface: str, resource: str | None
) -> LentFunction:
    method = f"{type(instance).__name__}.{attribute}"
    shape = mark.shape
    if resource is None and shape is not Shape.FREE:
        raise DeclarationError(
            function=method,
            reason='is for a resource: write @resource("ns:package/name", "thing") above the class',
        )
    if resource is not None and shape is Shape.FREE:
        shape = Shape.METHOD
    import_name = shape.value.format(name=mark.name, resource=resource)
    bound = getattr(instance, attribute)
    record = None if mark.kind is None else f"{interface}.{{{import_name}}}"
    declaration = Declaration(shape, mark.name, mark.kind, record, None, gives_wire=True)
    found = LentFunction(interface, import_name, declaration, bound, method)
    # Looked at now: what is wrong with it needs no component to be seen.
    signature = _Signature.of(found)
    if shape is not Shape.DROP:
        return found
    if len(signature.params) != 1:
        raise DeclarationError(function=method, reason="is called with the object alone")
    dropping = _action(found, signature, [None], _lowering(found, None))
    return LentFunction(interface, import_name, declaration, dropping, method)
