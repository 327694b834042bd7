# script/test --vm: the disk of the virtual machine: the root filesystem of script/test --peers, and what makes a machine of it.
# Whatever changes here, in script/lib/peers-root.sh or in script/lib/vm-tests.service makes the disks be built again. POSIX sh;
# expects script/lib/setup.sh.
. "$ROOT/script/lib/peers-root.sh"

VM_IMAGE_FILES='script/lib/vm-image.sh script/lib/vm-tests.service script/lib/peers-root.sh'
VM_PACKAGES='systemd,systemd-sysv,dbus,dbus-user-session,libpam-systemd,udev,initramfs-tools,linux-image-cloud-amd64,apparmor,user-mode-linux'

# vm_build RELEASE IMAGE WORK: makes IMAGE, a directory with the machine's disk, kernel and initramfs, the kernel as a program of its own
# (user-mode-linux) with its C library, and the version of its Python. WORK is for what is needed until then, and for the log.
vm_build() {
    tree=$3/tree
    PEERS_PACKAGES="$PEERS_PACKAGES,$VM_PACKAGES"
    peers_build "$1" "$tree" "$3/log" && vm_set_up "$tree" >>"$3/log" 2>&1 &&
        readlink "$tree/usr/bin/python3" >"$2/python" &&
        as_root mke2fs -q -t ext4 -L root -d "$tree" "$2/disk" 6G >>"$3/log" 2>&1 &&
        as_root cp "$tree"/boot/vmlinuz-* "$2/kernel" && as_root cp "$tree"/boot/initrd.img-* "$2/initramfs" &&
        as_root mkdir "$2/uml" && as_root cp "$tree/usr/bin/linux.uml" "$2/uml/linux" &&
        as_root cp -L "$tree/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2" "$tree/lib/x86_64-linux-gnu/libc.so.6" "$2/uml/" &&
        as_root chown -R "$(id -u):$(id -g)" "$2"
}

# vm_set_up TREE: the tests are the machine's only service that is not Debian's. Docker's start when a test asks for them.
vm_set_up() {
    as_root cp "$ROOT/script/lib/vm-tests.service" "$1/etc/systemd/system/" &&
        as_root chroot "$1" systemctl --quiet enable vm-tests.service &&
        as_root chroot "$1" systemctl --quiet disable docker.service docker.socket containerd.service &&
        for each in "$1"/usr/lib/uml/modules/*; do as_root ln -s "../uml/modules/${each##*/}" "$1/usr/lib/modules/" || return 1; done &&
        as_root chroot "$1" systemctl --quiet mask apt-daily.timer apt-daily-upgrade.timer e2scrub_reap.service
}
