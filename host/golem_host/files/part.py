"""The private files of one instance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Self

from golem_host.files.descriptor import OpenNode
from golem_host.files.pages import TemporaryBacking
from golem_host.files.tree import Tree

if TYPE_CHECKING:
    from golem_host.context import InstanceContext

ROOT: Final = "/"
_ROOT_FLAGS: Final = frozenset(("read", "mutate-directory"))


class Files:
    """What ``context.part(Files)`` gives."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree

    @classmethod
    def begin(cls, context: InstanceContext) -> Self:
        settings = context.services.files
        backing = TemporaryBacking(settings.scratch)
        return cls(Tree(backing, settings.quota, context.clock_ns))

    def close(self) -> None:
        self.tree.pages.backing.close()

    def open_root(self) -> OpenNode:
        return OpenNode(self.tree, self.tree.root, ROOT, _ROOT_FLAGS)
