"""How many memories an instance has, and how they share what it may use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golem_host.engine import Engine, EngineConfig, StoreContext
from golem_host.engine.binary import MalformedError
from golem_host.engine.memories import COUNT_MAX, Extent, Extents, memories_of, tables_of
from golem_host.errors import ComponentError
from tests.support.components import component
from tests.support.engines import Guest

PAGE = 65_536
PREAMBLE = component("(component)")[:8]


def plain(pages: int) -> Extent:
    return Extent(pages * PAGE, None)


@pytest.mark.parametrize(
    ("text", "memories"),
    [
        ("", {}),
        ("(core module (memory 3))", {}),
        ("(core module $m (memory 3)) (core instance (instantiate $m))", {plain(3): 1}),
        (
            (
                "(core module $m (memory 3)) (core instance (instantiate $m))"
                "(core instance (instantiate $m))"
            ),
            {plain(3): 2},
        ),
        (
            "(core module $m (memory 200 300)) (core instance (instantiate $m))",
            {Extent(200 * PAGE, 300 * PAGE): 1},
        ),
        (
            (
                '(core module $o (memory (export "m") 1)) (core instance $i (instantiate $o))'
                '(core module $m (import "o" "m" (memory 1)))'
                '(core instance (instantiate $m (with "o" (instance $i))))'
            ),
            {plain(1): 1},
        ),
        (
            "(core module $m (memory i64 5)) (core instance (instantiate $m))",
            {plain(5): 1},
        ),
        (
            "(core module $m (memory 7 (pagesize 1))) (core instance (instantiate $m))",
            {Extent(7, None): 1},
        ),
        (
            "(component $c (core module $m (memory 2 2)) (core instance (instantiate $m)))",
            {},
        ),
        (
            (
                "(component $c (core module $m (memory 2 2)) (core instance (instantiate $m)))"
                "(instance (instantiate $c)) (instance (instantiate $c))"
            ),
            {Extent(2 * PAGE, 2 * PAGE): 2},
        ),
        (
            (
                "(core module $m (memory 4)) (component $c (alias outer 1 $m (core module $n))"
                "(core instance (instantiate $n))) (instance (instantiate $c))"
            ),
            {plain(4): 1},
        ),
        (
            (
                "(component $c (core module $m (memory 4)) (core instance (instantiate $m)))"
                '(export $d "c" (component $c)) (instance (instantiate $d))'
            ),
            {plain(4): 1},
        ),
        (
            (
                "(component $c (core module $m (memory 1)) (core instance (instantiate $m)))"
                "(component $d (alias outer 1 $c (component $e))"
                "(instance (instantiate $e)) (instance (instantiate $e)))"
                "(instance (instantiate $d)) (instance (instantiate $d))"
            ),
            {plain(1): 4},
        ),
        (
            (
                '(import "a" (func)) (import "t" (type (sub resource)))'
                '(import "i" (instance (export "f" (func))))'
                "(core module $m (memory 4)) (core instance (instantiate $m))"
            ),
            {plain(4): 1},
        ),
    ],
)
def test_memories_are_those_of_what_is_instantiated(text: str, memories: dict[Extent, int]) -> None:
    """Each as often as it is; imported memories are somebody else's; every form of limits is read."""
    found = memories_of(component(f"(component {text})"))

    assert memories == dict(found)
    assert sum(memory.initial * n for memory, n in memories.items()) == found.initial


@pytest.mark.parametrize(
    ("text", "tables"),
    [
        ("(table 3 funcref)", {Extent(3, None): 1}),
        ("(table 3 9 externref) (table 3 9 funcref)", {Extent(3, 9): 2}),
        ("(table i64 4 funcref)", {Extent(4, None): 1}),
        ("(table 2 (ref null func)) (memory 7)", {Extent(2, None): 1}),
        (
            "(func $f) (table 5 6 (ref func) (ref.func $f)) (table 1 funcref)",
            {Extent(5, 6): 1, Extent(1, None): 1},
        ),
        (
            "(table 2 funcref (ref.null func)) (table 1 funcref)",
            {Extent(2, None): 1, Extent(1, None): 1},
        ),
    ],
)
def test_tables_are_read_in_every_form(text: str, tables: dict[Extent, int]) -> None:
    """In elements; by the same rules of what counts, and how often."""
    found = tables_of(
        component(
            f"(component (component $c (core module $m {text}) (core instance (instantiate $m)))"
            "(instance (instantiate $c)) (instance (instantiate $c)))"
        )
    )

    assert {extent: 2 * count for extent, count in tables.items()} == dict(found)


def test_an_imported_table_is_somebody_elses() -> None:
    """As an imported memory."""
    found = tables_of(
        component(
            '(component (core module $o (table (export "t") 1 funcref))'
            "(core instance $i (instantiate $o))"
            '(core module $m (import "o" "t" (table 1 funcref)))'
            '(core instance (instantiate $m (with "o" (instance $i)))))'
        )
    )

    assert {Extent(1, None): 1} == dict(found)


def test_doubling_again_and_again_is_counted_in_no_time() -> None:
    """Two to the power of fifty: counting stops where the engine would."""
    doubled = " ".join(
        f"(component $c{n} (alias outer 1 $c{n - 1} (component $e))"
        "(instance (instantiate $e)) (instance (instantiate $e)))"
        for n in range(1, 51)
    )
    found = memories_of(
        component(
            "(component (component $c0 (core module $m (memory 1))"
            f"(core instance (instantiate $m))) {doubled} (instance (instantiate $c50)))"
        )
    )

    assert COUNT_MAX + 1 == found.count


@given(st.binary(max_size=60))
def test_arbitrary_bytes_give_memories_or_one_error(junk: bytes) -> None:
    """Whatever follows the preamble, nothing else is raised and nothing runs for ever."""
    for extents_of in (memories_of, tables_of):
        try:
            count = extents_of(PREAMBLE + junk).count
        except MalformedError:
            count = 0
        assert count >= 0


def test_components_nested_without_end_are_refused() -> None:
    """Far before the interpreter's own stack ends."""
    content = PREAMBLE
    for _ in range(200):
        size = len(content)
        content = PREAMBLE + bytes([4, size & 0x7F | 0x80, size >> 7]) + content
    with pytest.raises(MalformedError, match="nested too deeply"):
        memories_of(content)


@pytest.mark.parametrize(
    ("memories", "share"),
    [
        ([], 100),
        ([(1, None)], 100),
        ([(1, 5)], 100),
        ([(1, None), (1, None)], 50),
        ([(1, None), (1, 10)], 90),
        ([(1, 60), (1, 10)], 100),
        ([(1, 95), (1, 10)], 90),
        ([(1, 10), (1, 20), (1, None), (1, None)], 35),
        ([(1, None)] * 3, 33),
    ],
)
def test_what_one_cannot_use_is_there_for_the_others(
    memories: list[tuple[int, int | None]], share: int
) -> None:
    """And all together never have more than the bound."""
    found = Extents(Extent(*each) for each in memories)

    assert share == found.share(100)
    assert 100 >= sum(min(share, 100 if m is None else m) for _, m in memories) or len(memories) < 2


GROWS = """(core module $M (memory 1)
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))"""


def growing(instances: int) -> bytes:
    """A component that instantiates one module so often, and can grow each memory."""
    parts = "".join(
        f"(core instance $i{n} (instantiate $M))"
        f'(func (export "grow-{n}") (param "pages" u32) (result s32)'
        f' (canon lift (core func $i{n} "grow")))'
        for n in range(instances)
    )
    return component(f"(component {GROWS} {parts})")


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Engine]:
    """An engine that gives each instance 12 pages."""
    with Engine(EngineConfig(cache_dir=tmp_path, memory_bytes_max=12 * PAGE)) as engine:
        yield engine


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_an_instance_has_no_more_memory_than_the_bound(small: Engine, count: int) -> None:
    """However many memories it has: each grows to its share, and not beyond."""
    guest = Guest(small, growing(count))
    share = 12 // count
    grown = [[guest.call(f"grow-{n}", pages) for pages in (share - 1, 1, 0)] for n in range(count)]
    guest.close()

    assert [[1, -1, share]] * count == grown


def test_a_memory_that_starts_with_more_than_its_share_is_refused_at_load(small: Engine) -> None:
    """With the share, the bound, and what to do."""
    wasm = component(
        "(component (core module $a (memory 7)) (core module $b (memory 1))"
        "(core instance (instantiate $a)) (core instance (instantiate $b)))"
    )
    with pytest.raises(ComponentError) as caught:
        small.load(wasm, name="uneven")

    assert (
        "has 2 memories that share 786432 bytes, 393216 for each, and one starts with 458752: "
        "raise memory_bytes_max"
    ) == caught.value.reason


def test_too_many_memories_are_refused_at_load(small: Engine) -> None:
    """Memories of no size would pass every other bound."""
    wasm = component(
        "(component (core module $m (memory 0)) "
        + "(core instance (instantiate $m))" * (COUNT_MAX + 1)
        + ")"
    )
    with pytest.raises(ComponentError, match=f"has more than {COUNT_MAX} memories"):
        small.load(wasm, name="many")


def test_memories_that_cannot_be_foreseen_do_not_start(small: Engine) -> None:
    """Those of a module that a nested component is given: the engine holds the count."""
    wasm = component(
        "(component (core module $m (memory 1)) (core instance (instantiate $m))"
        '(component $c (import "m" (core module $n)) (core instance (instantiate $n)))'
        '(instance (instantiate $c (with "m" (core module $m)))))'
    )
    linked = small.load(wasm, name="given").link(lambda _: None, lambda _: None)
    with pytest.raises(ComponentError, match="cannot start"):
        linked.instantiate(StoreContext())
