# Shared by the scripts in script/: creates .venv in the checkout and installs Debian packages where that is possible. POSIX sh.
# Expects $ROOT (the checkout). Everything here can be interrupted and run again.

case "${OCI_TUTOR_LANG:-${LC_ALL:-${LC_MESSAGES:-${LANG:-}}}}" in
    '' | C | C.* | POSIX | ja*) . "$ROOT/script/lib/messages.ja.sh" ;;
    *) . "$ROOT/script/lib/messages.en.sh" ;;
esac

say() { printf '%s\n' "$*" >&2; }
die() { say "$@"; exit 1; }

# Where Python packages come from: a directory made by script/wheelhouse, or else the index that pip is configured for. With a
# wheelhouse, nothing here uses the network.
wheelhouse=
if [ -n "${OCI_TUTOR_WHEELHOUSE:-}" ]; then
    wheelhouse=$(CDPATH= cd -- "$OCI_TUTOR_WHEELHOUSE" 2>/dev/null && pwd) || wheelhouse=$OCI_TUTOR_WHEELHOUSE
elif [ -d "$ROOT/wheelhouse" ]; then
    wheelhouse=$ROOT/wheelhouse
fi

# Prints the path of a Python that is new enough. Each candidate is run and asked for its interpreter, because a version manager's
# shim may be on PATH and refuse to run.
find_python() {
    for candidate in "${OCI_TUTOR_PYTHON:-}" python3 /usr/bin/python3 python3.13 python3.12 python3.11 python3.14; do
        [ -n "$candidate" ] || continue
        "$candidate" -c 'import sys; sys.version_info >= (3, 11) or sys.exit(1); print(sys.executable)' 2>/dev/null && return 0
    done
    return 1
}

# as_root COMMAND...: runs it as root, or fails. sudo may ask for a password only on a terminal.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"
    elif ! command -v sudo >/dev/null 2>&1; then return 1
    elif sudo -n true 2>/dev/null || [ -t 0 ]; then sudo "$@"
    else return 1
    fi
}

# missing_packages PROGRAM=PACKAGE...: prints the packages whose program is not installed.
missing_packages() {
    for pair in "$@"; do
        command -v "${pair%%=*}" >/dev/null 2>&1 || [ -x "/usr/sbin/${pair%%=*}" ] || printf '%s ' "${pair#*=}"
    done
}

# install_packages PACKAGE...: installs what it can.
# - --no-remove: Docker's own containerd.io conflicts with Debian's runc, and a user's Docker must never be removed.
# - If all at once fails, one by one: one unknown name makes apt-get refuse them all.
# - Not with a wheelhouse: without a network apt-get takes half a minute to fail.
install_packages() {
    [ -z "$wheelhouse" ] || return 1
    command -v apt-get >/dev/null 2>&1 || return 1
    say "$(printf "$MSG_APT" "$*")"
    apt_log=$(mktemp) || return 1
    apt="env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=60"
    if ! as_root $apt install --no-install-recommends --no-remove "$@" >"$apt_log" 2>&1; then
        as_root $apt update >>"$apt_log" 2>&1
        for package in "$@"; do
            as_root $apt install --no-install-recommends --no-remove "$package" >>"$apt_log" 2>&1 || {
                say "$(printf "$MSG_APT_FAILED" "$package")"
                grep -E '^E: ' "$apt_log" | tail -n 2 >&2
            }
        done
    fi
    rm -f "$apt_log"
}

# venv_pip ARGUMENTS...: runs the pip of .venv.
venv_pip() {
    [ -z "$wheelhouse" ] || set -- "$@" --no-index --find-links "$wheelhouse"
    "$ROOT/.venv/bin/python" -m pip --quiet --disable-pip-version-check "$@"
}

# lock_for LOCK PYTHON: prints what a lock names for a Python (3.14) on Linux, without environment markers. pip evaluates them for the
# Python that runs it, also when it is asked (--python-version) for the wheels of another.
lock_for() {
    "$ROOT/.venv/bin/python" -c '
import sys
from pip._vendor.packaging.markers import Marker

lock, python = sys.argv[1:]
is_for_it = True
for line in open(lock, encoding="utf-8"):
    if line[:1].isalnum():
        requirement, _, marker = line.rstrip("\\\n").strip().partition(" ; ")
        is_for_it = not marker or Marker(marker).evaluate({"python_version": python, "python_full_version": python + ".0"})
        line = requirement + " \\\n"
    if is_for_it:
        print(line, end="")
' "$1" "$2"
}

# set_up_venv KIND LOCK: creates $ROOT/.venv, or updates it when pyproject.toml or LOCK has changed. LOCK is a file made by
# script/lock. It names each package, the build backend too, with its version and hashes; nothing else is installed. The stamp
# is written last: after an interruption the next run starts again.
set_up_venv() {
    kind=$1 lock=$2
    venv="$ROOT/.venv"
    wanted="$kind $(cat "$ROOT/pyproject.toml" "$ROOT/$lock" | cksum)"
    stamp="$venv/.oci-tutor-$kind"
    [ -x "$venv/bin/python" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && return 0
    if ! [ -w "$ROOT" ]; then die "$(printf "$MSG_READ_ONLY" "$ROOT")"; fi
    [ -z "$wheelhouse" ] || [ -d "$wheelhouse" ] || die "$(printf "$MSG_NO_WHEELHOUSE" "$wheelhouse")"
    (
        # If two run at once, the second waits, then finds the work done.
        if command -v flock >/dev/null 2>&1; then flock 9; fi
        [ -x "$venv/bin/python" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && exit 0
        say "$MSG_VENV"
        python=$(find_python) || die "$MSG_NO_PYTHON"
        if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
            version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
            install_packages "python$version-venv"
            "$python" -c 'import ensurepip, venv' 2>/dev/null || die "$(printf "$MSG_NO_VENV" "python$version-venv")"
        fi
        log="$ROOT/.venv.log"
        : >"$log"
        "$venv/bin/python" -c 'import pip' 2>/dev/null || "$python" -m venv --clear "$venv" >>"$log" 2>&1 || {
            tail -n 5 "$log" >&2; die "$MSG_VENV_FAILED"; }
        # The project has no hashes to check, so it is installed apart; its build backend is in the lock.
        (cd "$ROOT" && venv_pip install --require-hashes --requirement "$lock" &&
            venv_pip install --no-deps --no-build-isolation --editable .) >>"$log" 2>&1 || {
            grep -E '^ERROR' "$log" | tail -n 5 >&2
            [ -z "$wheelhouse" ] || die "$(printf "$MSG_WHEELHOUSE_FAILED" "$wheelhouse" "$log")"
            die "$(printf "$MSG_PIP_FAILED" "$log")"; }
        # pip's own script works too, but starts slowly.
        (cd "$ROOT" && "$venv/bin/python" -m runtime.install.launcher install-plain "$venv/bin/runt" >/dev/null 2>&1)
        printf '%s' "$wanted" >"$stamp"
        rm -f "$log"
    ) 9>"$ROOT/.venv.lock" || exit 1
}
