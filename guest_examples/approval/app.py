"""Waits for a decision that somebody makes elsewhere, and goes back in time until it has a six."""

import random
from uuid import UUID

from wit_world import exports
from wit_world.imports import host


def text_of(promise: host.PromiseId) -> str:
    """A promise as the command line names it."""
    bits = promise.worker_id.component_id.uuid
    component = UUID(int=bits.high_bits << 64 | bits.low_bits)
    return f"{component}/{promise.worker_id.worker_name}/{promise.oplog_idx}"


class Api(exports.Api):
    def request(self, what: str) -> str:
        decision = host.create_promise()
        print(f"may I {what}? decide promise {text_of(decision)}", flush=True)
        return f"{what}: {host.await_promise(decision).decode()}"

    def throw_six(self) -> int:
        before = host.get_oplog_index()
        thrown = random.SystemRandom().randint(1, 6)
        if thrown != 6:
            # Everything since then is forgotten, by this worker too: it draws another number.
            host.set_oplog_index(before)
        return thrown
