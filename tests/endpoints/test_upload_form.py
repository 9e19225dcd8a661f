"""A form with its files, whatever comes."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay_server.endpoints.upload_form import UploadedFile, UploadForm, read_upload
from replay_server.errors import BadRequest
from replay_server.interaction import RawRequest

BODY = (
    b'--b\r\ncontent-disposition: form-data; name="purpose"\r\n\r\n17\r\n'
    b'--b\r\ncontent-disposition: form-data; name="expires_after[seconds]"\r\n\r\n3600\r\n'
    b'--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n\x00\xff\r\n--b--\r\n'
)


def sent(body: bytes, content_type: str = "multipart/form-data; boundary=b") -> RawRequest:
    return RawRequest("POST", "/v1/files", {}, (), {"content-type": content_type}, body)


def test_a_form_is_read_as_fields_and_files() -> None:
    fields = {"purpose": "17", "expires_after": {"seconds": 3600}}

    assert read_upload(sent(BODY)) == UploadForm(fields, {"file": UploadedFile("a", b"\x00\xff")})


@pytest.mark.parametrize("length", range(0, len(BODY) - 4, 7))
def test_a_form_that_is_cut_short_is_refused(length: int) -> None:
    with pytest.raises(BadRequest, match="Could not parse multipart form"):
        read_upload(sent(BODY[:length]))


@given(st.binary(max_size=300), st.text(st.characters(codec="utf-8"), max_size=40))
def test_any_body_is_a_form_or_refused(body: bytes, content_type: str) -> None:
    for kind in (content_type, "multipart/form-data; boundary=b"):
        with contextlib.suppress(BadRequest):
            assert isinstance(read_upload(sent(body, kind)), UploadForm)
