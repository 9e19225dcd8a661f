"""`replay-server scan`."""

from pathlib import Path

import click
import orjson

from replay_server.commands.options import directory_argument


@click.command("scan")
@directory_argument()
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each finding, a line each.")
def command(directory: Path, as_json: bool) -> None:
    """Find secrets in cassettes and in every other text file.

    DIRECTORY is cassettes, where it is not given.

    Prints `file:line: rule: what to do` for each finding, never the secret; exits with 1 if there is one.
    """
    from replay_server.cassettes.scan import scan_directory

    report = scan_directory(directory)
    for finding in report.findings:
        click.echo(orjson.dumps(finding.as_json()).decode() if as_json else str(finding))
    click.echo(report.summary, err=bool(report.findings) or as_json)
    raise SystemExit(1 if report.findings else 0)
