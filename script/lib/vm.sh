# script/test --vm: runs the tests that need what a machine with cgroup v1 lacks: cgroup v2 with every controller, systemd as
# process 1, and Docker with its defaults. They run in a Debian that qemu boots. qemu emulates the processor, because a virtual
# machine usually has no KVM, or a broken one (OCI_TUTOR_VM_ACCEL=kvm uses KVM). POSIX sh; expects $ROOT, script/lib/setup.sh
# and $ROOT/.venv.
#
# Two things are kept in the user's cache directory: the disk image, built once from Debian's packages and never changed by a run,
# and pytest for the image's Python. The checkout is a second disk that is a tar file. The output of the tests comes out of one
# serial port, their exit status out of another.

VM_RELEASE=bookworm
VM_PYTHON=3.11
VM_PACKAGES='systemd,systemd-sysv,dbus,dbus-user-session,libpam-systemd,udev,procps,uidmap,linux-image-cloud-amd64,python3,
    busybox-static,runc,crun,docker.io,containerd,apparmor,criu,iproute2'
VM_TOOLS='qemu-system-x86_64=qemu-system-x86 mmdebstrap=mmdebstrap mke2fs=e2fsprogs'
VM_MINUTES=15
# Every test of cgroups, and what a kernel needs for criu and for AppArmor.
VM_TESTS='tests/vm tests/runtime/test_cgroups_*.py tests/runtime/test_checkpoint_restore.py::test_container_goes_on_where_it_was
    tests/runtime/test_process_labels.py::test_profile_is_the_programs'

vm_cache=${XDG_CACHE_HOME:-$HOME/.cache}/oci-tutor/vm

# vm_test PYTEST_ARGUMENTS...: boots the machine, runs the tests (VM_TESTS without arguments), returns whether they passed.
vm_test() {
    missing=$(missing_packages $VM_TOOLS)
    [ -r /usr/share/keyrings/debian-archive-keyring.gpg ] || missing="$missing debian-archive-keyring"
    [ -z "$missing" ] || install_packages $missing
    missing=$(missing_packages $VM_TOOLS)
    [ -z "$missing" ] || die "$(printf "$MSG_VM_MISSING" "$missing")"
    mkdir -p "$vm_cache" || return 1
    vm_work=$(mktemp -d "$vm_cache/run.XXXXXX") || return 1
    trap 'rm -rf "$vm_work"' EXIT
    trap 'exit 130' INT TERM HUP
    (flock 9 && vm_make_image && vm_make_site) 9>"$vm_cache/lock" || return 1
    [ $# -gt 0 ] || set -- $VM_TESTS
    vm_pack "$@" && vm_run
}

# Makes $vm_image, a directory with the machine's disk, kernel and initramfs, unless it is there. It is named after what it was
# made from, and gets its name when it is complete.
vm_make_image() {
    vm_image=$(vm_image_path)
    [ ! -d "$vm_image" ] || return 0
    say "$MSG_VM_IMAGE"
    tree=$vm_work/tree new=$vm_work/image
    mkdir "$new"
    # In its own mount namespace, so that no mount is left, whatever happens. force-unsafe-io: do not sync after each package.
    as_root unshare --mount --propagation private mmdebstrap --quiet --mode=root --variant=minbase \
        --include="$(printf %s "$VM_PACKAGES" | tr -d ' \n')" \
        --aptopt='APT::Install-Recommends "false"' --dpkgopt=force-unsafe-io \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --customize-hook="copy-in '$ROOT/script/lib/vm-tests.service' /etc/systemd/system" \
        --customize-hook='chroot "$1" systemctl --quiet enable vm-tests.service' \
        --customize-hook='chroot "$1" systemctl --quiet disable docker.service docker.socket containerd.service' \
        --customize-hook='chroot "$1" systemctl --quiet mask apt-daily.timer apt-daily-upgrade.timer e2scrub_reap.service' \
        "$VM_RELEASE" "$tree" >"$vm_work/log" 2>&1 &&
        as_root mke2fs -q -t ext4 -d "$tree" "$new/disk" 6G >>"$vm_work/log" 2>&1 &&
        as_root cp "$tree"/boot/vmlinuz-* "$new/kernel" && as_root cp "$tree"/boot/initrd.img-* "$new/initramfs" &&
        as_root chown -R "$(id -u):$(id -g)" "$new" || {
            tail -n 20 "$vm_work/log" >&2; as_root rm -rf "$tree"; die "$MSG_VM_IMAGE_FAILED"; }
    as_root rm -rf "$tree"
    rm -rf "$vm_cache"/image.*
    mv "$new" "$vm_image"
}

vm_image_path() {
    printf '%s/image.%s' "$vm_cache" \
        "$(echo "$VM_RELEASE $VM_PACKAGES" | cat - "$ROOT/script/lib/vm-tests.service" | cksum | tr -d ' ')"
}

# Makes the directory .site with pytest and its dependencies for the machine's Python: the machine has no network.
vm_make_site() {
    wanted="$VM_PYTHON $(cksum <"$ROOT/requirements/test.txt")"
    [ "$(cat "$vm_cache/.site/wanted" 2>/dev/null)" != "$wanted" ] || return 0
    rm -rf "$vm_cache/.site"
    lock_for "$ROOT/requirements/test.txt" "$VM_PYTHON" >"$vm_work/lock"
    venv_pip install --quiet --target "$vm_cache/.site" --python-version "$VM_PYTHON" --only-binary=:all: \
        --no-deps --require-hashes --requirement "$vm_work/lock" || die "$MSG_VM_IMAGE_FAILED"
    printf %s "$wanted" >"$vm_cache/.site/wanted"
}

# Packs the checkout, pytest and its arguments.
vm_pack() {
    colour=no
    [ ! -t 1 ] || colour=yes
    printf '%s\0' "--color=$colour" "$@" >"$vm_work/.arguments"
    tar -cf "$vm_work/checkout" --exclude=./.venv --exclude=./wheelhouse --exclude=./.git --exclude=__pycache__ \
        --exclude='./.*_cache' -C "$ROOT" . &&
        tar -rf "$vm_work/checkout" -C "$vm_cache" .site -C "$vm_work" .arguments
}

# Boots and waits for the end: script/lib/vm-tests.service runs the tests and powers off.
vm_run() {
    vm_image=$(vm_image_path)
    say "$MSG_VM_BOOT"
    TMPDIR=$vm_work timeout --foreground --kill-after=10 "${VM_MINUTES}m" qemu-system-x86_64 \
        -accel "${OCI_TUTOR_VM_ACCEL:-tcg}" -cpu max -smp 2 -m 2048 -nodefaults -display none -no-reboot \
        -kernel "$vm_image/kernel" -initrd "$vm_image/initramfs" -append 'root=/dev/vda rw console=ttyS0 quiet' \
        -drive "file=$vm_image/disk,if=virtio,format=raw,snapshot=on,cache=unsafe" \
        -drive "file=$vm_work/checkout,if=virtio,format=raw,readonly=on" \
        -serial "file:$vm_work/console" -chardev stdio,id=tests -serial chardev:tests -serial "file:$vm_work/status" \
        </dev/null 2>"$vm_work/log"
    status=$(tr -d '\r\n' <"$vm_work/status")
    [ -n "$status" ] || { tail -n 20 "$vm_work/console" "$vm_work/log" >&2; die "$MSG_VM_NO_END"; }
    [ "$status" = 0 ]
}
