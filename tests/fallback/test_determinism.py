import os
import subprocess
import sys

SCRIPT = """
import hashlib
from replay_server.fallback import Generator
from replay_server.interaction import Prompt, TextWanted, Tool

person = {"type": "object", "properties": {
    "name": {"type": "string"}, "born": {"type": "string", "format": "date"},
    "code": {"type": "string", "pattern": "^[A-Z]{3}-\\\\d+$"},
    "tags": {"type": "array", "uniqueItems": True, "items": {"enum": ["a", "b", "c"]}}, "score": {"type": "number"},
    "scores": {"type": "object", "additionalProperties": {"type": "integer"}}}}
tool = Tool(name="find_person", description="Find a person in the register", parameters=person)
prompt = Prompt(text="Find the person called Ada Lovelace in the London register of 1843", context=("Be brief.",))
seen = hashlib.sha256()
several = {"n": 3, "logprobs": 5, "stream": True}
for options in ({}, several, {"schema": person}, {"tools": (tool,)}, {"json_object": True}):
    for seed in (None, 7):
        seen.update(repr(Generator().generate(TextWanted(prompts=(prompt,), seed=seed, **options), "ab" * 32)).encode())
print(seen.hexdigest())
"""


def test_every_process_says_the_same() -> None:
    digests = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for hash_seed in ("0", "1", "4242")
    }

    assert len(digests) == 1
