"""An OpenAI-compatible server that answers from recordings, and deterministically when it has none."""

__version__ = "0.1.0"
