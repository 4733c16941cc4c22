"""gunicorn's settings for the pages, if it starts in this folder. WEB_CONCURRENCY or ``--workers``: one per core."""

from tictactoe_site import logs

# While some threads wait for DynamoDB, which takes no CPU, the others answer pages and health checks.
worker_class = "gthread"
threads = 32
# Longer than a load balancer's idle timeout (60 s by default), or it might use a connection that we just closed.
keepalive = 75
# Every request ends within 5 s (dynamodb/retries.py), so a deployment needn't wait longer.
graceful_timeout = 8
# Take the scheme only from this header, which nginx on this machine sets. By default, two others could set it too.
secure_scheme_headers = {"X-FORWARDED-PROTO": "https"}
# Take neither SCRIPT_NAME nor PATH_INFO from a header.
forwarder_headers = ""
logconfig_dict = logs.GUNICORN
# gunicorn 25.1 and later would open a socket in $HOME for a tool that we don't use.
control_socket_disable = True
