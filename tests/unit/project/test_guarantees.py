"""The guarantees page: every test that it names is there."""

from __future__ import annotations

import pkgutil
import re
from importlib import import_module

import pytest

from golem_host.declare import Recorded
from golem_host.interfaces.golem.rpc import asked, future
from golem_host.interfaces.golem.rpc import types as rpc
from golem_host.interfaces.wasi import sockets
from tests.support.repository import ROOT

PAGE = (ROOT / "docs" / "guarantees.md").read_text("utf-8")
NAMED = re.findall(r"\| (R\d+) \| [^|]+ \| `([\w/.]+)::(\w+)` \|", PAGE)


def test_faults_are_listed_once_and_in_order() -> None:
    """By their numbers."""
    numbers = [int(fault[1:]) for fault, _, _ in NAMED]

    assert len(numbers) > 30
    assert sorted(set(numbers)) == numbers


@pytest.mark.parametrize(("fault", "path", "name"), NAMED)
def test_a_fault_names_a_test_that_exists(fault: str, path: str, name: str) -> None:
    """What the page says can be looked at."""
    source = (ROOT / "tests" / path).read_text("utf-8")

    assert f"\ndef {name}(" in source, fault


def test_what_calls_between_workers_record_is_listed() -> None:
    """As above."""
    made = [value for module in (asked, future, rpc) for value in vars(module).values()]

    assert {each.type.name for each in made if isinstance(each, Recorded)} == set(
        re.findall(r"`(golem::rpc::[^`]+)`", PAGE)
    )


def test_what_sockets_record_is_listed() -> None:
    """Each name that a log can have, and no other."""
    modules = [
        import_module(f"{sockets.__name__}.{m.name}")
        for m in pkgutil.iter_modules(sockets.__path__)
    ]
    made = [value for module in modules for value in vars(module).values()]

    assert {each.type.name for each in made if isinstance(each, Recorded)} - {
        "golem io::poll::poll"
    } == set(re.findall(r"`(sockets::\w+::\w+)`", PAGE))
