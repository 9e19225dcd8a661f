"""The command line. One file per command; each imports what it needs when it runs, so that `--help` is quick."""

from typing import Any

import click

from replay_server import __version__
from replay_server.commands.check import check
from replay_server.commands.explain import explain
from replay_server.commands.list import list_
from replay_server.commands.record import record
from replay_server.commands.serve import serve
from replay_server.commands.smoke import smoke
from replay_server.errors import UsageError


class _OneLine(click.ClickException):
    """A mistake of the user: one line, exit code 2."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        click.echo(f"replay-server: {self.format_message()}", file=file, err=True)


class _Group(click.Group):
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except UsageError as error:
            raise _OneLine(str(error)) from None


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, package_name="replay-server", message="%(prog)s %(version)s")
def main() -> None:
    r"""An OpenAI-compatible server that answers from recordings, and deterministically when it has none.

    Start it on the cassettes of a project and point any OpenAI client at it:

    \b
      replay-server serve --cassettes cassettes
      export OPENAI_BASE_URL=http://127.0.0.1:8080/v1 OPENAI_API_KEY=any
    """


for _command in (serve, record, explain, check, list_, smoke):
    main.add_command(_command)
