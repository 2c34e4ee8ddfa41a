"""Workers: made, listed, looked at, steered, deleted."""

from __future__ import annotations

from dataclasses import replace

from golem_host.errors import InvalidRequestError
from golem_host.rest.actions.lookup import component_name, path_component, path_worker
from golem_host.rest.bodies import (
    CheckUpdateBody,
    DamagedForm,
    ForkBody,
    InterruptQuery,
    MetadataForm,
    NetBody,
    Nothing,
    ResourceForm,
    RevertBody,
    UpdateBody,
    UpdateCheckForm,
    UpdateForm,
    WorkerCreateBody,
    WorkerCreated,
    WorkerId,
    WorkerListQuery,
    WorkerPage,
)
from golem_host.rest.bounds import PAGE_MAX
from golem_host.rest.errors import document_of
from golem_host.rest.exchange import Exchange
from golem_host.rest.reports import ExplanationForm, explanation_form
from golem_host.rest.shapes import Json
from golem_host.worker.filter_text import parse_filters
from golem_host.worker.metadata import WorkerMetadata
from golem_host.worker.urn import worker_uri
from golem_oplog.documents import precise_time
from golem_oplog.errors import OplogError


def list_workers(x: Exchange) -> WorkerPage:
    query = x.query(WorkerListQuery)
    count = page_size(query.count)
    wanted = parse_filters(query.filter)
    component = path_component(x)
    found: list[MetadataForm] = []
    damaged: list[DamagedForm] = []
    cursor = query.cursor or ""
    for following, worker in x.host.workers.after(component.name, cursor):
        if len(found) + len(damaged) == count:
            return WorkerPage(tuple(found), cursor, tuple(damaged))
        cursor = following
        try:
            metadata = worker.metadata()
        except OplogError as error:
            damaged.append(DamagedForm(WorkerId(component.id, worker.name), str(error)))
            continue
        if wanted(metadata):
            found.append(metadata_form(component.id, metadata))
    return WorkerPage(tuple(found), None, tuple(damaged))


def page_size(count: int) -> int:
    if 1 <= count <= PAGE_MAX:
        return count
    raise InvalidRequestError(reason=f"query parameter count: from 1 to {PAGE_MAX}, found {count}")


def create_worker(x: Exchange) -> WorkerCreated:
    body = x.body(WorkerCreateBody)
    if body.dirs and not x.may_grant:
        raise InvalidRequestError(
            reason="body: directories of the host are granted through the control socket only"
        )
    component = path_component(x)
    worker = x.host.workers.create(
        component,
        body.name,
        args=body.args,
        env=body.env,
        config_vars=body.config_vars,
        dirs=body.dirs,
    )
    return WorkerCreated(WorkerId(component.id, worker.name), component.version)


def get_worker(x: Exchange) -> MetadataForm:
    worker = path_worker(x)
    metadata = worker.metadata()
    return replace(
        metadata_form(path_component(x).id, metadata),
        dirs=worker.dirs,
        last_traceback=metadata.last_traceback,
    )


def explain_worker(x: Exchange) -> ExplanationForm:
    return explanation_form(path_worker(x).explain())


def delete_worker(x: Exchange) -> Nothing:
    path_worker(x).delete()
    return Nothing()


def grant_net(x: Exchange) -> Nothing:
    body = x.body(NetBody)
    if not x.may_grant:
        raise InvalidRequestError(
            reason="powers are given through the control socket only: start `golem-host serve` "
            "with --net, or use `golem-host run --net` on its machine"
        )
    path_worker(x).grant_net(body.net)
    return Nothing()


def interrupt_worker(x: Exchange) -> Nothing:
    query = x.query(InterruptQuery)
    worker = path_worker(x)
    if query.recover_immediately:
        worker.simulate_crash()
    else:
        worker.interrupt()
    return Nothing()


def simulate_crash(x: Exchange) -> Nothing:
    path_worker(x).simulate_crash()
    return Nothing()


def resume_worker(x: Exchange) -> Nothing:
    path_worker(x).resume()
    return Nothing()


def update_worker(x: Exchange) -> Nothing:
    body = x.body(UpdateBody)
    path_worker(x).update(body.target_version, mode=body.mode)
    return Nothing()


def check_update(x: Exchange) -> UpdateCheckForm:
    body = x.body(CheckUpdateBody)
    check = path_worker(x).check_update(body.target_version)
    difference = None if check.difference is None else document_of(check.difference)["error"]
    return UpdateCheckForm(
        version=check.version,
        ok=check.ok,
        replayed_to=check.replayed_to,
        requests_differing=check.requests_differing,
        difference=Json(difference),
        reason=check.reason,
    )


def revert_worker(x: Exchange) -> Nothing:
    body = x.body(RevertBody)
    if (body.last_oplog_index is None) == (body.number_of_invocations is None):
        raise InvalidRequestError(
            reason="body: give lastOplogIndex or numberOfInvocations, one of them"
        )
    path_worker(x).revert(
        to_index=body.last_oplog_index, last_invocations=body.number_of_invocations
    )
    return Nothing()


def fork_worker(x: Exchange) -> WorkerId:
    body = x.body(ForkBody)
    component = path_component(x)
    target = body.target_worker_id
    if target.component_id not in {None, component.id, component_name(x)}:
        raise InvalidRequestError(reason="body: a fork has the component of its source")
    path_worker(x).fork(target.worker_name, at=body.oplog_index_cutoff)
    return WorkerId(component.id, target.worker_name)


def metadata_form(component_id: str, item: WorkerMetadata) -> MetadataForm:
    return MetadataForm(
        worker_id=WorkerId(component_id, item.name),
        component_name=item.component,
        status=item.status,
        component_version=item.component_version,
        pending_invocation_count=item.pending,
        retry_count=item.retry_count,
        last_error=item.last_error,
        oplog_index=item.oplog_index,
        args=item.args,
        env=dict(item.env),
        config_vars=dict(item.config_vars),
        reason=item.reason,
        updates=tuple(UpdateForm(u.target_version, u.state, u.details) for u in item.updates),
        created_at=precise_time(item.created_ns),
        resources=tuple(
            ResourceForm(each.resource, each.handle, worker_uri(component_id, item.name))
            for each in item.resources
        ),
        plugins=item.plugins,
    )
