"""The numbers of secrets in one exchange, by first use, rule by rule. They go on after those that are there already."""

from collections.abc import Iterable, Iterator, Mapping

from replay_server.cassettes.redaction.placeholders import placeholder, placeholders_of

_SHORTEST_ECHO = 8
_SHORTEST_WORDY_ECHO = 16
"""Characters. A shorter secret, or one without a digit, is not looked for where no rule finds it: it may be a word."""


class Numbering:
    """The placeholders given so far. `rules` are the names of all rules."""

    def __init__(self, rules: Iterable[str]) -> None:
        self._pattern = placeholders_of(rules)
        self._given: dict[tuple[str, str], str] = {}
        self._secrets: dict[str, str] = {}
        self._last: dict[str, int] = {}
        self.echoes: dict[str, str] = {}
        """Secrets to be looked for wherever they come again, with the rule that found them first."""

    def placeholder(self, rule: str, secret: str) -> str:
        """What stands for a secret, always the same."""
        if (rule, secret) not in self._given:
            self._last[rule] = self._last.get(rule, 0) + 1
            given = self._given[rule, secret] = placeholder(rule, self._last[rule])
            self._secrets[given] = secret
            if _may_come_again(secret):
                self.echoes.setdefault(secret, rule)
        return self._given[rule, secret]

    def count(self, text: str) -> None:
        """Go on after the numbers in a text."""
        for match in self._pattern.finditer(text):
            self._last[match[1]] = max(self._last.get(match[1], 0), int(match[2]))

    def given_in(self, text: str) -> Iterator[tuple[str, str]]:
        """The rule and the secret of each placeholder in a text that was given here."""
        for match in self._pattern.finditer(text):
            if match[0] in self._secrets:
                yield match[1], self._secrets[match[0]]

    def is_placeholder(self, text: str) -> bool:
        """Whether a text is one and nothing else."""
        return self._pattern.fullmatch(text) is not None

    def gaps(self, text: str) -> Iterator[tuple[int, int]]:
        """What lies between the placeholders of a text."""
        start = 0
        for match in self._pattern.finditer(text):
            yield start, match.start()
            start = match.end()
        yield start, len(text)

    def echoes_in(self, text: str) -> Mapping[str, str]:
        """The secrets known by now that a text repeats."""
        return {secret: rule for secret, rule in self.echoes.items() if secret in text}


def _may_come_again(secret: str) -> bool:
    has_digit = any(map(str.isdigit, secret))
    return len(secret) >= (_SHORTEST_ECHO if has_digit else _SHORTEST_WORDY_ECHO)
