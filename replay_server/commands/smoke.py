"""`replay-server smoke`."""

import asyncio

import click

from replay_server.errors import UsageError


@click.command("smoke")
@click.argument("url", default="http://127.0.0.1:8080", envvar="REPLAY_SERVER_URL")
@click.option("--model", default="gpt-4o-mini", show_default=True, help="Model to ask for.")
@click.option("--api-key", default="smoke", envvar="OPENAI_API_KEY", metavar="KEY", help="Key to send.")
@click.option("--timeout", default=10.0, show_default=True, metavar="SECONDS", help="Longest time for each request.")
def command(url: str, model: str, api_key: str, timeout: float) -> None:
    """Try a running server.

    URL is http://127.0.0.1:8080, where it is not given. Asks for health, models, a completion, a chat and a stream, a
    line each; exits with 1 if one of them fails. A miss of a strict server is an answer.
    """
    if not url.startswith(("http://", "https://")):
        raise UsageError(f"{url!r} is no URL: it must start with http:// or https://")
    from replay_server.server.smoke import run_smoke

    passed = True
    for check in asyncio.run(run_smoke(url, model=model, api_key=api_key, seconds=timeout)):
        click.echo(f"{'ok  ' if check.passed else 'FAIL'}  {check.name.ljust(10)}  {check.detail}")
        passed = passed and check.passed
    raise SystemExit(0 if passed else 1)
