"""
Build the documents into a site, ``.build/site``; a link that leads nowhere ends it.

Run ``python docs/build_site.py``.  The pages are the documents as they lie in the tree, so that a
link works here as it does there.  One to anything but a document is shown as text.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
TARGET: Final = ROOT / ".build"

_LINK: Final = re.compile(r"\[([^\]]*)\]\(([^)\s#]+)(#[^)\s]*)?\)")
_CODE: Final = re.compile(r"(^```.*?^```$|`[^`\n]*`)", re.MULTILINE | re.DOTALL)
_ROW_CODE: Final = re.compile(r"^\|.*$", re.MULTILINE)
_HEADING: Final = re.compile(r"^## ", re.MULTILINE)
_ROW: Final = re.compile(r"^\| \[([^\]]+)\]\(([^)]+)\)", re.MULTILINE)


def documents() -> list[Path]:
    """Everything that is a page."""
    names = ("*.md", "docs/*.md", "guest_examples/**/README.md")
    return sorted(path for name in names for path in ROOT.glob(name))


def staged(path: Path) -> str:
    """A document as a page."""
    text = path.read_text(encoding="utf-8")
    code = [found.span() for found in _CODE.finditer(text)]

    def replace(found: re.Match[str]) -> str:
        # What a link shows may be code, but code has no links.
        is_code = any(start <= found.start() < end for start, end in code)
        return found[0] if is_code else _link(path.parent, found)

    # In a table the builder takes what is code for code, where forges want a backslash.
    return _ROW_CODE.sub(lambda found: found[0].replace(r"\|", "|"), _LINK.sub(replace, text))


def _link(folder: Path, found: re.Match[str]) -> str:
    shown, target, fragment = found[1], found[2], found[3] or ""
    file = (folder / target).resolve()
    if "://" in target or not file.exists():
        return found[0]
    if file.is_dir():
        target, file = f"{target}/README.md", file / "README.md"
    return f"[{shown}]({target}{fragment})" if file in set(documents()) else shown


def navigation() -> Iterator[object]:
    """The pages as ``index.md`` lists them, and behind them the examples."""
    yield {"golem-host": "README.md"}
    _, *sections = _HEADING.split((ROOT / "docs/index.md").read_text(encoding="utf-8"))
    for section in sections:
        heading, _, rows = section.partition("\n")
        yield {heading: [{title: f"docs/{target}"} for title, target in _ROW.findall(rows)]}
    examples = [path for path in documents() if path.is_relative_to(ROOT / "guest_examples")]
    yield {"Examples": [{path.parent.name: _name(path)} for path in examples]}
    about = [{"The manual": "docs/index.md"}, {"Changes": "CHANGELOG.md"}]
    yield {"Project": [*about, {"Contributing": "CONTRIBUTING.md"}]}


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def build(folder: Path = TARGET) -> int:
    """Build into the folder's ``site``; the exit code of the site's builder."""
    work, site = folder / "site-source", folder / "site"
    for old in (work, site):
        shutil.rmtree(old, ignore_errors=True)
    for path in documents():
        page = work / "pages" / _name(path)
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(staged(path), encoding="utf-8")
    look = (ROOT / "docs/zensical.toml").read_text(encoding="utf-8")
    pages = ", ".join(_toml(entry) for entry in navigation())
    config = look.replace("[project]\n", f"[project]\nnav = [{pages}]\n", 1)
    (work / "zensical.toml").write_text(config, encoding="utf-8")
    command = [str(Path(sys.executable).with_name("zensical")), "build", "--strict", "--clean"]
    done = subprocess.run(command, cwd=work, env={**os.environ, "NO_COLOR": "1"}, check=False)
    if done.returncode == 0:
        (work / "site").rename(site)
    return done.returncode


def _toml(entry: object) -> str:
    """An entry of the navigation as TOML, whose strings are those of JSON."""
    match entry:
        case dict():
            return f"{{ {', '.join(f'{json.dumps(k)} = {_toml(v)}' for k, v in entry.items())} }}"
        case list():
            return f"[{', '.join(map(_toml, entry))}]"
    return json.dumps(entry)


if __name__ == "__main__":
    sys.exit(build())
