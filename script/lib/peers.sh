# script/test --peers RELEASE: runs the tests with the engines, the tools and the Python of another Debian release. Its root
# filesystem is built once, from the machine's own mirror, and kept in the user's cache directory. Each run has its own overlay of
# it, a copy of the checkout, and its own mount and PID namespaces, so that nothing a test leaves stays. POSIX sh; expects $ROOT
# and script/lib/setup.sh.
. "$ROOT/script/lib/kept.sh"
. "$ROOT/script/lib/peers-root.sh"
. "$ROOT/script/lib/wheels.sh"

PEERS_TOOLS='mmdebstrap=mmdebstrap unshare=util-linux setpriv=util-linux flock=util-linux'

peers_cache=${XDG_CACHE_HOME:-$HOME/.cache}/oci-tutor/peers

# peers_test RELEASE ARGUMENTS...: runs script/test there, with these arguments.
peers_test() {
    release=${1-}
    kept_release "$release" || { say "$(printf "$MSG_PEERS_USAGE" "$(echo $PEERS_RELEASES | tr ' ' '|')")"; exit 2; }
    shift
    missing=$(kept_tools $PEERS_TOOLS)
    [ -z "$missing" ] || die "$(printf "$MSG_PEERS_MISSING" "$missing")"
    as_root unshare --mount --pid --fork true 2>/dev/null || die "$MSG_PEERS_NO_ROOT"
    set_up_venv test requirements/dev.txt

    mkdir -p "$peers_cache" || die "$MSG_PEERS_FAILED"
    peers_root=$peers_cache/$release.$(kept_sum script/lib/peers-root.sh)
    peers_wheels=$peers_cache/$release-wheels.$(kept_sum requirements/dev.txt)
    peers_run='' peers_pid=''
    trap 'peers_end' EXIT
    trap 'exit 130' INT TERM HUP
    # If two run at once, the second waits, then finds the work done. Whatever is unfinished while this run holds the lock was left
    # by a run that could not clean up.
    exec 9>"$peers_cache/lock" && flock 9
    kept_sweep "$peers_cache" "$release.* $release-wheels.*" "$peers_root" "$peers_wheels"
    peers_make_root
    peers_make_wheels
    peers_run=$(mktemp -d "$peers_cache/run.XXXXXX") || die "$MSG_PEERS_FAILED"
    # They are in use from here to the end.
    exec 6<"$peers_root" 7<"$peers_wheels" 8<"$peers_run" && flock -s 6 && flock -s 7 && flock -s 8
    flock -u 9
    peers_copy "$@"

    # In the background, because a shell handles signals in `wait`, but not while a foreground program runs. Ctrl-C is for the tests.
    trap '' INT
    as_root env --default-signal=INT --default-signal=QUIT setpriv --pdeathsig=KILL \
        unshare --mount --propagation private --pid --fork --kill-child \
        sh "$ROOT/script/lib/peers-enter.sh" "$peers_root" "$peers_wheels" "$peers_run" "$$" </dev/null &
    peers_pid=$!
    wait "$peers_pid"
    status=$?
    peers_pid=
    return $status
}

# peers_end: ends the run if it is still going on, and removes its directory.
peers_end() {
    [ -z "$peers_pid" ] || as_root kill -KILL "$peers_pid" 2>/dev/null
    kept_remove "$peers_run"
}

# Makes $peers_root, unless it is there. It gets its name when it is complete.
peers_make_root() {
    [ ! -d "$peers_root" ] || return 0
    say "$(printf "$MSG_PEERS_ROOT" "$release")"
    new=$(mktemp -d "$peers_cache/new.XXXXXX") || die "$MSG_PEERS_FAILED"
    peers_build "$release" "$new/root" "$new/log" && mv "$new/root" "$peers_root" || {
        tail -n 5 "$new/log" >&2; kept_remove "$new"; die "$MSG_PEERS_FAILED"; }
    kept_remove "$new"
}

# Makes $peers_wheels, a directory with the locked packages for the release's Python. The tests there use no package index.
peers_make_wheels() {
    [ ! -d "$peers_wheels" ] || return 0
    new=$(mktemp -d "$peers_cache/new.XXXXXX") || die "$MSG_PEERS_FAILED"
    python=$(basename "$(readlink "$peers_root/usr/bin/python3")")
    say "$(printf "$MSG_WHEELHOUSE_FOR" "${python#python}" "$(uname -m)")"
    lock_for "$ROOT/requirements/dev.txt" "${python#python}" >"$new/lock" && mkdir "$new/wheels" &&
        fetch_wheels "$new/lock" "$new/wheels" --python-version "${python#python}" $(platforms "$(uname -m)") &&
        mv "$new/wheels" "$peers_wheels" || { kept_remove "$new"; die "$MSG_WHEELHOUSE_INCOMPLETE"; }
    kept_remove "$new"
}

# Copies the checkout, and the arguments for script/test.
peers_copy() {
    mkdir "$peers_run/checkout" &&
        tar -c --exclude=./.venv --exclude='./.venv.*' --exclude=./wheelhouse --exclude=./.git --exclude=__pycache__ --exclude='./.*_cache' \
            -C "$ROOT" . | tar -x -C "$peers_run/checkout" && : >"$peers_run/arguments" || die "$MSG_PEERS_FAILED"
    [ $# -eq 0 ] || printf '\0%s' "$@" >"$peers_run/arguments"
}
