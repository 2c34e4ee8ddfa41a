"""The processor; the module has the name of the interface."""

# A guest is written as its author would write it, in a folder that is no package.
# ruff: noqa: ANN001, ARG002, INP001
# mypy: ignore-errors

import re
import time

from componentize_py_types import Err
from wit_world.exports import oplog_processor

ENTRIES: dict[str, list[tuple[int, str]]] = {}
CONFIGS: list[list[tuple[str, str]]] = []


def kind(entry: object) -> str:
    """``OplogEntry_NoOp`` -> ``no-op``."""
    name = type(entry).__name__.partition("_")[2]
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


class Processor(oplog_processor.Processor):
    def __init__(self, account_info, component_id, config) -> None:
        CONFIGS.append(config)
        self.settings = dict(config)

    def process(self, worker_id, metadata, first_entry_index, entries) -> None:
        name = worker_id.worker_name
        assert metadata.worker_id == worker_id
        if self.settings.get("refuse") == name:
            raise Err("not this one")
        if self.settings.get("trap") == name:
            raise ValueError("cannot stand it")
        seen = ENTRIES.setdefault(name, [])
        for index, entry in enumerate(entries, first_entry_index):
            time.sleep(float(self.settings.get("pause", "0")))
            seen.append((index, kind(entry)))
