"""Answers with a fault: what the spoiling leaves of their bytes, and the ends that HTTP does not have."""

import math
import socket
import struct
from collections.abc import Iterable, Mapping
from typing import NoReturn

from aiohttp import web

from replay_server.faults.fault import Fault, Spoil
from replay_server.interaction import TimedFrame, WireResponse, WireStream
from replay_server.server.pauses import Pauses
from replay_server.server.writer import stream_in_time

_NO_LINGERING = struct.pack("ii", 1, 0)
"""SO_LINGER: on, for no time. A connection that is closed so is reset."""


async def respond_spoiled(
    request: web.BaseRequest,
    wire: WireResponse | WireStream,
    headers: Mapping[str, str],
    frames: Iterable[TimedFrame],
    fault: Fault,
    pauses: Pauses,
) -> web.StreamResponse:
    """Send what is left of an answer. Raises ConnectionError where its fault breaks it off."""
    if isinstance(wire, WireResponse):
        left = tuple(frames)
        breaks_off = fault.spoil is not None and fault.spoil.breaks_off
        length = len(wire.body) if breaks_off else sum(len(frame.data) for frame in left)
        frames, headers = left, {**headers, "content-length": str(length)}
    if fault.spoil is None or not fault.spoil.breaks_off:
        return await stream_in_time(request, wire.status, headers, frames, pauses)
    if not fault.breaks_first:
        await stream_in_time(request, wire.status, headers, frames, pauses)
    if fault.spoil is Spoil.STALL:
        await pauses.sleep(request, math.inf)
    _break_off(request, resets=fault.spoil is Spoil.RESET)


def _break_off(request: web.BaseRequest, *, resets: bool) -> NoReturn:
    """End the connection, and nothing else: no last chunk, no error."""
    transport = request.transport
    if transport is not None and resets:
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGERING)
        transport.abort()
    elif transport is not None:
        transport.close()
    raise ConnectionError("a fault has broken the answer off")
