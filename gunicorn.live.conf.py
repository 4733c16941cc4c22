"""gunicorn's settings for the event streams: ``gunicorn -c gunicorn.live.conf.py tictactoe_site.asgi``."""

import socket

from tictactoe_site import logs

worker_class = "games.live.worker.Worker"
# A single process reads each game once for all its watchers, and receives all of this server's hints.
workers = 1
worker_connections = 20_000
backlog = 4096
# On SIGTERM the worker closes the streams (games/live/worker.py). This limit is for those that it can't close.
graceful_timeout = 5
# Each connection carries one stream. Idle connections would only delay the shutdown.
keepalive = 2
# End a stream as soon as its client leaves. With the default of 3 s, a rush of visitors takes three times the memory.
asgi_disconnect_grace_period = 0
# The same as for the pages (gunicorn.conf.py).
secure_scheme_headers = {"X-FORWARDED-PROTO": "https"}
# Take neither SCRIPT_NAME nor PATH_INFO from a header.
forwarder_headers = ""
logconfig_dict = logs.GUNICORN
control_socket_disable = True


def when_ready(server):
    """Close a connection if its client is gone or takes no data for 30 s (TCP_USER_TIMEOUT in tcp(7))."""
    for listener in server.LISTENERS:
        if listener.sock.family in (socket.AF_INET, socket.AF_INET6):
            listener.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 30_000)
