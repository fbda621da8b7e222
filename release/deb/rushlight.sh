#!/bin/sh
# The command line of the installed appliance.
export RUSHLIGHT_CONFIG="${RUSHLIGHT_CONFIG:-/etc/rushlight/rushlight.toml}"
export RUSHLIGHT_DATA="${RUSHLIGHT_DATA:-/var/lib/rushlight}"
exec /usr/lib/rushlight/bin/node /usr/lib/rushlight/supervisor/cli/rushlight.ts "$@"
