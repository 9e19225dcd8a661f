"""`replay-server explain`."""

from pathlib import Path
from typing import BinaryIO

import click
import orjson

from replay_server.commands.options import cassettes_option
from replay_server.errors import UsageError


@click.command("explain")
@click.argument("file", type=click.File("rb"))
@cassettes_option("Directory of the cassettes.", exists=True)
@click.option("--endpoint", metavar="NAME", help="Endpoint of the request, where messages or prompt don't tell it.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each request, a line each.")
def command(file: BinaryIO, cassettes: Path, endpoint: str | None, as_json: bool) -> None:
    """Say what a request matches, and why.

    FILE (- for standard input) holds the JSON body of a request, or lines in OpenAI's Batch form (url, body). Exits
    with 1 if one of them matches nothing.
    """
    from replay_server.cassettes.library import Library
    from replay_server.replay.explanation import explain_request, read_requests

    library = Library.load(cassettes)
    explanations = [
        explain_request(library, resource, request)
        for resource, request in read_requests(file.read(), file.name, endpoint)
    ]
    if not explanations:
        raise UsageError(f"{file.name}: holds no request")
    for explanation in explanations:
        if as_json:
            click.echo(orjson.dumps(explanation.as_json()).decode())
        else:
            click.echo("\n".join(explanation.lines()))
    raise SystemExit(0 if all(explanation.matches for explanation in explanations) else 1)
