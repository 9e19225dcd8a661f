"""A bar on a terminal that shows how much of a run is done; nothing elsewhere."""

import sys

import click


class ProgressBar:
    """A bar of `length` steps. `shown`: there is a terminal, and a person before it."""

    def __init__(self, length: int, label: str, *, shown: bool) -> None:
        self._bar = click.progressbar(length=length, label=label, file=sys.stderr) if shown else None
        if self._bar:
            self._bar.__enter__()

    @property
    def shown(self) -> bool:
        """Whether it stands on the terminal now."""
        return self._bar is not None

    def advance(self) -> None:
        """One step more is done."""
        if self._bar:
            self._bar.update(1)

    def close(self) -> None:
        """Leave the bar's line."""
        if self._bar:
            self._bar.render_finish()
            self._bar = None
