"""Reminders in a Python list: slept for until they are due, or left to the host's schedule."""

import os
import time
from heapq import heappop, heappush

from wit_world import exports

from golem_guest import Worker, sleep_until

due: list[tuple[float, str]] = []
said: list[str] = []


class Api(exports.Api):
    def remind(self, text: str, seconds: int) -> None:
        heappush(due, (time.time() + seconds, text))

    def watch(self) -> list[str]:
        while due:
            sleep_until(due[0][0])
            say(heappop(due)[1])
        return said

    def every(self, text: str, seconds: int, times: int) -> None:
        say(text)
        if times > 1:
            # The worker has nothing to do until then, and is open to other calls.
            me = Worker.sibling(os.environ["GOLEM_WORKER_NAME"])
            me.schedule(time.time() + seconds, "every", text, seconds, times - 1)


def say(text: str) -> None:
    print(text, flush=True)
    said.append(text)
