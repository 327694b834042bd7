# In the virtual machine of script/test --vm: what script/lib/vm-tests.service runs, in the checkout. POSIX sh. The first argument says
# what the others are for: `pytest`, or `verify`.
set -u
. /etc/os-release

# first_line COMMAND...: prints the first line that a program says on its version.
first_line() { "$@" 2>/dev/null | head -n 1; }
echo "── $PRETTY_NAME: Linux $(uname -r), $(first_line systemctl --version), $(first_line python3 --version)," \
    "$(first_line runc --version), $(first_line crun --version), $(first_line docker --version)," \
    "$(python3 -c 'from tutor.patience import slowness; print(f"slowness {slowness():.0f}")')"

# User-mode Linux has no address translation by nftables, which Docker asks for with its defaults.
iptables-nft -t nat -N probe 2>/dev/null && iptables-nft -t nat -X probe || update-alternatives --quiet --set iptables /usr/sbin/iptables-legacy

word=$1
shift
if [ "$word" = pytest ]; then
    # Since trixie /tmp is mounted nodev, and the devices of a test's container are in its own root.
    export TMPDIR=/var/tmp
    exec python3 -m pytest -p no:cacheprovider "$@"
fi

# Where the installation of a learner puts them; lessons use both by name.
python3 -m runtime.install.launcher install-plain /usr/local/bin/runt >/dev/null || exit 1
printf '#!/bin/sh\nPYTHONPATH=%s exec python3 -m tutor "$@"\n' "$PWD:$PWD/.site" >/usr/local/bin/oci-tutor && chmod 755 /usr/local/bin/oci-tutor || exit 1
failed=0
for engine in runc crun runt; do
    python3 -m tutor verify --engine "$engine" "$@" || failed=1
done
exit $failed
