"""
How the worker's calls are kept, repeated and named: policies and keys of ``golem:api/host``.

Each setting is the guest's own state: replaying the guest sets it again.

Source: spec 2.5 to 2.8, with the project's remarks R6 and R13.
"""

from __future__ import annotations

from uuid import UUID

from golem_host.context import InstanceContext
from golem_host.declare import UNRECORDED, WRITE_REMOTE, function, interface
from golem_host.dispatch import marked
from golem_host.interfaces.golem.api.own import INTERFACE
from golem_host.interfaces.golem.api.values import Uuid
from golem_host.wire import Public
from golem_host.worker.retry import RetryPolicy
from golem_oplog.entries import ChangePersistenceLevel, ChangeRetryPolicy, PersistenceLevel
from golem_oplog.lazy_dataclass import dataclass

_LEVELS = {level.label: level for level in PersistenceLevel}


@dataclass(frozen=True, slots=True)
class RetryPolicyRecord:
    """``retry-policy``; all fields are kept (R13)."""

    max_attempts: int
    min_delay: int
    max_delay: int
    multiplier: float
    max_jitter_factor: float | None


@interface(INTERFACE)
class PolicyFunctions:
    @function(UNRECORDED)
    def get_retry_policy(self, context: InstanceContext) -> RetryPolicyRecord:
        policy = context.retry_policy or context.services.retry_policy
        return RetryPolicyRecord(
            policy.max_attempts,
            policy.min_delay_ns,
            policy.max_delay_ns,
            policy.multiplier,
            policy.max_jitter_factor,
        )

    @function(UNRECORDED)
    def set_retry_policy(self, context: InstanceContext, new_retry_policy: Public) -> None:
        """On replay the guest's own argument wins, whatever the entry says (spec 2.5)."""
        policy = RetryPolicy(
            new_retry_policy["max-attempts"],
            new_retry_policy["min-delay"],
            new_retry_policy["max-delay"],
            new_retry_policy["multiplier"],
            new_retry_policy["max-jitter-factor"],
        )
        marked(
            context,
            context.replay.change_retry_policy(),
            lambda now: ChangeRetryPolicy(
                now,
                policy.max_attempts,
                policy.min_delay_ns,
                policy.max_delay_ns,
                policy.multiplier,
                policy.max_jitter_factor,
            ),
        )
        context.retry_policy = policy

    @function(UNRECORDED)
    def get_oplog_persistence_level(self, context: InstanceContext) -> str:
        return context.persistence_level.label

    @function(UNRECORDED)
    def set_oplog_persistence_level(
        self, context: InstanceContext, new_persistence_level: Public
    ) -> None:
        """No entry where nothing changes."""
        level = _LEVELS[new_persistence_level.case]
        if level is context.persistence_level:
            return
        outcome = context.replay.change_persistence_level(level)
        marked(context, outcome, lambda now: ChangePersistenceLevel(now, level))
        context.persistence_level = level
        context.oplog.commit()

    @function(UNRECORDED)
    def get_idempotence_mode(self, context: InstanceContext) -> bool:
        return context.idempotent

    @function(UNRECORDED)
    def set_idempotence_mode(self, context: InstanceContext, idempotent: bool) -> None:
        context.idempotent = idempotent

    @function(WRITE_REMOTE, record="golem api::generate_idempotency_key")
    def generate_idempotency_key(self, context: InstanceContext) -> Uuid:
        """Derived where there is something to derive it from, so that a repetition agrees."""
        if context.key and not context.is_unrecorded:
            return Uuid.of(context.derive_key(context.oplog.last_index))
        return Uuid.of(UUID(context.services.random.uuid()))
