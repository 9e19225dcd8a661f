"""Which requests of a library agree with one in most parts, found without looking at them all.

Parts (a model, a message, a field that shapes the answer) are numbered, and each knows its holders. Most parts have
few: a list of places. What many hold, a model or a system prompt, is a bitmap, and such parts are counted for all
places at once, by arithmetic on whole bitmaps. Of requests that agree in as many parts, those go first that share the
rare words of the parts which nobody holds.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from heapq import nsmallest
from itertools import chain, groupby

from replay_server.cassettes.matching import Candidate, Keyed
from replay_server.interaction import Json
from replay_server.keys import canonical_json

MANY = 128
"""Holders of a part from which it is a bitmap; parts with a word from which it tells nothing."""

_WORDS_ASKED = 32
_TEXT_READ = 2_000
_WORD = re.compile(r"\\.|(\w+)")

Score = tuple[int, int, int]
"""Smaller is nearer: parts that disagree over those that agree, words in common (negative), place."""


class PartIndex:
    """Candidates of one endpoint, by their parts. What is removed leaves a hole: `holes` counts them."""

    def __init__(self, candidates: Iterable[Candidate] = (), many: int = MANY) -> None:
        self._many = many
        self._candidates: list[Candidate | None] = []
        self._place_of: dict[str, int] = {}
        self._parts_at: list[tuple[int, ...]] = []
        self._numbers: dict[bytes, int] = {}
        self._holders: list[_Places] = []
        self._parts_with: dict[str, list[int]] = {}
        self._of_length: dict[int, _Places] = {}
        for candidate in candidates:
            self.add(candidate)

    def __len__(self) -> int:
        return len(self._place_of)

    def __iter__(self) -> Iterator[Candidate]:
        return (candidate for candidate in self._candidates if candidate is not None)

    @property
    def holes(self) -> int:
        """Places of what has been removed."""
        return len(self._candidates) - len(self)

    def add(self, candidate: Candidate) -> None:
        """Take a candidate, behind all others."""
        place = len(self._candidates)
        numbers = tuple(self._number(name, part) for name, part in _named_parts(candidate.keyed))
        for number in numbers:
            self._holders[number].add(place, self._many)
        self._of_length.setdefault(len(numbers), _Places()).add(place, self._many)
        self._candidates.append(candidate)
        self._parts_at.append(numbers)
        self._place_of[candidate.interaction.id] = place

    def remove(self, candidate: Candidate) -> None:
        """Forget a candidate."""
        place = self._place_of.pop(candidate.interaction.id)
        for number in self._parts_at[place]:
            self._holders[number].discard(place)
        self._of_length[len(self._parts_at[place])].discard(place)
        self._candidates[place] = None

    def shortlist(self, asked: Keyed, count: int) -> list[tuple[Score, Candidate]]:
        """The candidates that agree with a request in most parts, best first."""
        wanted = dict(_named_parts(asked))
        held = {number for name in wanted if (number := self._numbers.get(name)) is not None}
        words = self._in_words([part for name, part in wanted.items() if name not in self._numbers])
        near = words.keys() | {place for number in held for place in self._holders[number].few or ()}
        scores = (self._score(place, held, len(wanted), words[place]) for place in near)
        best = nsmallest(count, chain(scores, self._others(held, near, len(wanted), count)))
        return [(score, candidate) for score in best if (candidate := self._candidates[score[2]]) is not None]

    def _number(self, name: bytes, part: Json) -> int:
        number = self._numbers.get(name)
        if number is None:
            number = self._numbers[name] = len(self._holders)
            self._holders.append(_Places())
            for word in _words(part):
                having = self._parts_with.setdefault(word, [])
                if len(having) <= self._many:
                    having.append(number)
        return number

    def _in_words(self, unheld: Sequence[Json]) -> Counter[int]:
        """How many of the rarest words of some parts are in those of each place."""
        words = set().union(*map(_words, unheld))
        having = [numbers for word in words if 0 < len(numbers := self._parts_with.get(word, [])) <= self._many]
        rarest = nsmallest(_WORDS_ASKED, having, key=lambda numbers: (len(numbers), numbers))
        return Counter(place for numbers in rarest for number in numbers for place in self._holders[number].few or ())

    def _score(self, place: int, held: Collection[int], length: int, words: int) -> Score:
        numbers = self._parts_at[place]
        agreeing = sum(number in held for number in numbers)
        return abs(len(numbers) - length) - 2 * agreeing, -words, place

    def _others(self, held: Iterable[int], near: Iterable[int], length: int, count: int) -> Iterator[Score]:
        """The best of those that hold only what many hold."""
        common = [self._holders[number].bits() for number in held if self._holders[number].few is None]
        lengths = {size: places.bits() & ~_bits(near) for size, places in self._of_length.items()}
        levels = _levels(common)
        groups = sorted(
            (abs(size - length) - 2 * agreeing, size, agreeing) for size in lengths for agreeing in range(len(levels))
        )
        for disagreeing, group in groupby(groups, key=lambda found: found[0]):
            places = 0
            for _, size, agreeing in group:
                places |= lengths[size] & levels[agreeing]
            for place in _lowest(places, count):
                count -= 1
                yield disagreeing, 0, place
            if count <= 0:
                return


class _Places:
    """Places of candidates: a list as long as they are few, then a bitmap."""

    __slots__ = ("_map", "few")

    def __init__(self) -> None:
        self.few: list[int] | None = []
        self._map: bytearray | None = None

    def add(self, place: int, many: int) -> None:
        if self.few is None:
            self._set(place)
            return
        self.few.append(place)
        if len(self.few) > many:
            places, self.few = self.few, None
            for each in places:
                self._set(each)

    def discard(self, place: int) -> None:
        if self.few is not None:
            self.few.remove(place)
        elif self._map is not None:
            self._map[place >> 3] &= ~(1 << (place & 7))

    def bits(self) -> int:
        return _bits(self.few) if self.few is not None else int.from_bytes(self._map or b"", "little")

    def _set(self, place: int) -> None:
        if self._map is None:
            self._map = bytearray()
        if len(self._map) <= place >> 3:
            self._map.extend(bytes((place >> 3) + 1 - len(self._map)))
        self._map[place >> 3] |= 1 << (place & 7)


def _named_parts(keyed: Keyed) -> Iterator[tuple[bytes, Json]]:
    """Each part with a name that a part of another request has if they agree, wherever in its list it stands."""
    shape = keyed.resource.shape(keyed.compared)  # not kept: few of all these requests are looked at again
    for field, value in chain(keyed.canonical.items(), shape.items()):
        if not isinstance(value, list):
            yield _name(field, value), value
            continue
        times: Counter[bytes] = Counter()
        for item in value:
            name = _name(field, item)
            times[name] += 1
            yield b"%b %d" % (name, times[name]), item


def _name(field: str, value: Json) -> bytes:
    return field.encode() + hashlib.sha256(canonical_json(value)).digest()[:16]


def _words(part: Json) -> set[str]:
    text = canonical_json(part).decode()[-_TEXT_READ:]
    return set(_WORD.findall(text)) - {""}  # an escape of JSON is no word


def _bits(places: Iterable[int]) -> int:
    """A bitmap of a few places."""
    found = sorted(places)
    if not found:
        return 0
    written = bytearray((found[-1] >> 3) + 1)
    for place in found:
        written[place >> 3] |= 1 << (place & 7)
    return int.from_bytes(written, "little")


def _levels(bitmaps: Iterable[int]) -> list[int]:
    """For each count, from none to all, the places that are in just so many of the bitmaps."""
    digits: list[int] = []  # the counts of all places, in binary: a bitmap for each digit
    total = 0
    for bitmap in bitmaps:
        carry, total = bitmap, total + 1
        for at, digit in enumerate(digits):
            digits[at], carry = digit ^ carry, digit & carry
        if carry:
            digits.append(carry)
    return [_with_count(digits, count) for count in range(total + 1)]


def _with_count(digits: Sequence[int], count: int) -> int:
    places = -1  # all of them
    for at, digit in enumerate(digits):
        places &= digit if count >> at & 1 else ~digit
    return places if count >> len(digits) == 0 else 0


def _lowest(places: int, count: int) -> Iterator[int]:
    while places and count > 0:
        lowest = places & -places
        yield lowest.bit_length() - 1
        places, count = places ^ lowest, count - 1
