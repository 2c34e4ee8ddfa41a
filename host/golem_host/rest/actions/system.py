"""The host itself."""

from __future__ import annotations

import os

import golem_host
from golem_host.rest.bodies import Health, Version
from golem_host.rest.exchange import Exchange


def health(x: Exchange) -> Health:
    del x
    return Health("ok")


def version(x: Exchange) -> Version:
    del x
    return Version(golem_host.__version__, os.getpid())
