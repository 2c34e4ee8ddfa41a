"""
What stands for a language model: `python3 model.py PORT`; with port 0, one that is free.

It takes a moment to think about each question, which is the conversation so far.  As with real
ones, a question that is sent again under its `idempotency-key` has the answer of the first time.
`GET /` tells how many it has thought about.
"""

import json
import sys
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LEGS = {"by train": ["Wien-Brno", "Brno-Praha"], "by bus": ["Wien-Praha"]}
answers: dict[str, str] = {}
lock = threading.Lock()


class Model(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.say(f"{len(answers)}\n")

    def do_POST(self) -> None:
        size = int(self.headers["content-length"])
        text = self.rfile.read(size)
        if len(text) < size:
            # Whoever asked has died over it, and will ask again.
            return
        key = self.headers["idempotency-key"]
        with lock:
            is_new = key not in answers
            answers.setdefault(key, json.dumps(think(*json.loads(text))))
        if is_new:
            time.sleep(0.3)
        self.say(answers[key])

    def say(self, text: str) -> None:
        self.send_response(200)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        pass


def think(asked: str, *results: int) -> dict[str, object]:
    if asked not in LEGS:
        return {"plans": list(LEGS)}
    legs = LEGS[asked]
    if len(results) < len(legs):
        return {"tool": "fare", "given": [f"{legs[len(results)]} {asked}"]}
    if len(results) == len(legs):
        return {"tool": "sum", "given": results}
    return {"trip": {"plan": asked, "euros": results[-1]}}


server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Model)
print(f"thinking on http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
