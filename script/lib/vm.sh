# script/test --vm [RELEASE]: runs the tests that need what a machine with cgroup v1 lacks: cgroup v2 with every controller, systemd as
# process 1, and Docker with its defaults; or plays the lessons there (verify). They run in a Debian that qemu boots: the release, its
# kernel and its engines as a learner has them. qemu emulates the processor, because a virtual machine usually has no KVM, or a broken
# one (OCI_TUTOR_VM_ACCEL=kvm uses KVM). With OCI_TUTOR_VM_ACCEL=uml the release's user-mode Linux takes the place of qemu: many times as
# fast, and all of cgroup v2 but cpuset; it has one processor, and can't save processes. POSIX sh; expects $ROOT and script/lib/setup.sh.
#
# Two things are kept in the user's cache directory for each release: the disk image, built once from Debian's packages and never
# changed by a run, and the Python packages that the tests and the program need, for its Python. The checkout is a second disk that is a
# tar file. The output of the tests comes out of one serial port, their exit status out of another.
. "$ROOT/script/lib/kept.sh"
. "$ROOT/script/lib/vm-image.sh"

VM_TOOLS='qemu-system-x86_64=qemu-system-x86 mmdebstrap=mmdebstrap mke2fs=e2fsprogs unshare=util-linux flock=util-linux'
# The machine is switched off after this time.
VM_MINUTES=30 VM_VERIFY_MINUTES=180
# Every test of cgroups, and what a kernel needs for criu and for AppArmor.
VM_TESTS='tests/vm tests/runtime/test_cgroups_*.py tests/runtime/test_checkpoint_restore.py::test_container_goes_on_where_it_was
    tests/runtime/test_checkpoint_restore.py::test_a_terminal_is_saved_and_comes_back_through_the_socket
    tests/runtime/test_process_labels.py::test_profile_is_the_programs tests/runtime/test_mounts_places.py::test_cgroups_are_seen_as_with_runc'
VM_LOCKS='requirements/tutor.txt requirements/test.txt'

vm_cache=${XDG_CACHE_HOME:-$HOME/.cache}/oci-tutor/vm

# vm_test [RELEASE] [verify [LESSON...] | PYTEST_ARGUMENTS...]: boots the machine, plays the lessons or runs the tests (VM_TESTS without
# arguments), returns whether they passed.
vm_test() {
    vm_release=bookworm
    ! kept_release "${1-}" || { vm_release=$1; shift; }
    vm_minutes=$VM_MINUTES
    case "${1-}" in
        verify) vm_minutes=$VM_VERIFY_MINUTES ;;
        '') set -- pytest $VM_TESTS ;;
        -*) set -- pytest "$@" ;;
        *)
            [ -e "${1%%::*}" ] || { say "$(printf "$MSG_VM_USAGE" "$(echo $PEERS_RELEASES | tr ' ' '|')")"; exit 2; }
            set -- pytest "$@"
            ;;
    esac
    missing=$(kept_tools $VM_TOOLS)
    [ -z "$missing" ] || die "$(printf "$MSG_VM_MISSING" "$missing")"
    set_up_venv test requirements/dev.txt
    mkdir -p "$vm_cache" || return 1
    vm_image=$vm_cache/$vm_release.$(kept_sum $VM_IMAGE_FILES)
    vm_site=$vm_cache/$vm_release-site.$(kept_sum $VM_LOCKS)
    vm_work=
    trap 'kept_remove "$vm_work"' EXIT
    trap 'exit 130' INT TERM HUP
    # If two run at once, the second waits, then finds the work done.
    exec 9>"$vm_cache/lock" && flock 9
    kept_sweep "$vm_cache" "$vm_release.* $vm_release-site.* image.* .site" "$vm_image" "$vm_site"
    vm_work=$(mktemp -d "$vm_cache/run.XXXXXX") || return 1
    vm_make_image
    vm_make_site
    # They are in use from here to the end.
    exec 6<"$vm_image" 7<"$vm_site" 8<"$vm_work" && flock -s 6 && flock -s 7 && flock -s 8
    flock -u 9
    vm_pack "$@" && vm_run "$1"
}

# Makes $vm_image, a directory with the machine's disk, kernel and initramfs, unless it is there.
vm_make_image() {
    [ ! -d "$vm_image" ] || return 0
    say "$(printf "$MSG_VM_IMAGE" "$vm_release")"
    new=$(mktemp -d "$vm_cache/new.XXXXXX") && mkdir "$new/image" && vm_build "$vm_release" "$new/image" "$new" &&
        mv "$new/image" "$vm_image" || { tail -n 20 "$new/log" >&2; kept_remove "$new"; die "$MSG_VM_IMAGE_FAILED"; }
    kept_remove "$new"
}

# Makes $vm_site, a directory with what the locks name for the machine's Python: the machine has no network.
vm_make_site() {
    [ ! -d "$vm_site" ] || return 0
    python=$(sed s/^python// "$vm_image/python")
    new=$(mktemp -d "$vm_cache/new.XXXXXX") || die "$MSG_VM_IMAGE_FAILED"
    # Each lock apart: some packages are in both.
    for lock in $VM_LOCKS; do
        lock_for "$ROOT/$lock" "$python" >"$new/lock" &&
            venv_pip install --quiet --target "$new/site" --upgrade --python-version "$python" --only-binary=:all: --no-deps \
                --require-hashes --requirement "$new/lock" >"$new/log" 2>&1 || {
            tail -n 5 "$new/log" >&2; kept_remove "$new"; die "$MSG_VM_IMAGE_FAILED"; }
    done
    mv "$new/site" "$vm_site" || die "$MSG_VM_IMAGE_FAILED"
    kept_remove "$new"
}

# vm_pack WORD ARGUMENTS...: packs the checkout, the Python packages, and the command that is run there.
vm_pack() {
    if [ "$1" = pytest ] && [ -t 1 ]; then shift; set -- pytest --color=yes "$@"; fi
    printf '%s\0' LANG="${LANG:-C.UTF-8}" LC_CTYPE=C.UTF-8 ${OCI_TUTOR_LANG:+OCI_TUTOR_LANG="$OCI_TUTOR_LANG"} \
        sh script/lib/vm-run.sh "$@" >"$vm_work/.command"
    tar -cf "$vm_work/checkout" --exclude=./.venv --exclude='./.venv.*' --exclude=./wheelhouse --exclude=./.git --exclude=__pycache__ \
        --exclude='./.*_cache' -C "$ROOT" . -C "$vm_work" .command &&
        tar -rf "$vm_work/checkout" --transform='s,^\.,.site,' -C "$vm_site" .
}

# vm_run WORD: boots and waits for the end: script/lib/vm-tests.service runs the command and powers off.
vm_run() {
    say "$(printf "$MSG_VM_BOOT" "$1" "$vm_release")"
    # For qemu's temporary files, and for the memory of user-mode Linux.
    export TMPDIR="$vm_work"
    if [ "${OCI_TUTOR_VM_ACCEL-}" = uml ]; then vm_uml; else vm_qemu; fi </dev/null 2>"$vm_work/log"
    status=$(tr -d '\r\n' <"$vm_work/status")
    [ -n "$status" ] || { tail -n 20 "$vm_work/console" "$vm_work/log" >&2; die "$MSG_VM_NO_END"; }
    [ "$status" = 0 ]
}

vm_qemu() {
    timeout --foreground --kill-after=10 "${vm_minutes}m" qemu-system-x86_64 \
        -accel "${OCI_TUTOR_VM_ACCEL:-tcg}" -cpu max -smp 2 -m 2048 -nodefaults -display none -no-reboot \
        -kernel "$vm_image/kernel" -initrd "$vm_image/initramfs" -append 'root=/dev/vda rw console=ttyS0 quiet' \
        -drive "file=$vm_image/disk,if=virtio,format=raw,snapshot=on,cache=unsafe" \
        -drive "file=$vm_work/checkout,if=virtio,format=raw,readonly=on" \
        -serial "file:$vm_work/console" -chardev stdio,id=tests -serial chardev:tests -serial "file:$vm_work/status"
}

# It needs the C library of its release, which it sees in the place of the machine's own.
vm_uml() {
    unshare --mount $([ "$(id -u)" = 0 ] || echo --map-root-user) sh -c \
        'mount -t overlay -o "lowerdir=$1:/lib/x86_64-linux-gnu" uml /lib/x86_64-linux-gnu && shift && exec "$@"' sh "$vm_image/uml" \
        timeout --foreground --kill-after=10 "${vm_minutes}m" "$vm_image/uml/linux" \
        "ubd0=$vm_work/changes,$vm_image/disk" "ubd1r=$vm_work/checkout" mem=2048M root=/dev/ubda rw quiet \
        con=null con0=null,fd:2 ssl=null ssl1=null,fd:4 ssl2=null,fd:5 4>&1 5>"$vm_work/status" >"$vm_work/console"
}
