"""An order in three steps: one that fails takes back what was done before it."""

from componentize_py_types import Err
from wit_world import exports

from golem_guest import Promise, RolledBackError, Transaction, fallible_transaction, operation

APPROVED_CENTS = 5_000
stock = {"tea": 3, "pot": 1}


class Api(exports.Api):
    def order(self, what: str, cents: int) -> str:
        def steps(transaction: Transaction) -> str:
            transaction.execute(RESERVE, what)
            transaction.execute(APPROVE, cents)
            return transaction.execute(SHIP, what)

        try:
            return fallible_transaction(steps)
        except RolledBackError as error:
            raise Err(str(error.failure)) from None

    def left(self, what: str) -> int:
        return stock.get(what, 0)


def reserve(what: str) -> None:
    if not stock.get(what):
        raise ValueError(f"there is no {what}")
    stock[what] -= 1
    print(f"reserved one {what}", flush=True)


def release(what: str, _reserved: None) -> None:
    stock[what] += 1
    print(f"put the {what} back", flush=True)


def approve(cents: int) -> None:
    if cents <= APPROVED_CENTS:
        return
    decision = Promise.create()
    print(f"may it cost {cents} cents? decide promise {decision}", flush=True)
    if decision.wait() != b"yes":
        raise ValueError(f"nobody pays {cents} cents")


def ship(what: str) -> str:
    return f"one {what} is on its way"


RESERVE = operation(reserve, release)
APPROVE = operation(approve)
SHIP = operation(ship)
