"""A proxy in front of DynamoDB Local, in a separate process so that it takes no time from the tests' threads.

A subclass of Hop defines what happens to each exchange, and the answers to lines from the test.
"""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

from tictactoe_site.config import BASE_DIR

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Hop:
    """An HTTP/1.1 hop. Each connection from the site gets its own to DynamoDB Local."""

    def __init__(self, upstream: str) -> None:
        self.host, self.port = urlsplit(upstream).hostname, urlsplit(upstream).port

    async def exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, upstream: Connection) -> bool:
        """Answer one request; return whether to keep the connection."""
        raise NotImplementedError

    def told(self, line: str) -> str:
        """Return the answer to a line from the test."""
        raise NotImplementedError

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            upstream = await asyncio.open_connection(self.host, self.port)
            try:
                while await self.exchange(reader, writer, upstream):
                    pass
            finally:
                upstream[1].close()
        writer.close()

    async def run(self, port: int) -> None:
        """Print the address, then answer the test's lines until there are no more."""
        server = await asyncio.start_server(self.serve, "127.0.0.1", port, backlog=1000)
        print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            print(self.told(line), flush=True)


async def carried_out(request: bytes, upstream: Connection) -> bytes:
    reader, writer = upstream
    writer.write(request)
    await writer.drain()
    return await read_message(reader)


async def read_message(reader: asyncio.StreamReader) -> bytes:
    """Read a whole request or response: botocore, DynamoDB Local and the site all send Content-Length."""
    head = await reader.readuntil(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return head + await reader.readexactly(int(lengths[0].partition(b":")[2]) if lengths else 0)


class Helper:
    """The test's handle on a helper process, which answers each line with a line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stdout
        self.address = process.stdout.readline().strip()

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, line: str) -> str:
        assert self._process.stdin
        assert self._process.stdout
        print(line, file=self._process.stdin, flush=True)
        return self._process.stdout.readline()


@contextmanager
def helper(module: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run ``python -m module`` with pipes until the block ends."""
    command = [sys.executable, "-m", module, *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=BASE_DIR) as process:
        try:
            yield process
        finally:
            process.terminate()
