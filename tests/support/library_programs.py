"""Programs for `tests/support/library_guest`; their first argument is the URL of a server."""

from __future__ import annotations

from typing import Final

_GET: Final = "get = lambda path: fetch(args[0] + path)\n"

PROGRAMS: Final = {
    name: _GET + program
    for name, program in {
        "one after the other": """
print(remember('chance', chance, '', LOCAL))
print(remember('read', get, '/read', READ))
print(remember('write', get, '/write', WRITE, form=RAW))
print(remember('forced', get, '/forced', LOCAL, forced=True))
print(get('/unwrapped'))
""",
        "in a batch": """
begin = durability.begin_durable_function(BATCH)
steps = [remember('step', get, f'/step{n}', step_of(begin)) for n in range(2)]
durability.end_durable_function(BATCH, begin, False)
print(steps)
print(remember('batch', get, '/batch', BATCH))
""",
        "without idempotence": """
host.set_idempotence_mode(False)
print(remember('write', get, '/write', WRITE))
""",
        "renamed": """
name = 'first' if durability.current_durable_execution_state().is_live else 'second'
print(remember(name, get, '/read', READ))
""",
        "a batch without idempotence": """
host.set_idempotence_mode(False)
print(remember('write', get, '/write', BATCH))
""",
    }.items()
}
