"""The options of a test run, as pytest's command line, its ini file and the environment give them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from replay_server.errors import UsageError
from replay_server.server.options import read_settings

_REWRITE = (
    "--record-mode rewrite is not there: --record-mode all records everything anew, and a run after that with"
    " --replay-prune-write removes what is not used any more"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a run was told. `directory`: None means `cassettes` beside each test module."""

    root: Path
    directory: Path | None = None
    record_mode: str = "none"
    upstreams: tuple[str, ...] = ()
    key_variables: tuple[str, ...] = ()

    def cassettes_of(self, module: Path) -> Path:
        """The cassette directory of a test module."""
        return self.directory or module.parent / "cassettes"

    def folder_of(self, module: Path) -> Path:
        """What the names of a module's cassettes begin below: where the cassette directory lies, else the root."""
        beside = self.cassettes_of(module).parent
        return beside if module.is_relative_to(beside) else self.root


def read_options(config: pytest.Config, environment: Mapping[str, str] = os.environ) -> Options:
    """Raises UsageError, with the words of the command line."""
    record_mode = config.getoption("record_mode", None) or "none"
    if record_mode == "rewrite":  # pytest-recording has it
        raise UsageError(_REWRITE)
    options = Options(
        root=config.rootpath,
        directory=_directory(config),
        record_mode=record_mode,
        # From command line or environment: an ini file can be changed by a pull request.
        upstreams=_several(config, "replay_upstreams", environment.get("REPLAY_SERVER_UPSTREAM")),
        key_variables=_several(config, "replay_api_key_env", environment.get("REPLAY_SERVER_API_KEY_ENV")),
    )
    read_settings(
        cassettes=Path(),
        record_mode=record_mode,
        upstreams=options.upstreams,
        api_key_variables=options.key_variables,
    )
    return options


def _directory(config: pytest.Config) -> Path | None:
    given = config.getoption("replay_cassettes")
    if given:
        return Path(config.invocation_params.dir, given)
    named = config.getini("replay_cassettes")
    return config.rootpath / str(named) if named else None


def _several(config: pytest.Config, name: str, variable: str | None) -> tuple[str, ...]:
    given: list[str] | None = config.getoption(name)
    return tuple(given or (variable or "").split())
