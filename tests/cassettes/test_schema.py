"""The published JSON Schema of cassettes, and the reader, take and refuse the same documents."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from replay_server.cassettes.match_reader import MATCH_FIELDS, TEXT_TESTS
from replay_server.cassettes.reader import DOCUMENT_FIELDS, ERROR_FIELDS, read_cassette
from replay_server.cassettes.recorded_form import BODY_FIELDS, RAW_FIELDS, STREAM_RESPONSE_FIELDS
from replay_server.cassettes.recorded_stream import EVENT_FIELDS, RAW_EVENT_FIELDS, STREAM_FIELDS
from replay_server.cassettes.yaml import documents
from replay_server.endpoints.embedding_form import VECTORS_FIELDS
from replay_server.endpoints.http_form import HTTP_FIELDS, PART_FIELDS
from replay_server.endpoints.moderation_form import VERDICTS_FIELDS
from replay_server.endpoints.moderation_request import CATEGORIES
from replay_server.endpoints.responses_short import SHORT_FIELDS
from replay_server.endpoints.short_form import CHOICE_FIELDS, REPLY_FIELDS
from replay_server.endpoints.table import ENDPOINTS
from replay_server.errors import CassetteError
from replay_server.faults.reading import MEMBERS

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "docs" / "cassette.schema.json").read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)
CASSETTES = sorted(path for path in (ROOT / "cassettes").rglob("*.yaml") if path.name != "replay.yaml")

CHAT = "{model: m, messages: [{role: user, content: x}]}"
COMPLETION = "{model: m, prompt: x}"


def document(**fields: str) -> str:
    return "".join(f"{name}: {value}\n" for name, value in fields.items())


def chat(response: str, **fields: str) -> str:
    return document(**{"request": CHAT, "response": response, **fields})


def completion(response: str, **fields: str) -> str:
    return document(**{"request": COMPLETION, "response": response, **fields})


def embeddings(response: str) -> str:
    return document(request="{model: m, input: x}", response=response, endpoint="embeddings")


def moderation(response: str) -> str:
    return document(request="{input: x}", response=response, endpoint="moderations")


def responds(response: str, endpoint: str = "responses") -> str:
    return document(request="{model: m, input: x}", response=response, endpoint=endpoint)


def matcher(match: str, response: str = "{content: a}", **fields: str) -> str:
    return document(**{"match": match, "response": response, **fields})


def images(response: str) -> str:
    return document(endpoint="images/generations", request="{prompt: x}", response=response)


def speech(response: str) -> str:
    return document(endpoint="audio/speech", request="{model: m, input: x, voice: alloy}", response=response)


def transcript(response: str, endpoint: str = "audio/transcriptions", file: str = "{sha256: ab, seconds: 2}") -> str:
    return document(endpoint=endpoint, request=f"{{model: m, file: {file}}}", response=response)


def edit(image: str) -> str:
    request = f"{{prompt: x, image: {image}, mask: {image}}}"
    return document(endpoint="images/edits", request=request, response="{images: [{}]}")


GOOD = {
    "content": chat("{content: Hi}"),
    "no content": chat("{content: null}"),
    "json": chat("{json: {a: [1, null]}}"),
    "json that is a text": chat("{json: yes}"),
    "deltas": chat("{deltas: [a, b]}"),
    "refusal": chat("{refusal: No.}"),
    "finish reason alone": chat("{finish_reason: length}"),
    "annotations": chat("{content: Hi, annotations: [{type: url_citation}]}"),
    "content beside a null": chat("{content: Hi, json: null, deltas: null}"),
    "tool call": chat("{tool_calls: [{name: f, arguments: {a: 1}}]}"),
    "tool call with broken arguments": chat("{tool_calls: [{name: f, arguments: '{'}]}"),
    "tool call without arguments": chat("{tool_calls: [{name: f, id: call_1, type: function}]}"),
    "custom tool call": chat("{tool_calls: [{name: f, input: x}]}"),
    "custom tool call that says so": chat("{tool_calls: [{name: f, input: x, type: custom}]}"),
    "choices": chat("{choices: [{content: a}, {refusal: b, finish_reason: stop}]}"),
    "an empty choice": chat("{choices: [{}]}"),
    "usage": chat("{content: Hi, usage: {prompt_tokens: 1, completion_tokens: 2, cached_tokens: 1}}"),
    "envelope": chat("{content: Hi, id: x, created: 1, model: m, system_fingerprint: f, service_tier: default}"),
    "error": chat("{error: {status: 429, message: Wait., headers: {retry-after: 2, X-A: b}}}"),
    "error with all fields": chat("{error: {status: 599, message: m, type: t, param: null, code: c}}"),
    "body": chat("{body: {a: 1}}"),
    "body that is null": chat("{body: null, status: 204}"),
    "body with style": chat("{body: [], style: 'indent 2, ascii,newline', status: 299, headers: {a: b}}"),
    "body with an empty style": chat("{body: {}, style: ''}"),
    "stream": chat("{stream: {envelope: {id: c}, events: [{after: 0.1, data: {a: 1}}, {data: '[DONE]'}]}}"),
    "stream with all fields": chat("{stream: {style: 'spaced, ascii', events: [{event: e, data: x}]}, status: 200}"),
    "stream with an odd frame": chat("{stream: {envelope: null, events: [{after: 1, raw: ': hi'}]}}"),
    "raw": chat("{raw: no JSON, status: 502, headers: {content-type: text/html}}"),
    "raw that is no text": chat("{raw: {base64: AP8=}}"),
    "raw that is empty": completion("{raw: ''}"),
    "sequence": chat("[{content: a}, {error: {status: 500, message: m}}, {body: 1}]"),
    "sequence that repeats": chat("[{content: a}]", repeat="cycle"),
    "sequence with an empty repeat": chat("[{content: a}]", repeat="null"),
    "pace": chat("{content: a}", pace="recorded"),
    "pace with a factor": chat("{content: a}", pace="recorded * .5"),
    "pace with a profile": chat("{content: a}", pace="'itl = 20ms, ttft=0,jitter=1.0,load=0.01'"),
    "null pace": chat("{content: a}", pace="null"),
    "fault": chat("{content: a}", fault="'status=429, retry_after=2, times=2'"),
    "fault with a quoted message": chat("{content: a}", fault="'status=500, message=\"Slow, down\"'"),
    "fault of a bare name": chat("{content: a}", fault="reset"),
    "fault as a mapping": chat(
        "{content: a}", fault="{status: 503, retry_after: 0.5, should_retry: true, calls: [3, 5]}"
    ),
    "fault with rate limits": chat("{content: a}", fault="{ratelimit: {requests: 60/1m, tokens: 10000/m}}"),
    "fault with a rate limit in a text": chat("{content: a}", fault="{ratelimit: 'requests:60/1m'}"),
    "fault at a place": chat("{content: a}", fault="{stall: after 3 events, every: 10, times: 2}"),
    "fault within a chunk": chat("{content: a}", fault="{cut: mid-chunk after 2 events, p: 0.25}"),
    "fault without a value": chat("{content: a}", fault="{malformed: true, delay: 300ms, slow: .5ms}"),
    "null fault": chat("{content: a}", fault="null"),
    "name and recorded": chat("{content: a}", name="n", recorded="{at: 2026-11-23}"),
    "null name and endpoint": chat("{content: a}", name="null", endpoint="null"),
    "a model that is a number": document(request="{model: 4.10, messages: []}", response="{content: a}"),
    "a request that the API refuses": document(request="{messages: robot, temperature: hot}", response="{content: a}"),
    "endpoint": chat("{content: a}", endpoint="chat/completions"),
    "endpoint as a path": completion("{content: a}", endpoint="/v1/completions"),
    "endpoint before fields": chat("{content: a}", endpoint="completions"),
    "endpoint without messages": document(request="{}", response="{content: a}", endpoint="chat/completions"),
    "completion": completion("{content: a, finish_reason: length, usage: {prompt_tokens: 1, completion_tokens: 1}}"),
    "completion choices": completion("{choices: [{content: a}, {deltas: [b]}]}"),
    "completion error": completion("{error: {status: 400, message: m}}"),
    "messages before prompt": document(request="{messages: [], prompt: x}", response="{refusal: No.}"),
    "models": document(request="{}", response="{models: [a, b]}", endpoint="models"),
    "vector": embeddings("{embeddings: [0.5, -1, 2e-3]}"),
    "vector of a text": embeddings("{embeddings: a cat}"),
    "vectors": embeddings("{embeddings: [[0.5], a cat], usage: {prompt_tokens: 2}, model: m}"),
    "vectors without usage": embeddings("{embeddings: [a cat, a dog], usage: null}"),
    "match of embeddings": matcher("{endpoint: embeddings, last_user: cat}", "{embeddings: [1.0]}"),
    "flagged": moderation("{flagged: [violence, violence/graphic], scores: {violence: 0.9}}"),
    "nothing flagged": moderation("{flagged: []}"),
    "scores alone": moderation("{scores: {hate: 1, sexual: 0.25}, id: modr-1, model: m}"),
    "results": moderation("{results: [{flagged: [hate]}, {}, {scores: null, flagged: null}]}"),
    "moderation body": moderation("{body: {results: []}}"),
    "match of moderations": matcher("{endpoint: moderations, last_user: bad}", "{flagged: [hate]}"),
    "no models": document(request="{}", response="{}", endpoint="models"),
    "version": chat("{content: a}", version="1"),
    "null version": chat("{content: a}", version="null"),
    "any request": document(request="{body: {input: a}}", response="{body: {}}", endpoint="POST /v1/embeddings"),
    "any request with a query": document(request="{query: {a: b, c: [d]}}", response="{raw: ''}", endpoint="GET /f"),
    "an upload": document(
        request="{form: [{name: a, value: b}, {name: f, filename: g, base64: AP8=}, {name: h, sha256: ab, bytes: 9}]}",
        response="[{error: {status: 400, message: m}}, {body: 1}]",
        endpoint="POST /files",
    ),
    "any bytes": document(request="{raw: {base64: AP8=}}", response="{raw: x}", endpoint="PUT /f"),
    "any stream": document(request="{}", response="{stream: {events: [{data: x}]}}", endpoint="GET /f"),
    "match": matcher("{model: gpt-4*, last_user: hello}"),
    "match on texts": matcher("{last_user: {contains: a}, system: {regex: '(?P<x>b)'}, any_message: {equals: ''}}"),
    "match on the rest": matcher("{has_tool_result: true, turn: 0, json: 'a[0]', header: {X-A: b}, schema: {}}"),
    "match on turns": matcher("{turn: {min: 1, max: null}}"),
    "match on values": matcher("{json: {a.b: null}, schema: true, turn: {max: 2}}"),
    "match on a model that is a number": matcher("{model: 4.10}"),
    "match with nulls": matcher("{model: m, endpoint: null, turn: null, header: null, system: null, json: null}"),
    "match with an endpoint": matcher("{endpoint: /v1/completions, model: m}"),
    "match of models": matcher("{endpoint: models, model: m}", "{models: [m]}"),
    "match of any request": matcher("{endpoint: POST /audio/speech, model: m}", "{raw: x}"),
    "match with a sequence": matcher("{model: m}", "[{content: a}, {content: b}]", name="n", repeat="cycle"),
    "templates": matcher("{last_user: {regex: 'in (?P<city>.+)'}}", "{content: 'It rains in {{ city }}.'}"),
    "images": images(
        "{images: [{}, {seed: cat}, {b64_json: AP8=, revised_prompt: a}, {url: 'http://a/b.png'}], created: 1}"
    ),
    "images of a recording": images("{body: {created: 1, data: []}}"),
    "images in turn": images("[{images: [{}]}, {error: {status: 400, message: m}}]"),
    "image that is sent": edit("{filename: a.png, content_type: image/png, base64: AP8=}"),
    "images that are sent": edit("[{sha256: ab, bytes: 5000}, {value: a}, no file]"),
    "match of images": matcher("{endpoint: images/generations, model: m}", "{images: [{}]}"),
    "speech": speech("{seconds: 1.5}"),
    "speech that is given": speech("{audio: AP8=, seconds: null}"),
    "speech of a recording": speech("{raw: {base64: AP8=}, headers: {content-type: audio/mpeg}}"),
    "transcript": transcript("{content: a, language: de, seconds: 3}"),
    "transcript in segments": transcript("[{segments: [{start: 0, end: 1.5, text: a, speaker: B}]}, {content: ''}]"),
    "transcript of a text": transcript("{raw: a}", file="a text"),
    "translation": transcript("{content: a}", endpoint="/v1/audio/translations"),
    "match of transcriptions": matcher("{endpoint: audio/transcriptions, model: m}", "{content: a}"),
    "response": responds("{content: a, usage: {prompt_tokens: 1, completion_tokens: 1}}"),
    "response with all fields": responds(
        "{json: {a: 1}, reasoning: [a, b], items: [{type: web_search_call, action: {}}], service_tier: flex, id: x}"
    ),
    "response that calls": responds("{reasoning: '', tool_calls: [{name: f, input: x}]}", "/v1/responses"),
    "response of items alone": responds("{items: [{type: computer_call}]}"),
    "response of thoughts alone": responds("{reasoning: a, finish_reason: length}"),
    "response as a body": responds("[{body: {output: []}}, {error: {status: 500, message: m}}]"),
    "compaction": responds("{usage: {prompt_tokens: 1, completion_tokens: 2}}", "responses/compact"),
    "empty compaction": responds("{}", "responses/compact"),
    "count of tokens": responds("{input_tokens: 3}", "responses/input_tokens"),
    "match of responses": matcher("{endpoint: responses, model: m}", "{reasoning: a, content: b}"),
    "models body": document(request="{}", response="{body: {data: []}}", endpoint="models"),
}

BAD = {
    "a list": "[]",
    "nothing": "null",
    "no response": document(request=CHAT),
    "no request": document(response="{content: a}"),
    "null request": document(request="null", response="{content: a}"),
    "request that is a list": document(request="[]", response="{content: a}"),
    "unknown field": chat("{content: a}", nmae="x"),
    "name that is a number": chat("{content: a}", name="1"),
    "neither messages nor prompt": document(request="{model: m}", response="{content: a}"),
    "unknown endpoint": chat("{content: a}", endpoint="embeddings"),
    "endpoint that is a list": chat("{content: a}", endpoint="[]"),
    "null response": chat("null"),
    "text response": chat("Hi"),
    "empty response": chat("{}"),
    "only an envelope": chat("{id: x}"),
    "unknown field of the response": chat("{contents: a}"),
    "empty sequence": chat("[]"),
    "null in a sequence": chat("[{content: a}, null]"),
    "sequence in a sequence": chat("[[{content: a}]]"),
    "repeat without a list": chat("{content: a}", repeat="last"),
    "null repeat without a list": chat("{content: a}", repeat="null"),
    "unknown repeat": chat("[{content: a}]", repeat="forever"),
    "pace that is a number": chat("{content: a}", pace="2"),
    "unknown pace": chat("{content: a}", pace="fast"),
    "pace without a unit": chat("{content: a}", pace="ttft=300"),
    "pace with a member twice": chat("{content: a}", pace="'itl=1ms,itl=2ms'"),
    "pace that waits for nothing": chat("{content: a}", pace="jitter=0.2"),
    "pace with too much jitter": chat("{content: a}", pace="'itl=1ms,jitter=1.1'"),
    "pace with half a factor": chat("{content: a}", pace="recorded*"),
    "unknown fault": chat("{content: a}", fault="explode"),
    "fault that is a number": chat("{content: a}", fault="429"),
    "fault that is empty": chat("{content: a}", fault="''"),
    "fault that does nothing": chat("{content: a}", fault="p=0.2"),
    "unknown member of a fault": chat("{content: a}", fault="{state: 429}"),
    "fault of an empty mapping": chat("{content: a}", fault="{}"),
    "fault that is a success": chat("{content: a}", fault="{status: 200}"),
    "fault spoiled twice": chat("{content: a}", fault="{stall: true, cut: true}"),
    "fault with a retry of nothing": chat("{content: a}", fault="{retry_after: 2, cut: true}"),
    "fault with an error in an error": chat("{content: a}", fault="{status: 500, error_event: true}"),
    "fault that is never due": chat("{content: a}", fault="{status: 500, p: 0}"),
    "fault of no calls": chat("{content: a}", fault="{status: 500, calls: []}"),
    "fault of call 0": chat("{content: a}", fault="{status: 500, calls: [0]}"),
    "fault with two schedules": chat("{content: a}", fault="{status: 500, calls: [1], every: 2}"),
    "fault without a unit": chat("{content: a}", fault="{delay: 2}"),
    "fault at no place": chat("{content: a}", fault="{cut: later}"),
    "fault with a limit beside": chat("{content: a}", fault="{ratelimit: {requests: 1/s}, delay: 1s}"),
    "fault with an unknown limit": chat("{content: a}", fault="{ratelimit: {words: 1/s}}"),
    "content that is a number": chat("{content: 1}"),
    "text twice": chat("{content: a, json: {}}"),
    "text thrice": chat("{content: a, json: {}, deltas: [a]}"),
    "json and deltas": chat("{json: {}, deltas: [a]}"),
    "deltas that are no texts": chat("{deltas: [1]}"),
    "deltas that are a text": chat("{deltas: a}"),
    "choices beside content": chat("{content: a, choices: [{content: b}]}"),
    "no choices": chat("{choices: []}"),
    "null choices": chat("{choices: null}"),
    "unknown field of a choice": chat("{choices: [{text: a}]}"),
    "usage in a choice": chat("{choices: [{content: a, usage: {prompt_tokens: 1, completion_tokens: 1}}]}"),
    "text twice in a choice": chat("{choices: [{content: a, deltas: [a]}]}"),
    "annotations that are texts": chat("{content: a, annotations: [b]}"),
    "tool call without name": chat("{tool_calls: [{arguments: {}}]}"),
    "tool call with arguments in a list": chat("{tool_calls: [{name: f, arguments: []}]}"),
    "tool call with an unknown type": chat("{tool_calls: [{name: f, type: tool}]}"),
    "tool call with an unknown field": chat("{tool_calls: [{name: f, args: {}}]}"),
    "custom tool call without input": chat("{tool_calls: [{name: f, type: custom}]}"),
    "custom tool call with a mapping": chat("{tool_calls: [{name: f, input: {a: 1}}]}"),
    "null usage": chat("{content: a, usage: null}"),
    "half of the usage": chat("{content: a, usage: {prompt_tokens: 1}}"),
    "unknown usage": chat("{content: a, usage: {prompt_tokens: 1, completion_tokens: 1, total_tokens: 2}}"),
    "usage that is true": chat("{content: a, usage: {prompt_tokens: true, completion_tokens: 1}}"),
    "created that is a text": chat("{content: a, created: today}"),
    "error that is a text": chat("{error: Wait.}"),
    "error without status": chat("{error: {message: m}}"),
    "error without message": chat("{error: {status: 400}}"),
    "error that is a success": chat("{error: {status: 200, message: m}}"),
    "error beside content": chat("{error: {status: 400, message: m}, content: a}"),
    "unknown field of an error": chat("{error: {status: 400, message: m, retry: 2}}"),
    "body beside content": chat("{body: {}, content: a}"),
    "body with an odd status": chat("{body: {}, status: 100}"),
    "body beside a stream": chat("{body: {}, stream: {events: [{data: x}]}}"),
    "stream without events": chat("{stream: {events: []}}"),
    "stream that is a list": chat("{stream: [{data: x}]}"),
    "stream with an indented style": chat("{stream: {style: indent 2, events: [{data: x}]}}"),
    "stream with an unknown field": chat("{stream: {events: [{data: x}], pace: 1}}"),
    "event without data": chat("{stream: {events: [{after: 1}]}}"),
    "event of two lines": chat('{stream: {events: [{data: "a\\nb"}]}}'),
    "event that ends its line": chat('{stream: {events: [{event: "a\\n", data: b}]}}'),
    "event before the one before it": chat("{stream: {events: [{after: -1, data: x}]}}"),
    "event after nothing": chat("{stream: {events: [{after: null, data: x}]}}"),
    "event raw and named": chat("{stream: {events: [{raw: x, event: e}]}}"),
    "raw that is a number": chat("{raw: 1}"),
    "raw in no base64": chat("{raw: {base64: 'A'}}"),
    "raw in base64 and text": chat("{raw: {base64: '', text: ''}}"),
    "raw with a style": chat("{raw: x, style: spaced}"),
    "style that is unknown": chat("{body: {}, style: pretty}"),
    "two styles": chat("{body: {}, style: 'compact, spaced'}"),
    "header of the framing": chat("{body: {}, headers: {Content-Length: 1}}"),
    "header with a space": chat("{body: {}, headers: {a b: c}}"),
    "header of hyphens": chat("{body: {}, headers: {'-': c}}"),
    "header of two lines": chat('{body: {}, headers: {a: "b\\nc"}}'),
    "header that ends its line": chat('{body: {}, headers: {a: "b\\n"}}'),
    "header beyond ASCII": chat("{body: {}, headers: {a: é}}"),
    "header that is true": chat("{body: {}, headers: {a: true}}"),
    "tool calls of a completion": completion("{tool_calls: [{name: f}]}"),
    "refusal of a completion": completion("{refusal: No.}"),
    "refusal in a choice of a completion": completion("{choices: [{refusal: No.}]}"),
    "content of models": document(request="{}", response="{content: a}", endpoint="models"),
    "content of embeddings": embeddings("{content: a}"),
    "no vectors": embeddings("{embeddings: []}"),
    "vectors missing": embeddings("{model: m}"),
    "vector that is empty": embeddings("{embeddings: [[]]}"),
    "vector of an empty text": embeddings("{embeddings: ''}"),
    "vector with a text among its numbers": embeddings("{embeddings: [0.5, a]}"),
    "vector with true among its numbers": embeddings("{embeddings: [0.5, true]}"),
    "vector with a number beyond a float": embeddings("{embeddings: [1.0e+39]}"),
    "vectors with a number among them": embeddings("{embeddings: [[0.5], 0.5]}"),
    "vectors with other usage": embeddings("{embeddings: a, usage: {prompt_tokens: 1, completion_tokens: 1}}"),
    "embeddings of a chat": chat("{embeddings: a}"),
    "no verdict": moderation("{model: m}"),
    "no results": moderation("{results: []}"),
    "results beside flagged": moderation("{results: [{}], flagged: []}"),
    "results that are no mappings": moderation("{results: [hate]}"),
    "flagged true": moderation("{flagged: true}"),
    "another category": moderation("{flagged: [rudeness]}"),
    "a score of another category": moderation("{scores: {rudeness: 0.5}}"),
    "a score beyond one": moderation("{scores: {hate: 1.5}}"),
    "a score that is a text": moderation("{results: [{scores: {hate: high}}]}"),
    "a score that is true": moderation("{scores: {hate: true}}"),
    "models that are no texts": document(request="{}", response="{models: [1]}", endpoint="models"),
    "a newer version": chat("{content: a}", version="2"),
    "a version that never was": chat("{content: a}", version="0"),
    "a version that is a text": chat("{content: a}", version="'1'"),
    "a method and no path": document(request="{}", response="{raw: ''}", endpoint="GET files"),
    "a path and no method": document(request="{}", response="{raw: ''}", endpoint="/files"),
    "a method in lower case": document(request="{}", response="{raw: ''}", endpoint="get /files"),
    "short form of any request": document(request="{}", response="{content: a}", endpoint="GET /files"),
    "fields of any request": document(request="{input: a}", response="{raw: ''}", endpoint="POST /embeddings"),
    "two bodies of any request": document(request="{body: 1, raw: a}", response="{raw: ''}", endpoint="POST /a"),
    "a query with a number": document(request="{query: {limit: 2}}", response="{raw: ''}", endpoint="GET /files"),
    "a part without a value": document(request="{form: [{name: a}]}", response="{raw: ''}", endpoint="POST /a"),
    "a part with two values": document(
        request="{form: [{name: a, value: b, base64: AP8=}]}", response="{raw: ''}", endpoint="POST /a"
    ),
    "bytes that are no base64": document(request="{raw: {base64: A}}", response="{raw: ''}", endpoint="POST /a"),
    "match beside request": chat("{content: a}", match="{model: m}"),
    "match beside recorded": matcher("{model: m}", recorded="{at: 2026-11-23}"),
    "match beside endpoint": matcher("{model: m}", endpoint="completions"),
    "null match": matcher("null"),
    "match that is a list": matcher("[]"),
    "match without a condition": matcher("{endpoint: completions}"),
    "match with null conditions": matcher("{model: null, turn: null}"),
    "unknown condition": matcher("{first_user: a}"),
    "match of an unknown endpoint": matcher("{endpoint: embeddings, model: m}"),
    "model in a list": matcher("{model: [m]}"),
    "text that is a number": matcher("{last_user: 1}"),
    "unknown test of a text": matcher("{last_user: {starts: a}}"),
    "two tests of a text": matcher("{last_user: {equals: a, contains: a}}"),
    "no test of a text": matcher("{last_user: {}}"),
    "null test of a text": matcher("{last_user: {equals: null}}"),
    "contains nothing": matcher("{last_user: {contains: ''}}"),
    "has_tool_result that is a text": matcher("{has_tool_result: maybe}"),
    "turn below zero": matcher("{turn: -1}"),
    "turn that is true": matcher("{turn: true}"),
    "no turns": matcher("{turn: {}}"),
    "null turns": matcher("{turn: {min: null}}"),
    "unknown turns": matcher("{turn: {least: 1}}"),
    "json in a list": matcher("{json: [a]}"),
    "no json": matcher("{json: {}}"),
    "header that is a text": matcher("{header: a}"),
    "null header": matcher("{header: {a: null}}"),
    "schema that is a text": matcher("{schema: a}"),
    "tool calls of a matched completion": matcher("{endpoint: completions, model: m}", "{tool_calls: [{name: f}]}"),
    "content of any request": matcher("{endpoint: POST /audio/speech, model: m}"),
    "choices of a response": responds("{choices: [{content: a}]}"),
    "fingerprint of a response": responds("{content: a, system_fingerprint: f}"),
    "empty response of the Responses API": responds("{}"),
    "thoughts that are a number": responds("{content: a, reasoning: 1}"),
    "thoughts that are numbers": responds("{content: a, reasoning: [1]}"),
    "item without a type": responds("{content: a, items: [{action: {}}]}"),
    "items that are texts": responds("{content: a, items: [b]}"),
    "reasoning of a chat": chat("{content: a, reasoning: b}"),
    "tool calls of a compaction": responds("{tool_calls: [{name: f}]}", "responses/compact"),
    "no count of tokens": responds("{}", "responses/input_tokens"),
    "count that is a text": responds("{input_tokens: many}", "responses/input_tokens"),
    "input without an endpoint": document(request="{model: m, input: x}", response="{content: a}"),
    "models of a chat": chat("{models: [a]}"),
    "speech without an end": speech("{}"),
    "speech given twice": speech("{seconds: 1, audio: AP8=}"),
    "speech of no length": speech("{seconds: 0}"),
    "speech of a long time": speech("{seconds: 86401}"),
    "speech in no base64": speech("{audio: A}"),
    "content of speech": speech("{content: a}"),
    "a transcript of nothing": transcript("{language: de}"),
    "a transcript without segments": transcript("{segments: []}"),
    "a segment without its end": transcript("{segments: [{start: 0, text: a}]}"),
    "a segment before the start": transcript("{segments: [{start: -1, end: 1, text: a}]}"),
    "a segment with an unknown field": transcript("{segments: [{start: 0, end: 1, text: a, word: b}]}"),
    "a transcript of half a file": transcript("{content: a}", file="{filename: a.wav}"),
    "no images": images("{images: []}"),
    "content of images": images("{content: a}"),
    "an image given twice": images("{images: [{seed: a, url: b}]}"),
    "an image with a path for a seed": images("{images: [{seed: a/b}]}"),
    "an image in no base64": images("{images: [{b64_json: A}]}"),
    "an unknown field of an image": images("{images: [{path: a.png}]}"),
    "a file with nothing in it": edit("{filename: a.png}"),
    "a file with two contents": edit("{value: a, sha256: b}"),
    "a file with an unknown field": edit("{value: a, size: 1}"),
    "a file that is a number": edit("1"),
    "models for images": matcher("{endpoint: images/generations, model: m}", "{models: [a]}"),
}


def reader_takes(text: str) -> bool:
    try:
        return len(list(read_cassette("a.yaml", text.encode()))) == 1
    except CassetteError:
        return False


def schema_takes(text: str) -> bool:
    (found,) = documents(text.encode())
    return VALIDATOR.is_valid(found.value)


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", CASSETTES, ids=lambda path: path.name)
def test_every_checked_in_cassette_is_valid(path: Path) -> None:
    for found in documents(path.read_bytes()):
        VALIDATOR.validate(found.value)


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_both_take_a_sound_document(text: str) -> None:
    assert (schema_takes(text), reader_takes(text)) == (True, True)


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_both_refuse_a_broken_document(text: str) -> None:
    assert (schema_takes(text), reader_takes(text)) == (False, False)


def test_the_schema_has_the_fields_of_the_reader() -> None:
    kinds = SCHEMA["$defs"]

    assert set(SCHEMA["properties"]) == set(DOCUMENT_FIELDS)
    assert set(kinds["match"]["properties"]) == set(MATCH_FIELDS)
    assert set(kinds["text-test"]["anyOf"][1]["properties"]) == set(TEXT_TESTS)
    assert set(kinds["fault"]["properties"]) == set(MEMBERS)
    assert set(kinds["error-response"]["properties"]["error"]["properties"]) == set(ERROR_FIELDS)
    assert set(kinds["body-response"]["properties"]) == set(BODY_FIELDS)
    assert set(kinds["raw-response"]["properties"]) == set(RAW_FIELDS)
    assert set(kinds["stream-response"]["properties"]) == set(STREAM_RESPONSE_FIELDS)
    assert set(kinds["stream-response"]["properties"]["stream"]["properties"]) == set(STREAM_FIELDS)
    assert set(kinds["event"]["then"]["properties"]) == set(RAW_EVENT_FIELDS)
    assert set(kinds["event"]["else"]["properties"]) == set(EVENT_FIELDS)
    assert set(kinds["http-request"]["properties"]) == set(HTTP_FIELDS)
    assert set(kinds["http-request"]["properties"]["form"]["items"]["properties"]) == set(PART_FIELDS)
    assert set(kinds["embeddings-short-form"]["properties"]) == set(VECTORS_FIELDS)
    assert set(kinds["moderations-short-form"]["properties"]) == set(VERDICTS_FIELDS)
    assert kinds["category"]["enum"] == list(CATEGORIES)
    assert set(kinds["chat-short-form"]["properties"]) == {*CHOICE_FIELDS, *REPLY_FIELDS, "choices"}
    assert set(kinds["chat-short-form"]["properties"]["choices"]["items"]["properties"]) == set(CHOICE_FIELDS)
    assert set(kinds["responses-short-form"]["properties"]) == set(SHORT_FIELDS)


def test_the_schema_has_the_endpoints_of_the_route_table() -> None:
    named = [words for kind, words in SCHEMA["$defs"].items() if kind.endswith("-endpoint")]

    assert {words["enum"][0] for words in named if "enum" in words} == set(ENDPOINTS)
