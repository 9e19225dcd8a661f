"""OpenAI's own API as its description has it: `openai-all.json.xz` is all of it, less its prose.

It is made by `tools/openapi_pack.py`, and unpacked and read in some 40 ms.
"""

import lzma
from importlib.resources import files

import orjson

from replay_server.endpoints.described.answering import DescribedApi
from replay_server.endpoints.described.api import Api
from replay_server.endpoints.live import CORRECTIONS


def described_openai() -> DescribedApi:
    """The API, with what is known of the live one."""
    packed = files("replay_server.endpoints.described").joinpath("openai-all.json.xz").read_bytes()
    return DescribedApi(Api(orjson.loads(lzma.decompress(packed)), "openai", corrections=CORRECTIONS, closed=True))
