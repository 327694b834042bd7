#!/bin/sh
# A seccomp profile with two rules for `socket`: whether it can be loaded depends on where the rule for another system call stands.
#
# Guessed: rules that ask for different values of an argument go together, and a rule for another call has no part in it.
# Seen, runc 1.1.5 on libseccomp 2.5.4, runc 1.3.6 and crun 1.28 on libseccomp 2.6.1, the architectures being X86_64 and X86 as in
# the default profiles of Docker and podman:
#   socket(AF_VSOCK) errno 1, socket(any other) allow   refused: "file exists"
#   the same, then socketcall allow                     refused: "file exists"
#   socketcall allow, then the same                     loaded
#   the first line for X86_64 alone                     loaded
# On 32-bit x86 `socket` is reached by socketcall(2), too, whose arguments are in memory, where no filter can look: libseccomp drops
# the condition there, and two rules are left that differ in their action alone. A rule that allows all of socketcall makes both
# superfluous, if it comes before them.
# For whom: podman 5.8's default profile has such rules, and works because its list with `socketcall` stands above them. The same
# profile sorted otherwise, or with rules of one's own in front, is refused with a text that does not say why (crun's not even for
# which call).
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
unpack bookworm "$work/old" runc=1.1.5+ds1-1+deb12u1,libseccomp2=2.5.4-1+deb12u1,busybox-static
unpack unstable "$work/new" runc=1.3.6+ds1-1,crun=1.28-1,libseccomp2=2.6.1-1+b2,busybox-static

mkdir -p "$work/bundle/rootfs/bin" "$work/bundle/rootfs/proc" "$work/bundle/rootfs/dev"
cp "$work/new/usr/bin/busybox" "$work/bundle/rootfs/bin/true"
# AF_VSOCK is 40.
first='{"names": ["socket"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1, "args": [{"index": 0, "op": "SCMP_CMP_EQ", "value": 40}]}'
second='{"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "op": "SCMP_CMP_NE", "value": 40}]}'
socketcall='{"names": ["socketcall"], "action": "SCMP_ACT_ALLOW"}'

configure() {  # configure RULES ARCHITECTURES. What is no socket is no matter: the default is to log.
    cat >"$work/bundle/config.json" <<JSON
{
  "ociVersion": "1.0.2",
  "root": {"path": "rootfs"},
  "process": {"user": {"uid": 0, "gid": 0}, "cwd": "/", "args": ["/bin/true"], "env": ["PATH=/bin"]},
  "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755"]}],
  "linux": {"cgroupsPath": "/finding-socket", "namespaces": [{"type": "mount"}, {"type": "pid"}],
    "seccomp": {"defaultAction": "SCMP_ACT_LOG", "architectures": [$2], "syscalls": [$1]}}
}
JSON
}

try() {  # try EXPECTED NAME RULES ARCHITECTURES
    configure "$3" "$4"
    if "$engine" --root "$work/state" run --bundle "$work/bundle" box </dev/null >"$work/out" 2>&1; then seen=loaded; else seen=refused; fi
    printf '  %-34s %s\n' "$2" "$seen"
    [ "$seen" = loaded ] || sed 's/.*msg=//; s/^/      /' "$work/out" | tail -n 1
    [ "$seen" = "$1" ] || fail "$2: $(cat "$work/out")"
}

both='"SCMP_ARCH_X86_64", "SCMP_ARCH_X86"'
use() {  # use DIRECTORY ENGINE
    engine=$2
    mount -t overlay -o "lowerdir=$1/usr:/usr" packages /usr
    hash -r
    "$engine" --version | head -n 1
    try refused 'two rules' "$first, $second" "$both"
    try refused 'two rules, then socketcall' "$first, $second, $socketcall" "$both"
    try loaded 'socketcall, then two rules' "$socketcall, $first, $second" "$both"
    try loaded 'two rules, without x86' "$first, $second" '"SCMP_ARCH_X86_64"'
    umount --lazy /usr
}
use "$work/old" runc
use "$work/new" runc
use "$work/new" crun
