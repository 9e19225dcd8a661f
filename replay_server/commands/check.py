"""`replay-server check`."""

from pathlib import Path

import click

from replay_server.commands.options import directory_argument


@click.command("check")
@directory_argument()
def command(directory: Path) -> None:
    """Find what is wrong with cassettes.

    DIRECTORY is cassettes, where it is not given.

    Prints `file:line: what, and what to do` for each finding; exits with 1 if there is one.
    """
    from replay_server.replay.check import check_directory

    report = check_directory(directory)
    for finding in report.findings:
        click.echo(str(finding))
    click.echo(report.summary, err=bool(report.findings))
    raise SystemExit(1 if report.findings else 0)
