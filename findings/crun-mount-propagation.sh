#!/bin/sh
# A bind mount with the option `rshared` or `rslave`: crun 1.28 makes it private, unless `rootfsPropagation` is set, too.
#
# Guessed: the option is that of the mount, and holds whatever the propagation of the root is, as with runc 1.3.
# Seen, crun 1.28 of Debian unstable (1.8.1 of Debian 12, too): without `linux.rootfsPropagation`, /bound has neither "shared:" nor
# "master:" in mountinfo, and `create` says nothing. With `rootfsPropagation: rslave` the option `rslave` holds: without it crun makes
# everything below / private, after all mounts are made.
# For whom: whoever mounts a directory with `rslave` so that later mounts of the host appear in it, and sees none.
set -eu
if [ "${1-}" != inside ]; then exec unshare --mount --propagation private "$0" inside; fi
# Without the v2 part of hybrid cgroups, which crun does not support.
umount /sys/fs/cgroup/unified 2>/dev/null || :

work=$(mktemp -d)
cleanup() {
    crun --root "$work/state" delete --force box >/dev/null 2>&1 || :
    umount "$work/shared" 2>/dev/null || :
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

mkdir -p "$work/shared" "$work/bundle/rootfs/proc" "$work/bundle/rootfs/dev"
printf '#!/bin/sh\n' >"$work/bundle/rootfs/program"
chmod 755 "$work/bundle/rootfs/program"
mount --bind "$work/shared" "$work/shared"
mount --make-shared "$work/shared"

# propagation OPTION MEMBER: creates a container, and prints the optional fields of its /bound, "private" for none.
propagation() {
    cat >"$work/bundle/config.json" <<JSON
{
  "ociVersion": "1.2.1",
  "process": {"user": {"uid": 0, "gid": 0}, "cwd": "/", "args": ["/program"]},
  "root": {"path": "rootfs"},
  "mounts": [
    {"destination": "/proc", "type": "proc", "source": "proc"},
    {"destination": "/bound", "type": "bind", "source": "$work/shared", "options": ["rbind", "$1"]}
  ],
  "linux": {$2 "cgroupsPath": "/finding-propagation", "namespaces": [{"type": "mount"}, {"type": "pid"}]}
}
JSON
    crun --root "$work/state" create --bundle "$work/bundle" box </dev/null >"$work/out" 2>&1 || fail "create: $(cat "$work/out")"
    pid=$(crun --root "$work/state" state box | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p')
    sed -n 's/^.* \/bound [^ ]* \(.*\)- .*/\1/p' "/proc/$pid/mountinfo" | sed 's/:[0-9]*//g; s/ *$//; s/^$/private/'
    crun --root "$work/state" delete --force box
}

for option in rshared rslave; do
    seen=$(propagation "$option" "")
    echo "$option: $seen"
    [ "$seen" = private ] || fail "$option alone gives: $seen"
done
seen=$(propagation rslave '"rootfsPropagation": "rslave",')
echo "rslave with rootfsPropagation rslave: $seen"
[ "$seen" = master ] || fail "with rootfsPropagation: $seen"
