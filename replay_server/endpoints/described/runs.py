"""What a run of an assistant says: a message in its thread, and where it is asked for, the stream of its events.

Wire facts: the events of OpenAI's API description 2.3.0, in the order in which the live API sends them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from replay_server.endpoints.described.answers import Answers, frame
from replay_server.endpoints.described.collections import Collection, Places
from replay_server.endpoints.described.store import Store
from replay_server.endpoints.objects import Kept
from replay_server.interaction import Json, JsonObject, Prompt, TextReply, TextWanted

_MESSAGES = "/threads/{thread_id}/messages"
_STEPS = "/threads/{thread_id}/runs/{run_id}/steps"


def is_run(kept: Kept) -> bool:
    """Whether an object is a run of an assistant."""
    return kept.value.get("object") == "thread.run" and "thread_id" in kept.value


def is_message(collection: Collection) -> bool:
    """Whether the members of a collection are messages of a thread."""
    return collection.path == _MESSAGES


def in_thread(said: JsonObject) -> JsonObject:
    """A message as it stands in its thread: a text is a part, too, and has annotations."""
    content = said.get("content")
    parts: list[Json] = [content] if isinstance(content, str) else content if isinstance(content, list) else []
    return {**said, "content": [_part(part) for part in parts]}


def _part(part: Json) -> Json:
    text = part if isinstance(part, str) else part.get("text") if isinstance(part, dict) else None
    return {"type": "text", "text": {"value": text, "annotations": []}} if isinstance(text, str) else part


@dataclass(frozen=True, slots=True)
class RunReply:
    """What the runs of one thread say."""

    places: Places
    answers: Answers
    store: Store

    async def say(self, run: Kept) -> tuple[Kept, Kept, tuple[str, ...]]:
        """Put the answer into the thread: its message, the step that made it, and the pieces of the text."""
        thread = self._beside(_MESSAGES, {})
        text, pieces = await self._text(thread, run)
        content: Json = [{"type": "text", "text": {"value": text, "annotations": []}}]
        said = {"role": "assistant", "content": content, "status": "completed", "run_id": run.id}
        message = await thread.add({**said, "assistant_id": run.value.get("assistant_id")})
        steps = self._beside(_STEPS, {"run_id": run.id})
        details: Json = {"type": "message_creation", "message_creation": {"message_id": message.id}}
        step = await steps.add({"type": "message_creation", "step_details": details, "status": "completed"})
        return message, step, pieces

    def _beside(self, path: str, more: dict[str, str]) -> Store:
        """The messages of the thread, the steps of a run."""
        found = self.places.collections[path]
        return Store(self.store.call, self.store.api, found, {**self.store.parameters, **more})

    async def _text(self, thread: Store, run: Kept) -> tuple[str, tuple[str, ...]]:
        """What a model would answer to the last message of the user."""
        asked = [each.value for each in await thread.all() if each.value.get("role") == "user"]
        wanted = TextWanted(prompts=(Prompt(text=_spoken(asked[-1].get("content")) if asked else ""),), stream=True)
        key = self.store.call.stamp.hex(run.id, 64)
        choice = cast("TextReply", self.store.call.generate(wanted, key)).choices[0]
        return choice.content or "", choice.deltas or ()

    async def streamed(self, run: Kept) -> list[bytes]:
        """The events of a run from its beginning to its end."""
        message, step, pieces = await self.say(run)
        done = await self.store.put(run._replace(value={**run.value, "status": "completed"}))
        return list(self._frames(run, done, message, step, pieces))

    def _frames(self, run: Kept, done: Kept, message: Kept, step: Kept, pieces: tuple[str, ...]) -> Iterator[bytes]:
        begun: JsonObject = {"status": "in_progress"}
        empty: JsonObject = {"status": "in_progress", "content": []}
        yield self._event("thread.run.created", "RunObject", run, {"status": "queued"})
        yield self._event("thread.run.queued", "RunObject", run, {"status": "queued"})
        yield self._event("thread.run.in_progress", "RunObject", run, begun)
        yield self._event("thread.run.step.created", "RunStepObject", step, begun)
        yield self._event("thread.run.step.in_progress", "RunStepObject", step, begun)
        yield self._event("thread.message.created", "MessageObject", message, empty)
        yield self._event("thread.message.in_progress", "MessageObject", message, empty)
        for piece in pieces:
            delta: Json = {"content": [{"index": 0, "type": "text", "text": {"value": piece}}]}
            yield frame("thread.message.delta", {"id": message.id, "object": "thread.message.delta", "delta": delta})
        yield self._event("thread.message.completed", "MessageObject", message, {})
        yield self._event("thread.run.step.completed", "RunStepObject", step, {})
        yield self._event("thread.run.completed", "RunObject", done, {})
        yield frame("done", "[DONE]")

    def _event(self, name: str, schema: str, kept: Kept, facts: JsonObject) -> bytes:
        shape = self.answers.api.named(schema) or {}
        return frame(name, self.answers.made(shape, {**kept.value, **facts}, kept.id))


def _spoken(content: Json) -> str:
    """The text of a message's content."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return " ".join(map(_spoken, content))
    if isinstance(content, dict):
        text = content.get("text")
        return _spoken(text.get("value") if isinstance(text, dict) else text)
    return ""
