#!/bin/sh
# log.sh KIND [STATUS]: a hook that writes down that it was called, where, and with which state; it exits with STATUS.
here=${0%/*}
cat > "$here/$1.json"
echo "$1" >> "$here/order"
echo "$1 $(readlink /proc/self/ns/mnt) /=$(ls -id / | tr -dc 0-9)" >> "$here/where"
[ "${2:-0}" = 0 ] || echo "$1 says no" >&2
exit "${2:-0}"
