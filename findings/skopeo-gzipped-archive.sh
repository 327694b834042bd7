#!/bin/sh
# skopeo 1.9.3 reads a docker-archive that was compressed as a whole by zstd, and refuses the same one compressed by gzip.
#
# Guessed: gzip, which `docker load` has taken for ten years, is read; zstd may not be, in a version of 2022.
# Seen, Debian 12 (skopeo 1.9.3+ds1-1+b10), the archive made by skopeo itself:
#   plain  copied
#   zstd   copied
#   gzip   loading tar component manifest.json: unexpected EOF
# For whom: an archive to be carried about is compressed by what is at hand. `gunzip` it first.
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

fail() { echo "CHANGED: $*" >&2; exit 1; }

cd "$work"
apt-get -qq -o APT::Sandbox::User=root download skopeo=1.9.3+ds1-1+b10 umoci=0.4.7+ds-3+b7 zstd=1.5.4+dfsg2-5 \
    libgpgme11=1.18.0-3+b1 libassuan0=2.5.5-5 libdevmapper1.02.1=2:1.02.185-2
for package in ./*.deb; do dpkg -x "$package" packages; done
LD_LIBRARY_PATH=$(dirname "$(find "$work/packages" -name 'libgpgme.so.11' | head -n 1)")
export LD_LIBRARY_PATH
PATH=$work/packages/usr/bin:$PATH
skopeo --version

umoci init --layout layout
umoci new --image layout:x
umoci unpack --image layout:x bundle >/dev/null 2>&1
echo hello >bundle/rootfs/file
umoci repack --image layout:x bundle >/dev/null 2>&1
echo '{"default": [{"type": "insecureAcceptAnything"}]}' >policy.json
copy() { skopeo --policy policy.json copy --quiet "docker-archive:$1" "oci:$2:x" 2>&1 || :; }
skopeo --policy policy.json copy --quiet oci:layout:x docker-archive:image.tar:x:latest
gzip --keep image.tar
zstd --quiet image.tar

said=$(copy image.tar plain); echo "plain: ${said:-copied}"
[ -z "$said" ] || fail "the archive itself is refused"
said=$(copy image.tar.zst zstd); echo "zstd:  ${said:-copied}"
[ -z "$said" ] || fail "zstd is refused"
said=$(copy image.tar.gz gzip); echo "gzip:  ${said:-copied}"
case $said in *"unexpected EOF"*) ;; *) fail "gzip is read, or refused otherwise" ;; esac
