"""The resource itself; the module has the name of the interface."""

# A guest is written as its author would write it, in a folder that is no package.
# ruff: noqa: INP001, T201
# mypy: ignore-errors

from componentize_py_types import Err
from wit_world.exports import accounts
from wit_world.exports.accounts import Statement


class Account(accounts.Account):
    def __init__(self, owner: str) -> None:
        self.owner = owner
        self.balance = 0

    def deposit(self, amount: int) -> int:
        self.balance += amount
        print(f"{self.owner} has {self.balance}")
        return self.balance

    def withdraw(self, amount: int) -> int:
        if amount > self.balance:
            raise Err(f"{self.owner} has only {self.balance}")
        self.balance -= amount
        return self.balance

    def statement(self) -> Statement:
        return Statement(self.owner, self.balance)

    @classmethod
    def join(cls, one: "Account", other: "Account") -> "Account":
        joined = cls(f"{one.owner} and {other.owner}")
        joined.balance = one.balance + other.balance
        return joined
