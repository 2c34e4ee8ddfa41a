"""
Guests of `tests.crash.test_http_kills`, and a process that does not survive one.

``python -m tests.support.http_kills STATE_DIR NUMBER`` kills itself with SIGKILL when the entry of
that number is about to be appended; a program that ends before is an error.
"""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from golem_host import Host, HostConfig
from golem_oplog.log import SegmentedOplog
from tests.support.guests import python_guest
from tests.support.host_api_scripts import config as quiet
from tests.support.hosts import open_host
from tests.support.repository import ROOT
from tests.support.wasi_hosts import RUN

KEY: Final = "run"

BY_SOCKETS: Final = "by sockets"

PROGRAMS: Final = {
    "one after the other": """
print(fetch('URL/first')[2])
made = request('URL/large', types.Method_Post())
print(read(send(made, bytes(range(256)) * 2500))[0])
response = send(request('URL/chunked'))
with response.headers() as headers: print(headers.get('x-a'))
body = response.consume()
digest = hashlib.sha256()
with body.stream() as stream:
    try:
        while True: digest.update(stream.blocking_read(30000))
    except Err as error: print(type(error.value).__name__, digest.hexdigest())
with types.IncomingBody.finish(body) as trailers: print(trailers.get().value.value.entries())
print(fetch('URL/last', b'abc', method=types.Method_Post())[2])
""",
    "at once": """
import poll_loop
async def one(n):
    response = await poll_loop.send(request(f'URL/{n}'))
    body = poll_loop.Stream(response.consume())
    pieces = []
    while (piece := await body.next()) is not None: pieces.append(piece)
    return b''.join(pieces)
async def all_of_them():
    return await asyncio.gather(*[one(n) for n in range(4)])
loop = poll_loop.PollLoop()
asyncio.set_event_loop(loop)
print(loop.run_until_complete(all_of_them()))
""",
    # The standard library knows nothing of wasi:http; a connection that is gone is an OSError.
    BY_SOCKETS: """
def get(path):
    while True:
        try: return urllib.request.urlopen('URL' + path).read()
        except OSError: pass
print(get('/a'), len(get('/chunked')), get('/b'))
""",
    "without idempotence": """
host.set_idempotence_mode(False)
try: print(fetch('URL/only')[2])
except Err as error: print(types.http_error_code(error.value.value))
""",
}


def config() -> HostConfig:
    return replace(quiet(), net=("127.0.0.1:*",))


def set_up(state_dir: Path, name: str, url: str) -> None:
    """A worker that has not been asked to run yet."""
    program = PROGRAMS[name].replace("URL", url)
    guest = "net_guest" if name == BY_SOCKETS else "http_guest"
    with open_host(state_dir, config()) as host:
        wasm = python_guest(ROOT / "tests/support" / guest)
        component = host.components.deploy(wasm, name="http")
        host.workers.create(component, "main", args=["prog", program])


def play(host: Host) -> str:
    """Ask for the program's run, again or for the first time; all of its output."""
    worker = host.workers.get("http", "main")
    worker.invoke(RUN, idempotency_key=KEY)
    return "".join(line.text for line in worker.output())


def _main(state_dir: Path, number: int) -> None:
    passed = count(1)

    def killing(method: Any) -> Any:
        def append(*args: Any) -> Any:
            if next(passed) == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return method(*args)

        return append

    with (
        open_host(state_dir, config()) as host,
        patch.object(SegmentedOplog, "append", killing(SegmentedOplog.append)),
        patch.object(SegmentedOplog, "append_call", killing(SegmentedOplog.append_call)),
    ):
        play(host)


if __name__ == "__main__":
    _main(Path(sys.argv[1]), int(sys.argv[2]))
