"""Every way a guest can go wrong by itself comes out as a `Trap` that says which."""

from __future__ import annotations

import pickle

import pytest

from golem_host.engine import Engine, Trap, TrapKind, abi
from tests.support.components import component
from tests.support.engines import Guest

# Name: core function, component function type, and what it is called when it has happened.  Values
# that do not fit their type have no code where a host lifts them; the message tells them apart.
FAULTS = {
    "give-up": ("(func (export {f}) unreachable)", "", TrapKind.UNREACHABLE),
    "read-far": (
        "(func (export {f}) (drop (i32.load (i32.const 0x7fffffff))))",
        "",
        TrapKind.MEMORY_OUT_OF_BOUNDS,
    ),
    "divide": (
        "(func (export {f}) (drop (i32.div_u (i32.const 1) (global.get $zero))))",
        "",
        TrapKind.INTEGER_DIVISION_BY_ZERO,
    ),
    "overflow": (
        "(func (export {f}) (drop (i32.div_s (i32.const 0x80000000) (global.get $minus))))",
        "",
        TrapKind.INTEGER_OVERFLOW,
    ),
    "convert": (
        "(func (export {f}) (drop (i32.trunc_f32_s (f32.div (f32.const 0) (global.get $fzero)))))",
        "",
        TrapKind.BAD_CONVERSION_TO_INTEGER,
    ),
    "call-null": (
        "(func (export {f}) (call_indirect (type $none) (i32.const 1)))",
        "",
        TrapKind.INDIRECT_CALL_TO_NULL,
    ),
    "call-other": (
        "(func (export {f}) (call_indirect (type $none) (i32.const 0)))",
        "",
        TrapKind.BAD_SIGNATURE,
    ),
    "call-far": (
        "(func (export {f}) (call_indirect (type $none) (i32.const 99)))",
        "",
        TrapKind.TABLE_OUT_OF_BOUNDS,
    ),
    "recurse": (
        """(func $recurse (export {f}) (param i32) (result i32)
             (i32.add (i32.const 1) (call $recurse (i32.add (local.get 0) (i32.const 1)))))""",
        '(param "n" u32) (result u32)',
        TrapKind.STACK_OVERFLOW,
    ),
    "surrogate": (
        "(func (export {f}) (result i32) (i32.const 0xd800))",
        "(result char)",
        TrapKind.OTHER,
    ),
    "third-case": (
        "(func (export {f}) (result i32) (i32.const 2))",
        "(result (result))",
        TrapKind.OTHER,
    ),
    "far-list": (
        "(func (export {f}) (result i32) (call $slice (i32.const 0x7fffffff)))",
        "(result (list u8))",
        TrapKind.OTHER,
    ),
    "far-string": (
        "(func (export {f}) (result i32) (call $slice (i32.const 0x7fffffff)))",
        "(result string)",
        TrapKind.OTHER,
    ),
    "crooked": (
        "(func (export {f}) (result i32) (i32.const 3))",
        "(result string)",
        TrapKind.OTHER,
    ),
}


MESSAGES = {
    "give-up": "unreachable",
    "read-far": "out of bounds memory access",
    "divide": "divide by zero",
    "recurse": "call stack exhausted",
    "surrogate": "char",
    "third-case": "discriminant",
    "far-list": "list pointer/length out of bounds",
    "far-string": "string pointer/length out of bounds",
    "crooked": "not aligned",
}


def _fault_component() -> bytes:
    functions = "\n".join(text.format(f=f'"{n}"') for n, (text, _, _) in FAULTS.items())
    exports = "\n".join(
        f'(func (export "{name}") {ty} (canon lift (core func $main "{name}")'
        ' (memory (core memory $main "memory"))))'
        for name, (_, ty, _) in FAULTS.items()
    )
    return component(f"""(component
      (core module $Main
        (memory (export "memory") 1)
        (table 2 funcref)
        (elem (i32.const 0) $other)
        (type $none (func))
        (global $zero (mut i32) (i32.const 0))
        (global $minus (mut i32) (i32.const -1))
        (global $fzero (mut f32) (f32.const 0))
        (func $other (result i32) (i32.const 0))
        (func $slice (param i32) (result i32)
          (i32.store (i32.const 16) (i32.const 8))
          (i32.store (i32.const 20) (local.get 0))
          (i32.const 16))
        {functions})
      (core instance $main (instantiate $Main))
      {exports})""")


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_has_its_kind(engine: Engine, name: str) -> None:
    """The trap's kind tells what the guest did, and its message is one line."""
    guest = Guest(engine, _fault_component())
    arguments = [0] if "param" in FAULTS[name][1] else []
    with pytest.raises(Trap) as caught:
        guest.call_all(name, arguments)
    guest.close()

    assert FAULTS[name][2] is caught.value.kind
    assert MESSAGES.get(name, "") in str(caught.value)
    assert "\n" not in caught.value.message


def test_a_dead_instance_says_so(engine: Engine) -> None:
    """After a trap every call is refused, also one that would have worked."""
    guest = Guest(engine, _fault_component())
    with pytest.raises(Trap):
        guest.call("give-up")
    again = []
    for name in ("give-up", "third-case"):
        with pytest.raises(Trap) as caught:
            guest.call(name)
        again.append(caught.value.kind)
    dead = guest.instance.is_dead
    guest.close()

    assert dead
    assert [TrapKind.CANNOT_ENTER_COMPONENT] * 2 == again


def test_the_backtrace_names_guest_functions(engine: Engine) -> None:
    """Frames of the guest are reported, and not mixed into the message."""
    guest = Guest(engine, _fault_component())
    with pytest.raises(Trap) as caught:
        guest.call("recurse", 1)
    guest.close()

    assert "call stack exhausted" in caught.value.message
    assert "recurse" in caught.value.backtrace
    assert "Caused by" not in caught.value.backtrace


def test_a_trap_can_be_pickled() -> None:
    """Traps cross process borders whole."""
    trap = Trap(TrapKind.UNREACHABLE, "message", "frames")
    copy = pickle.loads(pickle.dumps(trap))

    assert (trap.kind, trap.message, trap.backtrace) == (copy.kind, copy.message, copy.backtrace)


def test_a_code_that_is_not_known_is_other(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A newer engine may have kinds that this table lacks."""

    def code_200(_error: int, address: int) -> bool:
        abi.MEMORY[address] = 200
        return True

    monkeypatch.setattr(abi, "trap_code", code_200)
    guest = Guest(engine, _fault_component())
    with pytest.raises(Trap) as caught:
        guest.call("give-up")
    guest.close()

    assert TrapKind.OTHER is caught.value.kind


def test_a_broken_rule_of_the_boundary_has_no_code(engine: Engine) -> None:
    """Dropping a handle that was never given is the guest's fault, of kind OTHER."""
    wasm = component("""(component
      (import "thing" (type $thing (sub resource)))
      (core func $drop (canon resource.drop $thing))
      (core module $Main
        (import "host" "drop" (func $drop (param i32)))
        (func (export "drop-nothing") (call $drop (i32.const 77))))
      (core instance $main (instantiate $Main
        (with "host" (instance (export "drop" (func $drop))))))
      (func (export "drop-nothing") (canon lift (core func $main "drop-nothing"))))""")
    guest = Guest(engine, wasm)
    with pytest.raises(Trap) as caught:
        guest.call("drop-nothing")
    guest.close()

    assert TrapKind.OTHER is caught.value.kind
    assert "handle" in caught.value.message
