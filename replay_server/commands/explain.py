"""`replay-server explain`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click
import orjson

from replay_server.commands.options import cassettes_option, wants_color
from replay_server.errors import UsageError

if TYPE_CHECKING:
    from replay_server.replay.explanation import Explanation


@click.command("explain")
@click.argument("file", type=click.File("rb"))
@cassettes_option("Directory of the cassettes.", exists=True)
@click.option("--endpoint", metavar="NAME", help="Endpoint of the request, where messages or prompt don't tell it.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each request, a line each.")
def command(file: BinaryIO, cassettes: Path, endpoint: str | None, as_json: bool) -> None:
    """Say what a request matches, and why.

    FILE (- for standard input) holds the JSON body of a request, or lines in OpenAI's Batch form (url, body). Exits
    with 1 if one of them matches nothing. In GitHub Actions each miss is an annotation too, and a section of the
    summary of the step.
    """
    from replay_server.cassettes.library import Library
    from replay_server.replay.explanation import explain_request
    from replay_server.replay.miss_log import how_to_record
    from replay_server.replay.request_file import read_requests

    library = Library.load(cassettes)
    # What `record` reads; the body of one request is no script.
    record = how_to_record(cassettes, Path(file.name) if file.name.endswith(".jsonl") else None)
    explanations = [
        explain_request(library, resource, request, record)
        for resource, request in read_requests(file.read(), file.name, endpoint)
    ]
    if not explanations:
        raise UsageError(f"{file.name}: holds no request")
    for explanation in explanations:
        _show(explanation, as_json=as_json)
    raise SystemExit(0 if all(explanation.matches for explanation in explanations) else 1)


def _show(explanation: "Explanation", *, as_json: bool) -> None:
    from replay_server.replay.github import disarmed, runs_there

    there = runs_there(os.environ)
    if as_json:
        click.echo(orjson.dumps(explanation.as_json()).decode())
    else:
        color = wants_color()
        text = "\n".join(explanation.lines(color=color is not False))
        click.echo(disarmed(text) if there else text, color=color)
    if there and not explanation.matches:
        _tell_github(explanation)


def _tell_github(explanation: "Explanation") -> None:
    from replay_server.replay.github import add_to_summary, explanation_annotation

    # A runner reads commands there too, and what stands on stdout may be JSON.
    click.echo(explanation_annotation(explanation), err=True)
    try:
        add_to_summary(explanation.markdown(), os.environ)
    except OSError as error:
        click.echo(f"replay-server: warning: the summary of the step cannot be written: {error.strerror}", err=True)
