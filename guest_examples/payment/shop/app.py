"""A shop.  How it is paid is its host's business."""

from componentize_py_types import Err
from wit_world import exports
from wit_world.imports import api as pay


class Api(exports.Api):
    def buy(self, account: str, cents: int, note: str | None) -> int:
        try:
            receipt = pay.charge(account, pay.Amount(cents, pay.Currency.EUR), note)
        except Err as error:
            match error.value:
                case pay.PaymentError_Declined(why):
                    raise Err(f"declined: {why}") from None
                case _:
                    raise Err(f"nobody knows {account}") from None
        return receipt.number

    def spent(self, account: str) -> int:
        return sum(receipt.amount.cents for receipt in pay.receipts(account))
