"""The private files of one instance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Self

from golem_host.files.descriptor import OpenNode
from golem_host.files.initial import move_on, place
from golem_host.files.pages import TemporaryBacking
from golem_host.files.settings import FilesSettings
from golem_host.files.tree import Tree

if TYPE_CHECKING:
    from golem_host.context import InstanceContext

ROOT: Final = "/"
_ROOT_FLAGS: Final = frozenset(("read", "mutate-directory"))


class Files:
    """What ``context.part(Files)`` gives."""

    def __init__(self, tree: Tree, settings: FilesSettings, version: int) -> None:
        self.tree = tree
        self._settings = settings
        self._version = version
        place(tree, settings.initial(version), settings.locate)

    @classmethod
    def begin(cls, context: InstanceContext) -> Self:
        settings = context.services.files
        replay = context.replay

        def now_ns() -> int:
            # Files keep their order in time through a replay, and nearly their times.
            return context.clock_ns() if replay.live else replay.time_ns

        tree = Tree(TemporaryBacking(settings.scratch), settings.quota, now_ns)
        updated_to = replay.updated_to
        return cls(tree, settings, settings.version if updated_to is None else updated_to)

    def move_on(self, version: int) -> None:
        """
        The worker is of another version from here on (spec 2.9.1).

        Raises:
            BlockedError: A read-only file of that version has no place.
        """
        initial = self._settings.initial
        if version != self._version:
            move_on(self.tree, initial(self._version), initial(version), self._settings.locate)
            self._version = version

    def close(self) -> None:
        self.tree.pages.backing.close()

    def open_root(self) -> OpenNode:
        return OpenNode(self.tree, self.tree.root, ROOT, _ROOT_FLAGS)
