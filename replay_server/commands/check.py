"""`replay-server check`."""

from pathlib import Path

import click


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, exists=True, file_okay=False), default=Path("cassettes"))
def check(directory: Path) -> None:
    """Find what is wrong with the cassettes of DIRECTORY (default: cassettes).

    Prints `file:line: what, and what to do` for each finding; exits with 1 if there is one.
    """
    from replay_server.replay.check import check_directory

    report = check_directory(directory)
    for finding in report.findings:
        click.echo(str(finding))
    click.echo(report.summary, err=bool(report.findings))
    raise SystemExit(1 if report.findings else 0)
