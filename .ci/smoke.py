"""Ask a server that was started as the README says, with the client that people use."""

import sys
import time
from pathlib import Path

import openai

LOG = Path(sys.argv[1])
LONGEST_START = 300.0


def base_url() -> str:
    deadline = time.monotonic() + LONGEST_START
    while time.monotonic() < deadline:
        for line in LOG.read_text().splitlines():
            if line.startswith("replay-server ") and " on http://" in line:
                return line.split(" on ")[1].split(" ")[0]
        time.sleep(0.2)
    raise SystemExit(f"the server did not start:\n{LOG.read_text()}")


with openai.OpenAI(base_url=base_url(), api_key="any") as client:
    messages = [{"role": "user", "content": "Say hello."}]
    answer = client.chat.completions.create(model="gpt-4o-mini", messages=messages)
    assert answer.choices[0].message.content == "Hello! How can I help you today?", answer
    stream = client.chat.completions.create(model="gpt-4o-mini", messages=messages, stream=True)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
    assert text == answer.choices[0].message.content, text
    completion = client.completions.create(model="gpt-3.5-turbo-instruct", prompt="Something no cassette has")
    assert completion.choices[0].text, completion
print(f"{client.base_url} answers the openai client {openai.__version__}")
