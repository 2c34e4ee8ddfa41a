"""How exported functions are named by people."""

from __future__ import annotations

import pytest

from golem_host.engine import ExportedFunction
from golem_host.errors import InvalidRequestError
from golem_host.worker.names import NAMES_SHOWN_MAX, find_export
from tests.support.scripted_guest import exported


def export(interface: str, name: str) -> ExportedFunction:
    return exported(interface, name, (), None)


CART = "golem:it/api@1.2.0"
EXPORTS = (
    export(CART, "add-item"),
    export(CART, "checkout"),
    export(CART, "[constructor]counter"),
    export(CART, "[method]counter.inc-by"),
    export(CART, "[static]counter.merge"),
    export("golem:it/admin", "checkout"),
    export("", "run"),
    export(CART, "[drop]counter"),
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("golem:it/api@1.2.0.{add-item}", 0),
        ("golem:it/api.{add-item}", 0),
        ("golem:it/api@1.2.0#add-item", 0),
        ("golem:it/api#add-item", 0),
        ("api.{add-item}", 0),
        ("api#add-item", 0),
        ("add-item", 0),
        ("golem:it/api.{checkout}", 1),
        ("golem:it/admin#checkout", 5),
        ("golem:it/api.{counter.new}", 2),
        ("golem:it/api.{[constructor]counter}", 2),
        ("counter.new", 2),
        ("golem:it/api.{counter.inc-by}", 3),
        ("golem:it/api.{[method]counter.inc-by}", 3),
        ("[method]counter.inc-by", 3),
        ("counter.merge", 4),
        ("[static]counter.merge", 4),
        ("api.{counter.drop}", 7),
        ("golem:it/api.{[drop]counter}", 7),
        ("run", 6),
        ("#run", 6),
    ],
)
def test_every_spelling_finds_its_function(text: str, found: int) -> None:
    """With or without interface, version and the raw form of resources."""
    assert EXPORTS[found] == find_export(EXPORTS, text)


@pytest.mark.parametrize(
    "text",
    [
        "golem:it/api@1.3.0.{add-item}",
        "golem:it/other.{add-item}",
        "it/api.{add-item}",
        "golem:it/admin#add-item",
        "counter",
        "inc-by",
        "counter.add-item",
        "",
        "golem:it/api.{}",
        "{add-item}",
        "add-item()",
    ],
)
def test_anything_else_finds_none(text: str) -> None:
    """No spelling is guessed at: another version, half a name or a call are not the function."""
    with pytest.raises(InvalidRequestError) as caught:
        find_export(EXPORTS, text)

    assert caught.value.reason.startswith(f"no function {text!r}; ")


def test_an_ambiguous_name_is_refused_with_the_names_that_are_not() -> None:
    """Each of them would have been right."""
    with pytest.raises(InvalidRequestError) as caught:
        find_export(EXPORTS, "checkout")

    reason = "'checkout' is ambiguous: golem:it/admin.{checkout}, golem:it/api@1.2.0.{checkout}"
    assert reason == caught.value.reason


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    """A typing error should cost one look."""
    with pytest.raises(InvalidRequestError) as caught:
        find_export(EXPORTS[:2], "ad-item")

    assert (
        "no function 'ad-item'; did you mean add-item? The component exports "
        "golem:it/api@1.2.0.{add-item}, golem:it/api@1.2.0.{checkout}"
    ) == caught.value.reason


def test_an_unknown_name_without_a_near_one_lists_what_there_is() -> None:
    """Nothing is suggested that is not alike."""
    with pytest.raises(InvalidRequestError) as caught:
        find_export([export("", "run")], "zzz")

    assert "no function 'zzz'; the component exports run" == caught.value.reason


def test_a_long_list_is_cut() -> None:
    """A component with hundreds of exports does not fill the screen."""
    exports = [export("", f"function-{number:02}") for number in range(NAMES_SHOWN_MAX + 1)]
    reasons = []
    for count in (NAMES_SHOWN_MAX, NAMES_SHOWN_MAX + 1):
        with pytest.raises(InvalidRequestError) as caught:
            find_export(exports[:count], "zzz")
        reasons.append(caught.value.reason[-12:])

    assert [" function-19", "ction-19, ..."[-12:]] == reasons


def test_a_component_without_exports_says_so() -> None:
    """There is no list to look at."""
    with pytest.raises(InvalidRequestError) as caught:
        find_export([], "run")

    assert "no function 'run': the component exports none" == caught.value.reason
