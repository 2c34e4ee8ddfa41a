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
        "in spans": """
def names(seen): return [each.value for each in seen.get_attribute_chain('name')]
here = context.current_context()
depend_on(here.trace_id(), here.span_id())
with context.start_span('outer') as outer:
    outer.set_attribute('a', said('1'))
    print(remember('outside', get, '/outside', READ))
    with context.start_span('inner') as inner:
        inner.set_attributes([context.Attribute(key, said(key)) for key in 'abc'])
        seen = context.current_context()
        depend_on(seen.span_id(), seen.parent().span_id(), here.span_id())
        print(remember('inside', get, '/inside', WRITE))
        print(names(seen), names(here), seen.parent().parent().parent())
        print(seen.get_attribute('a', False), seen.get_attribute('idempotency_key', True))
        print(seen.get_attributes(False), len(seen.get_attributes(True)))
        print([(each.key, len(each.values)) for each in seen.get_attribute_chains()])
        print(seen.trace_context_headers()[0][1] == f'00-{seen.trace_id()}-{seen.span_id()}-00')
        depend_on(f'{inner.started_at().seconds:x}')
        inner.finish()
    print(names(context.current_context()))
print(context.allow_forwarding_trace_context_headers(False))
print(remember('untraced', get, '/untraced', READ))
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
