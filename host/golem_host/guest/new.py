"""
A guest project to start from: one of the examples under a name of its own.

The examples are tested as they are; what changes is the name of the package and of the world.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from golem_host.errors import InvalidRequestError
from golem_host.guest import shipped
from golem_oplog.lazy_dataclass import dataclass

EXAMPLES: Final = "guest_examples"
NAME_CHARS_MAX: Final = 64

# What WIT takes for a name, and a folder and a component may be called as well.
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*")
_PACKAGE: Final = re.compile(r"^package [^;]+;", re.MULTILINE)
_WORLD: Final = re.compile(r"^world [\w-]+ \{", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Template:
    """An example as a beginning."""

    example: str
    what: str
    """In a sentence, for its README."""
    command: str
    """What to run first; ``{name}`` is the project's folder."""
    printed: str
    """What that prints."""
    before: str = ""
    """What has to run meanwhile, if anything does."""
    said: str = ""
    """What that says first."""
    beside: tuple[str, ...] = ()
    """Files of the example besides ``app.py`` and ``wit/``."""


TEMPLATES: Final = {
    "counter": Template(
        "counter",
        "A number that is kept from call to call: a variable, and nothing else.",
        "golem-host run {name} --invoke 'add(5)'",
        "5",
    ),
    "workflow": Template(
        "order",
        "Steps that are taken back when one fails, and a person who decides in between.",
        "golem-host run {name} --invoke 'order(\"tea\", 300)'",
        'ok("one tea is on its way")',
    ),
    "agent": Template(
        "agent",
        "Does what a model says, over HTTP, and forks to follow two plans at once; `model.py` stands "
        "for the model.",
        "golem-host run {name} --net 127.0.0.1:8801 --env MODEL=http://127.0.0.1:8801 "
        '--invoke \'travel("Wien", "Praha")\'',
        """by train or by bus?
fare ['Wien-Brno by train']: 14
fare ['Brno-Praha by train']: 17
sum [14, 17]: 31
{plan: "by bus", euros: 19}""",
        before="python3 {name}/model.py 8801 &",
        said="thinking on http://127.0.0.1:8801",
        beside=("model.py",),
    ),
    "http": Template(
        "webapp",
        "Answers HTTP requests, each user's worker with a memory of its own.",
        "golem-host serve {name} --worker-from header:x-user",
        "",
    ),
}


@dataclass(frozen=True, slots=True)
class NewProject:
    """What was made."""

    folder: Path
    template: Template
    files: tuple[str, ...]

    @property
    def command(self) -> str:
        """What to run first."""
        return self.template.command.format(name=self.folder)

    @property
    def before(self) -> str:
        """What has to run meanwhile; empty where nothing does."""
        return self.template.before.format(name=self.folder)


def new_project(folder: Path, template_name: str) -> NewProject:
    """
    Make a project that builds and runs as it is.

    Args:
        folder: It does not exist or is empty; its last part is the name of the project.
        template_name: One of `TEMPLATES`.

    Raises:
        InvalidRequestError: There is something in the folder, or it has no name for a WIT package.
        OSError: It cannot be written.
    """
    name = folder.resolve().name
    if len(name) > NAME_CHARS_MAX or not _NAME.fullmatch(name):
        raise InvalidRequestError(
            reason=f"{name!r} is no name for a project: lower-case words of letters and digits, "
            f"with dashes between them, {NAME_CHARS_MAX} characters at most"
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InvalidRequestError(reason=f"{folder} is there already: choose another name")
    template = TEMPLATES[template_name]
    source = shipped.folder(EXAMPLES) / template.example
    files = {
        **{
            path: (source / path).read_text(encoding="utf-8")
            for path in ("app.py", *template.beside)
        },
        "wit/world.wit": _renamed((source / "wit/world.wit").read_text(encoding="utf-8"), name),
    }
    project = NewProject(folder, template, ("README.md", *files))
    files["README.md"] = _readme(name, project)
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return project


def _renamed(wit: str, name: str) -> str:
    return _WORLD.sub(f"world {name} {{", _PACKAGE.sub(f"package my:{name};", wit))


def _readme(name: str, project: NewProject) -> str:
    template = project.template
    commands = ((template.before, template.said), (template.command, template.printed))
    shown = "\n".join(
        f"$ {command.format(name=name)}\n{said}".rstrip("\n")
        for command, said in commands
        if command
    )
    return f"""# {name}

{template.what}

```console
{shown}
```

`wit/world.wit` says what it exports and imports, `app.py` implements it.
Kill the command at any moment and run it again: it goes on where it was.
`golem-host dump {name}` shows what happened.
"""
