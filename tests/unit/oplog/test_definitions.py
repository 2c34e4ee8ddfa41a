"""The functions that a log has ids for."""

from __future__ import annotations

import pytest

from golem_oplog.cbor import encode_type
from golem_oplog.codec import unpack_row
from golem_oplog.definitions import Definitions
from golem_oplog.errors import MalformedEntryError, UnknownFunctionError
from golem_oplog.types import FunctionType, Prim
from tests.support.oplogs import LOOKUP, NOTIFY

LOOKUP_FORM, NOTIFY_FORM = encode_type(LOOKUP), encode_type(NOTIFY)


def test_ids_are_given_in_order() -> None:
    """Each new function takes the next id, an equal one the id that it has."""
    definitions = Definitions()

    assert [0, 1, 0] == [definitions.intern(function) for function in (LOOKUP, NOTIFY, LOOKUP)]


def test_learned_definitions_keep_their_ids() -> None:
    """What was read is known by its id, and new ids come behind all of those."""
    definitions = Definitions()
    definitions.learn([(7, LOOKUP_FORM), (3, NOTIFY_FORM)])
    definitions.learn([(7, LOOKUP_FORM)])

    assert (7, 3) == (definitions.intern(LOOKUP), definitions.intern(NOTIFY))
    assert 8 == definitions.intern(FunctionType("new", (), Prim.BOOL))
    assert NOTIFY == definitions.function(3)
    assert definitions.function(3) is definitions.function(3)


def test_what_all_of_them_take_is_known() -> None:
    """Each counts once, however it came in; asking for one defines nothing."""
    definitions = Definitions()
    definitions.learn([(7, LOOKUP_FORM), (7, LOOKUP_FORM)])
    assert (7, None) == (definitions.find(LOOKUP), definitions.find(NOTIFY))
    assert len(LOOKUP_FORM) == definitions.size_bytes
    for _ in range(2):
        assert definitions.intern(NOTIFY) == definitions.find(NOTIFY)

    assert len(LOOKUP_FORM) + len(NOTIFY_FORM) == definitions.size_bytes
    assert definitions.size_bytes == definitions.copy().size_bytes


def test_an_id_has_one_meaning() -> None:
    """A log that defines an id twice, with different types, is malformed."""
    definitions = Definitions()
    definitions.learn([(7, LOOKUP_FORM)])

    with pytest.raises(MalformedEntryError):
        definitions.learn([(7, NOTIFY_FORM)])


def test_only_what_an_entry_uses_is_written() -> None:
    """Ids that nobody used are not among those that begin the next segment."""
    definitions = Definitions()
    lookup, notify = definitions.intern(LOOKUP), definitions.intern(NOTIFY)

    packed = definitions.use(notify)

    assert (notify, NOTIFY_FORM) == unpack_row(packed)
    assert [packed] == definitions.packed()
    assert definitions.is_written(notify)
    assert not definitions.is_written(lookup)


def test_an_id_that_was_not_given_is_unknown() -> None:
    """Neither its function nor its packed form is there."""
    definitions = Definitions()

    for act in (definitions.function, definitions.use):
        with pytest.raises(UnknownFunctionError):
            act(0)

    assert not definitions.is_written(0)


def test_a_copy_goes_on_separately() -> None:
    """A copy knows the same ids, and what is defined there is not known here."""
    definitions = Definitions()
    definitions.use(definitions.intern(LOOKUP))
    copy = definitions.copy()

    assert 1 == copy.intern(NOTIFY)
    assert LOOKUP == copy.function(0)
    assert definitions.packed() == copy.packed()
    with pytest.raises(UnknownFunctionError):
        definitions.function(1)
