"""
What a log keeps of a guest that reads logs: the pages that it was given.

A page is kept whole, for replay, and left out wherever the entry is shown: what it held can be read
where it came from.  Otherwise a log that its own worker reads would hold every page again in the
next one, and double with each reading, as would two that read each other's.  So what reading adds
is at most what was read without such pages.

The recorded names and this type are log format.
"""

from __future__ import annotations

from typing import Final

from golem_oplog.types import FunctionType, ListType, OptionType, Prim, RecordType, WitType

GET_NEXT: Final = "golem::api::oplog::get_next"
SEARCH_NEXT: Final = "golem::api::oplog::search_next"

_SHOWN: Final = (
    ("entries", ListType(Prim.U64)),
    ("next", Prim.U64),
    ("end", Prim.U64),
)
LOG_PAGE: Final = OptionType(RecordType((*_SHOWN, ("page", ListType(Prim.U8)))))
"""
The indexes of the entries, where the next page begins, the last index of this reading, and the
entries as msgpack of their wire form; none at the end.
"""
SHOWN_PAGE: Final = OptionType(RecordType(_SHOWN))


def has_page(function: FunctionType) -> bool:
    """Whether the result of this host call is a page, as far as its type says."""
    return function.name in {GET_NEXT, SEARCH_NEXT} and function.result == LOG_PAGE


def without_page(function: FunctionType, wire: object) -> tuple[WitType | None, object]:
    """
    Type and value of a host call's result as they are shown.

    ``wire`` is taken as it is where it is no page: nothing is known of it yet.
    """
    if has_page(function):
        match wire:
            case None:
                return SHOWN_PAGE, None
            case [[entries, following, end, bytes()]]:
                return SHOWN_PAGE, ((entries, following, end),)
    return function.result, wire
