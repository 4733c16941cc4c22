"""A load balancer that terminates TLS: it takes HTTP and HTTPS on one port, as a site has both under one name."""

import ssl
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import MSG_PEEK, socket
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from tests.support.nginx import BALANCER

# The first byte of a connection that starts with a TLS handshake (RFC 8446, section 5.1).
HANDSHAKE = b"\x16"
HOP_BY_HOP = ("connection", "keep-alive", "transfer-encoding")


class Handler(BaseHTTPRequestHandler):
    """Takes a request of either kind to the instance, as a balancer does."""

    server: "Server"

    def setup(self) -> None:
        if self.request.recv(1, MSG_PEEK) == HANDSHAKE:
            self.request = self.server.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def do_GET(self) -> None:
        scheme = "https" if isinstance(self.request, ssl.SSLSocket) else "http"
        forwarded = {"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": scheme}
        host, port = self.server.instance
        with closing(HTTPConnection(host, port, timeout=60, source_address=(BALANCER, 0))) as connection:
            connection.request(self.command, self.path, headers=dict(self.headers) | forwarded)
            answer = connection.getresponse()
            body = answer.read()
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def finish(self) -> None:
        super().finish()
        self.request.close()  # The server would close the socket that TLS has taken over.

    do_OPTIONS = do_GET  # noqa: N815

    def log_message(self, *_: Any) -> None:
        pass


class Server(ThreadingHTTPServer):
    """``instance`` is nginx's host and port."""

    def __init__(self, instance: str, certificate: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        parts = urlsplit(instance)
        self.instance = (parts.hostname or "", parts.port)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate)

    def handle_error(self, request: socket | tuple[bytes, socket], client_address: Any) -> None:
        """Say nothing about clients that break off."""


@contextmanager
def balanced(instance: str, folder: Path) -> Iterator[tuple[str, Path]]:
    """Run the balancer; yield its host and port, and the file with the certificate to trust."""
    certificate = folder / "certificate.pem"
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(certificate), "-out", str(folder / "only.pem")]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names, *files]
    subprocess.run(command, check=True, capture_output=True)
    with certificate.open("a") as file:
        file.write((folder / "only.pem").read_text())
    with Server(instance, certificate) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"127.0.0.1:{server.server_port}", folder / "only.pem"
        finally:
            server.shutdown()
