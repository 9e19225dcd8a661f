"""One answer to one prompt: tool calls, JSON or prose, cut where the request says, with what a choice shows of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from replay_server.errors import BadRequest
from replay_server.fallback import json_text, tools, work
from replay_server.fallback.cutting import cut, cut_calls
from replay_server.fallback.draw import Draw
from replay_server.fallback.json_mode import json_object
from replay_server.fallback.logprobs import logprobs
from replay_server.fallback.prose import Prose
from replay_server.fallback.schema import SchemaError, value
from replay_server.fallback.token_ids import words_of
from replay_server.fallback.tokens import count, split
from replay_server.fallback.topic import topic_of
from replay_server.interaction import Choice, JsonObject, Prompt, TextWanted, ToolCall

Seed = tuple[str | int | None, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """A choice, and the tokens that were generated for it: `thoughts` of them before it began."""

    choice: Choice
    tokens: int
    thoughts: int = 0


CUT_OFF = Answer(Choice(finish_reason="length"), 0)
"""There was no token left to say anything with."""


class Author:
    """Answers one prompt, as often as asked. What the answers share is worked out once."""

    def __init__(self, wanted: TextWanted, prompt: Prompt, seed: Seed) -> None:
        self._wanted = wanted
        self._prompt = prompt
        self._seed = seed
        self._said = prompt.text or "".join(words_of(prompt.token_ids))
        self._topic = topic_of(f"{self._said} {wanted.suffix}" if wanted.suffix else self._said)
        self._tools = tools.choose(wanted, self._topic)
        self._thoughts, self._thought = work.thoughts(wanted, self._topic, Draw(*seed, "thoughts"))
        self._limit = None if wanted.max_tokens is None else wanted.max_tokens - self._thought
        # Siblings open with different sentences; which of these comes first is drawn once for all.
        self._first = Draw(*seed, "first").below(1000)

    def answer(self, index: int) -> Answer:
        """The answer of this index. It depends neither on how many there are nor on where they are cut."""
        answer = self._answered(index) if self._limit is None or self._limit >= 0 else CUT_OFF
        return self._with_work(answer, index) if self._wanted.thinks or self._wanted.hosted else answer

    def _answered(self, index: int) -> Answer:
        draw = Draw(*self._seed, index)
        if self._tools:
            return self._calling([tools.call(tool, self._topic, draw) for tool in self._tools])
        return self._saying(self._text(draw, self._first + index), Draw(*self._seed, index, "logprobs"))

    def _with_work(self, answer: Answer, index: int) -> Answer:
        """The answer behind what was thought and done for it."""
        hosted = self._wanted.hosted
        uses = [work.use(tool, self._topic, Draw(*self._seed, index, "use", at)) for at, tool in enumerate(hosted)]
        if any(use.output is None for use in uses):  # it waits for the user
            answer = Answer(Choice(), 0)
        thought = min(self._thought, self._thought if self._wanted.max_tokens is None else self._wanted.max_tokens)
        choice = replace(answer.choice, reasoning=self._thoughts, items=tuple(uses))
        return Answer(choice, answer.tokens + thought, thought)

    def _text(self, draw: Draw, place: int) -> str:
        wanted = self._wanted
        if wanted.schema is not None:
            return self._structured(wanted.schema, draw)
        if wanted.json_object:
            return json_text.readable(json_object(self._topic, (self._said, *self._prompt.context), draw))
        prose = Prose(self._topic, draw, place)
        if wanted.suffix is not None:
            return prose.bridge(wanted.suffix)
        return prose.answer(wanted.after_tool_result)

    def _structured(self, schema: JsonObject, draw: Draw) -> str:
        try:
            return json_text.compact(value(schema, draw, self._topic))
        except SchemaError as problem:
            message = f"Invalid schema for response_format: {problem}"
            raise BadRequest(message, param=self._wanted.schema_param, code="invalid_json_schema") from None

    def _calling(self, wished: list[ToolCall]) -> Answer:
        calls, complete = cut_calls(wished, self._limit)
        finish_reason = self._wanted.call_finish_reason if complete else "length"
        tokens = sum(count(call.name) + len(call.deltas or ()) for call in calls)
        shown = tuple(calls if self._wanted.stream else (replace(call, deltas=None) for call in calls))
        # A limit below the tokens of a tool's name leaves nothing to show.
        return Answer(Choice(content=None if shown else "", tool_calls=shown, finish_reason=finish_reason), tokens)

    def _saying(self, text: str, draw: Draw) -> Answer:
        wanted = self._wanted
        before = self._echoed() if wanted.echo else []
        if before and not before[-1][-1].isspace():
            text = f"\n\n{text}"
        tokens, finish_reason = cut(split(text), self._limit, wanted.stop)
        shown: Sequence[str] = before + tokens
        judged = None if wanted.logprobs is None else logprobs(shown, wanted.logprobs, draw, starts_text=bool(before))
        choice = Choice(
            content="".join(shown),
            finish_reason=finish_reason,
            logprobs=judged,
            deltas=tuple(shown) if wanted.stream else None,
        )
        return Answer(choice, len(tokens))

    def _echoed(self) -> list[str]:
        return split(self._prompt.text) or words_of(self._prompt.token_ids)
