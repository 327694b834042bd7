#!/bin/sh
# A configuration without `process`: crun 1.28 creates it, and its `start` succeeds though nothing can be started.
#
# Guessed: `create` refuses it, as crun 1.8.1 does, or `start` fails. runtime.md, Start: without `process` the runtime "MUST
# generate an error if `process` was not set".
# Seen, crun 1.28 of Debian unstable: `create` exits 0 and the container is `created`. `start` exits 0 and prints nothing; the only
# word of it, "block `process` not found", comes from the container, on the standard error that `create` had. Then the container
# is `stopped`.
# For whom: whoever takes the exit status of `start` for the start of a program, or looks into the log of `start` for the reason.
set -eu
if [ "${1-}" != inside ]; then exec unshare --mount --propagation private "$0" inside; fi
# Without the v2 part of hybrid cgroups, which crun does not support.
umount /sys/fs/cgroup/unified 2>/dev/null || :

work=$(mktemp -d)
cleanup() {
    crun --root "$work/state" delete --force box >/dev/null 2>&1 || :
    umount /usr 2>/dev/null || :
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

fail() { echo "CHANGED: $*" >&2; exit 1; }

command -v mmdebstrap >/dev/null || { echo "needs mmdebstrap" >&2; exit 2; }
# Unpacked, not installed; the programs see it laid over /usr, in this mount namespace alone.
mmdebstrap --quiet --mode=root --variant=extract --include=crun=1.28-1 \
    --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='APT::Install-Recommends "false"' unstable "$work/root" 2>"$work/log" || {
    tail -n 5 "$work/log" >&2; exit 2; }
mount -t overlay -o "lowerdir=$work/root/usr:/usr" packages /usr
hash -r
crun --version | head -n 1

mkdir -p "$work/bundle/rootfs/proc" "$work/bundle/rootfs/dev"
cat >"$work/bundle/config.json" <<'JSON'
{
  "ociVersion": "1.2.1",
  "root": {"path": "rootfs"},
  "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
  "linux": {"cgroupsPath": "/finding-process", "namespaces": [{"type": "mount"}, {"type": "pid"}]}
}
JSON

state() { crun --root "$work/state" state box | sed -n 's/.*"status": *"\([a-z]*\)".*/\1/p'; }

crun --root "$work/state" create --bundle "$work/bundle" box </dev/null >"$work/out" 2>"$work/err" || fail "create refuses it: $(cat "$work/err")"
echo "create: exit 0, $(state)"
[ "$(state)" = created ] || fail "after create it is $(state)"
crun --root "$work/state" start box >"$work/start" 2>&1 || fail "start fails: $(cat "$work/start")"
[ ! -s "$work/start" ] || fail "start says something: $(cat "$work/start")"
tries=0
until [ "$(state)" = stopped ]; do tries=$((tries + 1)); [ "$tries" -lt 100 ] || fail "it does not stop"; sleep 0.1; done
echo "start: exit 0, no output; then $(state); the container said: $(cat "$work/err")"
grep -q 'process' "$work/err" || fail "the container does not say why"
