"""
The functions that this project's ``wit/`` describes, with their types: what a call needs to know.

The build puts the project's WIT beside this package; it is read while the guest is built.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from golem_guest._wit_reader import Function, Interface, Type, WitError, WitFile

_HOSTS = ("wasi:", "golem:")
"""Packages whose functions are called by import, and have no say about short names."""


class Wit:
    """All that a few files declare."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._interfaces: list[Interface] = []
        self._unread = ""
        self._known: dict[tuple[str, str | None], Function] = {}
        for text in texts:
            try:
                self._interfaces += WitFile(text).read()
            except WitError as error:
                # It is no reason for a guest not to be built that calls nothing of it.
                self._unread = f" (not all of it is understood: {error})"

    def function(self, name: str, interface: str | None = None) -> Function:
        """
        A function by its name, ``resource.method`` included, or by ``interface.{name}``.

        Raises:
            WitError: There is none, or more than one.
        """
        asked = (name, interface)
        if asked not in self._known:
            self._known[asked] = self._find(name, interface)
        return self._known[asked]

    def _find(self, name: str, interface: str | None) -> Function:
        if name.endswith("}") and ".{" in name:
            interface, _, name = name[:-1].partition(".{")
        found = [
            each
            for each in self._interfaces
            if name in each.functions and _is_meant(each, interface)
        ]
        within = f" of {interface}" if interface else ""
        if not found:
            message = (
                f"no function {name!r}{within} in wit/: copy the callee's WIT to a folder "
                f"below wit/deps/{self._unread}"
            )
            raise WitError(message)
        if len({each.functions[name].name for each in found}) > 1:
            listed = ", ".join(each.functions[name].name for each in found)
            message = f"{name!r}{within} may be {listed}: say which"
            raise WitError(message)
        declared = found[0].functions[name]
        resolve = self._resolver(found[0])
        params = tuple((param, resolve(given)) for param, given in declared.params)
        result = None if declared.result is None else resolve(declared.result)
        return Function(declared.name, params, result)

    def _resolver(self, interface: Interface) -> Callable[[Type], Type]:
        def resolve(given: Type) -> Type:
            if given.kind == "name":
                return self._named(interface, given.names[0])
            parts = tuple(None if part is None else resolve(part) for part in given.parts)
            return Type(given.kind, parts, given.names)

        return resolve

    def _named(self, interface: Interface, name: str) -> Type:
        if name in interface.types:
            return self._resolver(interface)(interface.types[name])
        if name in interface.used:
            source, there = interface.used[name]
            for other in self._interfaces:
                if other.name == source:
                    return self._named(other, there)
        message = f"no type {name!r} for {interface.name or interface.package} in wit/"
        raise WitError(message)


def _is_meant(each: Interface, interface: str | None) -> bool:
    if interface is None:
        return not each.package.startswith(_HOSTS)
    return each.is_called(interface)
