"""Moves money between workers.  That each step happens once is the host's doing."""

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports import api
from wit_world.imports import host, types

made: list[api.Moved] = []


class Api(exports.Api):
    def transfer(self, source: str, target: str, cents: int) -> int:
        left = ask(source, "withdraw", cents)
        try:
            ask(target, "deposit", cents)
        except Err:
            ask(source, "deposit", cents)
            raise
        made.append(api.Moved(source, target, cents))
        return left

    def transfers(self) -> list[api.Moved]:
        return made


def ask(account: str, function: str, cents: int) -> int:
    """What an account says to that; raises its refusal."""
    component = host.resolve_component_id("account")
    if component is None:
        raise Err("deploy the component account first")
    line = types.WasmRpc(types.WorkerId(component, account))
    try:
        answer = line.invoke_and_await(
            f"example:account/api.{{{function}}}",
            [types.WitValue([types.WitNode_PrimU64(cents)])],
        )
    except Err as error:
        raise Err(f"{account}: {error.value.value}") from None
    # A tuple of one, which is a result, which is a number or a text.
    _, result, value = answer.nodes
    if isinstance(result.value, Err):
        raise Err(f"{account}: {value.value}")
    return value.value
