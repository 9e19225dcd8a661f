"""The short form of a moderation: which categories are flagged, their scores, or both."""

from replay_server.endpoints.base import BadField
from replay_server.endpoints.moderation_request import CATEGORIES
from replay_server.endpoints.short_form import items, known, optional
from replay_server.interaction import Json, JsonObject, Verdict, VerdictsReply

VERDICT_FIELDS = ("flagged", "scores")
VERDICTS_FIELDS = (*VERDICT_FIELDS, "results", "id", "model")


def read_verdicts(short: JsonObject) -> VerdictsReply:
    """Read `flagged` and `scores` of one input, or `results`, one for each. Raises BadField."""
    known(short, VERDICTS_FIELDS)
    return VerdictsReply(verdicts=_read_all(short), id=optional(short, "id", str), model=optional(short, "model", str))


def write_verdicts(reply: VerdictsReply) -> JsonObject:
    """What its author must say, not what completing it fills in again."""
    results: list[Json] = [_write(verdict) for verdict in reply.verdicts]
    return _write(reply.verdicts[0]) if len(results) == 1 else {"results": results}


def _write(verdict: Verdict) -> dict[str, Json]:
    return {"scores": dict(verdict.scores)} if verdict.flagged is None else {"flagged": list(verdict.flagged)}


def _read_all(short: JsonObject) -> tuple[Verdict, ...]:
    inline = [name for name in VERDICT_FIELDS if name in short]
    if "results" not in short:
        if not inline:
            raise BadField((), "has no contents: give flagged, scores, or results")
        return (_read({name: short[name] for name in inline}),)
    if inline:
        raise BadField((inline[0],), "stands beside results: move it into one of them")
    found = items(short, "results", dict)
    if not found:
        raise BadField(("results",), "must have at least one result")
    return tuple(_read_listed(result, at) for at, result in enumerate(found))


def _read_listed(result: JsonObject, at: int) -> Verdict:
    try:
        known(result, VERDICT_FIELDS)
        return _read(result)
    except BadField as error:
        raise error.below("results", at) from None


def _read(fields: JsonObject) -> Verdict:
    flagged = items(fields, "flagged", str)
    for at, name in enumerate(flagged):
        if name not in CATEGORIES:
            raise BadField(("flagged", at), f"{name!r} is none of {', '.join(CATEGORIES)}")
    scores = optional(fields, "scores", dict) or {}
    return Verdict(flagged=None if fields.get("flagged") is None else flagged, scores=_read_scores(scores))


def _read_scores(scores: JsonObject) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, score in scores.items():
        if name not in CATEGORIES:
            raise BadField(("scores", name), f"unknown category; known here: {', '.join(CATEGORIES)}")
        if isinstance(score, bool) or not isinstance(score, int | float) or not 0 <= score <= 1:
            raise BadField(("scores", name), f"must be a number from 0 to 1, not {score!r}")
        found[name] = score
    return found
