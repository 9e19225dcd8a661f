"""FLAC with frames whose samples are all the same. Source: RFC 9639, sections 8 and 9."""

from replay_server.fallback.sounds.crc import Crc
from replay_server.fallback.sounds.tone import RATE

_BLOCK = 4096
_BITS = 16
_FULL, _PART = 0b1100, 0b0111  # 4096 samples; as many as the head says, in 16 bits
_RATE = 0b0111  # 24 kHz
_DEPTH = 0b100  # 16 bits
_HEAD_CRC, _FRAME_CRC = Crc(0x07, 8), Crc(0x8005, 16)


def flac(samples: int) -> bytes:
    """Silence of exactly so many samples."""
    whole, rest = divmod(samples, _BLOCK)
    frames = [_frame(number, _BLOCK) for number in range(whole)] + ([_frame(whole, rest)] if rest else [])
    return b"fLaC\x80\x00\x00\x22" + _stream_info(samples) + b"".join(frames)


def _stream_info(samples: int) -> bytes:
    """Sizes of blocks; sizes of frames, which nobody needs to know; what a sample is; how many; no checksum."""
    form = RATE << 44 | (_BITS - 1) << 36 | samples  # of one channel, which is a zero
    return _BLOCK.to_bytes(2, "big") * 2 + bytes(6) + form.to_bytes(8, "big") + bytes(16)


def _frame(number: int, samples: int) -> bytes:
    size = _FULL if samples == _BLOCK else _PART
    head = bytes([0xFF, 0xF8, size << 4 | _RATE, _DEPTH << 1]) + _coded(number)
    if size == _PART:
        head += (samples - 1).to_bytes(2, "big")
    head += _HEAD_CRC.of(head).to_bytes(1, "big")
    frame = head + b"\0" + bytes(_BITS // 8)  # a constant subframe, and the sample
    return frame + _FRAME_CRC.of(frame).to_bytes(2, "big")


def _coded(number: int) -> bytes:
    """A number as UTF-8 would have it: surrogates, too, are numbers here."""
    return chr(number).encode("utf-8", "surrogatepass")
