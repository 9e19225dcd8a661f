"""Generated answers: 200 tokens against ref, and the CPU that 1,000 tokens take in process.

python benchmarks/generate.py [--tokens 200] [--rounds N] [--tree DIR]

No cassette is there; 1,500 prompts in turn, more than any cache of the generator remembers, and no body ever the same.
Every generated answer is compared with the first one to its prompt, which must have the tokens that were asked for.
ref hands out one of them. Goals: at least 0.3 x ref; at most 2 ms of CPU for 1,000 tokens.
"""

import asyncio
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import orjson
from client import Answer
from harness import Traffic, arguments, contest, name_of, parse, run, start_process

GOAL = 0.3
CPU_GOAL = 2.0
PROMPTS = 1500


def request_body(number: int, user: str, tokens: int) -> bytes:
    content = f"Explain in {tokens} words how lighthouse number {number} was built, and who keeps its lamp burning."
    messages = [{"role": "user", "content": content}]
    return orjson.dumps({"model": "gpt-4o-mini", "messages": messages, "max_tokens": tokens, "user": user})


def traffic(tokens: int) -> Traffic:
    def has_its_tokens(_number: int, answer: Answer) -> bool:
        body = orjson.loads(answer.body)
        return (
            answer.headers["x-replay-source"] == "generated"
            and body["usage"]["completion_tokens"] == tokens
            and body["choices"][0]["finish_reason"] == "length"
        )

    return Traffic(range(PROMPTS), lambda number, user: request_body(number, user, tokens), has_its_tokens)


_IN_PROCESS = """
import time
from replay_server.fallback import Generator
from replay_server.interaction import Prompt, TextWanted
generator = Generator()
for number in range(220):
    text = f"Explain in 1000 words how lighthouse number {number} was built, and who keeps its lamp burning."
    wanted = TextWanted(prompts=(Prompt(text=text),), max_tokens=1000)
    started = time.process_time_ns()
    reply = generator.generate(wanted, f"{number:064x}")
    spent = time.process_time_ns() - started
    assert reply.usage.completion_tokens == 1000, reply.usage
    if number >= 20:
        print(spent / 1e6)
"""


def in_process(tree: Path) -> list[float]:
    """Milliseconds of CPU for 1,000 tokens, once for each prompt."""
    process = start_process(["-c", _IN_PROCESS], tree)
    output = process.communicate(timeout=120)[0]
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, sys.executable)
    return [float(line) for line in output.split()]


def main() -> None:
    parser = arguments(__doc__, rounds=15)
    parser.add_argument("--tokens", type=int, default=200, help="tokens of an answer (default 200)")
    options = parse(parser)
    with tempfile.TemporaryDirectory() as folder:
        cassettes = Path(folder, "cassettes")
        cassettes.mkdir()
        title = f"generated answers of {options.tokens} tokens"
        asyncio.run(contest(title, cassettes, traffic(options.tokens), GOAL, Path(folder), options))
    for tree in options.tree:
        low, middle, high = statistics.quantiles(in_process(tree), n=4)
        reached = "reached" if middle <= CPU_GOAL else "MISSED"
        print(f"  {name_of(tree):24} 1,000 tokens in process: {middle:.2f} ms of CPU ({low:.2f} - {high:.2f})", end="")
        print(f"  goal <= {CPU_GOAL}: {reached}")


if __name__ == "__main__":
    run(main)
