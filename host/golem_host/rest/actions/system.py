"""The host itself."""

from __future__ import annotations

import os

import golem_host
from golem_host.rest.bodies import Health, Version
from golem_host.rest.exchange import Exchange
from golem_host.rest.reports import CollectedForm, CollectQuery, collected_form


def health(x: Exchange) -> Health:
    del x
    return Health("ok")


def collect(x: Exchange) -> CollectedForm:
    return collected_form(x.host.collect(dry_run=x.query(CollectQuery).dry_run))


def version(x: Exchange) -> Version:
    del x
    return Version(golem_host.__version__, os.getpid())
