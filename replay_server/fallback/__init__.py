"""The deterministic generator: what answers a request that no cassette knows. It knows no endpoint and does no I/O."""

from replay_server.fallback.generator import Generator
from replay_server.fallback.tokens import count, prompt_tokens, split

__all__ = ["Generator", "count", "prompt_tokens", "split"]
