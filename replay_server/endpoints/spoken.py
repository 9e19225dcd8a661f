"""Who said what in a request, for matchers: in messages, in a prompt, and in a body that no module knows."""

from collections.abc import Iterator, Sequence

from replay_server.conditions import Spoken
from replay_server.interaction import Json, JsonObject
from replay_server.keys import normalise_arguments

_SYSTEM = ("system", "developer")
_TOOL = ("tool", "function")


def spoken_in_messages(messages: Json) -> Spoken:
    """What messages with a `role` and a `content` say. What cannot be read counts as absent."""
    found = [message for message in _list(messages) if isinstance(message, dict)]
    said = [(message.get("role"), _text(message.get("content"))) for message in found]
    last_user = next((at for at in reversed(range(len(said))) if said[at][0] == "user"), -1)
    results = [text for role, text in said if role in _TOOL]
    system = [text for role, text in said if role in _SYSTEM]
    return Spoken(
        last_user=said[last_user][1] if last_user >= 0 else None,
        system="\n".join(system) if system else None,
        messages=tuple(text for _, text in said),
        turn=sum(role == "assistant" for role, _ in said),
        has_tool_result=any(role in _TOOL for role, _ in said[last_user + 1 :]),
        arguments=_last_arguments(found),
        tool_result=results[-1] if results else None,
    )


def spoken_in_prompt(prompt: Json) -> Spoken:
    """What a prompt says: a text, or several, of which the last counts as the user's last."""
    texts = [text for text in (prompt if isinstance(prompt, list) else [prompt]) if isinstance(text, str)]
    return Spoken(last_user=texts[-1] if texts else None, messages=tuple(texts))


def spoken_in_body(body: JsonObject) -> Spoken:
    """What a body says that no module knows: its `messages`, else its `input` or `prompt`."""
    for name in ("messages", "input"):
        value = body.get(name)
        if isinstance(value, list) and any(isinstance(item, dict) for item in value):
            return spoken_in_messages(value)
    return spoken_in_prompt(body.get("input", body.get("prompt")))


def _text(content: Json) -> str:
    return "\n".join(_texts(content))


def _texts(content: Json) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    for part in _list(content):
        if isinstance(part, dict) and isinstance(text := part.get("text"), str):
            yield text


def _last_arguments(messages: Sequence[JsonObject]) -> Json:
    for message in reversed(messages):
        calls = [*_list(message.get("tool_calls")), {"function": message.get("function_call")}]
        called = [call.get("function") for call in calls if isinstance(call, dict)]
        arguments = [function.get("arguments") for function in called if isinstance(function, dict)]
        if arguments:
            return normalise_arguments(arguments[-1])
    return None


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []
