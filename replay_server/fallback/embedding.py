"""Vectors for prompts, and completing those that a hand-written reply names by their text."""

from dataclasses import replace

from replay_server.fallback.tokens import Count, count, prompt_tokens
from replay_server.fallback.vectors import prompt_vector, text_vector
from replay_server.interaction import Vector, VectorsReply, VectorsWanted


def vectors_reply(wanted: VectorsWanted, tokens_of: Count = count) -> VectorsReply:
    """Make up a reply. The vector of a text is the same whatever is asked beside it."""
    vectors = tuple(Vector(prompt_vector(prompt, wanted.dimensions), prompt.text or None) for prompt in wanted.prompts)
    return VectorsReply(vectors=vectors, prompt_tokens=_tokens(wanted, tokens_of))


def complete_vectors(wanted: VectorsWanted, reply: VectorsReply, tokens_of: Count = count) -> VectorsReply:
    """The reply with nothing changed that its author wrote."""
    vectors = tuple(_made(vector, wanted.dimensions) for vector in reply.vectors)
    tokens = _tokens(wanted, tokens_of) if reply.prompt_tokens is None else reply.prompt_tokens
    return replace(reply, vectors=vectors, prompt_tokens=tokens)


def _made(vector: Vector, dimensions: int) -> Vector:
    if vector.values is not None or vector.text is None:
        return vector
    return replace(vector, values=text_vector(vector.text, dimensions))


def _tokens(wanted: VectorsWanted, tokens_of: Count) -> int:
    return sum(prompt_tokens(prompt, tokens_of) for prompt in wanted.prompts)
