"""Every example of README.md and docs/ is run or checked, in the order of its page and in a directory of its own.

- `console`: each `$ command` is run, and must print what stands below it; `...` stands for anything.
  `$ replay-server serve …` starts the server that the rest of the page talks to; `$ export A=b` holds for the rest too.
  `$ replay-server serve --port 8081 … &` starts another one, which stays: an upstream.
- `python`: run; what it prints must be the block without a language, or of `text`, right behind it.
- a `python`, `json` or `yaml` block whose first line is `# some/file`: written to that file. A cassette must be one.
- `yaml`: read by the reader of cassettes, or of replay.yaml; marked `vcrpy`, by the importer; other YAML (compose, CI)
  is parsed.
- `sh`: run if it only asks a server; else its syntax, and the options that it gives `replay-server`, are checked.
"""

import contextlib
import gc
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from replay_server.cassettes.config import read_config
from replay_server.cassettes.importers.items import Imported
from replay_server.cassettes.importers.vcrpy import read_vcrpy
from replay_server.cassettes.reader import read_cassette
from replay_server.cassettes.yaml import documents
from replay_server.commands import COMMANDS, main
from replay_server.errors import CassetteError
from replay_server.record.script import read_script

ROOT = Path(__file__).parent.parent
DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [ROOT / "README.md", *DOCS]
CASSETTES = sorted(path for path in (ROOT / "cassettes").glob("*.yaml") if path.name != "replay.yaml")

ADDRESS = "127.0.0.1:8080"
FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# (?P<name>[\w./-]+\.(?:py|yaml|yml|json))\n")
REQUEST = "request: {model: m, messages: [{role: user, content: x}]}\n"
REPLAY_FIELDS = {"models", "match_on", "volatile", "redact", "on_miss", "pace", "tokens", "validation"}


@dataclass(frozen=True)
class Block:
    """A fenced block. `mark` is the comment on the line before it; `output` what stands right behind a `python` one."""

    page: Path
    line: int
    language: str
    text: str
    mark: str = ""
    output: str | None = None

    @property
    def file(self) -> str | None:
        found = FILE.match(self.text)
        return found["name"] if found else None

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    found: list[Block] = []
    fences = list(FENCE.finditer(text))
    for fence, following in zip_longest(fences, fences[1:]):
        output = None
        if following and following["language"] in ("", "text") and not text[fence.end() : following.start()].strip():
            output = following["text"]
        before = text[: fence.start()].rstrip("\n").rpartition("\n")[2]
        mark = re.fullmatch(r"<!-- (.+) -->", before)
        line = text.count("\n", 0, fence.start()) + 1
        found.append(Block(page, line, fence["language"], fence["text"], mark[1] if mark else "", output))
    return found


ALL = [block for page in PAGES for block in blocks(page)]


def named(block: Block) -> str:
    return block.place


# Running a page ------------------------------------------------------------------------------------------------------


class Reader:
    """Follows a page as its reader would: in one directory, with one server at a time, and upstreams behind it."""

    def __init__(self, directory: Path, tools: Path) -> None:
        self.directory = directory
        self._server: subprocess.Popen[str] | None = None
        self.address = ""
        self._upstreams: dict[str, tuple[str, subprocess.Popen[str]]] = {}
        """By the address that the page gives them."""
        # The reader has the plugin of the package, and none of our others.
        self.environment = {
            **os.environ,
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTEST_PLUGINS": "replay_server.pytest_plugin",
            "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        }

    def run(self, block: Block) -> None:
        if block.file:
            self._write(block.file, block.text)
        elif block.language == "console":
            for command, expected in commands(block.text):
                self._expect(self._command(command), expected, block)
        elif block.language == "python":
            self._expect(self._python(block), block.output, block)
        elif block.language == "sh" and only_asks(block.text):
            self._shell(block.text, check=True)

    def stop(self) -> None:
        if self._server:
            end(self._server)
            self._server = None

    def stop_all(self) -> None:
        self.stop()
        for _, process in self._upstreams.values():
            end(process)

    def _write(self, name: str, text: str) -> None:
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def _expect(self, printed: str, expected: str | None, block: Block) -> None:
        if expected is None:
            return
        pattern = ".*?".join(re.escape(part) for part in expected.strip().split("..."))
        if not re.fullmatch(pattern, printed.strip(), re.DOTALL):
            pytest.fail(
                f"{block.place}: the page says\n\n{expected}\nbut what comes out is\n\n{printed}", pytrace=False
            )

    def _command(self, command: str) -> str:
        words = shlex.split(command)
        if words[:2] == ["replay-server", "serve"]:
            return self._serve_behind(words[2:-1]) if words[-1] == "&" else self._serve(words[2:])
        if words[0] == "export":
            self.environment |= dict(word.partition("=")[::2] for word in words[1:])
            return ""
        return self._shell(command)

    def _serve(self, options: list[str]) -> str:
        self.stop()
        self._server, printed, self.address = self._start(options)
        return printed.replace(self.address, ADDRESS) if self.address else printed

    def _serve_behind(self, options: list[str]) -> str:
        named = f"127.0.0.1:{options[options.index('--port') + 1]}"
        process, printed, address = self._start(options)
        self._upstreams[named] = (address, process)
        return printed.replace(address, named)

    def _start(self, options: list[str]) -> tuple[subprocess.Popen[str], str, str]:
        """A server, what it prints until it listens, and where: nowhere, if it does not start."""
        server = subprocess.Popen(
            [sys.executable, "-m", "replay_server", "serve", *map(self._behind, options), "--port", "0"],
            cwd=self.directory,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        printed = ""
        for line in server.stdout or ():
            printed += line
            if found := re.search(r"http://([\w.]+:\d+)/v1", line):
                return server, printed, found[1]
        return server, printed, ""

    def _behind(self, text: str) -> str:
        """`text` with the addresses of the upstreams."""
        for named, (address, _) in self._upstreams.items():
            text = text.replace(named, address)
        return text

    def _here(self, text: str) -> str:
        """`text` with the address of the page's server, which is started if there is none yet."""
        if ADDRESS in text and self._server is None:
            self._serve([])
        return text.replace(ADDRESS, self.address)

    def _shell(self, command: str, *, check: bool = False) -> str:
        if re.search(r"\bcurl\b", command) and not shutil.which("curl"):
            pytest.skip("curl is not installed")
        if re.search(r"replay-server smoke\b(?! http)", command) and self._server is None:
            self._serve([])
        environment = {name: self._here(value) for name, value in self.environment.items()}
        run = subprocess.run(
            ["bash", "-c", self._here(command)],
            cwd=self.directory,
            env={"REPLAY_SERVER_URL": f"http://{self.address}", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert not check or run.returncode == 0, run.stdout
        return run.stdout.replace("\r\n", "\n").replace(self.address or ADDRESS, ADDRESS)

    def _python(self, block: Block) -> str:
        code = compile(self._here(block.text), f"{block.place}", "exec")
        exported = {name: self._here(value) for name, value in self.environment.items() if name.startswith("OPENAI_")}
        with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()) as printed:
            patch.chdir(self.directory)
            for name, value in exported.items():
                patch.setenv(name, value)
            exec(code, {"__name__": "__main__"})
        return printed.getvalue().replace(self.address or ADDRESS, ADDRESS)


def end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    process.communicate()


def commands(text: str) -> Iterator[tuple[str, str]]:
    """The commands of a `console` block, each with what it must print."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, expected = re.fullmatch(r"((?:[^\n]*\\\n)*[^\n]*)\n(.*)", part, re.DOTALL).groups()
        yield command.replace("\\\n", " "), expected


def only_asks(text: str) -> bool:
    return re.match(r"curl |replay-server smoke", text) is not None


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """The commands of the package and its tools, run by the Python of the tests."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, module in {
        "replay-server": "-m replay_server",
        "python": "",
        "pytest": "-m pytest -p no:cacheprovider",
    }.items():
        script = folder / name
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" {module} "$@"\n')
        script.chmod(0o755)
    return folder


@pytest.fixture
def reader(tmp_path: Path, tools: Path) -> Iterator[Reader]:
    directory = tmp_path / "project"
    shutil.copytree(ROOT / "cassettes", directory / "cassettes")
    reader = Reader(directory, tools)
    yield reader
    reader.stop_all()
    gc.collect()  # clients that an example leaves open are closed here, not in another test


SLOW = ("faults.md", "pytest.md")
"""Pages whose examples take their time: they wait on purpose, or run a whole suite."""


def paced(page: Path) -> Any:
    return pytest.param(page, id=page.name, marks=[pytest.mark.slow] if page.name in SLOW else [])


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("page", [paced(page) for page in PAGES])
def test_the_examples_of_a_page_do_what_it_says(page: Path, reader: Reader) -> None:
    for block in blocks(page):
        reader.run(block)


# Checking blocks -----------------------------------------------------------------------------------------------------


def test_every_block_has_a_language_that_is_checked() -> None:
    outputs = {(block.page, block.output) for block in ALL if block.output is not None}

    unchecked = [
        block.place
        for block in ALL
        if block.language not in ("console", "python", "yaml", "json", "sh", "dockerfile", "diff")
        and (block.page, block.text) not in outputs
    ]

    assert unchecked == []


@pytest.mark.parametrize("block", [block for block in ALL if block.language == "yaml"], ids=named)
def test_yaml_is_what_it_claims_to_be(block: Block) -> None:
    data = block.text.encode()
    if block.mark == "vcrpy":
        assert all(isinstance(item, Imported) for item in read_vcrpy(data))
        return
    values = [document.value for document in documents(data)]
    fields = set().union(*(value for value in values if isinstance(value, dict)))
    if block.mark == "broken":
        with pytest.raises(CassetteError):
            list(read_cassette(block.place, data))
    elif fields & {"request", "match"}:
        assert len(list(read_cassette(block.place, data))) == len(values)
    elif "response" in fields:
        assert len(list(read_cassette(block.place, REQUEST.encode() + data))) == 1
    elif "requests" in fields:
        assert read_script(block.place, data).entries
    elif fields and fields <= REPLAY_FIELDS:
        read_config(block.place, data)
    else:
        assert fields & {"openapi", "services", "jobs", "image", "test", "repos"}, f"{block.place}: what is this YAML?"
        assert yaml.safe_load(block.text)


@pytest.mark.parametrize("block", [block for block in ALL if block.language == "json"], ids=named)
def test_json_is_json(block: Block) -> None:
    json.loads(block.text)


@pytest.mark.parametrize("block", [block for block in ALL if block.language == "sh"], ids=named)
def test_shell_commands_are_sound(block: Block) -> None:
    subprocess.run(["bash", "-n", "-c", block.text], check=True)

    for command in re.findall(r"replay-server (.*)", block.text.replace("\\\n", " ")):
        assert unknown_options(command) == [], block.place


def unknown_options(command: str) -> list[str]:
    """The options of a command line that `replay-server` does not have."""
    words = shlex.split(re.split(r"[|;&>)]", command)[0], comments=True)
    subcommand = main.get_command(click.Context(main), words[0]) if words else None
    if subcommand is None:
        return []
    options = {option for parameter in subcommand.params for option in parameter.opts}
    return [word for word in words[1:] if word.startswith("--") and word.partition("=")[0] not in {*options, "--help"}]


# The pages together --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md"], ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)", page.read_text(encoding="utf-8"))

    broken = [f"{path}#{anchor}" for path, anchor in links if not leads_somewhere(page, path, anchor)]

    assert broken == []


def leads_somewhere(page: Path, path: str, anchor: str) -> bool:
    target = (page.parent / path).resolve() if path else page
    return target.exists() and (not anchor or anchor in anchors(target.read_text(encoding="utf-8")))


def anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_readme_has_a_line_for_every_page() -> None:
    table = [line for line in PAGES[0].read_text(encoding="utf-8").splitlines() if line.startswith("| ")]

    missing = [page.name for page in DOCS if not any(f"](docs/{page.name}" in line for line in table)]

    assert missing == []


def test_the_readme_is_short() -> None:
    assert len(PAGES[0].read_text(encoding="utf-8").splitlines()) <= 170


def test_every_checked_in_cassette_is_shown() -> None:
    shown = {
        block.file: contents(block.text)
        for block in ALL
        if block.language == "yaml" and block.file and block.mark != "vcrpy"
    }
    checked_in = {f"cassettes/{path.name}": path for path in CASSETTES}

    stale = [name for name, path in checked_in.items() if shown.get(name) != contents(path.read_text(encoding="utf-8"))]

    assert stale == [], "copy these into docs/cassettes.md, each in a yaml block that begins with `# its/path.yaml`"


def contents(text: str) -> list[object]:
    return [document.value for document in documents(text.encode())]


@pytest.mark.parametrize(
    ("mark", "command"),
    [
        (
            "serve",
            "python3 -m venv .venv && .venv/bin/pip install -q ."
            " && .venv/bin/replay-server serve --cassettes cassettes",
        ),
        (
            "test",
            "python3 -m venv .venv && .venv/bin/pip install -q -U pip"
            " && .venv/bin/pip install -q -e . --group dev && .venv/bin/pytest -n 2",
        ),
    ],
)
def test_the_readme_has_the_two_commands_that_the_gate_runs(mark: str, command: str) -> None:
    assert [block.text for block in blocks(PAGES[0]) if block.mark == mark] == [command + "\n"]


def test_the_readme_names_every_command() -> None:
    text = PAGES[0].read_text(encoding="utf-8")

    assert [name for name in COMMANDS if f"`{name}" not in text] == []


def test_options_and_variables_in_the_pages_exist() -> None:
    known = {f"REPLAY_SERVER_{name}" for name in ("URL",)} | set(variables(main))
    used = {name for page in PAGES for name in re.findall(r"\bREPLAY_SERVER_[A-Z_]*[A-Z]\b", page.read_text())}

    assert used - known == set()


def variables(group: click.Group) -> Mapping[str, str]:
    """The environment variables that the commands read, each with its command."""
    context = click.Context(group)
    return {
        str(parameter.envvar): name
        for name in group.list_commands(context)
        if (command := group.get_command(context, name))
        for parameter in command.params
        if parameter.envvar
    }
