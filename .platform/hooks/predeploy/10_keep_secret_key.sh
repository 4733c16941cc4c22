#!/bin/sh
# Keep the key that a lone server made for itself (tictactoe_site/secret.py): a new version's directory replaces the
# old one, and without the key everybody would be logged out. Beanstalk runs this as root in the staging directory.
# Arguments, for tests: the current version's directory, the new one's.
set -eu
current=${1:-/var/app/current}/.secret_key
staging=${2:-.}/.secret_key

[ -f "$current" ] && [ ! -e "$staging" ] || exit 0
# First under another name: a key is there whole or not at all. -p keeps its owner, the site's user, and mode 0600.
cp -p "$current" "$staging.part"
mv "$staging.part" "$staging"
