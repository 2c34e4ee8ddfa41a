"""
A name for the effect that is performed next, for who makes effects of its own happen once.

Outside of an atomic region it is the same again when the call is repeated after a crash.  Within one
it is another at each attempt, like the key of a remote write: the attempt before may have undone its
effects, or was about to, and a region that is done again may call in another order.
"""

from __future__ import annotations

from golem_host.context import InstanceContext


def effect_name(context: InstanceContext) -> str:
    """See `InstanceContext.effect_token`; to be asked for once per effect."""
    return f"{_attempt(context)}/{context.effect_token()}"


def _attempt(context: InstanceContext) -> int:
    """
    Where the attempt before this one at the open region ended; 0 for the first one.

    What else was passed over is no attempt: an update that failed may have left entries, and the
    call that a kill cut off before it has its name still.
    """
    status = context.status
    if not context.is_in_region or not status.skipped.regions:
        return 0
    last = status.skipped.regions[-1]
    return last.end if last.start > status.origin else 0
