#!/usr/bin/env python3
"""The command line: ``manage.py help`` lists the commands, ``manage.py help COMMAND`` explains one."""

import logging
import os
import signal
import sys
from pathlib import Path

# Without these sentences, Django's own commands would end in a traceback.
NO_DATABASE = "This site has no relational database: create_table creates its DynamoDB table."
NOT_HERE = dict.fromkeys(("migrate", "makemigrations", "showmigrations", "dbshell", "flush"), NO_DATABASE)
NOT_HERE["test"] = "Run the tests with `make test`, or only the fastest with `make quick`."


def main() -> None:
    if instead := NOT_HERE.get("".join(sys.argv[1:2])):
        sys.exit(instead)
    # The environment may name another project's settings, or keep this folder off the path (PYTHONSAFEPATH).
    os.environ["DJANGO_SETTINGS_MODULE"] = "tictactoe_site.settings"
    os.environ.pop("WEB_CONCURRENCY", None)  # gunicorn reads it on import, but ``play`` has one worker
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    try:
        from django.core.management import execute_from_command_line
    except ImportError:
        sys.exit("Django isn't installed in this Python: use `make run` or `.venv/bin/python manage.py`.")
    execute_from_command_line(sys.argv)


def prepare_streams() -> None:
    """Open those that are closed, or a file of ours would take their place, and escape what a terminal can't print."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if not getattr(sys, name):
            setattr(sys, name, open(os.devnull, mode))  # noqa: PTH123, SIM115
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def finish(code: int, sentence: str = "") -> None:
    """Exit at once: an output that can't be written would fail again in Python's own exit."""
    sys.stderr.write(sentence)
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    # Let Ctrl-C end the process at once: a KeyboardInterrupt can get lost during imports.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    prepare_streams()
    try:
        try:
            main()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        finish(141)
    except OSError as exc:
        finish(1, f"manage.py stopped: {exc}\n")
