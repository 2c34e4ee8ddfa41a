"""A thousand requests at once, names of every kind, and wrong methods everywhere."""

from __future__ import annotations

import asyncio
from urllib.parse import quote

import pytest

from golem_host import Host
from golem_host.rest.routes import ROUTES
from tests.support.rest import Web, served

CROWD = 1_000
METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "HEAD", "NONSENSE")


async def _ask(port: int, path: str) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(
            f"GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".encode()
        )
        await writer.drain()
        return await reader.read()
    finally:
        writer.close()


async def _crowd(port: int, path: str) -> list[bytes]:
    return await asyncio.gather(*(_ask(port, path) for _ in range(CROWD)))


def test_a_thousand_requests_at_once_are_answered(host: Host) -> None:
    """Each of them, in full; the next one after them as well."""
    host.workers.get_or_create(host.components.get("clock"), "asked")
    with served(host) as web:
        assert isinstance(web.address, tuple)
        path = "/v1/components/clock/workers/asked"
        answers = asyncio.run(_crowd(web.address[1], path))
        after = web.get(path).status

    assert CROWD == sum(answer.startswith(b"HTTP/1.1 200") for answer in answers)
    assert all(b'"workerName": "asked"' in answer for answer in answers)
    assert 200 == after


@pytest.mark.parametrize("path", sorted({route.path for route in ROUTES}))
def test_a_method_that_a_path_does_not_have_is_refused(web: Web, path: str) -> None:
    """With 405 and those that it has, whatever the method is called."""
    has = {route.method for route in ROUTES if route.path == path}
    asked = path.replace(":path}", "}").format(
        component="clock", worker="w", key="k", index="1", path="p", plugin="x", input="i"
    )
    for method in METHODS:
        if method in has:
            continue
        answer = web.ask(method, asked)

        assert 405 == answer.status, method
        assert has == {each.strip() for each in answer.headers["allow"].split(",")}


def test_a_name_of_any_character_is_that_name_or_refused(web: Web) -> None:
    """All planes of Unicode, in steps, each as a name of its own: never an error of ours."""
    codes = [*range(0x300), *range(0x2000, 0x2070), *range(0x300, 0xD800, 0x101)]
    codes += [*range(0xE000, 0x110000, 0x1001)]
    for code in codes:
        path = f"/v1/components/clock/workers/{quote(f'n{chr(code)}', safe='')}"
        answer = web.get(path)

        assert answer.status == 404, code
        assert answer.error[1] == "WorkerNotFoundError", code
