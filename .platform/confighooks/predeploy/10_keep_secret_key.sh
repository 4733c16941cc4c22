#!/bin/sh
# A change of environment properties, such as CONFIG_FILE, also replaces the directory.
set -eu
exec "$(dirname "$0")/../../hooks/predeploy/10_keep_secret_key.sh" "$@"
