"""Record modes: when a request is recorded, and when what is there is kept."""

from enum import StrEnum


class RecordMode(StrEnum):
    """When we write.

    | mode | interaction is there | not there, no such cassette yet | not there, cassette exists |
    |---|---|---|---|
    | `none` | replay | on-miss | on-miss |
    | `once` | replay | record | on-miss |
    | `new_episodes` | replay | record | record |
    | `all` | record | record | record |
    """

    NONE = "none"
    ONCE = "once"
    NEW_EPISODES = "new_episodes"
    ALL = "all"

    def records(self, *, there: bool, cassette_existed: bool) -> bool:
        """Whether a request is recorded now."""
        if there:
            return self is RecordMode.ALL
        if self is RecordMode.ONCE:
            return not cassette_existed
        return self in (RecordMode.NEW_EPISODES, RecordMode.ALL)
