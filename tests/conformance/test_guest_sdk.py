"""
`golem_guest`, as a guest uses it: each program runs in a worker of its own.

Behind each one the worker is thrown away and rebuilt: what the SDK does is replayed like the rest.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from golem_host import Host, InvocationFailedError, PromiseId, Worker
from golem_host.errors import GuestBuildError
from tests.support.guests import example, python_guest, python_guest_from
from tests.support.hosts import QUICK, open_host
from tests.support.http_servers import Asked, serving
from tests.support.repository import ROOT
from tests.support.waiting import until

TIMEOUT_S = 60.0
OURS = {"host", "traceparent", "idempotency-key"}
"""Headers that the host adds to every request."""


@pytest.fixture(scope="module")
def sdk_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with open_host(tmp_path_factory.mktemp("state"), replace(QUICK, net=("127.0.0.1:*",))) as host:
        host.components.deploy(python_guest(ROOT / "tests/support/sdk_guest"), name="sdk")
        yield host


@pytest.fixture
def worker(sdk_host: Host, request: pytest.FixtureRequest) -> Worker:
    return sdk_host.workers.create(sdk_host.components.get("sdk"), request.node.name)


def run(worker: Worker, program: str, *, retry: bool = True) -> Any:
    """What the program has put into ``result``; the worker is rebuilt from its log after it."""
    text = worker.invoke("run", dedent(program), retry=retry, timeout=TIMEOUT_S)
    assert isinstance(text, str)
    worker.simulate_crash()
    assert "1" == worker.invoke("run", "result = 1", timeout=TIMEOUT_S)
    return json.loads(text)


def kinds(worker: Worker) -> list[str]:
    return [entry.kind for entry in worker.oplog()]


def test_a_region_is_left_in_many_ways(worker: Worker) -> None:
    """By its end, by return, by a generator that is closed: all of them are its end."""
    result = run(
        worker,
        """
        def returns():
            with atomic_region():
                return "returned"

        def yields():
            with atomic_region():
                yield "yielded"

        @atomic_region()
        def decorated():
            return "decorated"

        generator = yields()
        result = [atomically(str, 5), returns(), next(generator), decorated()]
        generator.close()
        """,
    )

    assert ["5", "returned", "yielded", "decorated"] == result
    assert 4 == kinds(worker).count("begin-atomic-region")
    assert 4 == kinds(worker).count("end-atomic-region")


def test_an_exception_that_leaves_a_region_cannot_be_caught(worker: Worker) -> None:
    """Else half of the work would count as all of it; the reason is the exception itself."""
    with pytest.raises(InvocationFailedError) as failed:
        run(
            worker,
            """
            try:
                with atomic_region():
                    raise ValueError("half done")
            except BaseException:
                pass
            """,
            retry=False,
        )

    assert failed.value.error == "ValueError: half done"
    assert "line 4, in <module>" in failed.value.traceback
    assert "end-atomic-region" not in kinds(worker)


def test_an_invocation_that_ends_inside_of_a_region_fails(worker: Worker) -> None:
    """Else the next recovery would take later invocations back with it; its begin is named."""
    with pytest.raises(InvocationFailedError) as failed:
        run(
            worker,
            """
            with retry_policy(RetryPolicy(max_attempts=1, min_delay_s=0, max_delay_s=0)):
                golem_guest._world.host().mark_begin_operation()
            """,
        )
    begins = [entry.index for entry in worker.oplog() if entry.kind == "begin-atomic-region"]

    assert f"the invocation ended inside of the region begun at index {begins[-1]}" == (
        failed.value.error
    )
    # A trap like any other: it was tried again.
    assert kinds(worker).count("error") > 1
    assert "exported-function-completed" not in kinds(worker)


def test_settings_hold_for_a_block(worker: Worker) -> None:
    """And are what they were behind it."""
    result = run(
        worker,
        """
        def now():
            policy = RetryPolicy.current()
            return [policy.max_attempts, policy.min_delay_s, policy.max_jitter_factor]

        before = now()
        with retry_policy(RetryPolicy(max_attempts=7, min_delay_s=0.25, max_jitter_factor=None)):
            inside = now()
        with idempotence_mode(False), persistence_level(Persistence.REMOTE_SIDE_EFFECTS):
            key = str(idempotency_key())
        commit()
        result = [before == now(), inside, len(key), str(idempotency_key()) != key]
        """,
    )

    assert [True, [7, 0.25, None], 36, True] == result
    assert 2 == kinds(worker).count("change-persistence-level")
    assert 1 == kinds(worker).count("begin-remote-write")


def test_the_policy_of_a_block_is_that_of_a_failure_in_it(worker: Worker) -> None:
    """So an exception that leaves the block is tried again by it."""
    with pytest.raises(InvocationFailedError):
        run(
            worker,
            """
            with retry_policy(RetryPolicy(max_attempts=1, min_delay_s=0, max_delay_s=0)):
                raise ValueError("always")
            """,
        )

    assert 2 == kinds(worker).count("error")


def test_a_transaction_is_taken_back(worker: Worker) -> None:
    """The newest step first; a compensation that fails leaves the rest as it is."""
    result = run(
        worker,
        """
        events = []

        def fail(_given):
            raise ValueError("no")

        def undo(given, output):
            events.append([given, output])

        def undo_badly(given, output):
            raise KeyError(given)

        def body(tx):
            tx.execute(operation(lambda n: n + 1, undo), 1)
            tx.execute(operation(lambda n: n * 10), 2)
            tx.execute(operation(lambda n: n * 10, undo), 3)
            tx.execute(operation(fail, undo), 4)

        def bad(tx):
            tx.execute(operation(lambda n: n, undo), 5)
            tx.execute(operation(lambda n: n, undo_badly), 6)
            fail(0)

        result = [fallible_transaction(lambda tx: tx.execute(operation(str), 0)), events]
        for each in (body, bad):
            try:
                fallible_transaction(each)
            except RolledBackError as error:
                result.append(repr(error.failure))
            except PartlyRolledBackError as error:
                result.append([repr(error.failure), repr(error.compensation_failure)])
        """,
    )

    assert ["0", [[3, 30], [1, 2]]] == result[:2]
    assert ["ValueError('no')", ["ValueError('no')", "KeyError(6)"]] == result[2:]


def test_an_infallible_transaction_is_tried_until_it_succeeds(worker: Worker) -> None:
    """Each attempt that fails is taken back, and then forgotten."""
    result = run(
        worker,
        """
        def throw(_given):
            thrown = random.SystemRandom().randint(1, 3)
            print("thrown", thrown, flush=True)
            if thrown != 3:
                raise ValueError(thrown)
            return thrown

        def body(tx):
            tx.execute(operation(str, lambda _given, _output: print("back", flush=True)), 1)
            return tx.execute(operation(throw), None)

        with retry_policy(RetryPolicy(min_delay_s=0.001, max_delay_s=0.002)):
            result = infallible_transaction(body)
        """,
    )
    written = "".join(line.text for line in worker.output()).splitlines()

    assert 3 == result
    assert written.count("back") == kinds(worker).count("jump") == len(written) // 2
    assert "thrown 3" == written[-1]


def test_a_compensation_that_fails_ends_an_infallible_transaction(worker: Worker) -> None:
    """There is no way on: neither done nor not done."""
    with pytest.raises(InvocationFailedError) as failed:
        run(
            worker,
            """
            def undo(given, output):
                raise KeyError("stuck")

            def body(tx):
                tx.execute(operation(str, undo), 1)
                raise ValueError("no")

            infallible_transaction(body)
            """,
            retry=False,
        )

    assert "KeyError: 'stuck'" == failed.value.error


def test_an_infallible_transaction_inside_of_a_region_does_the_region_again(worker: Worker) -> None:
    """For nobody goes back into its middle; steps are taken back all the same."""
    with pytest.raises(InvocationFailedError) as failed:
        run(
            worker,
            """
            def body(tx):
                tx.execute(operation(str, lambda _given, _output: print("back", flush=True)), 1)
                raise ValueError("no")

            with retry_policy(RetryPolicy(max_attempts=1, min_delay_s=0, max_delay_s=0)):
                atomically(infallible_transaction, body)
            """,
        )

    assert "ValueError: no" == failed.value.error
    assert 2 == kinds(worker).count("error")
    assert 2 == "".join(line.text for line in worker.output()).count("back\n")


def test_promises_have_names_and_values(sdk_host: Host, worker: Worker) -> None:
    """Filled from outside by the printed name, or from inside."""
    call = worker.enqueue(
        "run",
        dedent(
            """
            own = Promise.create()
            first = own.poll()
            taken = [own.complete_json({"a": "\\u00e9"}), own.complete(b"late")]
            again = Promise.parse(str(own))
            other = Promise.create()
            print(other, flush=True)
            result = [first, taken, own.wait_json(), again == own, other.wait().decode()]
            other.delete()
            try:
                Promise.parse("nothing")
            except ValueError as error:
                result.append(str(error))
            """
        ),
    )
    until(lambda: any(worker.output()))
    name = PromiseId.parse(next(worker.output()).text.strip())
    sdk_host.promises.complete(name, b"from outside")
    result = json.loads(str(call.result(TIMEOUT_S)))

    assert [None, [True, False], {"a": "\u00e9"}, True, "from outside"] == result[:5]
    assert "'nothing' is no promise: <component>/<worker>/<index>" == result[5]


def test_what_no_host_could_take_is_refused_in_python(worker: Worker) -> None:
    """With the value, in place of a trap that tells nobody anything."""
    result = run(
        worker,
        """
        async def later(): pass
        one = str(Promise.create()).rpartition("/")[0]
        result = []
        for refused in (
            lambda: RetryPolicy(min_delay_s=-1),
            lambda: RetryPolicy(max_attempts=1 << 32),
            lambda: RetryPolicy(multiplier=float("nan")),
            lambda: commit(256),
            lambda: sleep_until(float("nan")),
            lambda: Promise.parse("a/b/1"),
            lambda: Promise.parse(f"{one}/{1 << 64}"),
            lambda: durable(later),
            lambda: golem_guest.nothing,
        ):
            try:
                refused()
            except Exception as error:
                result.append(str(error).replace(one, "one"))
        with retry_policy(RetryPolicy(max_delay_s=18446744073.709553)):
            result.append(RetryPolicy.current().max_delay_s > 1e10)
        Worker.sibling("nobody").schedule(float("inf"), "note", "never").cancel()
        """,
    )

    assert [
        "min_delay_s of a retry policy is -1: it is from 0 to 1.84467e+10",
        "max_attempts of a retry policy is 4294967296: it is from 0 to 4.29497e+09",
        "multiplier of a retry policy is nan: it is from 0 to 1.79769e+308",
        "256 copies cannot be asked for: 0 to 255",
        "NaN is no moment",
        "'a/b/1' is no promise: <component>/<worker>/<index>",
        "'one/18446744073709551616' is no promise: <component>/<worker>/<index>",
        "later is async: only a plain function can be durable",
        "module 'golem_guest' has no attribute 'nothing'",
        True,
    ] == result


def test_a_worker_becomes_two(sdk_host: Host, worker: Worker) -> None:
    """Each knows which of the two it is."""
    result = run(worker, f"result = fork('{worker.name}-2').value")
    forked = sdk_host.workers.get("sdk", f"{worker.name}-2")
    until(lambda: forked.metadata().status == "idle")
    (completed,) = (e for e in forked.oplog() if e.kind == "exported-function-completed")

    assert "original" == result
    assert '"forked"' == completed.fields["response"].value  # type: ignore[attr-defined]


def test_a_fork_may_use_the_network_of_its_source(tmp_path: Path) -> None:
    """At once, and in a later process that knows of the source alone."""
    asks = "http.get(URL, timeout=5).status"
    with serving(lambda _: (200, [], b"")) as server:
        net = [f"127.0.0.1:{server.port}"]
        asks = asks.replace("URL", repr(server.url))
        with open_host(tmp_path) as host:
            sdk = python_guest(ROOT / "tests/support/sdk_guest")
            worker = host.workers.create(host.components.deploy(sdk, name="sdk"), "main")
            worker.grant_net(net)
            forks = run(worker, f"result = [fork('twin').value, {asks}]")
            twin = host.workers.get("sdk", "twin")
            until(lambda: twin.metadata().status == "idle")
        with open_host(tmp_path) as host:
            host.workers.get("sdk", "main").grant_net(net)
            again = run(host.workers.get("sdk", "twin"), f"result = {asks}")
        with open_host(tmp_path) as host, pytest.raises(InvocationFailedError):
            run(host.workers.get("sdk", "twin"), f"result = {asks}", retry=False)

    assert ["original", 200] == forks
    assert 200 == again
    assert 3 == len(server.asked)


def test_a_moment_is_waited_for(worker: Worker) -> None:
    """With a time zone or as Unix seconds; one that is past takes no time."""
    result = run(
        worker,
        """
        moment = datetime.datetime.now(datetime.UTC) + datetime.timedelta(milliseconds=30)
        sleep_until(moment)
        sleep_until(0)
        result = [datetime.datetime.now(datetime.UTC) >= moment]
        try:
            sleep_until(datetime.datetime(2020, 1, 1))
        except ValueError as error:
            result.append(str(error))
        """,
    )

    assert [True, "the moment needs a time zone: datetime(..., tzinfo=UTC)"] == result


def test_other_workers_are_called_with_python_values(worker: Worker) -> None:
    """There and back, in each of the forms that a value may be given in."""
    result = run(
        worker,
        """
        from wit_world.exports import called

        other = Worker.sibling(WHO)
        point = {"x-pos": -7, "label": None}
        generated = called.Point(8, "here")
        found = other.call("echo", point, "dark-green", {"write-all"},
                           ["nothing", rpc.Case("circle", 1.5), called.Shape_NamedOne(generated)],
                           Err("no"), b"ab", Some(None))
        again = other.call("echo", found[0], called.Color.RED, called.Access.READ | called.Access.WRITE_ALL,
                           found[3], Ok(5), [1], None)
        counter = other.call("counter.new", 5)
        result = [repr(found), repr(again), other.call("counter.add", counter, 2),
                  other.call("counter.add", other.call("counter.zero"), 1), other.call("go", "world")]
        """.replace("WHO", repr(f"{worker.name}-2")),
    )

    point, here = "namespace(x_pos=-7, label=None)", "namespace(x_pos=8, label='here')"
    shapes = f"[Case(name='nothing', value=None), Case(name='circle', value=1.5), Case(name='named-one', value={here})]"
    both = ("{'read', 'write-all'}", "{'write-all', 'read'}")
    assert result[0] == (
        f"({point}, 'dark-green', {{'write-all'}}, {shapes}, Err(value='no'), b'ab', Some(value=None))"
    )
    assert result[1] in [
        f"({point}, 'red', {flags}, {shapes}, Ok(value=5), b'\\x01', None)" for flags in both
    ]
    assert [7, 1, "WORLD"] == result[2:]


def test_calls_run_at_the_same_time(sdk_host: Host, worker: Worker) -> None:
    """Each in a worker of its own; their results come in order, also when one is a refusal."""
    result = run(
        worker,
        """
        others = [Worker.sibling(f"{WHO}-{number}") for number in range(4)]
        calls = [other.start("even", 2 * n, 150 - 50 * n) for n, other in enumerate(others)]
        result = [gather(calls), gather([]), calls[1].is_done(), calls[2].result()]
        refused = others[0].start("even", 3, 0)
        for failing in ([others[1].start("even", 4, 0), refused], [refused]):
            try:
                gather(failing)
            except Err as error:
                result.append(error.value)
        """.replace("WHO", repr(worker.name)),
    )

    assert [[0, 2, 4, 6], [], True, 4, "3 is odd", "3 is odd"] == result
    assert 4 == sum(
        each.name.startswith(f"{worker.name}-") for each in sdk_host.workers.list("sdk")
    )


def test_calls_are_handed_over_and_scheduled(sdk_host: Host, worker: Worker) -> None:
    """Now, at a point in time, and not at all where they are called off."""
    run(
        worker,
        """
        other = Worker("sdk", WHO)
        other.send("note", "sent")
        moment = datetime.datetime.now(datetime.UTC)
        other.schedule(moment + datetime.timedelta(days=1), "note", "never").cancel()
        other.schedule(moment + datetime.timedelta(milliseconds=50), "note", "scheduled")
        other.schedule(0, "note", "past")
        Worker("sdk").send("note", "somewhere")
        """.replace("WHO", repr(f"{worker.name}-2")),
    )
    other = sdk_host.workers.get("sdk", f"{worker.name}-2")
    until(lambda: 3 == sum(e.kind == "exported-function-completed" for e in other.oplog()))

    noted = other.invoke("note", "end", timeout=TIMEOUT_S)
    assert isinstance(noted, list)
    assert ["end", "past", "scheduled", "sent"] == sorted(noted)


def test_the_calls_of_the_manual_are_made(sdk_host: Host, worker: Worker) -> None:
    """To workers of the bank's accounts, whose WIT lies below ``wit/deps/``."""
    text = (ROOT / "docs/guests.md").read_text(encoding="utf-8")
    code = text.partition("## Calling other workers\n")[2].split("```")[1].removeprefix("python\n")
    account = sdk_host.components.deploy(example("bank/account"), name="account")
    sdk_host.workers.create(account, "alice").invoke("deposit", 300, timeout=TIMEOUT_S)

    found = run(worker, f"moment = time.time()\n{code}result = [left, total]")
    bob = sdk_host.workers.get("account", "bob")
    until(lambda: bob.invoke("balance", timeout=TIMEOUT_S) == 200)

    assert [200, sum(range(8))] == found


def test_what_is_wrong_with_a_call_says_so(worker: Worker) -> None:
    """Before it is made, where that can be seen; what the other side says has a name."""
    result = run(
        worker,
        """
        other = Worker.sibling(WHO)
        me = Worker.sibling(WHO[:-2])
        result = []
        for who, *call in (
            (other, "even", "x", 1), (other, "even", 1 << 32, 1), (other, "even", True, 0),
            (other, "even", 1), (other, "odd"), (Worker("sdk", "a b"), "note", "x"),
            (Worker("none", "a"), "note", "x"), (me, "note", "x"), (other, "run", "1/0"),
            (Worker.sibling(WHO, interface="api"), "note", "x"),
            (other, "test:sdk/called.{note}", 1), (other, "echo", {}, 1, 1, 1, 1, 1, 1),
        ):
            try:
                who.call(*call)
            except RpcError as error:
                result.append([error.name, error.reason.splitlines()[0][:44]])
            except Exception as error:
                result.append([type(error).__name__, str(error)])
        result.append(repr(other))
        """.replace("WHO", repr(f"{worker.name}-2")),
    )

    even = "test:sdk/called.{even}"
    advice = "in wit/: copy the callee's WIT to a folder below wit/deps/"
    assert [
        ["TypeError", f"{even}, number: expected u32, got 'x'"],
        ["TypeError", f"{even}, number: expected u32, got 4294967296"],
        ["TypeError", f"{even}, number: expected u32, got True"],
        ["TypeError", f"{even} takes 2 (number, milliseconds), not 1"],
        ["WitError", f"no function 'odd' {advice}"],
        ["ProtocolError", "a worker name is 1 to 512 bytes, without whi"],
        ["LookupError", "no component 'none': deploy it first"],
        ["Denied", f"worker sdk/{worker.name} would wait for itself"[:44]],
        ["RemoteInternalError", "the invocation failed: ZeroDivisionError: di"],
        ["WitError", f"no function 'note' of api {advice}"],
        ["TypeError", "test:sdk/called.{note}, text: expected string, got 1"],
        ["TypeError", "test:sdk/called.{echo}, p: expected a record with x-pos, got {}"],
        f"Worker('sibling', '{worker.name}-2')",
    ] == result


def test_requests_are_sent_and_answered(worker: Worker) -> None:
    """With query, headers and bodies both ways; each once, however often it is replayed."""

    def answer(asked: Asked) -> tuple[int, list[tuple[str, str]], bytes]:
        said = {"target": asked.target, "body": asked.body.decode(), "x": asked.header("x")}
        status = 404 if asked.target == "/none" else 200
        return status, [("x", "1"), ("X", "2")], json.dumps(said).encode()

    with serving(answer) as server:
        result = run(
            worker,
            f"""
            url = "{server.url}"
            got = http.get(url + "/a?b=1", params={{"c": "d e"}}, headers={{"x": "y"}})
            posted = http.post(url, json={{"n": [1, "\\u00e9"]}})
            sent = http.put(url + "/p", data="z" * 200_000)
            with http.stream("GET", url + "/s") as streamed:
                pieces = b"".join(streamed.pieces()).decode()
            result = [got.json(), got.status, got.headers.all("X"), got.headers["x"], posted.json(),
                      len(sent.json()["body"]), json.loads(pieces)["target"], "y" in got.headers]
            try:
                http.request("DELETE", url + "/none").raise_for_status()
            except http.StatusError as error:
                result.append(str(error).removeprefix(url))
            """,
        )
        asked = [f"{each.method} {each.target}" for each in server.asked]

    assert {"target": "/a?b=1&c=d+e", "body": "", "x": "y"} == result[0]
    assert [200, ["1", "2"], "1"] == result[1:4]
    assert {"target": "/", "body": '{"n":[1,"\u00e9"]}', "x": None} == result[4]
    assert [200_000, "/s", False, "/none: status 404"] == result[5:]
    assert ["GET /a?b=1&c=d+e", "POST /", "PUT /p", "GET /s", "DELETE /none"] == asked


def test_requests_are_what_other_clients_send(worker: Worker) -> None:
    """Forms, credentials, lengths; nothing twice, and no body where there is none."""
    with serving(lambda _: (200, [], b"")) as server:
        place = server.url.removeprefix("http://")
        run(
            worker,
            f"""
            http.get("{server.url}/\u00fc b%20c?q=\u00e4 d&e=1+2#f", timeout=None)
            http.post("{server.url}", data={{"a": "b c", "d": [1, 2]}})
            http.post("{server.url}")
            http.post("{server.url}", json=1, headers={{"Content-Type": "a/b", "Content-Length": "1"}})
            http.get("http://me:p%40w@{place}", timeout=1e30)
            http.get("http://me@{place}", headers={{"Authorization": "mine"}})
            """,
        )
        asked = server.asked
    names = [sorted(n for n, _ in each.headers if n.lower() not in OURS) for each in asked]

    assert "/%C3%BC%20b%20c?q=%C3%A4%20d&e=1+2" == asked[0].target
    assert (b"a=b+c&d=1&d=2", b"", b"1") == tuple(each.body for each in asked[1:4])
    assert "application/x-www-form-urlencoded" == asked[1].header("content-type")
    assert "0" == asked[2].header("content-length")
    assert "Basic bWU6cEB3" == asked[4].header("authorization")
    assert [
        [],
        ["content-length", "content-type"],
        ["content-length"],
        ["Content-Length", "Content-Type"],
        ["authorization"],
        ["Authorization"],
    ] == names


def test_what_cannot_be_sent_says_why(worker: Worker) -> None:
    """Before anything is sent."""
    result = run(
        worker,
        """
        url, result = "http://127.0.0.1:1", []
        for method, to, options in (
            ("GET", url, {"headers": {"x": "1", "a b": "x"}}),
            ("GET", url, {"headers": {"a": "x\\ny"}}),
            ("GE T", url, {}),
            ("GET", url, {"timeout": -1}),
            ("GET", "http://b\\u00fccher.example/", {}),
            ("GET", "http://:80/", {}),
        ):
            try:
                http.request(method, to, **options)
            except ValueError as error:
                result.append(str(error))
        """,
    )

    assert [
        "the header 'a b' cannot be sent: InvalidSyntax",
        "the header 'a' cannot be sent: InvalidSyntax",
        "'GE T' is no method",
        "-1 is no timeout: seconds, or None",
        "'http://b\u00fccher.example/' cannot be asked: it has something that no URL may have",
        "'http://:80/' is no http or https URL",
    ] == result


def test_what_cannot_be_asked_is_an_error_with_a_name(worker: Worker) -> None:
    """As `wasi:http` calls it."""
    result = run(
        worker,
        """
        result = []
        for url in ("http://127.0.0.1:1/", "http://192.0.2.1/", "ftp://a", "nothing"):
            try:
                http.get(url, timeout=5)
            except http.HttpError as error:
                result.append(error.name)
            except ValueError as error:
                result.append(str(error))
        """,
    )

    assert ["ConnectionRefused", "HttpRequestDenied"] == result[:2]
    assert ["'ftp://a' is no http or https URL", "'nothing' is no http or https URL"] == result[2:]


def test_an_effect_of_the_guest_is_made_once(worker: Worker) -> None:
    """However often the worker is rebuilt; its value is what JSON makes of it, live too."""
    result = run(
        worker,
        """
        @durable
        def draw(low, high, *, why):
            print("drawn", flush=True)
            return (random.SystemRandom().randint(low, high), why, "\u00e9")

        @durable(name="named", kind=Kind.READ_LOCAL)
        def outer():
            return draw(1, 1, why="inside")

        result = [draw(1, 6, why="test"), outer()]
        assert isinstance(result[0][0], int) and 1 <= result[0].pop(0) <= 6
        """,
    )
    names = [
        entry.fields["function-name"]
        for entry in worker.oplog()
        if entry.kind == "imported-function-invoked"
    ]

    assert [["test", "\u00e9"], [1, "inside", "\u00e9"]] == result
    assert 1 == names.count("named")
    assert 1 == sum(str(name).endswith("::draw") for name in names)


def test_an_effect_that_raises_has_no_outcome(worker: Worker) -> None:
    """It is tried again, and cannot be caught."""
    with pytest.raises(InvocationFailedError) as failed:
        run(
            worker,
            """
            @durable
            def fails():
                raise SystemExit("not done")

            try:
                fails()
            except BaseException:
                pass
            """,
            retry=False,
        )

    assert "SystemExit: not done" in failed.value.traceback


LARGEST = "and at most 2795000 can be passed"
LARGEST_TYPED = "and at most 262144 can be passed"
TYPED_ADVICE = "store what is large elsewhere, and pass its name"


def test_what_no_call_can_take_is_refused_before_it(worker: Worker) -> None:
    """As an exception with an advice, which a guest can catch; what is just small enough passes."""
    result = run(
        worker,
        """
        result = []
        def refused(function, *args, **kwargs):
            try:
                function(*args, **kwargs)
            except PayloadTooLargeError as error:
                result.append(str(error))

        @durable
        def effect(given):
            result.append("performed")
            return len(given)

        promise = Promise.create()
        refused(promise.complete, bytes(2_795_001))
        refused(effect, "x" * 300_000)
        refused(http.get, "http://192.0.2.1/", headers={"x": "y" * 3_000_000})
        result += [promise.poll(), promise.complete(bytes(2_795_000)), len(promise.wait())]
        """,
    )

    assert [
        f"the value of a promise: 2795001 bytes, {LARGEST}; store it elsewhere and give its name",
        f"the arguments of app::effect: 300004 bytes, {LARGEST_TYPED}; {TYPED_ADVICE}",
        f"the headers of a request: 3000001 bytes, {LARGEST}; send it as the body",
        None,
        True,
        2_795_000,
    ] == result
    assert "begin-remote-write" not in kinds(worker)


def test_a_result_that_cannot_be_recorded_is_a_failure(worker: Worker) -> None:
    """Told with its size: the effect was performed, and has no outcome."""
    with pytest.raises(InvocationFailedError) as failed:
        run(
            worker,
            """
            @durable
            def large():
                return "x" * 300_000

            large()
            """,
            retry=False,
        )

    assert "the result of app::large: 300002 bytes, and at most 262144" in failed.value.error


def test_log_records_become_entries(worker: Worker) -> None:
    """With their level, and the logger's name for a context."""
    run(
        worker,
        """
        log = logging.getLogger("shop")
        log.addHandler(WasiHandler())
        log.setLevel(1)
        for level in (1, 10, 20, 30, 40, 50):
            log.log(level, "level %s", level)
        """,
    )
    entries = [entry.fields for entry in worker.oplog() if entry.kind == "log"]

    assert ["trace", "debug", "info", "warn", "error", "critical"] == [e["level"] for e in entries]
    assert {"shop"} == {entry["context"] for entry in entries}
    assert "level 50" == entries[-1]["message"]


def test_spans_are_opened_and_closed(worker: Worker) -> None:
    """Once each, with what is said of them; headers carry the current one on."""
    result = run(
        worker,
        """
        outside = trace_headers()["traceparent"]
        with span("work", size="large"):
            inside = trace_headers()["traceparent"]
        result = [outside, inside, trace_headers()["traceparent"]]
        """,
    )
    (started,) = (e.fields for e in worker.oplog() if e.kind == "start-span")

    assert result[0] == result[2] != result[1]
    assert result[0][:35] == result[1][:35]
    assert result[1][36:52] == started["span-id"]
    assert 1 == kinds(worker).count("finish-span") == kinds(worker).count("set-span-attribute")


def test_state_travels_to_a_new_version(sdk_host: Host, worker: Worker) -> None:
    """Saved and loaded by itself."""
    worker.invoke("run", "state['count'] += 41", timeout=TIMEOUT_S)
    sdk_host.components.deploy(
        python_guest(ROOT / "tests/support/sdk_guest"), name="sdk", env={"NEW": "1"}
    )
    worker.update(sdk_host.components.get("sdk").version, mode="snapshot-based")
    text = worker.invoke("run", "state['count'] += 1; result = dict(state)", timeout=TIMEOUT_S)

    assert {"count": 42} == json.loads(str(text))
    assert "successful-update" in kinds(worker)


def test_state_that_is_too_large_does_not_travel(sdk_host: Host, worker: Worker) -> None:
    """The update fails with the reason, and the old version goes on."""
    worker.invoke("run", "state['large'] = 'x' * 3_000_000", timeout=TIMEOUT_S)
    sdk_host.components.deploy(
        python_guest(ROOT / "tests/support/sdk_guest"), name="sdk", env={"LARGE": "1"}
    )
    before = worker.metadata().component_version
    worker.update(sdk_host.components.get("sdk").version, mode="snapshot-based")
    until(
        lambda: worker.metadata().updates[-1:] and worker.metadata().updates[-1].state == "failed"
    )

    assert "the state, as JSON: 3000025 bytes, and at most 2795000 can be passed" in str(
        worker.metadata().updates[-1].details
    )
    assert before == worker.metadata().component_version
    assert "3000000" == worker.invoke("run", "result = len(state['large'])", timeout=TIMEOUT_S)


@pytest.mark.long
def test_a_message_that_is_too_large_is_not_logged(worker: Worker) -> None:
    """It is said on stderr, as of every handler that fails; smaller ones go on being logged."""
    run(
        worker,
        """
        log = logging.getLogger("shop")
        log.addHandler(WasiHandler())
        log.setLevel(1)
        log.info("x" * (128 << 20))
        log.info("small")
        """,
    )
    messages = [entry.fields["message"] for entry in worker.oplog() if entry.kind == "log"]

    assert "small" in messages
    assert any("PayloadTooLargeError: a log message: 134217728 bytes" in str(m) for m in messages)
    assert all(len(str(message)) < 1 << 20 for message in messages)


@pytest.mark.long
@pytest.mark.parametrize(
    ("used", "lacking"),
    [
        ("http", "import wasi:http/outgoing-handler@0.2.9;"),
        ("atomically", "import golem:api/host@1.1.7;"),
    ],
)
def test_what_a_world_lacks_is_said_when_it_is_built(used: str, lacking: str) -> None:
    """With the line to add."""
    app = f"import wit_world\nfrom golem_guest import {used}\nclass WitWorld(wit_world.WitWorld):\n"
    with pytest.raises(GuestBuildError) as refused:
        python_guest_from(
            f"{app}    def go(self) -> None:\n        pass\n",
            "package a:b;\nworld w { export go: func(); }\n",
        )

    assert f"golem_guest.{used}: add `{lacking}` to the world in wit/" in str(refused.value)
