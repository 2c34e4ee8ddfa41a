"""Which packages a guest's WIT needs, found without parsing all of WIT."""

from __future__ import annotations

from golem_host.guest.wit_files import WitNames, missing, needed, scan

SHIPPED = {
    "a:low@1.0.0": {"x.wit": "package a:low@1.0.0; interface x { }"},
    "a:mid@1.0.0": {
        "types.wit": "package a:mid@1.0.0; interface types { }",
        "y.wit": "package a:mid@1.0.0; interface y { use a:low/x@1.0.0.{t}; }",
    },
    "a:other": {"z.wit": "package a:other; interface z { }"},
}


def test_a_file_is_read_for_its_names() -> None:
    """The package, the worlds at the top, and every package referred to are found."""
    text = """
    package demo:cart@0.2.0-draft.1;
    interface api { use wasi:io/poll@0.2.9.{pollable}; use types.{t}; }
    world cart { import golem:api/host@1.1.7; include ns:p/q; export api; }
    world other { }
    """

    assert scan(text) == WitNames(
        packages=frozenset({"demo:cart@0.2.0-draft.1"}),
        worlds=("cart", "other"),
        references=frozenset({"wasi:io@0.2.9", "golem:api@1.1.7", "ns:p"}),
    )


def test_comments_name_nothing() -> None:
    """What is commented out is neither needed nor there."""
    text = "package a:b; // world x { import c:d/e; }\n/* world y { } \n */ /// world z { }\n"

    assert scan(text) == WitNames(frozenset({"a:b"}), (), frozenset())


def test_nested_packages_are_brought_but_their_worlds_are_not_the_guests() -> None:
    """A package in braces counts as brought; only worlds of the file's own package can be meant."""
    text = "package a:b; package c:d@1.0.0 { world inner { } } world outer { import c:d/e@1.0.0; }"

    assert scan(text) == WitNames(
        frozenset({"a:b", "c:d@1.0.0"}), ("outer",), frozenset({"c:d@1.0.0"})
    )


def test_escaped_names_are_names() -> None:
    """A percent sign escapes a keyword and is no part of the name."""
    text = "package %use:%type; world %import { import %use:%world/%list; }"

    assert scan(text) == WitNames(frozenset({"use:type"}), ("import",), frozenset({"use:world"}))


def test_needed_packages_are_found_through_other_packages() -> None:
    """A shipped package that only another shipped one refers to is needed as well."""
    guest = ["package g:g; world w { import a:mid/y@1.0.0; }"]

    assert sorted(needed(guest, SHIPPED)) == ["a:low@1.0.0", "a:mid@1.0.0"]


def test_what_the_guest_brings_is_not_needed() -> None:
    """The guest's own copy of a package wins, and what only that package referred to is left out."""
    guest = [
        "package g:g; world w { import a:mid/y@1.0.0; }",
        "package a:mid@1.0.0; interface y { }",
    ]

    assert [] == list(needed(guest, SHIPPED))


def test_what_the_guest_brings_is_not_needed_by_others_either() -> None:
    """A shipped package uses the guest's own copy of another."""
    guest = ["package g:g; world w { import a:mid/y@1.0.0; }", "package a:low@1.0.0;"]

    assert ["a:mid@1.0.0"] == list(needed(guest, SHIPPED))


def test_packages_that_are_nowhere_are_missing() -> None:
    """Another version of a shipped package is another package."""
    guest = ["package g:g; world w { import a:low/x@2.0.0; import a:other/z; import g:g/own; }"]

    assert ["a:low@2.0.0"] == missing(guest, SHIPPED)
