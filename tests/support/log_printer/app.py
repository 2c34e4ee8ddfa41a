"""Prints logs; see ``wit/world.wit``."""

# A guest is written as its author would write it, in a folder that is no package.
# ruff: noqa: ANN001, ANN201, INP001, T201
# mypy: ignore-errors

from wit_world import exports
from wit_world.imports import oplog, types


def worker(high, low, name):
    return types.WorkerId(types.ComponentId(types.Uuid(high, low)), name)


def pages(reading):
    while (page := reading.get_next()) is not None:
        yield from page


def text(value, at=0):
    """A wit-value, read by its nodes."""
    node = value.nodes[at]
    kind = type(node).__name__.removeprefix("WitNode_")
    if kind in {"RecordValue", "TupleValue", "ListValue"}:
        return f"[{', '.join(text(value, child) for child in node.value)}]"
    if kind == "PrimString":
        return repr(node.value)
    if kind.startswith("Prim"):
        return str(node.value)
    return kind


def line(entry):
    kind = type(entry).__name__.removeprefix("OplogEntry_")
    found = entry.value
    if kind == "Create":
        return f"{kind} {found.worker_id.worker_name} version {found.component_version}"
    if kind == "ExportedFunctionInvoked":
        return f"{kind} {found.function_name} {[text(each) for each in found.request]}"
    if kind == "ExportedFunctionCompleted":
        return f"{kind} {'' if found.response is None else text(found.response)}"
    if kind == "ImportedFunctionInvoked":
        return f"{kind} {found.function_name} {type(found.wrapped_function_type).__name__}"
    if kind == "Log":
        return f"{kind} {found.level.name} {found.message.strip()}"
    return kind


class Api(exports.Api):
    def print_log(self, component_high, component_low, worker_name):
        count = 0
        for entry in pages(oplog.GetOplog(worker(component_high, component_low, worker_name), 1)):
            print(line(entry))
            count += 1
        return count

    def find(self, component_high, component_low, worker_name, text):
        found = oplog.SearchOplog(worker(component_high, component_low, worker_name), text)
        return [index for index, _ in pages(found)]

    def greet(self, name, times):
        print(f"hello {name}")
        return [name] * times
