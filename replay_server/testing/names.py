"""What the cassette and the session of a test are called: safe in any file system and in a URL, and readable."""

import hashlib
import re
from pathlib import Path

_LONGEST = 100
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_REPLACED_BY_PYTEST_RECORDING = str.maketrans(dict.fromkeys("<>?%*:|\"'/\\", "-"))


def cassettes_of(node_id: str, module: Path, folder: Path) -> tuple[str, ...]:
    """The cassettes of a test for which none are named, for a module below `folder`.

    `test_weather/TestRain.test_rain-paris` comes first. `test_weather/TestRain.test_rain[paris]` is what
    pytest-recording calls it, so that what is imported from there is found.
    """
    try:
        parts = module.relative_to(folder).with_suffix("").parts
    except ValueError:
        parts = (module.stem,)
    names = (test_name(node_id), _as_pytest_recording_has_it(node_id))
    return tuple(dict.fromkeys("/".join([*map(_safe, parts), name]) for name in names))


def _as_pytest_recording_has_it(node_id: str) -> str:
    path, bracket, parameters = node_id.partition("::")[2].partition("[")
    name = ".".join(path.split("::")[-2:])
    return f"{name}{bracket}{parameters}".translate(_REPLACED_BY_PYTEST_RECORDING)


def session_of(node_id: str) -> str:
    """The session of a test: another one for each test, also where two modules are called the same."""
    return f"{test_name(node_id)}-{_digest(node_id)}"


def test_name(node_id: str) -> str:
    """`test_weather.py::TestRain::test_rain[paris]` is `TestRain.test_rain-paris`."""
    path, bracket, parameters = node_id.partition("::")[2].partition("[")
    name = path.replace("::", ".")
    return _safe(f"{name}-{parameters.removesuffix(']')}" if bracket else name)


def _safe(text: str) -> str:
    """The text, where it is safe and short; else what is left of it, with a digest that keeps it apart from others."""
    safe = _UNSAFE.sub("-", text).strip(".-")
    if safe == text and len(safe) <= _LONGEST:
        return safe
    return f"{safe[: _LONGEST - 9].rstrip('.-')}-{_digest(text)}".lstrip("-")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:8]
