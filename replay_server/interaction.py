"""The nouns: a request as it came, what it wants, what answers it. Frozen values, no I/O.

`Wanted` and `Reply` are neutral. An endpoint turns its own parameters into a `Wanted` and its own wire shape out of a
`Reply`, so that the generator needs to know no endpoint, and a new endpoint needs no change of the generator.

What every request makes anew is a named tuple: a frozen dataclass costs four times as much to make.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias, Union

if TYPE_CHECKING:
    from replay_server.conditions import Conditions, Template
    from replay_server.faults.fault import Fault

Json: TypeAlias = Union[None, bool, int, float, str, "list[Json]", "dict[str, Json]"]
JsonObject: TypeAlias = Mapping[str, Json]


class RawRequest(NamedTuple):
    """An HTTP request, framed and routed but not yet understood. Header names are lower case.

    `path` is what the client sent, with all its prefixes but that of a session.
    """

    method: str
    path: str
    parameters: Mapping[str, str]
    query: tuple[tuple[str, str], ...]
    """Names and values, decoded, in the order of the URL: a name may come more than once."""
    headers: Mapping[str, str]
    body: bytes
    target: str = ""
    """Path and query as they stand in the request line, encoded, with the session. Empty: nobody has kept it."""


class Request(NamedTuple):
    """A request as its endpoint reads it: `body` is what the client sent, untouched."""

    endpoint: str
    model: str
    body: JsonObject
    stream: bool = False
    meant: JsonObject | None = None
    """`body` with what the ids of the session's objects stand for in place of these. None: there are none."""
    origin: str = ""
    """Where the client reached us, as `http://host:port`; empty where the answer names no URL of ours."""

    @property
    def keyed(self) -> JsonObject:
        """What makes the key."""
        return self.body if self.meant is None else self.meant


# What a request wants ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One text to answer. `text` is what the answer is about; every other text that costs tokens is in `context`."""

    text: str = ""
    context: tuple[str, ...] = ()
    token_ids: tuple[int, ...] = ()
    """A prompt given as token ids has these in place of `text`."""
    framing_tokens: int = 0
    """Tokens that no text shows: what wraps each message, images."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool that may be called; `parameters` is the JSON Schema of its arguments (empty: any object)."""

    name: str
    description: str = ""
    parameters: JsonObject = field(default_factory=dict)
    kind: str = "function"
    """`function`: arguments are JSON; `custom`: arguments are free text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedTool:
    """A tool that the API itself runs, to be used: `kind` is `web_search` or `mcp`, say."""

    kind: str
    server: str = ""
    """Of a tool of MCP: which server has it."""
    names: tuple[str, ...] = ()
    """The tools of that server, as far as the request tells."""
    size: str = ""
    """Of an image: `1024x1536`."""
    format: str = "png"
    """Of an image: `png`, `jpeg` or `webp`."""
    asks_first: bool = False
    """It is not run before the user has approved."""
    listed: bool = False
    """What tools there are has been told before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextWanted:
    """Text, JSON or tool calls: `n` choices for each prompt."""

    prompts: tuple[Prompt, ...]
    n: int = 1
    best_of: int | None = None
    """Choices thought up per prompt, of which `n` are given; all are counted. None: `n`."""
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    logprobs: int | None = None
    """How many alternatives to give with each token; None: no logprobs at all."""
    echo: bool = False
    """The text of a choice starts with its prompt."""
    suffix: str | None = None
    """The text that follows what is to be inserted."""
    json_object: bool = False
    schema: JsonObject | None = None
    """The JSON Schema that the text must be valid against."""
    tools: tuple[Tool, ...] = ()
    """Only those that may be called now: the endpoint has applied tool_choice."""
    must_call: bool = False
    parallel: bool = True
    call_finish_reason: str = "tool_calls"
    """What a choice with tool calls ends with."""
    after_tool_result: bool = False
    seed: int | None = None
    stream: bool = False
    schema_param: str = "response_format"
    """The parameter that `schema` comes from, as refusals name it."""
    hosted: tuple[HostedTool, ...] = ()
    """The tools to use before the answer."""
    thinks: bool = False
    """Thoughts come before the answer, and cost tokens."""
    summary: bool = False
    """The thoughts are told, in short."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountWanted:
    """How many tokens a prompt has."""

    prompt: Prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelsWanted:
    """The list of models (`model` is None), or one of them."""

    model: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonWanted:
    """A value of a schema that stands alone. `about`: a text that its own texts are about."""

    schema: JsonObject
    about: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorsWanted:
    """A vector for each prompt."""

    prompts: tuple[Prompt, ...]
    dimensions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What is judged as one: a text, and the URLs of images."""

    text: str = ""
    images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictsWanted:
    """Which of the categories each of these falls into."""

    inputs: tuple[Judged, ...]
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagesWanted:
    """`n` pictures of one size."""

    prompt: Prompt
    n: int = 1
    width: int = 1024
    height: int = 1024
    format: str = "png"
    """`png`, `jpeg` or `webp`."""
    transparent: bool = False
    partial_images: int = 0
    """How often each picture is shown before it is done."""
    by_url: bool = False
    """The answer names a URL: the pictures are painted when that is asked for."""
    revises: bool = False
    """The model says what it made of the prompt."""
    output_tokens: int = 0
    """What each picture costs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechWanted:
    """A sound as long as it takes to say the prompt's text."""

    prompt: Prompt
    seconds: float
    format: str = "mp3"
    """`mp3`, `opus`, `aac`, `flac`, `wav` or `pcm`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptWanted:
    """What is said in a sound of some length. `prompt` is what it may be about."""

    prompt: Prompt
    seconds: float
    language: str = "en"
    speakers: tuple[str, ...] = ()
    """Those who may speak, where it is asked who does."""
    logprobs: bool = False


Wanted: TypeAlias = (
    TextWanted
    | CountWanted
    | ModelsWanted
    | JsonWanted
    | VectorsWanted
    | VerdictsWanted
    | ImagesWanted
    | SpeechWanted
    | TranscriptWanted
)


# What answers it -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A call of a tool; `arguments` is JSON text for a function, free text for a custom tool."""

    name: str
    arguments: str
    id: str | None = None
    kind: str = "function"
    deltas: tuple[str, ...] | None = None
    """`arguments`, cut where a stream cuts it. None: not cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolUse:
    """What a tool did that the API itself runs: `input` is its query, code or arguments, `output` what came of it."""

    tool: HostedTool
    input: str
    output: str | None
    """None: it waits for the user to approve."""
    name: str = ""
    """Which of the tools of its server it is."""


@dataclass(frozen=True, slots=True)
class Reasoning:
    """What a model says to itself, and the field in which its server shows that: `reasoning_content`, say."""

    name: str
    text: str
    deltas: tuple[str, ...] | None = None
    """`text`, cut where a stream cuts it. None: not cut."""


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """A token of the text, its natural-log probability, and the likeliest tokens at its place, likeliest first."""

    token: str
    logprob: float | None
    """None only for the first token of an echoed prompt."""
    top: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One answer. A `finish_reason` of None: the endpoint takes what fits the contents."""

    content: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    refusal: str | None = None
    finish_reason: str | None = None
    logprobs: tuple[TokenLogprob, ...] | None = None
    deltas: tuple[str, ...] | None = None
    """`content` (or `refusal`), cut where a stream cuts it. None: not cut."""
    annotations: tuple[JsonObject, ...] = ()
    function_call: ToolCall | None = None
    """The call of one of the legacy `functions`: it has no id."""
    reasoning: tuple[Reasoning, ...] = ()
    items: tuple[ToolUse | JsonObject, ...] = ()
    """What comes before the text besides: what tools did, or items of the Responses API as the wire has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens counted."""

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    image_tokens: int = 0
    """Those of the prompt that are images."""
    audio_tokens: int = 0
    """Those of the prompt that are sound."""

    @property
    def total_tokens(self) -> int:
        """Prompt and completion together."""
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class TextReply:
    """Choices in the order of the prompts, `n` for each. What is None is the endpoint's to fill in."""

    choices: tuple[Choice, ...]
    usage: Usage | None = None
    id: str | None = None
    created: int | None = None
    model: str | None = None
    system_fingerprint: str | None = None
    service_tier: str | None = None
    body: JsonObject | None = None
    """The whole answer as it was recorded, where it has more to it than what is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountReply:
    """How many tokens there are."""

    tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelsReply:
    """The names of models, in order."""

    models: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonReply:
    """A value that is valid against the schema."""

    value: Json


@dataclass(frozen=True, slots=True)
class Vector:
    """A vector. `values` is None where it is that of `text`, and nobody has made it yet."""

    values: Sequence[float] | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorsReply:
    """Vectors in the order of the prompts. What is None is the endpoint's to fill in."""

    vectors: tuple[Vector, ...]
    prompt_tokens: int | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one input was found to be. `flagged` is None where the scores tell; a score that is missing is made up."""

    flagged: tuple[str, ...] | None = None
    scores: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictsReply:
    """Verdicts in the order of the inputs. What is None is the endpoint's to fill in."""

    verdicts: tuple[Verdict, ...]
    id: str | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture: its bytes, the URL at which it lies, or the seed that it is painted from."""

    seed: str | None = None
    data: bytes | None = None
    url: str | None = None
    revised_prompt: str | None = None
    partials: tuple[bytes, ...] = ()
    """What was shown of it before it was done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagesReply:
    """Pictures in order. What is None is the endpoint's to fill in."""

    images: tuple[Picture, ...]
    usage: Usage | None = None
    created: int | None = None
    size: str | None = None
    quality: str | None = None
    background: str | None = None
    output_format: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechReply:
    """A sound: its bytes, or its length."""

    audio: bytes | None = None
    seconds: float | None = None
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of what is said, with the seconds from and to which it lasts."""

    start: float
    end: float
    text: str
    speaker: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptReply:
    """What is said in a sound. What is None is made of the text."""

    text: str
    seconds: float | None = None
    language: str | None = None
    segments: tuple[Segment, ...] | None = None
    words: tuple[Segment, ...] | None = None
    logprobs: tuple[TokenLogprob, ...] | None = None
    deltas: tuple[str, ...] | None = None
    """`text`, cut where a stream cuts it. None: not cut."""
    usage: Usage | None = None


Reply: TypeAlias = (
    TextReply
    | CountReply
    | ModelsReply
    | JsonReply
    | VectorsReply
    | VerdictsReply
    | ImagesReply
    | SpeechReply
    | TranscriptReply
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorReply:
    """An error that a cassette replays, with the fields of the API's own error object."""

    status: int
    message: str
    type: str = "invalid_request_error"
    param: str | None = None
    code: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TimedFrame:
    """A frame of a stream, as it came: its bytes, and the seconds since the one before it (or since the request)."""

    after: float
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """An answer exactly as an upstream gave it: `body` is all of it, `content` its JSON, `frames` those of a stream."""

    status: int
    body: bytes
    content: Json = None
    frames: tuple[TimedFrame, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answered:
    """What an upstream answered, after transfer and content decoding: `frames` are those of a stream, else empty.

    Header names are lower case.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    frames: tuple[TimedFrame, ...] = ()


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request with its answer, as they went over the wire: what recorders and importers make cassettes of."""

    request: RawRequest
    answer: Answered


Response: TypeAlias = Reply | ErrorReply | Recorded


@dataclass(frozen=True, slots=True)
class RecordedPace:
    """The gaps of the recording, each `factor` times as long. Where there are none, as with no pace at all."""

    factor: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Seconds to the first token (`ttft`) and between two of them (`itl`)."""

    ttft: float = 0.0
    itl: float = 0.0
    jitter: float = 0.0
    """Each wait is drawn from as much below to as much above, evenly: 0.2 is from 80 % to 120 %."""
    load: float = 0.0
    """By how much each other answer that is under way makes a wait longer: 0.01 is 1 %."""


Pace: TypeAlias = RecordedPace | Profile

INSTANT = Profile()
"""The pace that never waits."""


class Repeat(StrEnum):
    """What follows the last response of a sequence."""

    LAST = "last"
    CYCLE = "cycle"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """One request with its response, or the sequence of responses that identical requests get in turn."""

    cassette: str
    """Path of the cassette below its directory, with `/`."""
    place: int
    """Place of the document in its cassette, from 1."""
    line: int
    endpoint: str
    request: JsonObject
    """The fields of the request's body, as they are written."""
    responses: tuple[Response, ...]
    repeat: Repeat = Repeat.LAST
    pace: Pace | None = None
    fault: "Fault | None" = None
    recorded: bool = False
    name: str | None = None
    conditions: "Conditions | None" = None
    """Of a matcher, in place of a request."""
    templates: "Mapping[int, Template] | None" = None
    """By their place in `responses`, those of a matcher that take values of the request."""

    @property
    def id(self) -> str:
        """How messages and headers name it: `weather.yaml#3`."""
        return f"{self.cassette}#{self.place}"


# What goes out -------------------------------------------------------------------------------------------------------


class WireResponse(NamedTuple):
    """A whole answer, ready to be sent."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class WireStream:
    """A streamed answer: the frames of its events, each with the blank line that ends it."""

    status: int
    headers: Mapping[str, str]
    frames: Iterable[bytes]


class WireLive(Protocol):
    """An answer that an upstream is giving just now: passed on as it comes."""

    status: int
    headers: Sequence[tuple[str, str]]
    """As the upstream sent them, without those that are between it and us. A name may come more than once."""

    async def read(self) -> bytes:
        """The next piece of the body, empty at its end. Raises ConnectionError where it breaks off."""

    def leave(self) -> None:
        """Nobody reads on: the client has gone, or wants no body."""
