#!/bin/sh
# A createContainer hook without `env`: three engines give it three different environments.
#
# Guessed: config.md says that a hook's `env` "has the same semantics as IEEE Std 1003.1-2008's environ", and it is optional, so
# without it a hook gets the environment of the runtime, as a child gets its parent's; in any case all hooks of a kind the same.
# Seen, with PROCESS=1 in process.env and CALLER=1 in the environment of the command:
#   hook              runc 1.1.5    runc 1.3.6    crun 1.28
#   createRuntime     CALLER        CALLER        CALLER
#   createContainer   PROCESS       nothing       CALLER
#   startContainer    PROCESS       PROCESS       PROCESS
#   poststart         CALLER        CALLER        CALLER
# For whom: hooks that look up a program in PATH, or find the caller by a variable: what works on one engine has no PATH on another.
set -eu
if [ "${1-}" != inside ]; then exec unshare --mount --propagation private "$0" inside; fi
# Without the v2 part of hybrid cgroups, which crun does not support.
umount /sys/fs/cgroup/unified 2>/dev/null || :

work=$(mktemp -d)
engine=true
cleanup() {
    "$engine" --root "$work/state" delete --force box >/dev/null 2>&1 || :
    umount --lazy /usr 2>/dev/null || :
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

fail() { echo "CHANGED: $*" >&2; exit 1; }

command -v mmdebstrap >/dev/null || { echo "needs mmdebstrap" >&2; exit 2; }
unpack() {  # unpack SUITE DIRECTORY PACKAGES: unpacked, not installed
    mmdebstrap --quiet --mode=root --variant=extract --include="$3" \
        --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='APT::Install-Recommends "false"' "$1" "$2" 2>"$work/log" || {
        tail -n 5 "$work/log" >&2; exit 2; }
}
unpack bookworm "$work/old" runc=1.1.5+ds1-1+deb12u1,busybox-static
unpack unstable "$work/new" runc=1.3.6+ds1-1,crun=1.28-1,busybox-static

mkdir -p "$work/bundle/rootfs/bin" "$work/bundle/rootfs/proc" "$work/bundle/rootfs/dev" "$work/bundle/rootfs/out" "$work/seen"
for name in sh env; do cp "$work/new/usr/bin/busybox" "$work/bundle/rootfs/bin/$name"; done
# A hook of the host's side sees the host's paths, startContainer those of the root: /seen is the same directory in both.
hook() { printf '{"path": "/bin/sh", "args": ["sh", "-c", "%s >%s/%s"]}' "$1" "$2" "$3"; }
cat >"$work/bundle/config.json" <<JSON
{
  "ociVersion": "1.0.2",
  "root": {"path": "rootfs"},
  "process": {"user": {"uid": 0, "gid": 0}, "cwd": "/", "args": ["/bin/sh", "-c", "exit 0"], "env": ["PATH=/bin", "PROCESS=1"]},
  "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755"]},
    {"destination": "/out", "type": "bind", "source": "$work/seen", "options": ["bind"]}],
  "hooks": {
    "createRuntime": [$(hook /usr/bin/env "$work/seen" createRuntime)],
    "createContainer": [$(hook /usr/bin/env "$work/seen" createContainer)],
    "startContainer": [$(hook /bin/env /out startContainer)],
    "poststart": [$(hook /usr/bin/env "$work/seen" poststart)]
  },
  "linux": {"cgroupsPath": "/finding-hooks", "namespaces": [{"type": "mount"}, {"type": "pid"}]}
}
JSON

saw() {  # saw HOOK: which of the two it had
    [ -e "$work/seen/$1" ] || { echo "did not run"; return; }
    if grep -q '^PROCESS=' "$work/seen/$1"; then echo PROCESS
    elif grep -q '^CALLER=' "$work/seen/$1"; then echo CALLER
    else echo nothing; fi
}

try() {  # try DIRECTORY ENGINE CREATERUNTIME CREATECONTAINER STARTCONTAINER POSTSTART
    root=$1 engine=$2; shift 2
    mount -t overlay -o "lowerdir=$root/usr:/usr" packages /usr
    hash -r
    "$engine" --version | head -n 1
    rm -f "$work/seen"/*
    CALLER=1 "$engine" --root "$work/state" run --bundle "$work/bundle" box </dev/null >"$work/out" 2>&1 || fail "run: $(cat "$work/out")"
    for name in createRuntime createContainer startContainer poststart; do
        printf '  %-16s %s\n' "$name" "$(saw "$name")"
        [ "$(saw "$name")" = "$1" ] || fail "$name was $1"
        shift
    done
    umount --lazy /usr
}
try "$work/old" runc CALLER PROCESS PROCESS CALLER
try "$work/new" runc CALLER nothing PROCESS CALLER
try "$work/new" crun CALLER CALLER PROCESS CALLER
