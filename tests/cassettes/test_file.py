"""A cassette as a file that is written."""

from pathlib import Path

import pytest

from replay_server.cassettes.config import Config
from replay_server.cassettes.file import CassetteFile

NEW = "request: {model: m, prompt: new}\nresponse: {content: c}\n"


def document(prompt: str) -> str:
    return f"request: {{model: m, prompt: {prompt}}} # é\nresponse: {{content: a}}\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ""),
        ("\ufeff# head\n---\n", ""),
        (f"{document('a')}--- # next\n", f"---\n\n{document('b')}"),
        ("---\n", f"---\n{document('b').rstrip()}"),
    ],
    ids=["alone", "behind a mark and a head", "between two", "before one without an end"],
)
def test_one_document_is_replaced_and_all_else_stays(tmp_path: Path, before: str, after: str) -> None:
    (tmp_path / "a.yaml").write_text(before + document("old") + after, encoding="utf-8")
    file = CassetteFile(tmp_path, "a.yaml", Config())
    (old,) = [stored for _, stored in file.documents if stored.interaction.request["prompt"] == "old"]

    file.put(old, NEW)

    assert (tmp_path / "a.yaml").read_text(encoding="utf-8") == before + NEW + after
    assert "new" in [stored.interaction.request["prompt"] for _, stored in file.documents]
