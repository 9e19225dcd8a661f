"""What is wrong with the cassettes of a directory, all of it in one go."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import orjson

from replay_server.cassettes.config import Config
from replay_server.cassettes.files import cassette_files, load_config, read_file
from replay_server.cassettes.matching import Keyed
from replay_server.cassettes.reader import dotted, survey_cassette
from replay_server.cassettes.response_head import JSON
from replay_server.cassettes.sameness import neutral_reply
from replay_server.endpoints.base import BadField, Binary, Resource
from replay_server.endpoints.description import describes
from replay_server.endpoints.response_check import response_faults
from replay_server.endpoints.table import resource_named
from replay_server.errors import CassetteError
from replay_server.fallback import Generator
from replay_server.interaction import ErrorReply, Interaction, Json, Recorded, Repeat, Response
from replay_server.stamp import Stamp
from replay_server.terminal import counted, printable


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, where, and what to do."""

    file: str
    line: int
    problem: str

    def __str__(self) -> str:
        return printable(f"{self.file}:{self.line}: {self.problem}")


@dataclass(frozen=True, slots=True)
class Report:
    """The findings, in the order of files and lines."""

    findings: tuple[Finding, ...]
    cassettes: int
    interactions: int

    @property
    def summary(self) -> str:
        """The last line."""
        found = counted(len(self.findings), "finding") if self.findings else "all well"
        return f"{counted(self.cassettes, 'cassette')}, {counted(self.interactions, 'interaction')}: {found}"


def check_directory(directory: Path) -> Report:
    """Read every cassette of a directory and judge it."""
    findings: list[Finding] = []
    config = _config(directory, findings)
    cassettes = interactions = 0
    matchers: list[Interaction] = []
    for name, path in cassette_files(directory):
        sound, broken = _survey(name, path)
        findings += broken + list(_judge(sound, str(path), config))
        matchers += [interaction for interaction in sound if interaction.conditions is not None]
        cassettes, interactions = cassettes + 1, interactions + len(sound)
    findings += _unreachable(matchers, directory)
    told = [replace(found, problem=config.redactor.text(found.problem)) for found in findings]
    return Report(tuple(sorted(told, key=lambda found: (found.file, found.line))), cassettes, interactions)


def _config(directory: Path, findings: list[Finding]) -> Config:
    try:
        return load_config(directory)
    except CassetteError as error:
        findings.append(_finding(error))
        return Config()


def _survey(name: str, path: Path) -> tuple[list[Interaction], list[Finding]]:
    try:
        found = list(survey_cassette(name, read_file(str(path), path), str(path)))
    except CassetteError as error:
        return [], [_finding(error)]
    broken = [_finding(each) for each in found if isinstance(each, CassetteError)]
    if not found:
        broken.append(Finding(str(path), 1, "holds no interaction: add one, or remove the file"))
    return [each for each in found if isinstance(each, Interaction)], broken


def _finding(error: CassetteError) -> Finding:
    return Finding(error.file, error.line, error.problem)


def _unreachable(matchers: list[Interaction], directory: Path) -> list[Finding]:
    if not matchers:
        return []
    from replay_server.replay.matcher_check import unreachable  # loaded when there is a matcher

    return [Finding(str(directory / cassette), line, problem) for cassette, line, problem in unreachable(matchers)]


def _judge(interactions: list[Interaction], file: str, config: Config) -> Iterator[Finding]:
    seen: dict[bytes, Interaction] = {}
    for interaction in interactions:
        resource = resource_named(interaction.endpoint)
        keyed = Keyed(resource, resource.from_cassette(interaction.request), config)
        first = interaction if interaction.conditions else seen.setdefault(keyed.identity, interaction)
        if first is not interaction:
            twice = (
                f"interaction {interaction.place} has the same request as interaction {first.place} (line {first.line})"
            )
            yield Finding(file, interaction.line, f"{twice}: make their responses one list, or remove one")
        problems = (*_reply_problems(interaction, keyed), *_fault_problems(interaction, resource))
        yield from (Finding(file, interaction.line, problem) for problem in problems)


def _fault_problems(interaction: Interaction, resource: Resource) -> Iterator[str]:
    """Why the fault of an interaction can never be seen."""
    fault, where = interaction.fault, f"interaction {interaction.place}: fault"
    if fault is None:
        return
    if fault.needs_stream and not any(_can_be_streamed(response, resource) for response in interaction.responses):
        yield f"{where}: {fault.spoil} needs a stream, and this is never one: remove it, or give another"
    first, most = fault.schedule.first, len(interaction.responses)
    if first > most and interaction.repeat is Repeat.ERROR:
        yield f"{where}: hits call {first} at the earliest, and repeat: error ends after {most}: name an earlier call"


def _can_be_streamed(response: Response, resource: Resource) -> bool:
    if isinstance(response, ErrorReply) or resource.known:
        return False
    is_plain = isinstance(response, Recorded) and not response.frames
    return not is_plain or (resource.both_modes and isinstance(response, Recorded) and response.status == 200)


def _reply_problems(interaction: Interaction, keyed: Keyed) -> Iterator[str]:
    """How the responses break the shape that the API's description gives them. What an upstream gave breaks none."""
    if interaction.recorded:
        return
    for at, response in enumerate(interaction.responses):
        where = f"response[{at}]" if len(interaction.responses) > 1 else "response"
        for fault in _faults(keyed, response):
            yield f"interaction {interaction.place}: {where}: {fault} (as the API's description has it)"


def _faults(keyed: Keyed, response: Response) -> Iterator[str]:
    if isinstance(response, ErrorReply) or (isinstance(response, Recorded) and response.status != 200):
        return
    if not describes(keyed.resource.routes[0].operation_id):  # nobody knows what it should be
        return
    try:
        body = _plain(keyed, response)
    except BadField as error:
        yield f"{dotted(error.path)}: {error.problem}".removeprefix(": ")
        return
    if not isinstance(body, bytes):
        yield from response_faults(keyed.resource.routes[0].operation_id, body)


def _plain(keyed: Keyed, response: Response) -> Json | bytes:
    """The plain answer that a client would get: bytes, where that is no JSON."""
    if isinstance(response, Recorded) and not response.frames:
        is_binary = response.content is None and isinstance(keyed.resource, Binary)
        return response.body if is_binary else response.content
    reply = neutral_reply(keyed.resource, response)
    whole = Generator().complete(keyed.resource.wanted(keyed.request), reply, keyed.key)
    wire = keyed.resource.render(keyed.request, whole, Stamp(keyed.key))
    if wire.headers["content-type"] != JSON:
        return wire.body
    body: Json = orjson.loads(wire.body)
    return body
