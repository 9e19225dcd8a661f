"""`replay-server list`."""

from pathlib import Path

import click
import orjson

from replay_server.commands.options import directory_argument


@click.command("list")
@directory_argument()
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each interaction, a line each.")
def command(directory: Path, as_json: bool) -> None:
    """List interactions.

    DIRECTORY is cassettes, where it is not given.
    """
    from replay_server.cassettes.inventory import inventory, table
    from replay_server.cassettes.library import Library

    rows = inventory(Library.load(directory))
    if as_json:
        for row in rows:
            click.echo(orjson.dumps(row.as_json()).decode())
    else:
        for line in table(rows):
            click.echo(line)
