"""What matchers add to a miss: `python benchmarks/matchers.py [MATCHERS]`, by default 10,000.

No HTTP: the time of asking a library for a matcher, of requests that none answers, each with words of its own. The
matchers are of a model, an equal text, a text within the text and a pattern, a quarter each; then all are of one kind.
"""

import gc
import random
import sys
import time
from collections.abc import Callable, Iterator

from replay_server.cassettes.library import Library
from replay_server.cassettes.matching import Keyed
from replay_server.conditions import Conditions, TextTest
from replay_server.endpoints.table import resource_named
from replay_server.interaction import Choice, Interaction, Json, TextReply

REQUESTS = 2_000
SIZES = {"a short prompt": 30, "a long prompt": 600}
_WORDS = [
    f"{start}{end}"
    for start in ["wea", "boo", "tra", "sho", "cit", "pla", "gre", "num"]
    for end in ["ther", "king", "ling", "y", "ce", "at", "ber"]
]


def _words(chance: random.Random, count: int) -> str:
    return " ".join(chance.choice(_WORDS) for _ in range(count))


Kind = Callable[[random.Random, int], Conditions]
KINDS: dict[str, Kind] = {
    "model": lambda chance, number: Conditions(model=f"gpt-{number}-*"),
    "equals": lambda chance, number: Conditions(last_user=TextTest("equals", f"{_words(chance, 6)} {number}")),
    "contains": lambda chance, number: Conditions(last_user=TextTest("contains", f"{_words(chance, 2)} {number}.")),
    "regex": lambda chance, number: Conditions(
        last_user=TextTest(
            "regex", rf"{chance.choice(_WORDS)}[ ,]+(?P<what>[a-z]+) (?:{number}|{_words(chance, 1)}{number})\b"
        )
    ),
}


def interactions(kinds: list[Kind], count: int) -> Iterator[Interaction]:
    """So many matchers, of these kinds in turn."""
    chance = random.Random(1)
    for number in range(count):
        yield Interaction(
            cassette="matchers.yaml",
            place=number + 1,
            line=1,
            endpoint="chat/completions",
            request={},
            responses=(TextReply(choices=(Choice(content="a"),)),),
            conditions=kinds[number % len(kinds)](chance, number),
        )


def requests(library: Library, words: int) -> list[Keyed]:
    """Requests that no matcher answers."""
    chance, chat = random.Random(2), resource_named("chat/completions")
    bodies: Iterator[dict[str, Json]] = (
        {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": f"{_words(chance, words)} {number}x"}]}
        for number in range(REQUESTS)
    )
    return [library.key(chat, chat.from_cassette(body)) for body in bodies]


def measure(name: str, kinds: list[Kind], count: int) -> None:
    started = time.perf_counter()
    library = Library("benchmark", interactions(kinds, count))
    built = time.perf_counter() - started
    for size, words in SIZES.items():
        asked = requests(library, words)
        took = sorted(_time(library, each) for each in asked)
        first = f"p50 {took[len(took) // 2]:6.1f} us  p99 {took[len(took) * 99 // 100]:6.1f} us  max {took[-1]:7.1f} us"
        print(f"{name:10} {size:15} mean {sum(took) / len(took):6.1f} us  {first}  (index {built * 1000:.0f} ms)")


def _time(library: Library, asked: Keyed) -> float:
    started = time.perf_counter()
    found = library.match(asked, {})
    took = time.perf_counter() - started
    if found is not None:
        raise SystemExit(f"answered by {found.interaction.id}: this measures misses")
    return took * 1_000_000


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    gc.freeze()
    print(f"{count:,} matchers, {REQUESTS:,} requests that none answers")
    measure("mixed", list(KINDS.values()), count)
    for name, kind in KINDS.items():
        measure(name, [kind], count)
    measure("none", [], 0)


if __name__ == "__main__":
    main()
