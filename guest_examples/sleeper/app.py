"""Sleeps, draws numbers, reads the clock and prints: ordinary code, with nothing kept on purpose."""

import random
import time

from wit_world import exports
from wit_world.exports import api


class Api(exports.Api):
    def nap(self, rounds: int) -> api.Summary:
        drawn: list[int] = []
        started = time.time()
        for number in range(1, rounds + 1):
            time.sleep(1)
            drawn.append(random.randrange(1000))
            clock = time.strftime("%H:%M:%S", time.gmtime())
            print(f"{clock}  round {number} of {rounds}: drew {drawn[-1]}", flush=True)
        return api.Summary(drawn=drawn, sum=sum(drawn), seconds=round(time.time() - started))
