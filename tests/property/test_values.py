"""Every value of every WIT type survives every form that we give it; nothing else gets through."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golem_oplog.cbor import (
    decode_args,
    decode_type,
    decode_typed,
    decode_value,
    encode_args,
    encode_type,
    encode_typed,
    encode_value,
)
from golem_oplog.errors import MalformedPayloadError, OplogError, ValueTypeError, WaveError
from golem_oplog.jsonform import from_json, parse_json, to_json
from golem_oplog.types import FunctionType, WitType
from golem_oplog.values import check_wire, from_wire, is_identity, to_wire
from golem_oplog.wave import (
    parse_args,
    parse_call,
    parse_value,
    render_call,
    render_value,
    render_wire,
)
from tests.support.wit_strategies import (
    as_lists,
    function_types,
    public_values,
    wire_values,
    wit_types,
)

# Text that gets further into the parsers than arbitrary characters do.
wave_like = st.lists(
    st.sampled_from(
        (
            *("{", "}", "(", ")", "[", "]", ":", ",", "//", "\n", '"', '"""', "'", "\\", "%", "-"),
            *("\\u{", "0", "12", "1e9", "-inf", "nan", "some", "none", "ok", "a", "x-y", "true"),
        )
    )
    | st.text(max_size=2),
    max_size=12,
).map("".join)

json_documents: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(("ok", "err", "some", "a", "x")), inner, max_size=3)
    ),
    max_leaves=6,
)


def outcome(attempt: Callable[[], object]) -> object:
    """What an attempt returns, or the error of ours that it raises."""
    try:
        return attempt()
    except OplogError as error:
        return error


@given(st.data(), wit_types())
def test_wire_values_come_back_from_the_public_form(data: st.DataObject, ty: WitType) -> None:
    """What the log holds is shown to people and can be given back unchanged."""
    wire = data.draw(wire_values(ty))

    public = from_wire(ty)(wire)

    check_wire(ty, wire)
    assert wire == to_wire(ty)(public)
    assert not is_identity(ty) or wire == public


@given(st.data(), wit_types())
def test_public_values_come_back_from_the_wire_form(data: st.DataObject, ty: WitType) -> None:
    """What a person hands in is what the guest's answer would look like."""
    public = data.draw(public_values(ty))

    wire = to_wire(ty)(public)

    check_wire(ty, wire)
    assert public == from_wire(ty)(wire)
    assert public == from_wire(ty)(as_lists(wire))


@given(st.data(), wit_types())
def test_values_come_back_from_cbor(data: st.DataObject, ty: WitType) -> None:
    """Every bit of a value is kept, NaN payloads too, with its type or without."""
    wire = data.draw(wire_values(ty, any_nan=True))
    plain = as_lists(wire)

    assert plain == decode_value(encode_value(wire))
    assert [plain, plain] == decode_args(encode_args([wire, wire]))
    assert (ty, plain) == decode_typed(encode_typed(ty, wire))


@given(wit_types() | function_types() | st.none())
def test_types_come_back_from_cbor(ty: WitType | FunctionType | None) -> None:
    """A definition in a log is the type that it was made from."""
    assert ty == decode_type(encode_type(ty))


@given(st.data(), wit_types())
def test_values_come_back_from_json(data: st.DataObject, ty: WitType) -> None:
    """A value survives its JSON text."""
    public = data.draw(public_values(ty))

    text = json.dumps(to_json(ty, public), allow_nan=False)

    assert public == from_json(ty, parse_json(text))


@given(st.data(), wit_types())
def test_values_come_back_from_wave(data: st.DataObject, ty: WitType) -> None:
    """A printed value can be typed in again, and stands on one line of printable text."""
    public = data.draw(public_values(ty))

    text = render_value(public, ty)

    assert public == parse_value(text, ty)
    assert text.isprintable()


@given(st.data(), function_types())
def test_calls_come_back_from_wave(data: st.DataObject, function: FunctionType) -> None:
    """A printed call can be typed in again."""
    publics = [data.draw(public_values(ty)) for _, ty in function.params]

    call = parse_call(render_call(function, publics))

    assert function.name == call.name
    assert publics == parse_args(call, function)


@given(st.data(), wit_types(), st.integers(0, 30))
def test_a_cut_print_is_the_start_of_the_whole(
    data: st.DataObject, ty: WitType, chars_max: int
) -> None:
    """A bound cuts the text there and nowhere else."""
    wire = data.draw(wire_values(ty))
    whole = render_wire(wire, ty)

    cut = render_wire(wire, ty, chars_max)

    assert (whole if len(whole) <= chars_max else whole[:chars_max] + "...") == cut


@given(wit_types(), wave_like | st.text(max_size=20))
def test_any_text_is_a_value_or_a_wave_error(ty: WitType, text: str) -> None:
    """The parser accepts only values of the type, and fails in one way, on one line."""
    found = outcome(lambda: parse_value(text, ty))

    if isinstance(found, WaveError):
        assert 0 <= found.position <= len(text)
        assert str(found).isprintable()
    else:
        check_wire(ty, to_wire(ty)(found))


@given(function_types(), wave_like | st.text(max_size=20), st.sampled_from(("", "f", "f(")))
def test_any_text_is_a_call_or_a_wave_error(function: FunctionType, text: str, start: str) -> None:
    """The same is true of calls."""
    found = outcome(lambda: parse_args(parse_call(start + text), function))

    if isinstance(found, WaveError):
        assert str(found).isprintable()
    else:
        assert isinstance(found, list)
        assert len(function.params) == len(found)


@given(wit_types(), json_documents)
def test_any_document_is_a_value_or_a_type_error(ty: WitType, document: object) -> None:
    """JSON of any shape gives a value that fits, or the one error, on one line."""
    found = outcome(lambda: from_json(ty, document))

    if isinstance(found, ValueTypeError):
        assert str(found).isprintable()
    else:
        check_wire(ty, to_wire(ty)(found))


@given(wit_types(), json_documents)
def test_any_object_is_converted_or_a_type_error(ty: WitType, value: object) -> None:
    """Python values of any shape give a wire value that fits, or the one error, on one line."""
    found = outcome(lambda: to_wire(ty)(value))

    if isinstance(found, ValueTypeError):
        assert str(found).isprintable()
    else:
        check_wire(ty, found)


@given(st.binary(max_size=40))
def test_any_bytes_are_a_payload_or_malformed(data: bytes) -> None:
    """Bytes that decode are exactly what encoding gives; all others raise one error."""
    found = outcome(lambda: decode_value(data))

    assert isinstance(found, MalformedPayloadError) or data == encode_value(found)


@given(st.data(), wit_types(), st.integers(0, 255))
def test_damaged_typed_values_are_found(data: st.DataObject, ty: WitType, byte: int) -> None:
    """A changed byte gives another fitting value or an error of the log, never anything else."""
    encoded = bytearray(encode_typed(ty, data.draw(wire_values(ty))))
    encoded[data.draw(st.integers(0, len(encoded) - 1))] = byte
    damaged = bytes(encoded)

    found = outcome(lambda: decode_typed(damaged))

    assert isinstance(found, OplogError | tuple)
    assert isinstance(found, OplogError) or damaged == encode_typed(*found)


@given(st.data(), wit_types(), wit_types())
def test_what_passes_the_check_is_a_value(data: st.DataObject, ty: WitType, other: WitType) -> None:
    """A wire value checked against another type is refused, or is really one of that type."""
    wire = as_lists(data.draw(wire_values(other)))

    if outcome(lambda: check_wire(ty, wire)) is None:
        assert wire == as_lists(to_wire(ty)(from_wire(ty)(wire)))


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":['])
def test_endless_nesting_is_an_error_of_ours(opening: str) -> None:
    """No JSON is nested deeply enough to exhaust the stack."""
    with pytest.raises(ValueTypeError, match="JSON"):
        parse_json(opening * 100_000)
