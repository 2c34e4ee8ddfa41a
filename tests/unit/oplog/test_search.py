"""What the query language of oplog search means, and what it says about slips."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

import msgpack
import pytest

from golem_oplog.cbor import encode_args, encode_value
from golem_oplog.entries import (
    Create,
    Error,
    ExportedFunctionCompleted,
    ExportedFunctionInvoked,
    ImportedFunctionInvoked,
    Log,
    NoOp,
    PendingUpdate,
)
from golem_oplog.errors import QUERY_SHOWN_CHARS_MAX, QueryError
from golem_oplog.linear_regex import POSITIONS_MAX, LinearRegex
from golem_oplog.memory import MemoryOplog
from golem_oplog.query import view_entries
from golem_oplog.search import Search, search_entries
from golem_oplog.search_syntax import (
    DEPTH_MAX,
    QUERY_CHARS_MAX,
    TERMS_MAX,
    And,
    Field,
    Not,
    Or,
    Phrase,
    Query,
    Regex,
    Word,
    parse_query,
)
from golem_oplog.types import (
    EnumType,
    FlagsType,
    FunctionType,
    ListType,
    OptionType,
    Prim,
    RecordType,
    ResultType,
    TupleType,
    VariantType,
)
from tests.support.oplogs import create_entry
from tests.support.repository import ROOT

if TYPE_CHECKING:
    from types import FrameType

_T = TypeVar("_T")

_CODE = re.compile(r"`([^`]+)`")

LINE = RecordType((("item", Prim.STRING), ("price", Prim.F64), ("Tags", ListType(Prim.STRING))))
ORDER = FunctionType(
    "test:shop/cart.{order}",
    (
        ("lines", ListType(LINE)),
        ("rights", FlagsType(("read", "write"))),
        ("how", VariantType((("cash", None), ("card", Prim.U64)))),
        ("note", OptionType(Prim.STRING)),
    ),
    ResultType(TupleType((EnumType(("open", "paid")), Prim.BOOL)), Prim.STRING),
)
FETCH = FunctionType("wasi:http::fetch", (("body", ListType(Prim.U8)),), Prim.CHAR)

CREATE, INVOKED, COMPLETED, FETCHED, LOGGED, NOTHING, FAILED, ORDERED = range(1, 9)
EVERYTHING = [CREATE, INVOKED, COMPLETED, FETCHED, LOGGED, NOTHING, FAILED, ORDERED]
# The bits of 2.5.
_LINES = [("Green Tea", 0x4004000000000000, ["hot", "new"]), ("milk", 0, [])]


@pytest.fixture
def log() -> MemoryOplog:
    log = MemoryOplog(create_entry())
    order, fetch = log.define(ORDER), log.define(FETCH)
    request = encode_args([_LINES, 0b10, (1, 4711), None])
    log.append(ExportedFunctionInvoked(1, order, request, "key-1", "trace", ("vendor=x",)))
    log.append(ExportedFunctionCompleted(2, encode_value((0, (1, True)))))
    log.append(
        ImportedFunctionInvoked(
            3, fetch, msgpack.packb(("café ".encode() + b"\xff",)), msgpack.packb("z"), 2
        )
    )
    log.append(Log(4, 1, "", b"Sold Out: tea"))
    log.append(NoOp(5))
    log.append(Error(6, 0, "it broke", 3, None, 'File "app.py", line 3'))
    log.append(
        ImportedFunctionInvoked(
            7,
            order,
            msgpack.packb((_LINES[:1], 0, (0, None), ("cold \\ please",))),
            msgpack.packb((1, "no tea")),
            3,
        )
    )
    return log


def found(log: MemoryOplog, query: str) -> list[int]:
    return [view.index for view in search_entries(log, query)]


@pytest.mark.parametrize(
    ("query", "indexes"),
    [
        # Words: in any text, whatever the case.
        ("importedfunctioninvoked", [FETCHED, ORDERED]),
        ("imported-function-invoked", [FETCHED, ORDERED]),
        ("NO-OP", [NOTHING]),
        ("key-1", [INVOKED]),
        ("tea", [INVOKED, LOGGED, ORDERED]),
        ("4711", [INVOKED]),
        ("2.5", [INVOKED, ORDERED]),
        ("café", [FETCHED]),
        ("{order}", [INVOKED, ORDERED]),
        ("wasi:http::fetch", []),
        ('"wasi:http::fetch"', [FETCHED]),
        ("http::fetch", [FETCHED]),
        ("  ", EVERYTHING),
        # Names of cases are leaves, labels of fields are not.
        ("card", [INVOKED]),
        ("write-remote", [ORDERED]),
        ("paid", [COMPLETED]),
        ("price", []),
        # Phrases: exactly so.
        ('"sold out"', []),
        ('"Sold Out"', [LOGGED]),
        (r'"File \"app.py\""', [FAILED]),
        (r'"cold \\ please"', [ORDERED]),
        # Regular expressions.
        (r"/^it br.ke$/", [FAILED]),
        (r"/[Ss]old\sO/", [LOGGED]),
        (r"/app\.py/", [FAILED]),
        (r"/\x53old|\tx/", [LOGGED]),
        ("/(?i)SOLD/", [LOGGED]),
        ("/(?i)^[^a-r]OLD/", [LOGGED]),
        ("/(?i)^[^S]OLD/", [ORDERED]),
        # Connectives, and how strongly they bind.
        ("tea green", [INVOKED, ORDERED]),
        ("tea AND sold", [LOGGED]),
        ("key-1 OR sold", [INVOKED, LOGGED]),
        ("tea NOT green", [LOGGED]),
        ("NOT tea NOT create NOT broke", [COMPLETED, FETCHED, NOTHING]),
        ("broke OR tea milk", [INVOKED, FAILED]),
        ("(broke OR tea) milk", [INVOKED]),
        ("NOT (tea OR create) it", [FAILED]),
        # Fields.
        ("kind:no-op", [NOTHING]),
        ("kind:importedfunction", [FETCHED, ORDERED]),
        ("level:stderr", [LOGGED]),
        ("level=stderr", [LOGGED]),
        ("message:sold", [LOGGED]),
        ("function-name:wasi:http", [FETCHED]),
        ("FUNCTION_NAME:fetch", [FETCHED]),
        ("item:milk", [INVOKED]),
        ("request.lines.item:milk", [INVOKED]),
        ("lines.1.item:milk", [INVOKED]),
        ("lines.0.item:milk", []),
        ("request.item:milk", []),
        ("tags:hot", [INVOKED, ORDERED]),
        ("lines.tags.0:hot", [INVOKED, ORDERED]),
        ("tags.1:hot", []),
        ("how.card:4711", [INVOKED]),
        ("response.ok:paid", [COMPLETED]),
        ("response.ok.1:true", [COMPLETED]),
        ("response.err:tea", [ORDERED]),
        ("rights:write", [INVOKED]),
        ('item:"Green Tea"', [INVOKED, ORDERED]),
        ("item:/^[mn]/", [INVOKED]),
        ("item:(green OR milk)", [INVOKED, ORDERED]),
        ("item:(green milk)", [INVOKED]),
        ("item:(NOT milk) kind:invoked", [FETCHED, ORDERED]),
        ("NOT item:milk kind:invoked", [FETCHED, ORDERED]),
        ("env:LANG", [CREATE]),
        ("trace-states:vendor=x", [INVOKED]),
    ],
)
def test_what_a_query_finds(log: MemoryOplog, query: str, indexes: list[int]) -> None:
    """One row for each rule of the language."""
    assert indexes == found(log, query)


def test_a_search_covers_a_range(log: MemoryOplog) -> None:
    """First and last index are both included."""
    assert [LOGGED] == [view.index for view in search_entries(log, "tea", COMPLETED, FAILED)]


def test_a_payload_that_is_not_shown_is_not_searched(log: MemoryOplog) -> None:
    """What is looked through has a bound, where one is given."""
    index = log.append(PendingUpdate(1, 2, b"needle".rjust(200)))

    assert [index] == found(log, "needle")
    assert [] == list(search_entries(log, "needle", payload_bytes_max=100))
    assert [index] == [v.index for v in search_entries(log, '"200 bytes"', payload_bytes_max=100)]


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("", And(())),
        (" a ", Word("a")),
        ("a b OR c", Or((And((Word("a"), Word("b"))), Word("c")))),
        ("a OR b c", Or((Word("a"), And((Word("b"), Word("c")))))),
        ("NOT a b", And((Not(Word("a")), Word("b")))),
        ("NOT(a b)", Not(And((Word("a"), Word("b"))))),
        ("a (b c)", And((Word("a"), And((Word("b"), Word("c")))))),
        ("((a))", Word("a")),
        ("and or not", And((Word("and"), Word("or"), Word("not")))),
        ("a.b-c:d:e", Field(("a", "b-c"), Word("d:e"))),
        ("a:(b OR c:d)", Field(("a",), Or((Word("b"), Word("c:d"))))),
        ("golem::api::fork", Word("golem::api::fork")),
        (".a:b", Word(".a:b")),
        (r"/a\/b/", Regex(r"a\/b")),
        (r'"a\nb"', Phrase(r"a\nb")),
    ],
)
def test_how_a_query_is_read(text: str, query: Query) -> None:
    """The tree of each form."""
    assert query == parse_query(text)


def within_lines(lines_max: int, work: Callable[[], _T]) -> _T:
    """What the work gives, which goes through at most so many lines of Python."""
    lines = 0

    def trace(_frame: FrameType, event: str, _arg: object) -> Any:
        nonlocal lines
        lines += event == "line"
        assert lines <= lines_max
        return trace

    def traced() -> _T:
        sys.settrace(trace)
        return work()

    # A thread of its own: what traces this one, such as coverage, goes on.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(traced).result()


@pytest.mark.parametrize(
    ("text", "position", "reason"),
    [
        ("a OR", 4, 'expected a word, "phrase", /regex/, field:term or (query), found the end'),
        ("a AND AND b", 6, "found 'A'"),
        ("OR a", 0, "expected a word"),
        ("(a", 2, "expected a term or ')', found the end of the query"),
        ("a)", 1, "expected a term or the end of the query, found ')'"),
        ("()", 1, "found ')'"),
        ('say "hello', 10, "expected '\"' at the end of the phrase"),
        ("/file", 5, "expected '/' at the end of the regular expression"),
        ("/file/alice", 6, "expected a blank, ')' or the end of the query, found 'a'"),
        ('"a"b', 3, "expected a blank"),
        ("a(b)", 1, "expected a blank"),
        ("name:", 5, 'expected a word, "phrase", /regex/ or (query), found the end'),
        ("name: tea", 5, "found ' '"),
        ("x /a**/", 5, "expected something to repeat, found '*'"),
        ("/(a/", 3, "expected ')', found the end of the regular expression"),
        ("/a)/", 2, "expected a group that ')' ends, found ')'"),
        ("/(?=a)/", 2, "expected a plain group or '(?:', found '?'"),
        (r"/(a)\1/", 5, r"expected one of the known escapes, such as \d or \., found '1'"),
        (r"/\b/", 2, "expected one of the known escapes"),
        (r"/\x4/", 3, "expected 2 hexadecimal digits"),
        ("/[a/", 3, "expected ']'"),
        ("/[z-a]/", 2, "expected a range like a-z"),
        (r"/[\d-z]/", 2, "expected a range like a-z"),
        ("/a{3,2}/", 3, "expected a count like {2,5}, the smaller number first"),
        ("/a{,2}/", 3, "expected a number up to 256"),
        ("/a{257}/", 3, "expected a number up to 256"),
        ("/a{2/", 4, "expected '}'"),
        ("/^*/", 2, "expected something that can be repeated before it"),
        ("/{/", 1, "expected something to repeat"),
        ("/(a{200}){2}/", 1, "at most 256 characters"),
        ("/(((){200}){200}){200}/", 1, "is too large"),
        (f"/{'(' * 51}a{')' * 51}/", 51, "expected at most 50 groups within each other"),
        ("(" * 33 + "a" + ")" * 33, 32, "at most 32 parentheses and NOTs within each other"),
        ("NOT " * 33 + "a", 128, "at most 32 parentheses and NOTs within each other"),
        ("a " * 33, 64, "at most 32 terms"),
    ],
)
def test_a_slip_is_shown_in_its_place(text: str, position: int, reason: str) -> None:
    """The error says what was expected where, and what is there."""
    with pytest.raises(QueryError) as raised:
        parse_query(text)

    assert position == raised.value.position
    assert reason in raised.value.reason
    assert (
        f"at position {position}: expected" in str(raised.value)
        or "too large" in reason
        or ("at most 256" in reason)
    )


def test_a_query_may_be_as_large_as_it_is_said(log: MemoryOplog) -> None:
    """Each bound is the last value that works."""
    deepest = "(" * DEPTH_MAX + "tea" + ")" * DEPTH_MAX
    most = "tea " * TERMS_MAX
    longest = '"' + "a" * (QUERY_CHARS_MAX - 2) + '"'
    largest = f"/(a|b){{{POSITIONS_MAX // 2}}}/"

    assert [INVOKED, LOGGED, ORDERED] == found(log, deepest) == found(log, most)
    assert [] == found(log, longest) == found(log, largest)
    with pytest.raises(QueryError, match="at most 4096 characters, this one 4097") as raised:
        parse_query(longest + " ")
    assert len(str(raised.value)) < QUERY_SHOWN_CHARS_MAX + 100


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a*)*b", "(a|a)*$b", "(.*)*x", "a*a*a*a*a*a*b"])
def test_no_pattern_takes_longer_than_its_text(pattern: str) -> None:
    """Each of these keeps the standard library busy for ever; a test has a deadline."""
    assert not LinearRegex(pattern).search("a" * 50_000 + "!")


@pytest.mark.parametrize(
    ("pattern", "lines_max"), [("a{256}", 60_000), (f"(a?{'()' * 18}){{256}}", 400_000)]
)
def test_making_a_regex_takes_steps_for_its_links_alone(pattern: str, lines_max: int) -> None:
    """Not for all positions before the last one, nor for parts that no match can begin in."""
    assert within_lines(lines_max, lambda: LinearRegex(pattern)).search("a" * 256)


def test_the_regexes_of_a_query_have_one_bound() -> None:
    """However many there are: a query is made again for each page."""
    several = [f"/(a?{'()' * n}){{256}}/" for n in range(18, 3, -1)]

    parse_query(several[0])
    with pytest.raises(QueryError, match="all those of a query have at most 10000 parts") as raised:
        within_lines(1_000_000, lambda: Search(f"{several[0]} x:{several[1]}"))
    assert len(several[0]) + len(" x:/") == raised.value.position
    with pytest.raises(QueryError, match="all those of a query"):
        within_lines(1_000_000, lambda: Search(" ".join(several)))


def test_a_regex_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that a query has twice, which is held against each text as often."""
    made = []
    make = LinearRegex.__init__

    def counted(self: LinearRegex, *args: Any) -> None:
        made.append(1)
        make(self, *args)

    monkeypatch.setattr(LinearRegex, "__init__", counted)
    Search("/a/ OR name:/b/ OR /a/")

    assert 2 == len(made)


def test_a_long_text_may_be_left_in_the_middle(log: MemoryOplog) -> None:
    """Whoever waits for the thread need not wait for the end of the text."""
    stretches = []

    def check() -> None:
        stretches.append(1)
        if len(stretches) == 3:
            raise KeyboardInterrupt

    index = log.append(Log(1, 0, "", b"x" * 100_000))
    (view,) = view_entries(log, index)
    with pytest.raises(KeyboardInterrupt):
        Search("message:/y/", check).matches(view)


IDEOGRAPHS = "".join(map(chr, range(0x4E00, 0x4E00 + 3900)))


@pytest.mark.parametrize(
    "members",
    [IDEOGRAPHS, "a-b" * 1300, r"\d\D" * 900 + r"\w\s" * 60],
    ids=["chars", "ranges", "classes"],
)
def test_a_new_character_is_held_to_a_set_once(members: str) -> None:
    """However many members the set has, and however often it is repeated."""
    regex = LinearRegex(f"[^{members}]{{256}}")

    assert not within_lines(300, lambda: regex.search("01"))
    assert 2 == regex.tested


def test_a_search_may_be_left_where_each_character_is_new(log: MemoryOplog) -> None:
    """Which is slower than going through long texts, and costs as much more."""
    checks = []
    (view,) = view_entries(log, log.append(Log(1, 0, "", IDEOGRAPHS.encode())))
    different = "".join([f"[{char}-]" for char in IDEOGRAPHS[POSITIONS_MAX - 1 :: -1]])
    search = Search(f"message:/{different}/", lambda: checks.append(1))

    assert not search.matches(view)
    assert len(IDEOGRAPHS) * POSITIONS_MAX // 11_000 <= len(checks)
    assert len(IDEOGRAPHS) * POSITIONS_MAX * 10 < search.cost


@pytest.mark.parametrize(
    "pattern",
    [
        "[d-fb-dx-za-cx0]",
        "[^d-fb-dx-za-cx0]",
        "(?i)[d-fB-CX-Z]",
        "[a-z-]",
        r"[\D5]",
        r"[\Wb\s]",
        r"\S",
    ],
)
def test_a_set_has_the_members_that_are_written(pattern: str) -> None:
    """In whatever order, and whether or not its ranges overlap."""
    chars = [chr(code) for code in range(0x80)]

    assert [re.search(pattern, char) is not None for char in chars] == [
        LinearRegex(pattern).search(char) for char in chars
    ]


def test_a_search_knows_what_it_has_cost(log: MemoryOplog) -> None:
    """By characters, for each regular expression, and dearly for what one has to learn."""
    index = log.append(Log(1, 0, "", b"x" * 100_000))
    (view,) = view_entries(log, index)

    def cost(query: str) -> int:
        search = Search(query)
        search.matches(view)
        return search.cost

    text = bin(pow(3, 1000)).replace("0", "a").replace("1", "b")[2:]
    (hard,) = view_entries(log, log.append(Log(1, 0, "", text.encode())))
    search = Search("message:/(a|b)*a(a|b){12}c/")
    search.matches(hard)

    assert 100_000 < cost("word") < 100_100
    assert cost("/z/") < 101_500
    assert 2 * cost("word") < cost("/y/ OR /z/") < 203_000
    assert 1500 < len(text) < search.cost // 20


def test_what_a_regex_remembers_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pattern with exponentially many states is found all the same when all are forgotten."""
    monkeypatch.setattr("golem_oplog.linear_regex._TRANSITIONS_MAX", 10)
    regex = LinearRegex("(a|b)*a(a|b){12}c")
    text = "".join(["ab"[n.bit_count() % 2] for n in range(3000)])

    assert not regex.search(text)
    assert regex.search(f"{text}a{'b' * 12}c")
    assert len(regex._rows) <= 11
    assert len(regex._masks) <= 10


def test_every_query_of_the_manual_is_one() -> None:
    """What docs/search.md shows can be typed."""
    page = (ROOT / "docs" / "search.md").read_text(encoding="utf-8")
    rows = page.partition("| query |")[2].partition("\n\n")[0].splitlines()[2:]
    shown = [
        code for row in rows for code in _CODE.findall(row.replace("\\|", "|").split(" | ")[0])
    ]

    assert len(shown) >= 12
    for query in shown:
        parse_query(query)


def test_the_create_entry_is_searched_too(log: MemoryOplog) -> None:
    """What a worker was made with."""
    assert isinstance(log.entry(CREATE), Create)
    assert [CREATE] == found(log, "--fast")
