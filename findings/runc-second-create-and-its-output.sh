#!/bin/sh
# A second container on a root whose /dev is a plain directory: whether runc 1.3.6 makes it depends on its own standard output.
#
# Guessed: the second create works as the first did, or is refused; what runc's output is connected to has no part in it.
# Seen, runc 1.3.6 of Debian unstable: the first container leaves /dev/stdin, /dev/stdout and /dev/stderr in the root, links to
# /proc/self/fd/N. The second create follows them, in the root, by the names that its own descriptors have outside:
#   output to a pipe   refused: "error setting up /dev symlinks: symlinkat ROOT/proc/1/fd/pipe:[N]: no such file or directory"
#   output to a file   made; and the root has got a symbolic link at the host's path of that file, with the directories to it
# With a tmpfs on /dev, as engines configure it, every create works and leaves nothing.
# For whom: bundles by hand, with a root that is used again. It works on a terminal and fails in a pipeline, and an image made
# of such a root has paths of the host in it.
set -eu
if [ "${1-}" != inside ]; then exec unshare --mount --propagation private "$0" inside; fi

work=$(mktemp -d)
cleanup() {
    runc --root "$work/state" delete --force box >/dev/null 2>&1 || :
    umount /usr 2>/dev/null || :
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

fail() { echo "CHANGED: $*" >&2; exit 1; }

command -v mmdebstrap >/dev/null || { echo "needs mmdebstrap" >&2; exit 2; }
# Unpacked, not installed; the programs see it laid over /usr, in this mount namespace alone.
mmdebstrap --quiet --mode=root --variant=extract --include=runc=1.3.6+ds1-1,busybox-static=1:1.38.0-3+b1 \
    --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='APT::Install-Recommends "false"' unstable "$work/root" 2>"$work/log" || {
    tail -n 5 "$work/log" >&2; exit 2; }
mount -t overlay -o "lowerdir=$work/root/usr:/usr" packages /usr
hash -r
runc --version | head -n 1

bundle() {  # bundle MOUNTS: a new bundle, with more mounts
    rm -rf "$work/bundle" && mkdir -p "$work/bundle/rootfs/bin" "$work/bundle/rootfs/proc" "$work/bundle/rootfs/dev"
    cp /usr/bin/busybox "$work/bundle/rootfs/bin/sh"
    cat >"$work/bundle/config.json" <<JSON
{
  "ociVersion": "1.2.1",
  "root": {"path": "rootfs"},
  "process": {"user": {"uid": 0, "gid": 0}, "cwd": "/", "args": ["/bin/sh", "-c", "exit 0"], "env": ["PATH=/bin"]},
  "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}$1],
  "linux": {"cgroupsPath": "/finding-output", "namespaces": [{"type": "mount"}, {"type": "pid"}]}
}
JSON
}

create() { runc --root "$work/state" create --bundle "$work/bundle" box </dev/null 2>"$work/errors"; }
delete() { runc --root "$work/state" delete --force box >/dev/null 2>&1 || :; }
said() { sed 's/.*msg=//' "$work/errors" | tail -n 1; }

fresh() {  # a new bundle whose root one container has used
    bundle ''
    create >"$work/first" || fail "the first create is refused: $(said)"
    delete
    [ -h "$work/bundle/rootfs/dev/stdout" ] || fail "the first container leaves no link /dev/stdout"
}

fresh
{ create || echo refused >"$work/status"; } | cat >/dev/null
[ -e "$work/status" ] || { delete; fail "with a pipe the second create works"; }
echo "pipe: $(said)"
case $(said) in *"no such file or directory"*) ;; *) fail "with a pipe it says something else" ;; esac
delete

fresh
create >"$work/file" || fail "with a file the second create is refused: $(said)"
delete
[ -h "$work/bundle/rootfs$work/file" ] || fail "with a file nothing is left at its path in the root"
echo "file: made, and in the root: a link at the file's path outside, to $(readlink "$work/bundle/rootfs$work/file")"

bundle ', {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755"]}'
for turn in 1 2; do create >"$work/file" || fail "with a tmpfs on /dev, create $turn is refused: $(said)"; delete; done
[ ! -e "$work/bundle/rootfs/tmp" ] || fail "with a tmpfs on /dev something is left in the root"
echo "tmpfs on /dev: made twice, and nothing is left"
