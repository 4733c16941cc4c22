"""How gunicorn serves the event streams: ``gunicorn -c gunicorn.live.conf.py tictactoe_site.asgi``."""

import socket

from tictactoe_site import logs

worker_class = "games.live.worker.Worker"
# One process reads each game once for all its watchers, and it alone takes this server's hints.
workers = 1
worker_connections = 20_000
backlog = 4096
# Streams end by themselves on SIGTERM (games/live/worker.py); this is for those that can't.
graceful_timeout = 5
# A connection has one stream, and an idle one would hold up the end of the process.
keepalive = 2
# Who leaves is known to be gone: with the usual three seconds more, a storm of visitors takes three times the memory.
asgi_disconnect_grace_period = 0
# As for the pages (gunicorn.conf.py).
secure_scheme_headers = {"X-FORWARDED-PROTO": "https"}
logconfig_dict = logs.GUNICORN
control_socket_disable = True


def when_ready(server):
    """Who takes nothing for half a minute, or is no longer there, loses the connection (tcp(7))."""
    for listener in server.LISTENERS:
        if listener.sock.family in (socket.AF_INET, socket.AF_INET6):
            listener.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 30_000)
