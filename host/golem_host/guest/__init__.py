"""Building guest projects: a folder with ``app.py`` and ``wit/`` becomes a component."""

from golem_host.guest.build import BuiltGuest as BuiltGuest
from golem_host.guest.build import build_guest as build_guest
