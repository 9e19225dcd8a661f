"""Hits: requests a second of replay-server against ref, no request body ever the same as another.

python benchmarks/hits.py [--interactions 10 --interactions 1000] [--form written|recorded] [--rounds N] [--tree DIR]

Each request has a `user` of its own and asks for the next interaction in turn, so that nothing can be answered from a
memo of whole requests. `--form recorded` replays a recorded body (and `user` counts as drift); `written` renders a
hand-written answer. Interactions, up to 100,000, are generated in a temporary directory; of more than 2,000, that many
are asked for, spread over the library. Goal: at least 0.5 x ref.
"""

import asyncio
import tempfile
from pathlib import Path

import orjson
from client import Answer
from harness import Traffic, arguments, contest, parse, run
from library import RECORDED, WRITTEN, Form, request_body, write

GOAL = 0.5
FORMS = {"written": WRITTEN, "recorded": RECORDED}
MOST_ASKED = 2000


def traffic(form: Form, interactions: int) -> Traffic:
    step = -(-interactions // MOST_ASKED)

    def says_its_text(number: int, answer: Answer) -> bool:
        message = orjson.loads(answer.body)["choices"][0]["message"]
        return answer.headers["x-replay-source"] == "cassette" and message["content"] == form.text(number)

    return Traffic(range(0, interactions, step), request_body, says_its_text)


def main() -> None:
    parser = arguments(__doc__, rounds=15)
    parser.add_argument("--interactions", type=int, action="append", help="size of the library; repeatable")
    parser.add_argument("--form", choices=FORMS, action="append", help="how its answers are written; repeatable")
    options = parse(parser)
    for interactions in options.interactions or [10, 1000]:
        for name in options.form or FORMS:
            form = FORMS[name]
            with tempfile.TemporaryDirectory() as folder:
                cassettes = Path(folder, "cassettes")
                cassettes.mkdir()
                write(cassettes, form, interactions)
                title = f"hits, {interactions:,} interactions, {form.name}"
                asyncio.run(contest(title, cassettes, traffic(form, interactions), GOAL, Path(folder), options))


if __name__ == "__main__":
    run(main)
