"""The command line. One file per command, imported when the command is asked for."""

from importlib import import_module
from typing import Any

import click

from replay_server import __version__
from replay_server.errors import UsageError

# The order in which `--help` lists them: as one comes to need them.
COMMANDS = ("serve", "record", "refresh", "import", "explain", "check", "scan", "list", "report", "prune", "smoke")
_MODULES = {"import": "import_recordings"}
"""The files of commands whose name no module can have."""


class _OneLine(click.ClickException):
    """A mistake of the user: one line, exit code 2."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        click.echo(f"replay-server: {self.format_message()}", file=file, err=True)


class _Commands(click.Group):
    """Imports a command when it is asked for: a server need not load what records."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*COMMANDS]  # `list` is the module of that command, once somebody has imported it

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = _MODULES.get(cmd_name, cmd_name)
        command: click.Command = import_module(f"replay_server.commands.{module}").command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except UsageError as error:
            raise _OneLine(_without_secrets(str(error))) from None
        except click.UsageError as error:
            where = f"replay-server {ctx.invoked_subcommand}" if ctx.invoked_subcommand else "replay-server"
            raise _OneLine(f"{error.format_message().rstrip('.')}; see {where} --help") from None


def _without_secrets(message: str) -> str:
    """A message may quote a file: what a log keeps of it must hold no secret."""
    from replay_server.cassettes.redaction.redactor import DEFAULT

    return DEFAULT.text(message)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, package_name="replay-server", message="%(prog)s %(version)s")
def main() -> None:
    """An OpenAI-compatible server that answers from recordings, and deterministically when it has none.

    Start it on the cassettes of a project and point any OpenAI client at it:

    \b
      replay-server serve --cassettes cassettes
      export OPENAI_BASE_URL=http://127.0.0.1:8080/v1 OPENAI_API_KEY=any
    """  # noqa: D301 - \b is click's own sign for a paragraph that is not to be wrapped
