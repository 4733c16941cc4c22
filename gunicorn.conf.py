"""How gunicorn serves the pages, wherever it is started from this directory: ``gunicorn tictactoe_site.wsgi``.

The number of workers is WEB_CONCURRENCY or ``--workers``; one for each core is right.
"""

from tictactoe_site import logs

# Threads wait for DynamoDB, which costs nothing: while one does, the others answer pages and health checks.
worker_class = "gthread"
threads = 32
# Longer than a load balancer keeps its connections (60 s by default), so that it never uses one just closed here.
keepalive = 75
# Every request ends within 5 s (dynamodb/retries.py), and a new version must not wait for more.
graceful_timeout = 8
# The scheme is what nginx on this machine says in this header alone; by default two others could say it as well.
secure_scheme_headers = {"X-FORWARDED-PROTO": "https"}
logconfig_dict = logs.GUNICORN
# gunicorn 25.1 and later would open one in $HOME, for a tool that is not used here.
control_socket_disable = True
