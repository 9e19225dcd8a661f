"""Words that say little about what a text is about, and how other words are made comparable."""

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FUNCTION_WORDS = _words(
    """
    a about above after again all also am an and any are around as at be because been before being below between
    both but by can cannot could did do does doing done down during each either else ever every few for from further
    had has have having he her here hers him his how however i if in into is it its itself just least less let may
    maybe me might mine more most much must my myself near neither no nor not now of off often on once one only onto
    or other ought our ours out over own per perhaps quite rather really same shall she should since so some soon
    still such than that the their theirs them then there these they this those though through to today together too
    toward two under until up upon us very was we well were what whatever when where whether which while who whom
    whose why will with within without would yes yet you your yours don doesn didn isn aren wasn won ve ll re three
    four five six seven eight nine ten
    """
)

ASKING_WORDS = _words(
    """
    answer ask bring call come compare compose consider create define describe discuss draft explain find generate get
    give given go goes got help hello hey hi keep know known like list live look make makes mean means name need needs
    json okay ok outline please produce provide put reply respond return rewrite run say see send show start suggest
    summarise summarize take talk tell thank thanks think translate try turn use used using want wants work works write
    """
)

NOUNS_TOO = _words("answer call help list look name need run show start talk turn use work")
"""Asking words that are content where they follow a determiner or a content word: `a list`."""

TOOL_WORDS = _words(
    """
    action appropriate argument arguments available based boolean certain current currently data default description
    details e eg etc example field following format function id ie info information input integer item items key
    name new null number object optional output parameter parameters query required result results set specific
    specified string text tool type user value values via
    """
)

CALENDAR = _words(
    """
    monday tuesday wednesday thursday friday saturday sunday january february march april may june july august
    september october november december
    """
)

OPENING_WORDS = _words(
    """
    add analyse analyze book buy calculate cancel change check choose classify compute convert count delete detect
    determine email estimate evaluate extract fetch identify imagine open order pick plan play predict rank read
    recommend remind remove schedule search select set solve sort update weather
    """
)
"""With a capital at the start of a sentence these are no names."""

DETERMINERS = _words("a an the my your our his her their its this these that those some any")
JOINERS = _words("of in for and with to from on at by about between into over")
PLACE_PREPOSITIONS = _words("in at near to from around visit visiting")
TURNED = {"my": "your", "our": "your", "your": "my"}
"""Who is meant changes with who speaks."""

camel_border = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
plain_word = re.compile(r"[^\W\d_]+")


def is_content(word: str, after: str = "") -> bool:
    """Whether a lower-case word tells what a text is about, given the word before it."""
    if len(word) < 2 or word in FUNCTION_WORDS:
        return False
    if word in NOUNS_TOO:
        return after in DETERMINERS or is_content(after)
    return word not in ASKING_WORDS


def stem(word: str) -> str:
    """The word without what makes it a plural or another form of a verb, so that `emails` and `email` agree."""
    word = word.lower()
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("ches", "shes", "sses", "xes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    for ending in ("ing", "ed"):
        if len(word) > len(ending) + 3 and word.endswith(ending):
            return word[: -len(ending)].removesuffix("e")
    return word.removesuffix("e") if len(word) > 4 else word


def stems(text: str) -> frozenset[str]:
    """The stems of the content words of a text or of an identifier in any case style."""
    words = (word.lower() for word in plain_word.findall(camel_border.sub(" ", text)))
    return frozenset(stem(word) for word in words if is_content(word))
