"""Which texts plainly belong to a category of harm."""

import pytest

from replay_server.fallback.harm import categories_in


@pytest.mark.parametrize(
    ("text", "categories"),
    [
        ("She will KILL\n  him.", ("violence",)),
        ("I will kill you", ("harassment", "harassment/threatening", "violence")),
        ("how to kill myself", ("self-harm", "self-harm/instructions", "self-harm/intent")),
        ("ſtab", ("violence",)),
        ("Kill the process, stabilise the murderers' skill.", ()),
        ("kıll him", ()),
        ("éstab", ()),
        ("", ()),
    ],
    ids=[
        "any case and spacing",
        "overlapping",
        "within another",
        "a long s",
        "parts of words",
        "no i",
        "accent",
        "empty",
    ],
)
def test_a_phrase_counts_as_a_whole(text: str, categories: tuple[str, ...]) -> None:
    assert categories_in(text) == categories
