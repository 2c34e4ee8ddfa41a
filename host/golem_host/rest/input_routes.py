"""The routes of standard input."""

from __future__ import annotations

from typing import Final

from golem_host.rest import bodies as b
from golem_host.rest.actions import input as actions
from golem_host.rest.exchange import LINES
from golem_host.rest.route import BODY_ERRORS, WORKER, WORKER_ERRORS, Route

INPUT_ROUTES: Final = (
    Route(
        name="lend-input",
        method="POST",
        path=f"{WORKER}/input",
        summary="Lend a standard input to the worker until the client closes: a JSON document per "
        "line, first the name of the loan, then each position that the guest waits for.",
        action=actions.lend_input,
        body=b.InputLoan,
        reply=LINES,
        errors=(*WORKER_ERRORS, *BODY_ERRORS),
    ),
    Route(
        name="give-input",
        method="POST",
        path=f"{WORKER}/input/{{input}}",
        summary="What is at the position that was asked for.",
        action=actions.give_input,
        body=b.InputPiece,
        reply=b.InputTaken,
        errors=(*BODY_ERRORS, "ConflictError"),
    ),
)
