"""Sends large answers piece by piece, as fast as the client takes them.

Sent at once, tens of megabytes would be encrypted in one go, with everybody waiting, and kept in the
connection's buffer for a client that may never read them.
"""

from __future__ import annotations

from aiohttp import web

from gitops_ocm.apiserver.limits import Limits

PIECE = 256 * 1024


async def sent(
    request: web.BaseRequest, response: web.Response, body: bytes, limits: Limits
) -> web.StreamResponse:
    """The response with this body: to be sent, or where that is large sent already."""
    if len(body) <= PIECE or request.method == "HEAD":
        response.body = body
        return response
    stream = web.StreamResponse(status=response.status, headers=response.headers)
    stream.content_length = len(body)
    with limits.answering(len(body)):
        await stream.prepare(request)
        whole = memoryview(body)
        for at in range(0, len(body), PIECE):
            async with limits.taken():
                await stream.write(bytes(whole[at : at + PIECE]))
        await stream.write_eof()
    return stream
