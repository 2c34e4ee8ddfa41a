"""Which entries of a log a plugin sees."""

from __future__ import annotations

from collections.abc import Iterable

from golem_host.active_plugins import ActivePlugins, Span
from golem_oplog.entries import ActivatePlugin, DeactivatePlugin, Entry, SuccessfulUpdate
from tests.support.contexts import CREATE


def after(*entries: Entry) -> ActivePlugins:
    return _applied(enumerate(entries, 1))


def _applied(entries: Iterable[tuple[int, Entry]]) -> ActivePlugins:
    plugins = ActivePlugins()
    for index, entry in entries:
        plugins.apply(index, entry)
    return plugins


def test_a_plugin_sees_what_lies_between_its_switches() -> None:
    """Both entries included; switching it twice the same way changes nothing."""
    found = after(
        CREATE,
        ActivatePlugin(1, "p"),
        ActivatePlugin(1, "p"),
        DeactivatePlugin(1, "p"),
        DeactivatePlugin(1, "p"),
        ActivatePlugin(1, "p"),
    )

    assert [Span(2, 4), Span(6, 0)] == found.spans["p"]
    assert [Span(2, 4)] * 2 + [Span(6, 0)] * 2 == [found.span("p", at) for at in (1, 4, 5, 100)]
    assert found.is_active("p")
    assert found.span("q", 1) is None


def test_a_worker_may_have_them_from_its_first_entry_on() -> None:
    """Those that its first entry names; an update lists those that remain."""
    found = after(CREATE._replace(plugins=("p", "q")), SuccessfulUpdate(1, 1, 0, ("q", "r")))

    assert ("q", "r") == found.active
    assert [Span(1, 2)] == found.spans["p"]
    assert [Span(1, 0)] == found.spans["q"]
    assert [Span(2, 0)] == found.spans["r"]
    assert found.span("p", 3) is None
