# script/test --peers: the first process of the mount and PID namespaces. Changes to the root of a release and runs the tests there.
# It uses pivot_root(2): in a chroot(2), the processes of a runtime's exec end up in the machine's root, and user namespaces
# are refused. POSIX sh. Arguments: the root, the wheels, the directory of this run, and the process id of
# script/test.
set -eu
root=$1 wheels=$2 run=$3 pid=$4

mkdir "$run/changed" "$run/work" "$run/new" "$run/tmp" "$run/home"
mount -t overlay -o "lowerdir=$root,upperdir=$run/changed,workdir=$run/work" peers "$run/new"
cd "$run/new"
mkdir checkout wheels old
# Not on the overlay: engines create overlays there, and an overlay cannot be the upper layer of another.
for pair in tmp:tmp home:root checkout:checkout; do
    mount --bind "$run/${pair%%:*}" "${pair#*:}"
done
chmod 1777 tmp
mount --bind "$wheels" wheels
mount -t proc proc proc
mount --rbind /sys sys
mount --rbind /dev dev
mount -t tmpfs -o mode=755 run run
cp -L /etc/resolv.conf etc/ 2>/dev/null || : # without a network there may be none
mv "$run/arguments" run/arguments
# Tests name containers and cgroups after their process id, and cgroups belong to the whole machine. The numbers go on from that of
# script/test, so that two runs use different names.
{ echo "$pid" >/proc/sys/kernel/ns_last_pid; } 2>/dev/null || :
pivot_root . old
cd /
umount -l /old
# The descriptors are the locks of script/lib/peers.sh.
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM="${TERM:-dumb}" \
    LANG="${LANG:-C.UTF-8}" LC_CTYPE=C.UTF-8 ${OCI_TUTOR_LANG:+OCI_TUTOR_LANG="$OCI_TUTOR_LANG"} ${CI:+CI="$CI"} \
    PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore \
    tini -- sh /checkout/script/lib/peers-run.sh 6<&- 7<&- 8<&- 9<&-
