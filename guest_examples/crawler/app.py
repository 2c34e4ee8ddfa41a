"""A crawler: twenty requests at a time, each answered once, whatever happens to the process."""

import asyncio
from html.parser import HTMLParser
from urllib.parse import urldefrag, urljoin, urlsplit

import poll_loop
from wit_world import exports
from wit_world.exports import api
from wit_world.imports.types import Fields, OutgoingRequest, Scheme_Http, Scheme_Https

AT_ONCE = 20


class Api(exports.Api):
    def crawl(self, url: str, pages_max: int) -> list[api.Page]:
        loop = poll_loop.PollLoop()
        asyncio.set_event_loop(loop)
        return loop.run_until_complete(crawl(url, pages_max))


async def crawl(start: str, pages_max: int) -> list[api.Page]:
    seen, wanted, pages = {start}, [start], []
    while wanted and len(pages) < pages_max:
        now, wanted = wanted[:AT_ONCE], wanted[AT_ONCE:]
        now = now[: pages_max - len(pages)]
        for url, (status, text) in zip(now, await asyncio.gather(*map(fetch, now)), strict=True):
            links = Links(url, text).found
            pages.append(api.Page(url, status, len(links)))
            wanted += [link for link in links if link not in seen]
            seen.update(links)
    return pages


async def fetch(url: str) -> tuple[int, str]:
    parts = urlsplit(url)
    request = OutgoingRequest(Fields.from_list([("user-agent", b"crawler")]))
    request.set_scheme(Scheme_Https() if parts.scheme == "https" else Scheme_Http())
    request.set_authority(parts.netloc)
    request.set_path_with_query(parts.path + ("?" + parts.query if parts.query else ""))
    response = await poll_loop.send(request)
    body, pieces = poll_loop.Stream(response.consume()), []
    while (piece := await body.next()) is not None:
        pieces.append(piece)
    return response.status(), b"".join(pieces).decode("utf-8", "replace")


class Links(HTMLParser):
    def __init__(self, base: str, text: str) -> None:
        super().__init__()
        self.base, self.found = base, []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs if tag == "a" else ():
            link = urldefrag(urljoin(self.base, value or "")).url
            if name == "href" and urlsplit(link).netloc == urlsplit(self.base).netloc:
                self.found += [] if link in self.found else [link]
