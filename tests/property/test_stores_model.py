"""
Both stores against plain dictionaries.

Whatever is stored, removed and looked at, and however often a change is asked for again under its
token, with the database closed and opened in between or not: everybody sees what the model says.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from golem_host.services.stores.contents import CHUNK_BYTES
from golem_host.services.stores.effects import Effect
from golem_host.services.stores.limits import StoreError
from golem_host.services.stores.objects import PIECE_BYTES_MAX, ObjectName
from golem_host.services.stores.pairs import NUMBER_MAX
from golem_host.services.stores.stores import Stores
from golem_oplog.protocol import SyncLevel
from tests.support.world import EPOCH_NS, FrozenClock

NAMES: Final = st.sampled_from(("", "a", "b", "\0", "a\0", "\u2603", "../a"))
CONTAINERS: Final = st.sampled_from(("a", "\0"))
OBJECTS: Final = st.sampled_from(("x", "../y"))
WORKERS: Final = st.sampled_from(("alice", "bob"))
NUMBERS: Final = st.sampled_from((0, 1, 2, NUMBER_MAX)) | st.integers(0, 5)
VALUES: Final = st.binary(max_size=3) | st.sampled_from((b"0", b"1", b"2", b"007"))
NOW_S: Final = EPOCH_NS // 1_000_000_000
SIZES: Final = st.sampled_from((0, 1, CHUNK_BYTES, CHUNK_BYTES + 1, PIECE_BYTES_MAX + 1))
OFFSETS: Final = st.sampled_from((0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, PIECE_BYTES_MAX, NUMBER_MAX))
IS_FULL: Final = os.environ.get("GOLEM_HOST_TEST_PROFILE") == "full"
SHARED: Final = settings(max_examples=200 if IS_FULL else 20, deadline=None)


class RefusedError(Exception):
    """The model's own `StoreError`."""


@dataclass
class Bytes:
    """A `Source`."""

    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)

    def read(self, offset: int, size: int) -> bytes:
        return self.data[offset : offset + size]


@dataclass
class Tried:
    """A store and its model, used alike."""

    stores: Stores
    reopen: Callable[[], Stores]
    numbers: dict[str, int] = field(default_factory=dict)

    def effect(self, worker: str) -> Effect:
        number = self.numbers[worker] = self.numbers.get(worker, 0) + 1
        return Effect("component", worker, f"{worker}/{number}")

    def change(
        self,
        worker: str,
        real: Callable[[Effect], Any],
        model: Callable[[], Any],
        *,
        again: bool,
        reopens: bool,
    ) -> None:
        """Make it, perhaps as a worker that was killed before it could write the outcome down."""
        effect = self.effect(worker)
        expected = outcome(model)
        assert expected == outcome(lambda: real(effect))
        if reopens:
            self.stores = self.reopen()
        if again and expected is not RefusedError:
            assert expected == outcome(lambda: real(effect))


def outcome(action: Callable[[], Any]) -> Any:
    try:
        return action()
    except (StoreError, RefusedError):
        return RefusedError


def tried(folder: str) -> Tried:
    path = Path(folder) / "stores.db"
    opened: list[Stores] = []

    def reopen() -> Stores:
        if opened:
            opened.pop().close()
        opened.append(Stores(path, FrozenClock(), sync_level=SyncLevel.PROCESS))
        return opened[0]

    return Tried(reopen(), reopen)


# -- keys ------------------------------------------------------------------------------------------


class PairsModel(dict[tuple[str, str], bytes]):
    """What buckets are."""

    def number(self, bucket: str, key: str) -> int | None:
        value = self.get((bucket, key))
        if value is None:
            return None
        if not value.isdigit():
            raise RefusedError
        return int(value)

    def increment(self, bucket: str, key: str, delta: int) -> int:
        total = (self.number(bucket, key) or 0) + delta
        if total > NUMBER_MAX:
            raise RefusedError
        self[bucket, key] = str(total).encode()
        return total

    def swap(self, bucket: str, key: str, old: int, new: int) -> bool:
        if self.number(bucket, key) != old:
            return False
        self[bucket, key] = str(new).encode()
        return True

    def remove(self, bucket: str, keys: list[str]) -> None:
        for key in keys:
            self.pop((bucket, key), None)


@SHARED
@given(data=st.data())
def test_buckets_are_dictionaries(data: st.DataObject) -> None:
    """Values, numbers and lists of keys are those of the model after every step."""
    model = PairsModel()
    with TemporaryDirectory() as folder:
        both = tried(folder)
        for _ in range(data.draw(st.integers(1, 12), label="steps")):
            _change_a_bucket(data, both, model)
            pairs = both.stores.pairs
            bucket, key = data.draw(NAMES), data.draw(NAMES)
            assert [model.get((bucket, key))] == pairs.get(bucket, [key])
            assert ((bucket, key) in model) == pairs.exists(bucket, key)
            assert {k for b, k in model if b == bucket} == set(pairs.keys(bucket))
        both.stores.close()


def _change_a_bucket(data: st.DataObject, both: Tried, model: PairsModel) -> None:
    bucket, key = data.draw(NAMES), data.draw(NAMES)
    kind = data.draw(st.sampled_from(("set", "delete", "increment", "swap")))
    real: Callable[[Effect], Any]
    expected: Callable[[], Any]
    if kind == "set":
        new = data.draw(st.lists(st.tuples(NAMES, VALUES), max_size=3))
        real = lambda effect: both.stores.pairs.set(effect, bucket, new)  # noqa: E731
        expected = lambda: model.update({(bucket, k): v for k, v in new})  # noqa: E731
    elif kind == "delete":
        keys = data.draw(st.lists(NAMES, max_size=3))
        real = lambda effect: both.stores.pairs.delete(effect, bucket, keys)  # noqa: E731
        expected = lambda: model.remove(bucket, keys)  # noqa: E731
    elif kind == "increment":
        delta = data.draw(NUMBERS)
        real = lambda effect: both.stores.pairs.increment(effect, bucket, key, delta)  # noqa: E731
        expected = lambda: model.increment(bucket, key, delta)  # noqa: E731
    else:
        old, number = data.draw(NUMBERS), data.draw(NUMBERS)
        real = lambda effect: both.stores.pairs.swap(effect, bucket, key, old, number)  # noqa: E731
        expected = lambda: model.swap(bucket, key, old, number)  # noqa: E731
    both.change(
        data.draw(WORKERS),
        real,
        expected,
        again=data.draw(st.booleans()),
        reopens=data.draw(st.booleans()),
    )


# -- objects ---------------------------------------------------------------------------------------


class ObjectsModel(dict[str, dict[str, tuple[int, bytes]]]):
    """Containers: name of an object -> when it was made, and its bytes."""

    def objects(self, container: str) -> dict[str, tuple[int, bytes]]:
        if container not in self:
            raise RefusedError
        return self[container]

    def create(self, container: str, now_s: int) -> int:
        if container in self:
            raise RefusedError
        self[container] = {}
        return now_s

    def write(self, name: ObjectName, data: bytes, now_s: int) -> None:
        self.objects(name.container)[name.name] = (now_s, data)

    def find(self, name: ObjectName) -> tuple[int, bytes]:
        found = self.objects(name.container).get(name.name)
        if found is None:
            raise RefusedError
        return found

    def copy_object(self, source: ObjectName, target: ObjectName, now_s: int) -> None:
        _, data = self.find(source)
        self.objects(target.container)[target.name] = (now_s, data)

    def move(self, source: ObjectName, target: ObjectName) -> None:
        found = self.find(source)
        into = self.objects(target.container)
        del self[source.container][source.name]
        into[target.name] = found

    def remove(self, container: str, names: list[str]) -> None:
        for name in names:
            self.get(container, {}).pop(name, None)

    def remove_all(self, container: str) -> None:
        self.pop(container, None)

    def clear_all(self, container: str) -> None:
        self.get(container, {}).clear()

    def read(self, name: ObjectName, start: int, end: int) -> tuple[int, bytes]:
        _, data = self.find(name)
        if start > end or (start >= len(data) and (start, data) != (0, b"")):
            raise RefusedError
        return len(data), data[start : min(end + 1, start + PIECE_BYTES_MAX)]


@SHARED
@given(data=st.data())
def test_containers_are_dictionaries(data: st.DataObject) -> None:
    """Objects, their bytes and times, and lists are those of the model after every step."""
    model = ObjectsModel()
    with TemporaryDirectory() as folder:
        both = tried(folder)
        _begin(both, model)
        for _ in range(data.draw(st.integers(4, 14), label="steps")):
            _change_a_container(data, both, model)
            _look_at_a_container(data, both, model)
        _nothing_is_left_behind(both.stores, model)
        both.stores.close()


def _begin(both: Tried, model: ObjectsModel) -> None:
    """What most changes need."""
    name, object_ = ObjectName("a", "x"), Bytes(b"begun")
    objects = both.stores.objects
    assert model.create("a", NOW_S) == objects.create(both.effect("alice"), "a")
    model.write(name, object_.data, NOW_S)
    objects.write(both.effect("alice"), name, object_, unstopped)


def _look_at_a_container(data: st.DataObject, both: Tried, model: ObjectsModel) -> None:
    objects = both.stores.objects
    name = ObjectName(data.draw(CONTAINERS), data.draw(OBJECTS))
    start, end = data.draw(OFFSETS), data.draw(OFFSETS)
    assert (name.container in model) == objects.has_container(name.container)
    assert outcome(lambda: sorted(model.objects(name.container))) == outcome(
        lambda: sorted(objects.list(name.container))
    )
    assert outcome(lambda: name.name in model.objects(name.container)) == outcome(
        lambda: objects.has(name)
    )
    known = outcome(lambda: objects.find(name))
    expected = outcome(lambda: model.find(name))
    if expected is RefusedError:
        assert RefusedError is known
    else:
        assert (expected[0], len(expected[1])) == (known.created_s, known.size)
    assert outcome(lambda: model.read(name, start, end)) == outcome(
        lambda: objects.read(name, start, end)[1:]
    )


def _change_a_container(data: st.DataObject, both: Tried, model: ObjectsModel) -> None:
    source = ObjectName(data.draw(CONTAINERS), data.draw(OBJECTS))
    target = ObjectName(data.draw(CONTAINERS), data.draw(OBJECTS))
    names = data.draw(st.lists(OBJECTS, max_size=2))
    content = data.draw(st.binary(min_size=1, max_size=2))
    content = (content * data.draw(SIZES))[: data.draw(SIZES)]
    container = source.container
    changes: dict[str, tuple[Callable[[Effect], Any], Callable[[], Any]]] = {
        "create": (
            lambda effect: both.stores.objects.create(effect, container),
            lambda: model.create(container, NOW_S),
        ),
        "create another": (
            lambda effect: both.stores.objects.create(effect, target.container),
            lambda: model.create(target.container, NOW_S),
        ),
        "delete container": (
            lambda effect: both.stores.objects.delete_container(effect, container, unstopped),
            lambda: model.remove_all(container),
        ),
        "write": (
            lambda effect: both.stores.objects.write(effect, source, Bytes(content), unstopped),
            lambda: model.write(source, content, NOW_S),
        ),
        "copy": (
            lambda effect: both.stores.objects.copy(effect, source, target, unstopped),
            lambda: model.copy_object(source, target, NOW_S),
        ),
        "move": (
            lambda effect: both.stores.objects.move(effect, source, target, unstopped),
            lambda: model.move(source, target),
        ),
        "delete": (
            lambda effect: both.stores.objects.delete(effect, container, names, unstopped),
            lambda: model.remove(container, names),
        ),
        "clear": (
            lambda effect: both.stores.objects.clear(effect, container, unstopped),
            lambda: model.clear_all(container),
        ),
    }
    # What a run needs most comes first.
    kind = data.draw(st.sampled_from((*changes, "create", "write", "write", "copy", "move")))
    real, expected = changes[kind]
    both.change(
        data.draw(WORKERS),
        real,
        expected,
        again=data.draw(st.booleans()),
        reopens=data.draw(st.booleans()),
    )


def _nothing_is_left_behind(stores: Stores, model: ObjectsModel) -> None:
    """Of what no object refers to; of what is known of workers only the last change."""
    assert (0, 0) == stores.objects.contents.count_unused()
    with stores.database().reading() as connection:
        (chunks,) = connection.execute("SELECT count(DISTINCT content) FROM chunk").fetchone()
        (effects,) = connection.execute("SELECT count(*) FROM effect").fetchone()
    assert chunks <= sum(len(objects) for objects in model.values())
    assert effects <= 2


def unstopped() -> None:
    """Nobody stops it."""
