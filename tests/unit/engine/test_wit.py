"""The printed world of a component."""

from __future__ import annotations

import pytest

from golem_host.engine import Engine
from golem_oplog.types import (
    EnumType,
    FlagsType,
    ListType,
    OptionType,
    Prim,
    RecordType,
    ResultType,
    TupleType,
    WitType,
)
from tests.support.components import component, echo_component

RESOURCES = """(component
  (import "wasi:io/poll@0.2.9" (instance $poll
    (export "pollable" (type $p (sub resource)))
    (export "[method]pollable.ready" (func (param "self" (borrow $p)) (result bool)))))
  (alias export $poll "pollable" (type $p))
  (import "wasi:io/streams@0.2.9" (instance $streams
    (type $error' (variant (case "closed") (case "other" string)))
    (export "stream-error" (type $error (eq $error')))
    (export "pollable" (type $q (eq $p)))
    (export "input-stream" (type $in (sub resource)))
    (export "[constructor]input-stream" (func (param "from" string) (result (own $in))))
    (export "[static]input-stream.join"
      (func (param "a" (own $in)) (param "b" (borrow $in)) (result (own $in))))
    (export "[method]input-stream.subscribe" (func (param "self" (borrow $in)) (result (own $q))))
    (export "[method]input-stream.read"
      (func (param "self" (borrow $in)) (result (result (list u8) (error $error)))))))
  (alias export $streams "stream-error" (type $error))
  (import "wasi:cli/stdin@0.2.9" (instance
    (export "last" (func (result (option $error))))
    (export "wait" (func (param "on" (list (borrow $p)))))))
  (import "token" (type (sub resource)))
  (import "from" (func (param "use" u8))))"""

PRINTED = """\
package root:component;

world root {
  resource token;
  import %from: func(%use: u8);
  import wasi:io/poll@0.2.9;
  import wasi:io/streams@0.2.9;
  import wasi:cli/stdin@0.2.9;
}

package wasi:io@0.2.9 {
  interface poll {
    resource pollable {
      ready: func() -> bool;
    }
  }
  interface streams {
    use poll.{pollable};
    variant stream-error {
      closed,
      other(string),
    }
    resource input-stream {
      constructor(%from: string);
      join: static func(a: input-stream, b: borrow<input-stream>) -> input-stream;
      subscribe: func() -> pollable;
      read: func() -> result<list<u8>, stream-error>;
    }
  }
}

package wasi:cli@0.2.9 {
  interface stdin {
    use wasi:io/streams@0.2.9.{stream-error};
    last: func() -> option<stream-error>;
    wait: func(on: list<borrow<pollable>>);
  }
}
"""


def test_a_world_is_printed_whole(engine: Engine) -> None:
    """Packages, resources with their members, types that another interface named, escaped words."""
    assert PRINTED == engine.load(component(RESOURCES), name="resources").wit()


@pytest.mark.parametrize(
    ("ty", "text"),
    [
        (ResultType(None, None), "result"),
        (ResultType(Prim.U8, None), "result<u8>"),
        (ResultType(None, Prim.F64), "result<_, f64>"),
        (OptionType(ListType(Prim.CHAR)), "option<list<char>>"),
        (TupleType((Prim.BOOL, Prim.S64)), "tuple<bool, s64>"),
    ],
)
def test_types_without_a_name_are_spelled_out(engine: Engine, ty: WitType, text: str) -> None:
    """As WIT writes them."""
    wit = engine.load(echo_component((ty,)), name="echo").wit()

    assert f"echo-0: func(v: {text}) -> {text};" in wit


def test_named_types_are_defined_where_they_live(engine: Engine) -> None:
    """Every kind of definition; the world's exports refer to them by `use`."""
    types = (
        RecordType((("type", Prim.U8), ("b", Prim.STRING))),
        EnumType(("red", "enum")),
        FlagsType(("r", "w")),
    )
    wit = engine.load(echo_component(types), name="echo").wit()

    assert "    record t0 {\n      %type: u8,\n      b: string,\n    }\n" in wit
    assert "    enum t1 {\n      red,\n      %enum,\n    }\n" in wit
    assert "    flags t2 {\n      r,\n      w,\n    }\n" in wit
    assert "    echo-2: func(v: t2) -> t2;\n" in wit
    assert "  use test:echo/host.{t1};\n" in wit
    assert "  export echo-1: func(v: t1) -> t1;\n" in wit


def test_names_that_clash_are_written_out(engine: Engine) -> None:
    """A type that cannot be named here, because its name is taken, is shown by its structure."""
    wasm = component("""(component
      (import "a:a/one" (instance $one
        (type $t' (enum "x" "y")) (export "t" (type (eq $t')))))
      (alias export $one "t" (type $t))
      (import "a:a/two" (instance
        (export "t" (func (param "v" $t))))))""")
    wit = engine.load(wasm, name="clash").wit()

    assert "    t: func(v: enum { x, y, });\n" in wit


def test_an_exported_interface_without_a_package_is_printed_in_place(engine: Engine) -> None:
    """Such a name belongs to the world alone."""
    wasm = component("""(component
      (core module $Main (func (export "f")))
      (core instance $main (instantiate $Main))
      (func $f (canon lift (core func $main "f")))
      (instance $plain (export "f" (func $f)))
      (export "plain" (instance $plain)))""")
    wit = engine.load(wasm, name="plain").wit()

    assert "  export plain: interface {\n    f: func();\n  }\n" in wit
