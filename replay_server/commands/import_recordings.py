"""`replay-server import`."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import orjson

from replay_server.commands.options import cassettes_option
from replay_server.errors import UsageError

if TYPE_CHECKING:
    from replay_server.cassettes.importers.run import Options
    from replay_server.cassettes.importers.sources import Found
    from replay_server.commands.import_report import Report

_INTERRUPTED = 130
_FORMATS = ("auto", "vcrpy", "recordings", "har", "batch")


@click.command("import")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True), metavar="FILE|DIR...")
@cassettes_option("Directory that the cassettes are written to.")
@click.option(
    "--from",
    "form",
    type=click.Choice(_FORMATS),
    default="auto",
    show_default=True,
    help="vcrpy: cassettes of vcrpy and its relatives. recordings: OGX's. har: of a browser or mitmproxy. batch: OpenAI"
    " Batch, requests and answers. auto: what each file is.",
)
@click.option("--only", multiple=True, metavar="GLOB", help="Only what was asked of a URL like this; repeatable.")
@click.option("--force", is_flag=True, help="Replace a cassette that says something else.")
@click.option("--dry-run", is_flag=True, help="Say what would be imported, and write nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object in place of the lines.")
def command(
    paths: Sequence[Path],
    cassettes: Path,
    form: str,
    only: tuple[str, ...],
    force: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Make cassettes from recordings of other tools.

    Each file becomes a cassette of its name; below a DIR the tree is kept:

    \b
      replay-server import tests/cassettes --cassettes cassettes
      replay-server import page.har --only 'https://api.openai.com/*'
      replay-server import requests.jsonl output.jsonl errors.jsonl

    What cannot be imported is listed with its reason. A cassette that is there already and says something else is left
    as it is. Exits with 1 if something was not imported.
    """  # noqa: D301 - \b is click's own sign for a paragraph that is not to be wrapped
    from replay_server.cassettes.importers.run import Options
    from replay_server.cassettes.importers.sources import find_sources
    from replay_server.commands.import_report import Report

    found = find_sources(paths, form, cassettes)
    if not found.sources:
        raise UsageError(f"{', '.join(map(str, paths))}: there is no file that could be imported")
    options = Options(cassettes=cassettes, form=form, only=only, force=force, dry_run=dry_run)
    with Report(found, options, quiet=as_json, live=sys.stderr.isatty()) as report:
        code = _run(found, options, report)
    click.echo(orjson.dumps(report.as_json()).decode() if as_json else report.table())
    raise SystemExit(code or (1 if report.failed else 0))


def _run(found: "Found", options: "Options", report: "Report") -> int:
    from replay_server.cassettes.config import Config
    from replay_server.cassettes.files import load_config
    from replay_server.cassettes.importers.run import run_import

    config = load_config(options.cassettes) if options.cassettes.is_dir() else Config()
    try:
        run_import(found.sources, config, options, report.tell)
    except KeyboardInterrupt:
        report.close()
        click.echo("replay-server: stopped; what was done is written, and the next run goes on from there", err=True)
        return _INTERRUPTED
    return 0
