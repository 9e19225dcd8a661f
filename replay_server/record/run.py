"""A recording run: scripts in, cassettes out, and the figures of what became of each request."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from replay_server.cassettes.config import Config
from replay_server.cassettes.file import CassetteFile, Identity
from replay_server.cassettes.files import load_config
from replay_server.cassettes.matching import Keyed
from replay_server.errors import UsageError
from replay_server.fallback import Generator
from replay_server.fallback.tokens import prompt_tokens
from replay_server.interaction import TextWanted
from replay_server.record.answers import Answerer, FromGenerator, FromNowhere, FromUpstream
from replay_server.record.modes import RecordMode
from replay_server.record.recorder import Recorder, first_body
from replay_server.record.script import Entry, Script
from replay_server.record.steps import Step
from replay_server.record.upstream import open_upstream
from replay_server.settings import Upstream
from replay_server.terminal import counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a run is told. `upstream` is None where answers come from the scripts, or are made up."""

    cassettes: Path
    mode: RecordMode = RecordMode.NEW_EPISODES
    upstream: str | None = None
    api_key: str | None = None
    offline: bool = False
    concurrency: int = 4
    timeout: float = 120.0
    attempts: int = 5


@dataclass(frozen=True, slots=True)
class Planned:
    """A request that would be asked, and the tokens that its prompt would cost, estimated."""

    label: str
    tokens: int
    note: str = ""


async def record(
    scripts: Sequence[Script],
    options: Options,
    report: Callable[[Step], None],
    note: Callable[[str], None] = lambda text: None,
) -> list[Step]:
    """Run the scripts, one after the other. Raises UsageError; what is done by then is written."""
    config = _config(options)
    steps: list[Step] = []
    async with _answerer(options, lambda text: note(config.redactor.text(text))) as answerer:
        for script in _named(scripts, config):
            file = CassetteFile(options.cassettes, script.cassette, config)
            recorder = Recorder(file, options.mode, answerer, concurrency=options.concurrency, report=report)
            steps += await recorder.run(script)
    return steps


def plan(scripts: Sequence[Script], options: Options) -> list[Planned]:
    """What a run would ask for, without asking."""
    config = _config(options)
    return [planned for script in _named(scripts, config) for planned in _plan(script, options, config)]


def _named(scripts: Sequence[Script], config: Config) -> Iterator[Script]:
    """The scripts, with no secret in the names that are written and shown."""
    for script in scripts:
        entries = [replace(entry, name=entry.name and config.redactor.text(entry.name)) for entry in script.entries]
        yield replace(script, entries=tuple(entries))


def _plan(script: Script, options: Options, config: Config) -> Iterator[Planned]:
    file = CassetteFile(options.cassettes, script.cassette, config)
    asked: Counter[Identity] = Counter()
    for entry in script.entries:
        request = entry.resource.from_cassette(first_body(entry))
        identity = file.identity(entry.resource, request)
        stored = file.find(identity)
        for _ in range(entry.repeat):
            there = stored is not None and asked[identity] < len(stored.interaction.responses)
            asked[identity] += 1
            if not _is_given(entry) and options.mode.records(there=there, cassette_existed=file.existed):
                note = f"and {counted(len(entry.turns) - 1, 'more turn')}" if len(entry.turns) > 1 else ""
                yield Planned(entry.label, estimated_tokens(Keyed(entry.resource, request, config)), note)


def _is_given(entry: Entry) -> bool:
    """Whether the script itself has every answer."""
    return bool(entry.responses) or (bool(entry.turns) and all(turn.responses for turn in entry.turns))


def estimated_tokens(asked: Keyed) -> int:
    """The tokens of a prompt; 0 where there is no text."""
    wanted = asked.resource.wanted(asked.request)
    return sum(map(prompt_tokens, wanted.prompts)) if isinstance(wanted, TextWanted) else 0


def _config(options: Options) -> Config:
    return load_config(options.cassettes) if options.cassettes.is_dir() else Config()


@asynccontextmanager
async def _answerer(options: Options, note: Callable[[str], None]) -> AsyncIterator[Answerer]:
    if options.upstream and options.offline:
        raise UsageError("--upstream and --offline contradict each other: leave one out")
    if options.upstream:
        addresses = [Upstream("", options.upstream, options.api_key)]
        silence, attempts = options.timeout, options.attempts
        async with open_upstream(addresses, silence=silence, attempts=attempts, note=note) as upstream:
            yield FromUpstream(upstream)
    else:
        yield FromGenerator(Generator()) if options.offline else FromNowhere()
