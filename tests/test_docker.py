"""What can be said of Dockerfile and compose.yaml without an engine: that they fit the package, and each other."""

import asyncio
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
import venv
from pathlib import Path
from typing import Any

import pytest
import yaml

from replay_server.commands import COMMANDS
from replay_server.commands.serve import command as serve_command
from replay_server.server.run import RunningServer

ROOT = Path(__file__).parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CHECKOUT = (ROOT / "replay_server").is_dir()
needs_checkout = pytest.mark.skipif(not CHECKOUT, reason="runs beside an installed package: there is nothing to build")


def instructions() -> list[tuple[str, str]]:
    """Name and text of each instruction, its continued lines joined."""
    lines = [line for line in DOCKERFILE.splitlines() if line and not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [(name, text.strip()) for name, _, text in (line.strip().partition(" ") for line in joined.splitlines())]


def those(name: str) -> list[str]:
    return [text for found, text in instructions() if found == name]


def environment() -> dict[str, str]:
    return dict(word.partition("=")[::2] for text in those("ENV") for word in shlex.split(text))


def health_check() -> list[str]:
    (text,) = those("HEALTHCHECK")
    command = json.loads(text.partition("CMD ")[2])
    assert isinstance(command, list)
    return command


def compose() -> Any:
    return yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]["replay-server"]


def test_the_image_starts_a_command_that_there_is() -> None:
    (entrypoint,), (command,) = those("ENTRYPOINT"), those("CMD")

    assert json.loads(entrypoint) == list(PROJECT["project"]["scripts"])
    assert json.loads(command)[0] in COMMANDS


def test_the_variables_of_the_image_are_options_of_serve() -> None:
    options = {parameter.envvar for parameter in serve_command.params}

    assert environment().keys() <= options
    assert environment() == {
        "REPLAY_SERVER_HOST": "0.0.0.0",
        "REPLAY_SERVER_PORT": "8080",
        "REPLAY_SERVER_CASSETTES": "/cassettes",
    }


def test_the_image_exposes_the_port_that_it_listens_on() -> None:
    assert those("EXPOSE") == [environment()["REPLAY_SERVER_PORT"]]


def test_the_image_runs_as_a_user_of_its_own_and_a_signal_reaches_the_server() -> None:
    (user,) = those("USER")

    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user)
    assert f"--uid {user.partition(':')[0]} " in DOCKERFILE
    assert those("ENTRYPOINT")[0].startswith("[")  # with a shell in between, SIGTERM would not arrive


def test_dependencies_come_before_the_code_so_that_their_layers_last() -> None:
    order = [text for name, text in instructions() if name in ("COPY", "RUN")]
    install = next(at for at, text in enumerate(order) if "requirements.txt" in text)

    assert order[:install] == ["pyproject.toml ./"]
    assert order.index("--from=build /dependencies /usr/local") < order.index("--from=build /package /usr/local")


@needs_checkout
def test_what_the_image_is_made_of_is_there_and_not_ignored() -> None:
    kept = {line.lstrip("!") for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {source for text in those("COPY") if "--from" not in text for source in text.split()[:-1]}

    assert copied == kept
    assert [source for source in copied if not (ROOT / source).exists()] == []


def ask_health(command: list[str], port: str) -> int:
    run = subprocess.run(
        [sys.executable, *command[1:]],
        env={**os.environ, "REPLAY_SERVER_PORT": port},
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return run.returncode


async def test_the_health_check_tells_a_server_that_answers_from_one_that_does_not(serve: Any) -> None:
    server: RunningServer = await serve()
    port = server.url.rpartition(":")[2]

    assert health_check()[0] == "python"
    assert await asyncio.to_thread(ask_health, health_check(), port) == 0
    await server.stop()
    assert await asyncio.to_thread(ask_health, health_check(), port) != 0


def test_compose_serves_the_cassettes_of_the_checkout_and_writes_nothing() -> None:
    service = compose()

    assert service["build"] == "."
    assert service["ports"] == ["8080:8080"]
    assert service["volumes"] == ["./cassettes:/cassettes:ro"]
    assert service["read_only"] is True
    assert service["command"][0] in COMMANDS
    assert {"interval", "timeout", "retries", "start_period"} == service["healthcheck"].keys()


@pytest.mark.slow
@needs_checkout
def test_the_steps_of_the_build_make_a_server_that_starts(tmp_path: Path) -> None:
    """RUN by RUN, in an empty environment; the final stage's COPY is a prefix on the path."""
    venv.create(tmp_path / "python", with_pip=True)
    source = tmp_path / "src"
    source.mkdir()
    for name in ("pyproject.toml", "LICENSE", "README.md", "replay_server"):
        (source / name).symlink_to(ROOT / name)
    outside = {
        "/dependencies": tmp_path / "dependencies",
        "/package": tmp_path / "package",
        "/wheels": tmp_path / "wheels",
    }
    path = f"{tmp_path}/python/bin{os.pathsep}{os.environ['PATH']}"

    for step in those("RUN")[:2]:
        for inside, there in outside.items():
            step = step.replace(f" {inside}", f" {there}")
        subprocess.run(["sh", "-e", "-c", step], cwd=source, env={**os.environ, "PATH": path}, check=True)

    (packages,) = (tmp_path / "package").glob("lib/python*/site-packages")
    (libraries,) = (tmp_path / "dependencies").glob("lib/python*/site-packages")
    version = subprocess.run(
        [tmp_path / "package" / "bin" / "replay-server", "--version"],
        env={"PYTHONPATH": f"{packages}{os.pathsep}{libraries}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert version.stdout.startswith("replay-server ")
