"""Offers the resource ``account`` of ``test:bank/accounts``, through the toolchain of real guests."""

# A guest is written as its author would write it, in a folder that is no package.
# ruff: noqa: INP001
# mypy: ignore-errors

from accounts import Account
from wit_world import exports
from wit_world.exports.accounts import Opened


class Accounts(exports.Accounts):
    opened = 0

    def open(self, owner: str) -> Opened:
        Accounts.opened += 1
        return Opened(Accounts.opened, Account(owner))

    def total(self, accounts: list[Account]) -> int:
        return sum(account.balance for account in accounts)
