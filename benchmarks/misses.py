"""Strict misses: milliseconds to explain one, by the number of interactions, in process.

python benchmarks/misses.py [--interactions 1000 --interactions 100000] [--rounds N] [--tree DIR]

Each request is one that no interaction answers: the prompt of one of them with another word in it. The interactions
share model and system prompt, as those of one application do. Checked: that the message names the interaction whose
prompt it was. Printed: the median in milliseconds, what the first miss costs (it makes the
index), and the ratio to the first tree.
"""

import argparse
import statistics
import subprocess
import sys
from pathlib import Path

from harness import TREE, arguments, ratios, spread, start_process

SIZES = (1_000, 10_000, 100_000)
MISSES = 20

# Run with the modules of the tree that is measured; so it uses only what every tree has.
PROGRAM = """
import gc, logging, sys, time
sys.path.insert(0, {here!r})
logging.disable()
import orjson
from library import request_body
from replay_server.cassettes.library import Library
from replay_server.endpoints.table import resource_named
from replay_server.interaction import Choice, Interaction, TextReply
from replay_server.replay import miss as module

def interaction(number):
    request = orjson.loads(request_body(number, ""))
    del request["user"]
    return Interaction(
        cassette=f"{{number:06d}}.yaml", place=1, line=1, endpoint="chat/completions", request=request,
        responses=(TextReply(choices=(Choice(content="x"),)),),
    )

library = Library("cassettes", map(interaction, range({size})))
resource = resource_named("chat/completions")
gc.freeze()  # as a server does

def explain(number):
    body = orjson.loads(request_body(number, "").replace(b"of your list", b"of that list"))
    asked = library.key(resource, resource.from_cassette(body))
    began = time.perf_counter()
    found = library.find(asked)
    extra = [{{}}, set()][: module.miss.__code__.co_argcount - 4]
    text = str(module.miss(library, asked, found, "record it", *extra))
    return time.perf_counter() - began, f"nearest: {{number:06d}}.yaml#1" in text

first = explain(1)
found = [explain(number) for number in range(2, {size}, {size} // {misses})]
print(first[0] * 1e3, sum(took for took, _ in found) / len(found) * 1e3, sum(right for _, right in found), len(found))
"""


def measure(tree: Path, size: int) -> tuple[float, float, str]:
    """Milliseconds of the first miss and of one of the later ones, and how many named the right interaction."""
    program = PROGRAM.format(here=str(Path(__file__).parent), size=size, misses=MISSES)
    process = start_process(["-c", program], tree, stderr=subprocess.PIPE)
    out, err = process.communicate()
    if process.returncode:
        raise SystemExit(f"{tree}: {err}")
    first, later, right, of = out.split()
    return float(first), float(later), f"{right} of {of}"


def contest(size: int, options: argparse.Namespace) -> None:
    """Interleaved rounds of all trees at one size."""
    later: dict[Path, list[float]] = {tree: [] for tree in options.tree}
    firsts: dict[Path, list[float]] = {tree: [] for tree in options.tree}
    right = {}
    for _ in range(options.rounds):
        for tree in options.tree:
            first, each, right[tree] = measure(tree, size)
            later[tree].append(each)
            firsts[tree].append(first)
    print(f"\nstrict misses, {size:,} interactions")
    for tree in options.tree:
        ratio = spread(ratios(later[tree], later[options.tree[0]]))
        print(f"  {tree}: {statistics.median(later[tree]):.2f} ms, the first {statistics.median(firsts[tree]):.0f} ms")
        print(f"    {right[tree]} name the nearest; x the first tree: {ratio}")
        sys.stdout.flush()


def main() -> None:
    parser = arguments(__doc__, rounds=3)
    parser.add_argument("--interactions", type=int, action="append", help="size of the library; repeatable")
    options = parser.parse_args()
    options.tree = [tree.resolve() for tree in options.tree or [TREE]]
    for size in options.interactions or SIZES:
        contest(size, options)


if __name__ == "__main__":
    main()
