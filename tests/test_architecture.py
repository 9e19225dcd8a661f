"""The house stands as DESIGN.md draws it: imports run one way, and heavy libraries have their rooms."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import replay_server

PACKAGE = Path(replay_server.__file__).parent
ORDER = [
    ("errors", "settings", "terminal", "stamp", "interaction", "conditions", "pace", "faults"),
    ("keys",),
    ("schema", "vocabularies"),
    ("endpoints",),
    ("cassettes",),
    ("fallback",),
    ("replay", "record"),
    ("server",),
    ("in_process",),
    ("testing",),
    ("commands", "pytest_plugin", "__main__"),
]
RANK = {room: rank for rank, rooms in enumerate(ORDER) for room in rooms}
ROOMS_OF = {
    "aiohttp": {"server", "record", "pytest_plugin"},
    "yaml": {"cassettes", "record"},
    "pytest": {"pytest_plugin", "testing"},
    "click": {"commands"},
    "prometheus_client": {"server"},
    "tiktoken": {"vocabularies"},
}
MODULES = sorted(
    path.relative_to(PACKAGE).as_posix()
    for path in PACKAGE.rglob("*.py")
    if path.name != "__init__.py" or path.parent != PACKAGE
)


def imports(module: str) -> Iterator[str]:
    for node in ast.walk(ast.parse((PACKAGE / module).read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def room(module: str) -> str:
    return module.split("/")[0].removesuffix(".py")


@pytest.mark.parametrize("module", MODULES)
def test_imports_run_one_way(module: str) -> None:
    ours = [name.split(".") for name in imports(module) if name.startswith("replay_server.")]

    against = [".".join(name) for name in ours if RANK[name[1]] > RANK[room(module)]]

    assert against == []


@pytest.mark.parametrize("module", MODULES)
def test_heavy_libraries_have_their_rooms(module: str) -> None:
    used = {name.split(".")[0] for name in imports(module)}

    strangers = {library for library in used & ROOMS_OF.keys() if room(module) not in ROOMS_OF[library]}

    assert strangers == set()


@pytest.mark.parametrize(
    "arguments", [["--help"], ["serve", "--help"], ["check", "cassettes"], ["list", "cassettes"]], ids=" ".join
)
def test_quick_commands_do_not_import_aiohttp(arguments: list[str]) -> None:
    program = (
        "import sys; from replay_server.commands import main\n"
        f"try: main({arguments!r})\n"
        "except SystemExit: pass\n"
        "print('aiohttp' in sys.modules)"
    )

    run = subprocess.run(
        [sys.executable, "-c", program], cwd=PACKAGE.parent, capture_output=True, text=True, check=True
    )

    assert run.stdout.splitlines()[-1] == "False"
