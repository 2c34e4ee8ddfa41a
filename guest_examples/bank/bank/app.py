"""Moves money between workers.  That each step happens once is the host's doing."""

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports import api

from golem_guest import RpcError, Worker

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
    try:
        return Worker("account", account).call(function, cents)
    except Err as error:
        raise Err(f"{account}: {error.value}") from None
    except (LookupError, RpcError) as error:
        # Nothing was taken or put in: the account is not deployed, or has failed.
        raise Err(str(error)) from None
