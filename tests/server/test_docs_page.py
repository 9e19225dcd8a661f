"""The page at `/docs` needs nothing but this server."""

import gzip
import re

import pytest

from replay_server.server.docs import ASSETS, asset, page

_ADDRESS = re.compile(r"""(?:src|href)="([^"]*)"|fetch\("([^"]*)"\)""")


def addresses() -> set[str]:
    return {first or second for first, second in _ADDRESS.findall(page().decode())}


def test_page_asks_only_for_what_is_beside_it() -> None:
    assert addresses() == {"openapi.json", *(f"docs/{name}" for name in ASSETS), "data:,"}
    assert b"//" not in page().replace(b"  // The page may lie", b"")


def test_page_has_the_title_of_the_server() -> None:
    assert b"<title>replay-server</title>" in page()


def test_no_validator_elsewhere_is_asked() -> None:
    assert b"validatorUrl: null" in page()


@pytest.mark.parametrize(
    ("name", "content_type", "mark"),
    [
        ("swagger-ui-bundle.js", "text/javascript; charset=utf-8", b"SwaggerUIBundle"),
        ("swagger-ui.css", "text/css; charset=utf-8", b".swagger-ui"),
    ],
)
def test_asset_is_packed_and_whole(name: str, content_type: str, mark: bytes) -> None:
    found = asset(name)
    assert found is not None
    assert found[1] == content_type
    assert mark in gzip.decompress(found[0])


@pytest.mark.parametrize("name", ["other.js", "../docs.py", "docs.html", "swagger-ui.css.gz", ""])
def test_nothing_else_is_an_asset(name: str) -> None:
    assert asset(name) is None


def test_style_brings_its_pictures_along() -> None:
    found = asset("swagger-ui.css")
    assert found is not None
    pictures = re.findall(rb"url\(([^)]{0,8})", gzip.decompress(found[0]))
    assert pictures
    assert all(picture.strip(b"\"'").startswith(b"data:") for picture in pictures)
