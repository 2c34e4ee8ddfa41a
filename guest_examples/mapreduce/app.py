"""Map and reduce: a worker for each text, all at the same time, and one that adds up."""

import os
import time
from collections import Counter

from wit_world import exports
from wit_world.exports import api

from golem_guest import Worker, gather

texts: list[str] = []


class Api(exports.Api):
    def count(self, texts: list[str]) -> list[api.Entry]:
        me = os.environ["GOLEM_WORKER_NAME"]
        calls = [
            Worker.sibling(f"{me}-{number}").start("words-of", text)
            for number, text in enumerate(texts, start=1)
        ]
        print(f"{len(calls)} workers are counting", flush=True)
        total = Counter()
        for entries in gather(calls):
            total.update({entry.word: entry.count for entry in entries})
        return in_order(total)

    def words_of(self, text: str) -> list[api.Entry]:
        texts.append(text)
        time.sleep(1)
        return in_order(Counter(text.split()))

    def texts(self) -> int:
        return len(texts)


def in_order(words: Counter) -> list[api.Entry]:
    return [
        api.Entry(word, count)
        for word, count in sorted(words.items(), key=lambda each: (-each[1], each[0]))
    ]
