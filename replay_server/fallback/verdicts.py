"""What a text is found to be: harmless, unless it plainly says otherwise. A rule, no model: the same for ever."""

from dataclasses import replace

from replay_server.fallback.draw import Draw
from replay_server.fallback.harm import categories_in
from replay_server.interaction import Judged, Verdict, VerdictsReply, VerdictsWanted

THRESHOLD = 0.5
"""A score from here on is flagged, where nobody says what is."""

_NOTHING = Judged()


def verdicts_reply(wanted: VerdictsWanted) -> VerdictsReply:
    """Make up a reply. The verdict on an input is the same whatever is asked beside it."""
    verdicts = (Verdict(flagged=categories_in(judged.text)) for judged in wanted.inputs)
    return complete_verdicts(wanted, VerdictsReply(verdicts=tuple(verdicts)))


def complete_verdicts(wanted: VerdictsWanted, reply: VerdictsReply) -> VerdictsReply:
    """The reply with nothing changed that its author wrote."""
    inputs = (*wanted.inputs, *[_NOTHING] * len(reply.verdicts))
    verdicts = (
        _complete(verdict, judged, wanted.categories) for verdict, judged in zip(reply.verdicts, inputs, strict=False)
    )
    return replace(reply, verdicts=tuple(verdicts))


def _complete(verdict: Verdict, judged: Judged, categories: tuple[str, ...]) -> Verdict:
    flagged = verdict.flagged
    if flagged is None:
        flagged = tuple(name for name in categories if verdict.scores.get(name, 0.0) >= THRESHOLD)
    scores = {
        name: verdict.scores[name] if name in verdict.scores else _score(judged, name, name in flagged)
        for name in categories
    }
    return Verdict(flagged=flagged, scores=scores)


def _score(judged: Judged, category: str, flagged: bool) -> float:
    """A score on the right side of the threshold, and far from it."""
    fraction = Draw("verdict", category, judged.text, *judged.images).fraction()
    # Products alone, rounded: the last bits of a power differ between machines.
    return round(0.6 + 0.39 * fraction if flagged else 1e-6 + 0.02 * fraction * fraction * fraction, 8)
