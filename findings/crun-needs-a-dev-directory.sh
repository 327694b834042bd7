#!/bin/sh
# A root filesystem without the directory /dev, and no mount on it: runc makes the directory, crun does not.
#
# Guessed: both make /dev. The runtime specification asks for the default devices (config-linux.md, Default Devices), so a
# runtime has to make what they are in.
# Seen, Debian 12: runc 1.1.5 runs the container and leaves /dev with its devices in the root; crun 1.8.1 refuses:
#   open /dev directory in `.../rootfs`: No such file or directory
# With an empty /dev in the root crun runs it.
# For whom: images of one static program have no /dev; they run until the engine is changed.
set -eu
# In a mount namespace without the v2 part of hybrid cgroups: with it crun 1.8.1 refuses at once.
if [ "${1-}" != inside ]; then exec unshare --mount "$0" inside; fi
umount /sys/fs/cgroup/unified 2>/dev/null || :

work=$(mktemp -d)
cleanup() {
    for engine in runc crun; do
        "$work/$engine" --root "$work/state-$engine" delete --force box >/dev/null 2>&1 || :
    done
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

fail() { echo "CHANGED: $*" >&2; exit 1; }

cd "$work"
apt-get -qq -o APT::Sandbox::User=root download runc=1.1.5+ds1-1+deb12u1 crun=1.8.1-1+deb12u1 libyajl2=2.1.0-3+deb12u2 busybox-static=1:1.35.0-4+deb12u1+b1
for package in ./*.deb; do dpkg -x "$package" packages; done
library=$(dirname "$(find packages -name 'libyajl.so.2' | head -n 1)")
for engine in runc crun; do
    program=$work/$(find packages -path "*bin/$engine" | head -n 1)
    printf '#!/bin/sh\nLD_LIBRARY_PATH="%s" exec "%s" "$@"\n' "$work/$library" "$program" >"$engine"
    chmod +x "$engine"
done
./runc --version | head -n 1
./crun --version | head -n 1

run() {  # run ENGINE DEV: a container of a new bundle, with the directory /dev or without
    rm -rf bundle && mkdir -p bundle/rootfs/bin bundle/rootfs/proc
    [ "$2" = without ] || mkdir bundle/rootfs/dev
    cp packages/bin/busybox bundle/rootfs/bin/sh
    cat >bundle/config.json <<JSON
{
  "ociVersion": "1.0.2",
  "root": {"path": "rootfs"},
  "process": {"user": {"uid": 0, "gid": 0}, "cwd": "/", "args": ["/bin/sh", "-c", "echo ran"], "env": ["PATH=/bin"]},
  "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
  "linux": {"cgroupsPath": "/finding-dev-$1", "namespaces": [{"type": "mount"}, {"type": "pid"}]}
}
JSON
    "./$1" --root "$work/state-$1" run --bundle bundle box </dev/null 2>&1 || :
    "./$1" --root "$work/state-$1" delete --force box >/dev/null 2>&1 || :
}

said=$(run runc without); echo "runc, without /dev: $said"
[ "$said" = ran ] || fail "runc 1.1.5 does not run it"
[ -c bundle/rootfs/dev/null ] || fail "runc 1.1.5 leaves no /dev/null in the root"
said=$(run crun without); echo "crun, without /dev: $said"
case $said in *"No such file or directory"*) ;; *) fail "crun 1.8.1 runs it, or says something else" ;; esac
said=$(run crun with); echo "crun, with /dev: $said"
case $said in *ran) ;; *) fail "crun 1.8.1 does not run it with /dev either" ;; esac
