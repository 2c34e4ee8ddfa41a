"""
Unmodified Python programs and packages as guests, each killed at random moments.

See `tests.support.program_kills`: what a kill would leave is taken before each entry, and a new host
goes on from there.  SQLite, `urllib.request` and the crawler have tests of their own beside this.

Invariants: the program ends as it does undisturbed, after at most one lost connection; and a replay
of what came of it agrees.

The short test draws a few moments of each program with ``GOLEM_HOST_TEST_SEED``, the full one 20.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pytest

from tests.support import loopback
from tests.support.loopback import serving
from tests.support.program_guest import program_guest
from tests.support.program_kills import Case, begin, drawn, goes_on, moments_of

IS_FULL: Final = os.environ.get("GOLEM_HOST_TEST_PROFILE") == "full"
KILLS: Final = 20 if IS_FULL else 2

CASES: Final = {
    "requests": Case(
        """
lost = 0
with requests.Session() as session:
    for path in ("/a", "/b", "/c"):
        while True:
            try:
                print(session.get(f"http://127.0.0.1:{args[0]}{path}", timeout=20).text)
                break
            except requests.RequestException:
                lost += 1
print("lost", lost)
""",
        loopback.answer_http,
        r"you asked for /a\nyou asked for /b\nyou asked for /c\nlost (\d)\n",
        program_guest,
    ),
    "asyncio with timers": Case(
        """
order = []

async def tick(n):
    for i in range(3):
        await asyncio.sleep(n / 100)
        order.append((n, i))

async def main():
    await asyncio.gather(*map(tick, (1, 10)))

asyncio.run(main())
print(sorted(order))
""",
        loopback.echo,
        r"\[\(1, 0\), \(1, 1\), \(1, 2\), \(10, 0\), \(10, 1\), \(10, 2\)\]\n",
        program_guest,
    ),
    "a server and its clients": Case(
        """
async def upper(reader, writer):
    while line := await reader.readline():
        writer.write(line.upper())
        await writer.drain()
    writer.close()

async def client(port, n):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answers = []
    for i in range(3):
        writer.write(b"client %d line %d\\n" % (n, i))
        answers.append((await reader.readline()).decode())
    writer.close()
    await writer.wait_closed()
    return answers

async def main():
    server = await asyncio.start_server(upper, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    answers = await asyncio.gather(*[client(port, n) for n in range(5)])
    server.close()
    print(sum(answers, []) == [f"CLIENT {n} LINE {i}\\n" for n in range(5) for i in range(3)])

asyncio.run(main())
""",
        loopback.echo,
        r"True\n",
        program_guest,
    ),
    "rendering files": Case(
        """
import os
os.makedirs("/pages"), os.makedirs("/site")
for n in range(4):
    with open(f"/pages/{n}.md", "w") as file:
        file.write(f"# Page {n}\\n\\n*word* {n}\\n")
page = jinja2.Template("<title>{{ name|e }}</title>{{ body }}")
for name in sorted(os.listdir("/pages")):
    with open(f"/pages/{name}") as file:
        body = markdown_it.MarkdownIt().render(file.read())
    with open(f"/site/{name[:-3]}.html", "w") as file:
        file.write(page.render(name="<" + name + ">", body=body))
    print(os.stat(f"/site/{name[:-3]}.html").st_size)
print(open("/site/3.html").read(), end="")
""",
        loopback.echo,
        r"66\n66\n66\n66\n<title>&lt;3.md&gt;</title><h1>Page 3</h1>\n<p><em>word</em> 3</p>\n",
        program_guest,
    ),
}


@pytest.mark.parametrize("flushing", [False, True], ids=["committed", "appended"])
@pytest.mark.parametrize("name", CASES)
def test_a_killed_program_ends_as_it_would_have(name: str, flushing: bool, tmp_path: Path) -> None:
    """At moments between its first entry and its last."""
    case = CASES[name]
    with serving(case.handle) as server:
        begin(case, server, tmp_path)
        moments = moments_of(case, server, tmp_path, flushing=flushing)
        wanted = min(len(moments), KILLS // 2 if IS_FULL else KILLS)
        for moment in drawn(name, flushing).sample(moments, wanted):
            goes_on(case, server, tmp_path, moment)
