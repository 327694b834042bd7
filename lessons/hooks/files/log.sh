#!/bin/sh
# log.sh KIND [STATUS]: a hook that writes down that it was called, where, and with which state; it exits with STATUS.
here=${0%/*} status=${2:-0}
cat > "$here/$1.json"
if [ "$status" = 0 ]; then
    echo "$1"
else
    echo "$1 failed"
    echo "$1 says no" >&2
fi >> "$here/order"
echo "$1 $(readlink /proc/self/ns/mnt) /=$(ls -id / | tr -dc 0-9)" >> "$here/where"
exit "$status"
