"""What the live API refuses of an image request beyond its description: each model has parameters of its own."""

from collections.abc import Mapping, Sequence

from replay_server.endpoints import refusals
from replay_server.endpoints.form_body import is_file
from replay_server.endpoints.image_models import DALL_E_ONLY, GPT_ONLY, is_dall_e, is_gpt, size_of
from replay_server.errors import BadRequest
from replay_server.interaction import Json, JsonObject

_SIZES: Mapping[str, tuple[str, ...]] = {
    "dall-e-2": ("256x256", "512x512", "1024x1024"),
    "dall-e-3": ("1024x1024", "1792x1024", "1024x1792"),
}
_GPT_SIZES = ("1024x1024", "1024x1536", "1536x1024", "auto")
_ANY_SIZE = ("gpt-image-2",)  # and its snapshots: any size whose sides are multiples of 16
_LARGEST_SIDE, _GRAIN = 3840, 16
_QUALITIES: Mapping[str, tuple[str, ...]] = {"dall-e-2": ("standard",), "dall-e-3": ("standard", "hd")}
_GPT_QUALITIES = ("low", "medium", "high", "auto")
_LONGEST: Mapping[str, int] = {"dall-e-2": 1000, "dall-e-3": 4000}
_LONGEST_GPT = 32_000
_GPT_TYPES = ("image/jpeg", "image/png", "image/webp")
_DALL_E_TYPES = ("image/png",)
_TYPES: Mapping[str, str] = {"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "webp": "image/webp"}
_UNKNOWN_TYPE = "application/octet-stream"


def check_images(body: JsonObject, model: str) -> None:
    """Raise the BadRequest that the live API answers such a request with. Of models that are not known it takes all."""
    _check_prompt(body, model)
    if is_gpt(model):
        _check_names(body, DALL_E_ONLY)
        _check_member(body, "quality", _GPT_QUALITIES)
        if not model.startswith(_ANY_SIZE):
            _check_member(body, "size", _GPT_SIZES)
        else:
            _check_free_size(body)
    elif is_dall_e(model):
        _check_names(body, GPT_ONLY)
        _check_member(body, "size", _SIZES.get(model, ()))
        _check_member(body, "quality", _QUALITIES.get(model, ()))
    if model == "dall-e-3" and body.get("n") not in (None, 1):
        raise BadRequest("You must provide n=1 for this model.", code="invalid_value")
    if body.get("background") == "transparent" and body.get("output_format") == "jpeg":
        message = "Transparent background is not supported for the output format 'jpeg'."
        raise BadRequest(message, param="background", code="invalid_value")


def _check_prompt(body: JsonObject, model: str) -> None:
    prompt = body.get("prompt")
    if prompt == "":
        raise refusals.empty("prompt", "string", 1)
    longest = _LONGEST.get(model, _LONGEST_GPT)
    if isinstance(prompt, str) and len(prompt) > longest:
        raise refusals.wrong_length("prompt", "string", "above", longest, len(prompt))


def _check_names(body: JsonObject, names: Sequence[str]) -> None:
    for name in names:
        if body.get(name) is not None:
            raise refusals.unknown(name)


def _check_member(body: JsonObject, name: str, supported: Sequence[str]) -> None:
    value = body.get(name)
    if isinstance(value, str) and supported and value not in supported:
        raise refusals.unsupported(name, value, supported)


def _check_free_size(body: JsonObject) -> None:
    size = body.get("size")
    if not isinstance(size, str) or size == "auto":
        return
    sides = size_of(body)
    if size != f"{sides[0]}x{sides[1]}" or any(side % _GRAIN or side > _LARGEST_SIDE for side in sides):
        raise refusals.unsupported("size", size, _GPT_SIZES)


# Uploads -------------------------------------------------------------------------------------------------------------


def check_uploads(body: JsonObject, names: Sequence[str], model: str) -> None:
    """Refuse what stands for an image and is none, by the type that the client says it has."""
    supported = _DALL_E_TYPES if is_dall_e(model) else _GPT_TYPES
    for name in names:
        value = body.get(name)
        for file in value if isinstance(value, list) else [value] if name in body else []:
            kind = _type(file)
            if kind not in supported:
                raise _wrong_type(name, kind, supported)


def _type(file: Json) -> str:
    if not is_file(file) or not isinstance(file, dict):
        return "text/plain"
    said = str(file.get("content_type", _UNKNOWN_TYPE)).partition(";")[0].strip().lower()
    if said != _UNKNOWN_TYPE:
        return said
    return _TYPES.get(str(file.get("filename", "")).rpartition(".")[2].lower(), said)


def _wrong_type(name: str, kind: str, supported: Sequence[str]) -> BadRequest:
    formats = (
        f"formats are {refusals.listed(supported, 'and')}" if len(supported) > 1 else f"format is '{supported[0]}'"
    )
    return BadRequest(
        f"Invalid file '{name}': unsupported mimetype ('{kind}'). Supported file {formats}.",
        param=name,
        code="unsupported_file_mimetype",
    )
