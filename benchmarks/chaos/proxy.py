"""A TCP proxy on loopback that cuts, holds back, swallows or slows what passes.

It serves in a thread of its own. What is asked of it takes effect before the call
returns, also for the connections that are open.
"""

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

CHUNK_BYTES = 65_536
CALL_SECONDS = 10.0
# Closing with this option sends a reset and not an orderly end.
RESET = struct.pack("ii", 1, 0)

T = TypeVar("T")
Owners = Callable[[], Iterable[int]]


class Weather(StrEnum):
    """What happens to the bytes of a connection."""

    PASS = "pass"  # noqa: S105  # no password
    BLACK_HOLE = "black hole"  # nothing gets through, either way, until it is over
    DEAF = "deaf"  # requests arrive, answers are lost
    SLOW = "slow"  # each chunk waits
    REFUSED = "refused"  # connections are reset, also new ones
    TORN = "torn"  # half of the next chunk gets through, then a reset


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """The weather, and whom it meets."""

    weather: Weather = Weather.PASS
    owners: Owners | None = None  # processes that it meets; None: all
    delay_seconds: float = 0.0

    def meets(self, client_port: int) -> bool:
        """Say whether it meets the connection that comes from this port."""
        if self.weather is Weather.PASS:
            return False
        return self.owners is None or owns_port(self.owners(), client_port)


class Link:
    """One client's connection and ours to the server."""

    def __init__(self, client: asyncio.StreamWriter) -> None:
        self.client = client
        self.server: asyncio.StreamWriter | None = None
        self.port = int(client.get_extra_info("peername")[1])
        self.met = False  # whether the present weather meets it

    def reset(self) -> None:
        """End both halves as a broken network does."""
        for writer in self._open():
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            writer.transport.abort()

    def close(self) -> None:
        """End both halves after what was sent has left."""
        for writer in self._open():
            writer.close()

    def _open(self) -> list[asyncio.StreamWriter]:
        both = (self.client, self.server)
        return [one for one in both if one and not one.transport.is_closing()]


class Proxy:
    """Passes connections on to one port of this machine."""

    def __init__(self, target_port: int) -> None:
        """Start serving on a free port.

        Args:
            target_port: Where the server listens on 127.0.0.1.
        """
        self._target_port = target_port
        self._forecast = Forecast()
        self._links: set[Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._changed = self._call(_make_event())
        self._server = self._call(self._serve())
        self.port: int = self._server.sockets[0].getsockname()[1]

    def cut(self, owners: Owners | None = None) -> int:
        """Reset the open connections and return how many; new ones pass.

        Args:
            owners: Ids of the processes that are cut off; None for all.
        """
        forecast = Forecast(weather=Weather.REFUSED, owners=owners)
        with self._under(forecast) as n_met:
            return n_met

    @contextmanager
    def weather(
        self,
        weather: Weather,
        *,
        owners: Owners | None = None,
        delay_seconds: float = 0.0,
    ) -> Iterator[int]:
        """Let the weather hold for the block; yield how many connections it meets.

        Args:
            weather: What happens.
            owners: Ids of the processes that it meets, asked for again with each new
                connection; None for all.
            delay_seconds: How long each chunk waits while it is slow.
        """
        forecast = Forecast(weather=weather, owners=owners, delay_seconds=delay_seconds)
        with self._under(forecast) as n_met:
            yield n_met

    def close(self) -> None:
        """Stop serving; open connections end."""
        if self._loop.is_closed():
            return
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CALL_SECONDS)
        self._loop.close()

    @contextmanager
    def _under(self, forecast: Forecast) -> Iterator[int]:
        n_met = self._call(self._change(forecast))
        try:
            yield n_met
        finally:
            self._call(self._change(Forecast()))

    def _call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        return future.result(CALL_SECONDS)

    async def _serve(self) -> asyncio.Server:
        return await asyncio.start_server(self._accept, "127.0.0.1", 0)

    async def _close(self) -> None:
        self._server.close()
        for link in list(self._links):
            link.reset()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _change(self, forecast: Forecast) -> int:
        was, self._forecast = self._forecast, forecast
        for link in list(self._links):
            # A stream of which answers are missing cannot be read on.
            if link.met and was.weather is Weather.DEAF:
                link.reset()
            link.met = forecast.meets(link.port)
            if link.met and forecast.weather is Weather.REFUSED:
                link.reset()
        self._changed.set()
        self._changed = asyncio.Event()
        return sum(link.met for link in self._links)

    async def _accept(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        link = Link(writer)
        link.met = self._forecast.meets(link.port)
        self._links.add(link)
        if task:
            self._tasks.add(task)
        try:
            await self._connect(link, reader)
        except (OSError, asyncio.CancelledError):
            pass  # a side has gone, which ends the other; or we are closing
        finally:
            link.close()
            self._links.discard(link)
            if task:
                self._tasks.discard(task)

    async def _connect(self, link: Link, reader: asyncio.StreamReader) -> None:
        if link.met and self._forecast.weather is Weather.REFUSED:
            link.reset()
            return
        while link.met and self._forecast.weather is Weather.BLACK_HOLE:
            await self._changed.wait()
        answers, link.server = await asyncio.open_connection(
            "127.0.0.1", self._target_port
        )
        halves = [
            asyncio.ensure_future(self._pump(link, reader, link.server)),
            asyncio.ensure_future(self._pump(link, answers, link.client)),
        ]
        try:
            await asyncio.wait(halves, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for half in halves:
                half.cancel()
            await asyncio.gather(*halves, return_exceptions=True)

    async def _pump(
        self, link: Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while chunk := await reader.read(CHUNK_BYTES):
            passed = await self._through_weather(link, chunk, writer)
            writer.write(passed)
            await writer.drain()
            if link.met and self._forecast.weather is Weather.TORN:
                # A reset would also take back the half that has got through.
                writer.close()
                link.reset()
                return

    async def _through_weather(
        self, link: Link, chunk: bytes, writer: asyncio.StreamWriter
    ) -> bytes:
        """Return what is left of a chunk, when its time has come."""
        while link.met and self._forecast.weather is Weather.BLACK_HOLE:
            await self._changed.wait()
        if not link.met:
            return chunk
        if self._forecast.weather is Weather.SLOW:
            await asyncio.sleep(self._forecast.delay_seconds)
        if self._forecast.weather is Weather.DEAF and writer is link.client:
            return b""
        if self._forecast.weather is Weather.TORN:
            return chunk[: len(chunk) // 2]
        return chunk


async def _make_event() -> asyncio.Event:
    return asyncio.Event()


def owns_port(pids: Iterable[int], port: int) -> bool:
    """Say whether one of the processes holds the local end of a connection."""
    inode = _inode_of(port)
    if inode is None:
        return False
    wanted = f"socket:[{inode}]"
    return any(wanted in open_files(pid) for pid in pids)


def _inode_of(port: int) -> str | None:
    local = f"0100007F:{port:04X}"  # 127.0.0.1 as the kernel writes it
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1] == local:
            return fields[9]
    return None


def open_files(pid: int) -> set[str]:
    """Return what the kernel calls the open files of a process, sockets among them."""
    names = set()
    try:
        for file in Path(f"/proc/{pid}/fd").iterdir():
            try:
                names.add(str(file.readlink()))
            except OSError:
                continue  # it was closed meanwhile
    except OSError:
        return set()  # the process has ended
    return names
