"""The format of a file is told by what is in it."""

import pytest

from replay_server.cassettes.importers.formats import detect
from replay_server.cassettes.importers.items import Unimportable

FILES = {
    "vcrpy": b"interactions:\n- request:\n",
    "a comment before": b"# x\n---\nversion: 1\ninteractions: []\n",
    "VCR": b"---\nhttp_interactions:\n- request:\n",
    "a bare list": b"- request:\n    body: x\n",
    "two lists": b"requests:\n- body: x\nresponses:\n- body: x\n",
    "JSON": b'{"version": 1, "interactions": []}',
    "a bare list in JSON": b'[{"request": {}}]',
    "OGX": b'\xef\xbb\xbf {"request": {}, "response": {}}',
    "HAR": b'{"log": {"entries": []}}',
}
EXPECTED = ["vcrpy"] * 7 + ["recordings", "har"]


@pytest.mark.parametrize(("data", "form"), list(zip(FILES.values(), EXPECTED, strict=True)), ids=FILES.keys())
def test_a_format_is_detected(data: bytes, form: str) -> None:
    assert detect(data, "x") == form


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"request: {}\nresponse: {}\n", "is a cassette of this server already"),
        (b"requests: []\n", "is none of a cassette of vcrpy"),
        (b"a: 1\n", "is none of a cassette of vcrpy"),
        (b'{"a": 1}', "is none of a cassette of vcrpy"),
        (b"[1, 2]", "is none of a cassette of vcrpy"),
        (b'{"a": 1}\n{"a": 2}\n', "is none of .*: it is not JSON"),
        (b"", "is none of a cassette of vcrpy"),
    ],
    ids=["our own", "our script", "YAML", "JSON", "a list", "lines", "nothing"],
)
def test_what_has_no_format_has_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(Unimportable, match=reason):
        detect(data, "x")
