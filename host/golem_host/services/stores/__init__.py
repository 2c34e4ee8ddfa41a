"""
What guests keep for all workers of a state directory: keys with values, and objects.

They lie in ``stores.db``, apart from ``host.db``, so that no guest's data hold up the host's own;
the file is made when the first guest uses one.  Everybody sees what was written last, and a change
outside of atomic regions is made exactly once: see `golem_host.services.stores.effects`.
"""
