"""Which imports a guest will make while it runs, as its sources tell."""

from __future__ import annotations

from textwrap import dedent

import pytest

from golem_host.guest.lazy_imports import LazyImport, find, with_lazy_imports
from golem_host.guest.project import LAZY_MODULE, LEFT_OPEN

ROOTS = ["app", "vendor", "guest_sdk"]


def found(app: str, others: dict[str, str] | None = None) -> list[tuple[str, bool]]:
    """Statements, and whether each must succeed."""
    files = {"app/app.py": app, **(others or {})}
    sources = {path: dedent(text).encode() for path, text in files.items()}
    return [(each.statement, each.is_needed) for each in find(sources, ROOTS)]


@pytest.mark.parametrize(
    ("app", "imports"),
    [
        ("import csv\nfrom os import path", []),
        ("def f():\n    import csv, json", [("import csv, json", True)]),
        ("class A:\n    import csv\n    async def f(self):\n        from os import path", [("from os import path", True)]),
        ("def f():\n    if x:\n        import csv", [("import csv", False)]),
        ("def f():\n    from __future__ import annotations", []),
        (
            """
            def f():
                try:
                    import ujson as json
                except ImportError:
                    import json
            """,
            [("import ujson as json", False), ("import json", False)],
        ),
        (
            """
            def f():
                try:
                    import csv
                finally:
                    pass
            """,
            [("import csv", True)],
        ),
        ("def f():\n    with suppress(ImportError):\n        import csv", [("import csv", False)]),
        ("def f():\n    importlib.import_module('a.b')", [("import a.b", True)]),
        ("def f():\n    importlib.import_module(name)", []),
        ("f = lambda: __import__('csv')", [("import csv", True)]),
        ("def f(d):\n    return d.strptime('1', '%d')", [("import _strptime", False)]),
        ("def f(s):\n    return s.encode('UTF-8') + s.encode('cp1252')", [("import encodings.cp1252", False)]),
        ("def f(s):\n    return open(s, encoding='idna')", [("import encodings.idna", False)]),
        ("def f(s):\n    return s.encode('no such codec')", []),
        ("import urllib.request", [("import encodings.idna", False)]),
        ("def f():\n    import csv\ndef g():\n    import csv", [("import csv", True)]),
        ("def (:", []),
    ],
)  # fmt: skip
def test_imports_in_functions_are_found(app: str, imports: list[tuple[str, bool]]) -> None:
    """And nothing else: what is imported at the top is there already."""
    assert imports == found(app)


def test_they_are_found_in_what_is_imported_and_only_there() -> None:
    """Along the imports of app, at any time; what stands in vendor/ may be missing."""
    others = {
        "app/helpers.py": "from . import nothing\nimport lib\ndef f():\n    import csv",
        "app/deep/er.py": "def f():\n    from .. import up\n    from .other import x",
        "app/deep/other.py": "def f():\n    import shelve",
        "app/unused.py": "def f():\n    import never",
        "vendor/lib.py": "def f():\n    import optional",
    }

    assert {
        ("import deep.er", True),
        ("import csv", True),
        ("import optional", False),
        ("from .. import up", True),
        ("from .other import x", True),
        ("import shelve", True),
    } == set(found("import helpers\ndef f():\n    import deep.er", others))


def test_a_statement_keeps_its_place() -> None:
    """File and line are those that the guest sees, so that a traceback names them."""
    files = {
        "app/app.py": b"import pack\n",
        "app/pack/__init__.py": b"\ndef f():\n    from . import x\n",
    }

    assert [LazyImport("/0/pack/__init__.py", 3, "pack", "from . import x", True)] == list(
        find(files, ROOTS)
    )


def test_the_build_carries_them_out() -> None:
    """Behind the last line of app.py; a project without any is built as it stands."""
    plain = (("app/app.py", b"import csv"),)
    files = dict(with_lazy_imports([("app/app.py", b"def f():\n    import csv")], ROOTS))
    code = files[f"app/{LAZY_MODULE}.py"].decode()

    assert plain == with_lazy_imports(plain, ROOTS)
    assert (
        files["app/app.py"].decode() == f'def f():\n    import csv\n\n__import__("{LAZY_MODULE}")\n'
    )
    assert LEFT_OPEN in code
    exec(compile(code, LAZY_MODULE, "exec"), {"__name__": LAZY_MODULE})


def test_what_must_be_there_is_missed() -> None:
    """With the place that asks for it; what may be missing is not."""
    may = {"app/app.py": b"def f():\n    if x:\n        import nosuchmodule"}
    must = {"app/app.py": b"\ndef f():\n    import nosuchmodule"}
    run(may)
    with pytest.raises(ModuleNotFoundError) as missed:
        run(must)

    frames = missed.traceback if hasattr(missed, "traceback") else []
    assert any(str(frame.path) == "/0/app.py" and frame.lineno + 1 == 3 for frame in frames)


def run(files: dict[str, bytes]) -> None:
    code = dict(with_lazy_imports(list(files.items()), ROOTS))[f"app/{LAZY_MODULE}.py"]
    exec(compile(code, LAZY_MODULE, "exec"), {"__name__": LAZY_MODULE})
