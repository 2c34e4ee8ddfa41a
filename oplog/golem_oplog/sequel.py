"""What a fork has instead of its source's next entry: how the two are told apart on replay."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from golem_oplog.entries import Entry
from golem_oplog.types import FunctionType


class Sequel(NamedTuple):
    """An entry that a fork has right behind the cut, where its source has another one."""

    function: FunctionType | None
    """What the entry refers to by its definition id; None where it refers to nothing."""
    make: Callable[[int], Entry]
    """From that id, 0 where there is none."""


def sequel_entries(sequels: Iterable[Sequel], define: Callable[[FunctionType], int]) -> list[Entry]:
    """The entries themselves, in a log that knows functions by ``define``."""
    return [each.make(0 if each.function is None else define(each.function)) for each in sequels]
