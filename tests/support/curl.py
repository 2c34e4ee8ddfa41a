"""As much of curl as the documents use, for machines that have none."""

from __future__ import annotations

import argparse
import sys
from urllib.error import HTTPError
from urllib.request import Request, urlopen


def main() -> None:
    """Make one request; the answer's body goes to stdout whatever its status is."""
    parser = argparse.ArgumentParser()
    parser.add_argument("-s", action="store_true")
    parser.add_argument("-H", action="append", default=[], dest="headers")
    parser.add_argument("-d", dest="data")
    parser.add_argument("-X", dest="method")
    parser.add_argument("url")
    given = parser.parse_args()
    url = given.url if "://" in given.url else f"http://{given.url}"
    headers = dict(header.split(": ", 1) for header in given.headers)
    data = None if given.data is None else given.data.encode()
    try:
        with urlopen(Request(url, data, headers, method=given.method)) as answer:
            body = answer.read()
    except HTTPError as error:
        with error:
            body = error.read()
    sys.stdout.buffer.write(body)


if __name__ == "__main__":
    main()
