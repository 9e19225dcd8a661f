"""An OpenAI-compatible server that answers from recordings, and deterministically when it has none."""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

__all__ = ["Entry", "ReplayServer", "ReplaySession", "__version__"]

if TYPE_CHECKING:
    from replay_server.in_process import Entry as Entry
    from replay_server.in_process import ReplayServer as ReplayServer
    from replay_server.in_process import ReplaySession as ReplaySession
else:  # a type checker that saw this would take any name for one of ours

    def __getattr__(name: str) -> Any:
        """`ReplayServer`, when it is asked for: a command must not wait for a server that it never starts."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from replay_server import in_process

        return getattr(in_process, name)
