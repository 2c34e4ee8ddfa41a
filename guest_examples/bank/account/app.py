"""One account: a worker for each owner, and its balance is a variable."""

from componentize_py_types import Err
from wit_world import exports

CENTS_MAX = 100_000


class Account:
    cents = 0


class Api(exports.Api):
    def balance(self) -> int:
        return Account.cents

    def deposit(self, cents: int) -> int:
        if Account.cents + cents > CENTS_MAX:
            raise Err(f"it would hold more than {CENTS_MAX}")
        Account.cents += cents
        return Account.cents

    def withdraw(self, cents: int) -> int:
        if cents > Account.cents:
            raise Err(f"it has only {Account.cents}")
        Account.cents -= cents
        return Account.cents
