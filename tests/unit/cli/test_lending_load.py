"""What ``--interface`` loads, and what it says where that fails."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import pytest

from golem_cli.lending import load

MODULE = """
class Payments:
    pass

class Broken:
    def __init__(self):
        raise ValueError("no such account")

def both():
    return [Payments(), Payments()]

class Home:
    here = Payments
    made = object()
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with modules, which is the current one; Python forgets them afterwards."""
    (tmp_path / "lent_pay.py").write_text(MODULE, encoding="utf-8")
    (tmp_path / "lent_broken.py").write_text("import nothing_of_the_kind\n", encoding="utf-8")
    (tmp_path / "lent_syntax.py").write_text("def (:\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    for name in ("lent_pay", "lent_broken", "lent_syntax"):
        monkeypatch.delitem(sys.modules, name, raising=False)


def test_a_class_a_function_and_an_object_are_lent() -> None:
    """A class is made without arguments; a function may give several; an object is there."""
    found = load(["lent_pay:Payments", "lent_pay:both", "lent_pay:Home.here", "lent_pay:Home.made"])

    assert [*["Payments"] * 4, "object"] == [type(each).__name__ for each in found]
    assert () == load([])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lent_pay", "write MODULE:CLASS, as in --interface payments:Payments"),
        (":Payments", "write MODULE:CLASS"),
        ("lent_pai:Payments", "there is no module lent_pai in "),
        ("lent_pay.api:Payments", "there is no module lent_pay.api in "),
        ("lent_pay:Paymints", "lent_pay has no Paymints; did you mean Payments?"),
        ("lent_pay:Broken", "Broken() raised ValueError: no such account (lent_pay.py, line 7)"),
        ("lent_broken:Api", "importing lent_broken raised ModuleNotFoundError: No module named"),
        ("lent_broken:Api", "'nothing_of_the_kind' (lent_broken.py, line 1)"),
        ("lent_syntax:Api", "importing lent_syntax raised SyntaxError: invalid syntax"),
    ],
)
def test_what_cannot_be_loaded_is_told_in_one_line(text: str, said: str) -> None:
    """Whose mistake it is, and where."""
    with pytest.raises(click.UsageError) as caught:
        load([text])

    assert caught.value.message.startswith(f"--interface {text}: ")
    assert said in caught.value.message
