"""Which texts plainly belong to a category of harm."""

from pathlib import Path

import pytest

from replay_server.fallback.harm import PHRASES, categories_in

PAGE = Path(__file__).parents[2] / "docs" / "endpoints.md"


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


def test_the_page_lists_every_phrase() -> None:
    rows = [f"| `{name}` | {', '.join(f'*{phrase}*' for phrase in phrases)} |" for name, phrases in PHRASES.items()]

    assert [row for row in rows if row not in PAGE.read_text(encoding="utf-8")] == []
