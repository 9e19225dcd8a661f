"""What `@pytest.mark.cassette(...)` says of a test."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from replay_server.cassettes.matching import TOP
from replay_server.errors import UsageError
from replay_server.server.options import ON_MISS, read_pace_option

OPTIONS = ("on_miss", "pace", "only", "allow_misses")


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """The options of all markers of a test; those nearest to the test win. `names`: none means the test's own."""

    names: tuple[str, ...] = ()
    on_miss: str | None = None
    pace: str | None = None
    only: bool = False
    """The files at the top of the directory, which all tests share, do not answer."""
    allow_misses: bool = False
    """A miss does not fail the test."""

    def cassettes(self, own: tuple[str, ...]) -> tuple[str, ...]:
        """What answers, in this order. The first one is recorded into."""
        return (*(self.names or own), *(() if self.only else (TOP,)))


def read_marks(marks: Iterable[tuple[tuple[Any, ...], Mapping[str, Any]]]) -> Marks:
    """Read the arguments of markers, the nearest first. Raises UsageError."""
    names: tuple[str, ...] = ()
    options: dict[str, Any] = {}
    for arguments, given in marks:
        names = names or tuple(map(_name, arguments))
        for option, value in given.items():
            options.setdefault(_option(option), value)
    _check(options)
    return Marks(names=names, **options)


def _name(given: Any) -> str:
    if not isinstance(given, str) or not given.strip("/"):
        raise UsageError(f"@pytest.mark.cassette: {given!r} is not the name of a cassette, such as 'weather'")
    return given.removesuffix(".yaml").removesuffix(".yml").strip("/")


def _option(given: str) -> str:
    if given not in OPTIONS:
        raise UsageError(f"@pytest.mark.cassette: there is no {given}=: the options are {', '.join(OPTIONS)}")
    return given


def _check(options: Mapping[str, Any]) -> None:
    on_miss = options.get("on_miss")
    if on_miss is not None and on_miss not in ON_MISS:
        raise UsageError(f"@pytest.mark.cassette: on_miss {on_miss!r} is not one of {', '.join(ON_MISS)}")
    if options.get("pace") is not None:
        read_pace_option(str(options["pace"]), "@pytest.mark.cassette: pace")
