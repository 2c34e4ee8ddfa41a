"""
The network of the machine: who may use it, and the operating system's side of it.

The only importer of `socket`, `ssl` and `asyncio` on behalf of guests.  Nothing here knows a log or
an interface: what the world answered is recorded by those who ask.
"""
