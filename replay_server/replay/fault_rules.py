"""The faults that are set at run time: which requests each is for, and the order in which they were set."""

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from replay_server.faults.fault import Fault
from replay_server.interaction import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRule:
    """A fault, and what it is for; None: for all. `model` is a glob."""

    id: str
    fault: Fault
    session: str | None = None
    endpoint: str | None = None
    model: str | None = None

    def is_for(self, request: Request, session: str) -> bool:
        """Whether a request is one that it is for."""
        return (
            self.session in (None, session)
            and self.endpoint in (None, request.endpoint)
            and (self.model is None or fnmatchcase(request.model, self.model))
        )


class FaultRules:
    """All of them, in memory. The one that was set first comes first."""

    def __init__(self) -> None:
        self._rules: dict[str, FaultRule] = {}
        self._made = 0

    def set(
        self, fault: Fault, *, session: str | None = None, endpoint: str | None = None, model: str | None = None
    ) -> FaultRule:
        """Have a fault hit the requests of a session, an endpoint and models from now on. None: of all."""
        self._made += 1
        rule = FaultRule(id=f"fault-{self._made}", fault=fault, session=session, endpoint=endpoint, model=model)
        self._rules[rule.id] = rule
        return rule

    def clear(self, rule: str) -> bool:
        """Take back the one with this id; whether there was one."""
        return self._rules.pop(rule, None) is not None

    def clear_all(self, session: str | None = None) -> int:
        """Take back those that are for this session alone, or all. How many there were."""
        gone = [rule.id for rule in self._rules.values() if session in (None, rule.session)]
        for each in gone:
            del self._rules[each]
        return len(gone)

    def of(self, request: Request, session: str) -> Iterator[FaultRule]:
        """Those that are for a request."""
        return (rule for rule in self._rules.values() if rule.is_for(request, session))

    def list(self, session: str | None = None) -> tuple[FaultRule, ...]:
        """All, or those that can hit a session."""
        return tuple(rule for rule in self._rules.values() if session is None or rule.session in (None, session))
