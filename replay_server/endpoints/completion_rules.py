"""What the live completions API refuses though each field is right by itself."""

from replay_server.endpoints import refusals
from replay_server.endpoints.chat_rules import check_switch
from replay_server.errors import BadRequest
from replay_server.interaction import JsonObject


def check_completion(body: JsonObject) -> None:
    """Raise the BadRequest that the live API answers with, if fields do not go together."""
    if body.get("prompt") == []:
        raise refusals.empty("prompt", "array", 1)
    check_switch(body, "stream_options", "stream")
    _check_best_of(body.get("n") or 1, body.get("best_of"))


def _check_best_of(n: object, best_of: object) -> None:
    if isinstance(best_of, int | float) and isinstance(n, int | float) and best_of < n:
        raise BadRequest(
            "You requested that the server return more choices than it will generate (HINT: you must set 'n' "
            f"(currently {n}) to be at most 'best_of' (currently {best_of}), or omit either parameter if you don't "
            "specifically want to use them.)"
        )
