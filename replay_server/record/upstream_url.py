"""What `--upstream` and `--api-key-env` say: which requests go where, and with which key."""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from urllib.parse import SplitResult, urlsplit

from replay_server.errors import UsageError
from replay_server.interaction import RawRequest
from replay_server.settings import Upstream

LOOPBACK = ("localhost", "127.0.0.1", "::1")
_AZURE = "/openai/"
_VERSION = "/v1"


def upstream_url(text: str) -> str:
    """The base of an upstream's paths; `/v1` where it names no path. Raises UsageError."""
    url = checked_url(text)
    return url if urlsplit(url).path else f"{url}/v1"


def checked_url(text: str) -> str:
    """The URL, without a slash at its end. Raises UsageError."""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or not _has_port(parts):
        raise UsageError(f"--upstream {text!r} is no URL: it must start with http:// or https:// and name a host")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise UsageError("--upstream must be a plain URL: give the key by the variable that --api-key-env names")
    return text.rstrip("/")


def _has_port(parts: SplitResult) -> bool:
    """Whether the port, if there is one, can be one."""
    try:
        return parts.port != 0
    except ValueError:
        return False


def url_for(upstream: Upstream, path: str, path_without_version: str) -> str:
    """The URL that a request to `path` is sent on to."""
    if upstream.selector.startswith("/"):
        return upstream.url + path.removeprefix(upstream.selector)
    if path.startswith(_AZURE) and not upstream.url.endswith(_VERSION):  # Azure's paths are not below /v1
        return upstream.url + path
    return (upstream.url if urlsplit(upstream.url).path else upstream.url + _VERSION) + path_without_version


def target(upstreams: Sequence[Upstream], asked: RawRequest, model: str) -> tuple[Upstream, str] | None:
    """The upstream for a request of a cassette, whose path has no `/v1`, and the URL there.

    Whether the client that made it said `/v1` is not known, so a path prefix may have it or not.
    """
    path, mark, query = asked.target.partition("?")
    sent = [(upstream, each) for each in (path, _VERSION + path) if (upstream := choose(upstreams, each, model))]
    by_path = [found for found in sent if found[0].selector.startswith("/")]
    urls = ((upstream, url_for(upstream, each, path) + mark + query) for upstream, each in [*by_path, *sent])
    return next(urls, None)


def choose(upstreams: Sequence[Upstream], path: str, model: str) -> Upstream | None:
    """The upstream for a request: by the longest path prefix, else by the first glob, else the one for all."""
    taking = [upstream for upstream in upstreams if _takes(upstream, path, model)]
    by_path = [upstream for upstream in taking if upstream.selector.startswith("/")]
    by_path.sort(key=lambda upstream: -len(upstream.selector))
    by_model = [upstream for upstream in taking if upstream.selector and upstream not in by_path]
    return next(iter([*by_path, *by_model, *taking]), None)


def _takes(upstream: Upstream, path: str, model: str) -> bool:
    selector = upstream.selector
    if selector.startswith("/"):
        return path == selector or path.startswith(f"{selector}/")
    return not selector or fnmatchcase(model, selector)


def read_upstreams(
    upstreams: Sequence[str], key_variables: Sequence[str], environment: Mapping[str, str]
) -> tuple[Upstream, ...]:
    """The upstreams that the options give. Raises UsageError."""
    urls = _by_selector("--upstream", upstreams)
    variables = _by_selector("--api-key-env", key_variables)
    for selector in variables.keys() - urls.keys():
        shown = _shown(selector, variables[selector])
        raise UsageError(f"--api-key-env {shown}: there is no --upstream {_shown(selector, 'URL')}: add it")
    return tuple(
        Upstream(selector, checked_url(url), _replacing_key(variables.get(selector), url, environment))
        for selector, url in urls.items()
    )


def _replacing_key(variable: str | None, url: str, environment: Mapping[str, str]) -> str | None:
    """The key that takes the place of the client's own: whoever names a variable, be it empty, does not mean that."""
    return None if variable is None else read_key(variable, url, environment) or ""


def is_for_all(text: str) -> bool:
    """Whether an `--upstream` has no selector."""
    return not _split(text)[0]


def _by_selector(option: str, texts: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in texts:
        selector, value = _split(text)
        if selector in found:
            first = _shown(selector, found[selector])
            raise UsageError(f"{option} {first} and {option} {text} take the same requests: leave one out")
        found[selector] = value
    return found


def _split(text: str) -> tuple[str, str]:
    """The selector, which may be none, and what follows its `=`."""
    before, equals, after = text.partition("=")
    return (before.rstrip("/"), after) if equals and "://" not in before else ("", text)


def _shown(selector: str, value: str) -> str:
    return f"{selector}={value}" if selector else value


def read_key(variable: str, url: str, environment: Mapping[str, str]) -> str | None:
    """The key in a variable; None where the variable has no name, or is empty for an upstream on this machine.

    Raises UsageError.
    """
    if not variable:
        return None
    key = environment.get(variable)
    if not key and urlsplit(url).hostname not in LOOPBACK:
        raise UsageError(
            f"{variable} is not set: set it to the key of {url}, or pass --api-key-env '' if that needs none"
        )
    key = (key or "").strip()
    if not (key.isascii() and key.isprintable()):
        raise UsageError(f"{variable} holds no key: it has line breaks or other characters that no key has")
    return key or None
