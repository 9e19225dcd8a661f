"""`replay-server check`."""

from pathlib import Path

import click


@click.command("check")
@click.argument(
    "directory",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=Path("cassettes"),
    envvar="REPLAY_SERVER_CASSETTES",
)
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
