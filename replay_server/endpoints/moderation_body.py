"""Verdicts as the wire has them."""

from replay_server.endpoints.base import BadField
from replay_server.endpoints.moderation_request import CATEGORIES
from replay_server.endpoints.short_form import items, optional
from replay_server.interaction import Json, JsonObject, Judged, Verdict, VerdictsReply


def result(verdict: Verdict, judged: Judged) -> dict[str, Json]:
    """The `results` entry of one input."""
    flagged = verdict.flagged or ()
    return {
        "flagged": bool(flagged),
        "categories": {name: name in flagged for name in CATEGORIES},
        "category_scores": {name: verdict.scores.get(name, 0.0) for name in CATEGORIES},
        "category_applied_input_types": {
            name: [kind for kind in kinds if _is_there(kind, judged)] for name, kinds in CATEGORIES.items()
        },
    }


def _is_there(kind: str, judged: Judged) -> bool:
    """Whether an input has a text, or an image: one with neither is an empty text."""
    return bool(judged.images) if kind == "image" else bool(judged.text or not judged.images)


def read_results(body: Json) -> VerdictsReply:
    """The reply that a wire answer holds. Raises BadField where it is no moderation."""
    if not isinstance(body, dict) or not isinstance(body.get("results"), list):
        raise BadField((), "is no moderation: it has no results")
    return VerdictsReply(
        verdicts=tuple(map(_read_result, items(body, "results", dict))),
        id=optional(body, "id", str),
        model=optional(body, "model", str),
    )


def _read_result(entry: JsonObject) -> Verdict:
    categories = optional(entry, "categories", dict) or {}
    scores = optional(entry, "category_scores", dict) or {}
    return Verdict(
        flagged=tuple(name for name, found in categories.items() if found is True),
        scores={name: score for name, score in scores.items() if isinstance(score, int | float)},
    )
