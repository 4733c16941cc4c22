#!/usr/bin/env python3
"""The command line: ``manage.py help`` lists the commands, ``manage.py help COMMAND`` explains one."""

import os
import signal
import sys

# Without these sentences, Django's own commands would end in a traceback.
NO_DATABASE = "This site has no relational database: create_table creates its DynamoDB table."
NOT_HERE = dict.fromkeys(("migrate", "makemigrations", "showmigrations", "dbshell", "flush"), NO_DATABASE)
NOT_HERE["test"] = "Run the tests with `make test`, or only the fastest with `make quick`."


def main() -> None:
    if instead := NOT_HERE.get("".join(sys.argv[1:2])):
        sys.exit(instead)
    # The environment may name another project's settings, or keep this folder off the path (PYTHONSAFEPATH).
    os.environ["DJANGO_SETTINGS_MODULE"] = "tictactoe_site.settings"
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    try:
        from django.core.management import execute_from_command_line
    except ImportError:
        sys.exit("Django isn't installed in this Python: use `make run` or `.venv/bin/python manage.py`.")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    # Let Ctrl-C end the process at once: a KeyboardInterrupt can get lost during imports.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    main()
