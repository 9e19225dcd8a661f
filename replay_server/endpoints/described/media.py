"""The smallest valid content of a media type, for answers that are no JSON."""

from replay_server.stamp import Stamp

_ZIP = b"PK\x05\x06" + bytes(18)  # the end of an archive with nothing in it
_PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
    "0000000a4944415478da6360000000020001e527defc0000000049454e44ae426082"
)
_WEBP = bytes.fromhex("524946461a000000574542505650384c0d0000002f00000010071011118888fe0700")
_MP4 = bytes.fromhex("000000186674797069736f6d0000020069736f6d6d703432") + bytes.fromhex("000000086d646174")
_SDP = "v=0\r\no=- {number} 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"

_SMALLEST = {
    "application/zip": _ZIP,
    "image/png": _PNG,
    "image/webp": _WEBP,
    "video/mp4": _MP4,
}


def content(media: str, stamp: Stamp) -> bytes:
    """Bytes of this type: the same for the same request."""
    if media == "application/sdp":
        return _SDP.format(number=int(stamp.hex("sdp", 8), 16)).encode()
    if media.startswith("text/"):
        return stamp.text(media, 16).encode() + b"\n"
    return _SMALLEST.get(media) or stamp.text(media, 64).encode()
