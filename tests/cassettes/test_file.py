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
    prompts = [stored.interaction.request["prompt"] for _, stored in file.documents]

    file.replace({prompts.index("old"): NEW})

    assert (tmp_path / "a.yaml").read_text(encoding="utf-8") == before + NEW + after
    assert "new" in [stored.interaction.request["prompt"] for _, stored in file.documents]


def test_several_are_replaced_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("---\n".join(document(prompt) for prompt in "abc"), encoding="utf-8")
    file = CassetteFile(tmp_path, "a.yaml", Config())

    file.replace({0: NEW, 2: NEW})

    assert (tmp_path / "a.yaml").read_text(encoding="utf-8") == f"{NEW}---\n{document('b')}---\n{NEW}"
