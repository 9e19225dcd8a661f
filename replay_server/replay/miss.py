"""What a miss says: the key, the nearest interactions, the first difference, and how to mend it."""

import logging
from collections.abc import Mapping

from replay_server.cassettes.matching import Disagreement, Keyed
from replay_server.errors import CassetteMiss
from replay_server.interaction import Interaction
from replay_server.replay.explanation import Explanation, explain_miss
from replay_server.replay.view import View

log = logging.getLogger("replay_server")

MOST_TOLD = 1_000
"""Distinct misses that the log is told of: more, and somebody tests with load."""


def miss(
    view: View,
    asked: Keyed,
    disagreements: list[Disagreement],
    remedy: str,
    headers: Mapping[str, str],
    told: set[str],
) -> CassetteMiss:
    """The error for a request that nothing in a view answers. The log gets a line, unless its key is one of `told`."""
    explanation = explain_miss(view, asked, disagreements, headers, remedy)
    _tell(explanation, told)
    return CassetteMiss(explanation.short(), code="cassette_miss")


def exhausted(asked: Keyed, interaction: Interaction) -> CassetteMiss:
    """The error for a sequence with `repeat: error` that has given all its responses."""
    count = len(interaction.responses)
    return CassetteMiss(
        f"{interaction.id} has given its {count} responses in this session (key {asked.key[:16]})\n"
        "it says repeat: error: add a response to it, or change repeat to last or cycle",
        code="sequence_exhausted",
    )


def _tell(explanation: Explanation, told: set[str]) -> None:
    key = explanation.asked.key
    if key in told or len(told) >= MOST_TOLD:
        return
    told.add(key)
    log.warning("%s", explanation.line())
    if len(told) == MOST_TOLD:
        log.warning("%d requests have been missed: further ones are not logged", MOST_TOLD)
