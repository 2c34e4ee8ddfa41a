"""A world that does exactly what a test says: that of `golem_host.testing`."""

from golem_host.testing.world import EPOCH_NS, FrozenClock, ScriptedRandom

__all__ = ["EPOCH_NS", "FrozenClock", "ScriptedRandom"]
