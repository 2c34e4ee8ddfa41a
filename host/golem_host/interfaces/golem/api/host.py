"""
``golem:api/host``: what a worker may ask of its host, in all dialects.

One module for each group of functions.  A function that has another name in a later dialect has
both, in `DIALECT_ONLY` those that ``wit/`` does not know.

Source: spec 1.4, 1.5 and 2; the dialects by their published interfaces.
"""

from __future__ import annotations

from typing import Final

from golem_host.interfaces.golem.api.identity import IdentityFunctions
from golem_host.interfaces.golem.api.own import INTERFACE
from golem_host.interfaces.golem.api.policies import PolicyFunctions
from golem_host.interfaces.golem.api.position import PositionFunctions
from golem_host.interfaces.golem.api.promises import GetPromiseResultResource, PromiseFunctions
from golem_host.interfaces.golem.api.search import GetAgentsResource, GetWorkersResource
from golem_host.interfaces.golem.api.surgery import SurgeryFunctions

HOST: Final = (
    PromiseFunctions(),
    GetPromiseResultResource(),
    PositionFunctions(),
    PolicyFunctions(),
    IdentityFunctions(),
    GetWorkersResource(),
    GetAgentsResource(),
    SurgeryFunctions(),
)

DIALECT_ONLY: Final = {
    INTERFACE: frozenset(
        {
            "[constructor]get-agents",
            "[method]get-agents.get-next",
            "[method]get-promise-result.get",
            "[method]get-promise-result.subscribe",
            "fork-agent",
            "get-agent-metadata",
            "get-promise",
            "resolve-agent-id",
            "resolve-agent-id-strict",
            "revert-agent",
            "update-agent",
        }
    )
}
"""Interface -> import names that only later dialects have."""
