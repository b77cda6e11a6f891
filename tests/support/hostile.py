"""A server on loopback that says exactly what a test wants, byte for byte."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def read_head(reader: asyncio.StreamReader) -> bytes:
    """Return a request up to its empty line, or what came of it."""
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


@asynccontextmanager
async def serving(talk: Talk) -> AsyncIterator[int]:
    """Serve with one function for each connection; yield the port."""

    async def safely(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            await talk(reader, writer)
        except ConnectionError:
            pass  # whoever asked has gone, as most do here
        finally:
            writer.close()

    server = await asyncio.start_server(safely, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def saying(*parts: bytes, pause: float = 0.0) -> Talk:
    """Return what answers each request with these bytes and hangs up."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)

    return talk


def dripping(head: bytes, drop: bytes, *, pause: float = 0.01) -> Talk:
    """Return what answers with a head, and then with one drop after the other."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(head)
        while True:
            writer.write(drop)
            await writer.drain()
            await asyncio.sleep(pause)

    return talk


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take whatever comes and say nothing, as a handshake that hangs."""
    del writer
    await reader.read()
    while await reader.read(65_536):
        pass
