"""The `openai` client, for tests that start a server of their own."""

import openai

from replay_server.server.run import RunningServer


def strict_client(server: RunningServer) -> openai.AsyncOpenAI:
    """A client that tries once, and refuses an answer that is not of the API's own form."""
    url = f"{server.url}/v1"
    return openai.AsyncOpenAI(base_url=url, api_key="any", max_retries=0, _strict_response_validation=True)
