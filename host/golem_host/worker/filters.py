"""
Which workers a search finds: conditions on what is known of them.

Plain data, evaluated without the worker.  Made from what a guest passes (`WorkerFilter.of_guest`)
or from text (`golem_host.worker.filter_text`).

Source: spec 2.10.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeAlias, cast

from golem_host.errors import InvalidRequestError
from golem_host.status import (
    EXITED,
    FAILED,
    IDLE,
    INTERRUPTED,
    RETRYING,
    RUNNING,
    SUSPENDED,
)
from golem_host.worker.metadata import WorkerMetadata
from golem_oplog.entries import Pairs
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.values import Variant

CONDITIONS_MAX: Final = 10_000
"""Of one filter: they are all tried on each worker, and nobody writes so many by hand."""

STATUSES: Final = (RUNNING, IDLE, SUSPENDED, INTERRUPTED, RETRYING, FAILED, EXITED)
"""In the order of ``golem:api/host.worker-status``, by which states are compared."""

NS_PER_MS: Final = 1_000_000

ORDERED: Final[Mapping[str, Callable[[int, int], bool]]] = {
    "equal": operator.eq,
    "not-equal": operator.ne,
    "greater-equal": operator.ge,
    "greater": operator.gt,
    "less-equal": operator.le,
    "less": operator.lt,
}
"""``filter-comparator``: numbers, times and states."""


def _not_like(text: str, part: str) -> bool:
    return part not in text


TEXTUAL: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "equal": operator.eq,
    "not-equal": operator.ne,
    "like": operator.contains,
    "not-like": _not_like,
    "starts-with": str.startswith,
}
"""``string-filter-comparator`` of all dialects; none knows wildcards."""

CONFIG_CASES: Final = frozenset({"wasi-config-vars", "config-vars"})
"""The case for configuration variables, as the dialects call it."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison with one property of a worker."""

    subject: str
    """``name``, ``status``, ``version``, ``created-at``, ``env`` or ``config``."""
    comparator: str
    """A case of `TEXTUAL` for names and variables, of `ORDERED` for the others."""
    value: str | int
    """Milliseconds since 1970 for ``created-at``."""
    variable: str = ""
    """Which one, for ``env`` and ``config``."""

    def holds(self, worker: WorkerMetadata) -> bool:
        match self.subject:
            case "name":
                return self._matches(worker.name)
            case "env":
                return self._matches(_first_of(worker.env, self.variable.casefold()))
            case "config":
                return self._matches(dict(worker.config_vars).get(self.variable))
            case "status":
                return self._compares(STATUSES.index(worker.status), STATUSES.index(self._text))
            case "version":
                return self._compares(worker.component_version, self._number)
            case _:
                return self._compares(worker.created_ns // NS_PER_MS, self._number)

    @property
    def _text(self) -> str:
        assert isinstance(self.value, str)
        return self.value

    @property
    def _number(self) -> int:
        assert isinstance(self.value, int)
        return self.value

    def _matches(self, found: str | None) -> bool:
        # A variable that is not there fulfils nothing, "not equal" included.
        return found is not None and TEXTUAL[self.comparator](found, self._text)

    def _compares(self, found: int, wanted: int) -> bool:
        return ORDERED[self.comparator](found, wanted)


def _first_of(env: Pairs, folded: str) -> str | None:
    """Names of environment variables are compared without regard to case."""
    return next((value for name, value in env if name.casefold() == folded), None)


@dataclass(frozen=True, slots=True)
class WorkerFilter:
    """Alternatives, each a list of conditions that must all hold; without any, all workers pass."""

    alternatives: tuple[tuple[Condition, ...], ...] = ()

    def __call__(self, worker: WorkerMetadata) -> bool:
        if not self.alternatives:
            return True
        return any(all(c.holds(worker) for c in every) for every in self.alternatives)

    @property
    def size(self) -> int:
        """Alternatives and conditions: what `CONDITIONS_MAX` bounds."""
        return len(self.alternatives) + sum(map(len, self.alternatives))

    @classmethod
    def every(cls, conditions: Iterable[Condition]) -> WorkerFilter:
        """All of these conditions must hold."""
        return cls((tuple(conditions),)).checked()

    @classmethod
    def of_guest(cls, value: object) -> WorkerFilter:
        """From the public form of ``option<worker-any-filter>``, of any dialect."""
        if value is None:
            return cls()
        return cls(
            tuple(
                tuple(_condition(each) for each in cast("_All", every)["filters"])
                for every in cast("_Any", value)["filters"]
            )
        )

    def checked(self) -> WorkerFilter:
        """
        Itself.

        Raises:
            InvalidRequestError: It is too large to be tried on every worker.
        """
        if self.size > CONDITIONS_MAX:
            raise InvalidRequestError(
                reason=f"a filter has at most {CONDITIONS_MAX} conditions, not {self.size}"
            )
        return self


_Any: TypeAlias = Mapping[str, list[object]]
_All: TypeAlias = Mapping[str, list[Variant]]


def _condition(case: Variant) -> Condition:
    fields = cast("Mapping[str, str | int]", case.value)
    return Condition(
        "config" if case.case in CONFIG_CASES else case.case,
        str(fields["comparator"]),
        fields["value"],
        str(fields.get("name", "")),
    )
