"""What runs the documents tells a true transcript from a false one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.snippets import Block, Forms, Step, blocks, steps
from tests.support.terminal import Terminal

ONE = "0d57c2cf-96ce-4210-ac90-a203243606ab"
OTHER = "22c29504-5475-4e1d-866e-b35e6662a12d"
THIRD = "8f14e45f-ceea-467f-a0e6-1d5c2b3a4c5d"


def match(shown: str, printed: str, forms: Forms | None = None, *, in_order: bool = True) -> bool:
    return (forms or Forms()).match("x", shown, printed, in_order=in_order)


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("15\n", "15\n"),
        ("at 16:09:24 and 2026-11-25T20:28:32.103Z\n", "at 01:02:03 and 2027-01-01T00:00:00Z\n"),
        ("key=...\n", "key=run-1\n"),
        ("a\n...\nz\n", "a\nb\nc\nz\n"),
        ("a\n...\n", "a\n"),
        (f"{ONE} and {ONE}\n", f"{OTHER} and {OTHER}\n"),
    ],
)
def test_what_is_the_same_is_taken(shown: str, printed: str) -> None:
    """But for what a run makes up, and for what is left out."""
    assert match(shown, printed)


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("15\n", "16\n"),
        ("15\n", "15\nmore\n"),
        ("15\nmore\n", "15\n"),
        ("a\n...\nz\n", "a\nb\n"),
        ("(1)\n", "1\n"),
        ("at 16:09:24\n", "at noon\n"),
        (f"{ONE} and {ONE}\n", f"{OTHER} and {ONE}\n"),
    ],
)
def test_what_differs_is_refused(shown: str, printed: str) -> None:
    """One line more or less, another number, a name that is two."""
    assert not match(shown, printed)


def test_a_name_is_the_same_ever_after() -> None:
    """In what is printed later, and in commands."""
    forms = Forms()

    assert match(f"promise {ONE}/main/15\n", f"promise {OTHER}/main/16\n", forms)
    assert f"complete {OTHER}/main/16 yes" == forms.typed(f"complete {ONE}/main/15 yes")
    assert not match(f"{ONE}/main/15 is completed\n", f"{THIRD}/main/16 is completed\n", forms)
    assert match(f"{ONE}/main/15 is completed\n", f"{OTHER}/main/16 is completed\n", forms)


def test_lines_of_two_processes_come_in_any_order() -> None:
    """Each once."""
    assert match("a\nb\n", "b\na\n", in_order=False)
    assert not match("a\nb\n", "b\na\n", in_order=True)
    assert not match("a\na\n", "b\na\n", in_order=False)


def test_a_console_block_is_commands_and_what_they_print() -> None:
    """Lines about jobs are the shell's, and a command goes on behind a backslash."""
    text = "before\n```console\n$ one &\n[1] 17880\nout\n$ two \\\n  three\n```\n"
    (block,) = blocks(text)

    assert [
        Step("console", "one &", "out\n", 3),
        Step("console", "two \\\n  three", "", 6),
    ] == list(steps(block, None))


def test_a_text_block_is_output_where_it_follows_at_once() -> None:
    """Another one is for the reader."""
    text = "```python\nf()\n```\n\n```text\n5\n```\nwords\n```python\ng()\n```\nwords\n```text\n6\n```\n"
    one, out, two, other = blocks(text)

    assert ["5\n"] == [step.output for step in steps(one, out)]
    assert [""] == [step.output for step in steps(two, other)]


def test_a_file_has_its_name_in_the_fence() -> None:
    """Whatever its language."""
    (block,) = blocks('```wit title="cart/world.wit"\nworld cart {}\n```\n')

    assert Block("wit", "cart/world.wit", "world cart {}\n", 2, is_next=True) == block


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Terminal]:
    with Terminal("shell", tmp_path, dict(os.environ)) as terminal:
        yield terminal


def test_a_job_is_waited_for_and_killed(shell: Terminal) -> None:
    """Until it has printed what is shown; then it has the number that the shell gives it."""
    shell.take(Step("console", "(echo up; exec sleep 600) &", "up\n", 1), Forms())
    shell.take(Step("console", "kill -9 %1; wait %1 2>/dev/null; echo $?", "137\n", 2), Forms())

    assert shell.left == ""


def test_a_false_transcript_is_shown_beside_the_true_one(shell: Terminal) -> None:
    """With the line of the document."""
    with pytest.raises(AssertionError, match=r"line 7: echo 5\nshown:\n6\nprinted:\n5\n"):
        shell.take(Step("console", "echo 5", "6\n", 7), Forms())


def test_a_command_of_a_script_must_succeed(shell: Terminal) -> None:
    """Where no output is shown, the status is what counts."""
    shell.take(Step("sh", "cd / && echo unseen", "", 1), Forms())
    with pytest.raises(AssertionError, match="failed"):
        shell.take(Step("sh", "false", "", 2), Forms())


def test_python_blocks_share_their_names(tmp_path: Path) -> None:
    """An exception that is not shown fails the document."""
    with Terminal("python", tmp_path, dict(os.environ)) as python:
        python.take(Step("python", "x = 5\n", "", 1), Forms())
        python.take(Step("python", "print(x)\n", "5\n", 2), Forms())
        with pytest.raises(AssertionError, match="ZeroDivisionError"):
            python.take(Step("python", "x / 0\n", "", 3), Forms())
