"""What the host reports of a worker's state and of a collection: the documents, both ways."""

from __future__ import annotations

from typing import Annotated

from golem_host.rest.times import time_of
from golem_host.services.collect import Collected, Removed
from golem_host.storage.disk import DiskUse
from golem_host.worker.explain import Explanation
from golem_oplog.documents import precise_time
from golem_oplog.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class ExplanationForm:
    """A worker's state in words."""

    worker: Annotated[str, "`COMPONENT/NAME`."]
    status: Annotated[str, "A case of `golem:api/host.worker-status`."]
    sentence: Annotated[
        str, "What it waits for or why it failed, since when, and what would free it."
    ]
    since: Annotated[str, "RFC 3339."]
    until: Annotated[str | None, "When it goes on by itself; null if it does not."]
    remedy: Annotated[str, "The command line that frees it; empty where none need be given."]


def explanation_form(found: Explanation) -> ExplanationForm:
    until = None if found.until_ns is None else precise_time(found.until_ns)
    return ExplanationForm(
        worker=found.worker,
        status=found.status,
        sentence=found.sentence,
        since=precise_time(found.since_ns),
        until=until,
        remedy=found.remedy,
    )


def explanation_of(form: ExplanationForm) -> Explanation:
    return Explanation(
        worker=form.worker,
        status=form.status,
        sentence=form.sentence,
        since_ns=time_of(form.since),
        until_ns=None if form.until is None else time_of(form.until),
        remedy=form.remedy,
    )


@dataclass(frozen=True, slots=True)
class RemovedForm:
    count: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class DiskUseForm:
    workers_bytes: int
    blobs_bytes: int
    components_bytes: int
    rest_bytes: int


@dataclass(frozen=True, slots=True)
class CollectedForm:
    """What a collection has removed, or would remove."""

    blobs: RemovedForm
    components: RemovedForm
    promises: RemovedForm
    leftovers: Annotated[RemovedForm, "Of crashes."]
    kept: Annotated[str, "Why no blob was removed; empty where that was not so."]
    before: DiskUseForm
    after: DiskUseForm


@dataclass(frozen=True, slots=True)
class CollectQuery:
    dry_run: Annotated[bool, "Only count what would go."] = False


def collected_form(found: Collected) -> CollectedForm:
    def removed(item: Removed) -> RemovedForm:
        return RemovedForm(item.count, item.size_bytes)

    def use(item: DiskUse) -> DiskUseForm:
        return DiskUseForm(
            item.workers_bytes, item.blobs_bytes, item.components_bytes, item.rest_bytes
        )

    return CollectedForm(
        blobs=removed(found.blobs),
        components=removed(found.components),
        promises=removed(found.promises),
        leftovers=removed(found.leftovers),
        kept=found.kept,
        before=use(found.before),
        after=use(found.after),
    )


def collected_of(form: CollectedForm) -> Collected:
    def removed(item: RemovedForm) -> Removed:
        return Removed(item.count, item.size_bytes)

    def use(item: DiskUseForm) -> DiskUse:
        return DiskUse(item.workers_bytes, item.blobs_bytes, item.components_bytes, item.rest_bytes)

    return Collected(
        blobs=removed(form.blobs),
        components=removed(form.components),
        promises=removed(form.promises),
        leftovers=removed(form.leftovers),
        kept=form.kept,
        before=use(form.before),
        after=use(form.after),
    )
