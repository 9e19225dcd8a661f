"""OpenAI's own API as its description has it: `openai-all.json.xz` is all of it, less its prose.

It is made by `tools/openapi_pack.py`, and unpacked and read in some 40 ms.
"""

import lzma
from importlib.resources import files
from typing import Any

import orjson

from replay_server.endpoints.described.answering import DescribedApi
from replay_server.endpoints.described.api import Api
from replay_server.endpoints.live import CORRECTIONS

_RUN = "/evals/{eval_id}/runs/{run_id}"


def described_openai() -> DescribedApi:
    """The API, with what is known of the live one."""
    packed = files("replay_server.endpoints.described").joinpath("openai-all.json.xz").read_bytes()
    document: dict[str, Any] = orjson.loads(lzma.decompress(packed))
    # The client libraries cancel a run here, though the description has no such path.
    document["paths"][f"{_RUN}/cancel"] = {"post": document["paths"][_RUN]["post"]}
    return DescribedApi(Api(document, "openai", corrections=CORRECTIONS, closed=True))
