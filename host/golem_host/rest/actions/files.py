"""A worker's private files."""

from __future__ import annotations

from golem_host.rest.actions.lookup import path_worker
from golem_host.rest.bodies import FileForm, FileList
from golem_host.rest.exchange import BYTES, Exchange, Raw


def list_files(x: Exchange) -> FileList:
    found = path_worker(x).list_files(x.named("path"))
    return FileList(
        tuple(FileForm(each.name, each.is_dir, each.size, each.read_only) for each in found)
    )


def read_file(x: Exchange) -> Raw:
    return Raw(path_worker(x).read_file(x.named("path")), BYTES)
