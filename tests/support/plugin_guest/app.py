"""A plugin that remembers what it was given; config `refuse` names a worker whose entries it refuses."""

# A guest is written as its author would write it, in a folder that is no package.
# ruff: noqa: INP001
# mypy: ignore-errors

import oplog_processor
from wit_world import exports


class Seen(exports.Seen):
    def entries(self, worker: str) -> list[tuple[int, str]]:
        return oplog_processor.ENTRIES.get(worker, [])

    def made(self) -> tuple[int, list[tuple[str, str]]]:
        return len(oplog_processor.CONFIGS), oplog_processor.CONFIGS[-1]
