"""The reference of the Python packages is what their sources say."""

from __future__ import annotations

import inspect

import pytest

import golem_host
from docs.generate_api import PAGES, Page, page


@pytest.mark.parametrize("of", PAGES, ids=lambda of: of.package)
def test_the_page_is_fresh(of: Page) -> None:
    """It is what docs/generate_api.py writes."""
    assert page(of) == of.target.read_text(encoding="utf-8"), "run: python -m docs.generate_api"


def test_every_public_method_says_what_it_does() -> None:
    """A person who embeds the host need not read its source."""
    mute = [
        f"{name}.{attribute}"
        for name in golem_host.__all__
        if inspect.isclass(found := getattr(golem_host, name)) and not name.endswith("Error")
        for attribute, value in vars(found).items()
        if not attribute.startswith("_") and callable(value) and not inspect.getdoc(value)
    ]

    assert [] == mute


def test_what_is_shown_of_a_class_is_there() -> None:
    """Methods that a page names by hand."""
    for of in PAGES:
        text = page(of)
        lacking = [
            f"{name}.{method}"
            for _, name, methods in of.reached
            for method in methods.split()
            if f"{name}.{method}(" not in text
        ]

        assert [] == lacking
