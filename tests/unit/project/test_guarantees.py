"""The guarantees page: every test that it names is there."""

from __future__ import annotations

import re

import pytest

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
