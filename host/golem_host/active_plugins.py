"""
Which plugins see a worker's log, and which entries of it: a facet of the status.

Source: spec 3.7; the facet ignores what a revert deleted.
"""

from __future__ import annotations

from dataclasses import field
from typing import NamedTuple

from golem_oplog.entries import ActivatePlugin, Create, DeactivatePlugin, Entry, SuccessfulUpdate
from golem_oplog.lazy_dataclass import dataclass


class Span(NamedTuple):
    """Entries that a plugin sees, both ends included."""

    first: int
    last: int
    """0 as long as the plugin is active."""


@dataclass(slots=True)
class ActivePlugins:
    """Change it by `apply` only."""

    spans: dict[str, list[Span]] = field(default_factory=dict)
    """By installation id, in order."""

    def apply(self, index: int, entry: Entry) -> None:
        match entry:
            case Create(plugins=plugins):
                for plugin in plugins:
                    self._open(plugin, index)
            case ActivatePlugin(plugin=plugin):
                self._open(plugin, index)
            case DeactivatePlugin(plugin=plugin):
                self._close(plugin, index)
            case SuccessfulUpdate(plugins=plugins):
                for plugin in set(self.active) - set(plugins):
                    self._close(plugin, index)
                for plugin in plugins:
                    self._open(plugin, index)
            case _:
                pass

    @property
    def active(self) -> tuple[str, ...]:
        # A copy, in one step: other threads ask while one applies.
        return tuple(plugin for plugin, spans in self.spans.copy().items() if not spans[-1].last)

    def is_active(self, plugin: str) -> bool:
        spans = self.spans.get(plugin)
        return spans is not None and not spans[-1].last

    def span(self, plugin: str, position: int) -> Span | None:
        """Where the entries lie that a plugin sees next, from an index on; None: there are none."""
        for span in self.spans.get(plugin, ()):
            if not span.last or span.last >= position:
                return span
        return None

    def _open(self, plugin: str, index: int) -> None:
        if not self.is_active(plugin):
            self.spans.setdefault(plugin, []).append(Span(index, 0))

    def _close(self, plugin: str, index: int) -> None:
        if self.is_active(plugin):
            self.spans[plugin][-1] = self.spans[plugin][-1]._replace(last=index)
