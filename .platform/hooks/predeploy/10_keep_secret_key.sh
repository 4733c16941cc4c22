#!/bin/sh
# Keep the key that a single server generated for itself (tictactoe_site/secret.py): a new version replaces the whole
# directory, and without the key everybody would be logged out. Beanstalk runs this as root in the staging directory.
# Arguments, for tests: the directories of the current and the new version.
set -eu
current=${1:-/var/app/current}/.secret_key
staging=${2:-.}/.secret_key

[ -f "$current" ] && [ ! -e "$staging" ] || exit 0
# Copy and rename, so that the key is never incomplete. -p keeps its owner, the site's user, and mode 0600.
cp -p "$current" "$staging.part"
mv "$staging.part" "$staging"
