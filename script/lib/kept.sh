# Shared by script/test --peers and script/test --vm: directories that are made once and kept in the user's cache directory. The name of
# one is RELEASE.SUM, with a checksum of what it is made from, and it is given when the directory is complete. POSIX sh; expects
# $ROOT, script/lib/setup.sh and script/lib/peers-root.sh.

# kept_release NAME: tells whether it is a release of Debian that can be built.
kept_release() {
    for name in $PEERS_RELEASES; do [ "$1" != "$name" ] || return 0; done
    return 1
}

# kept_tools PROGRAM=PACKAGE...: installs what is missing to make a root filesystem; prints what is missing after that.
kept_tools() {
    missing=$(missing_packages "$@")
    [ -r /usr/share/keyrings/debian-archive-keyring.gpg ] || missing="$missing debian-archive-keyring"
    [ -z "$missing" ] || install_packages $missing >&2
    missing_packages "$@"
}

# kept_sum FILE...: prints a checksum, for the name of what is made from these files of the checkout.
kept_sum() { (cd "$ROOT" && cat "$@") | cksum | tr ' ' -; }

# kept_sweep CACHE "PATTERN..." PATH...: removes what killed runs have left in CACHE, and what has a name of the patterns, unless it is one
# of the paths or a run uses it: a run holds a shared lock on each directory that it uses. The caller holds the lock of CACHE.
kept_sweep() {
    cache=$1 patterns=$2
    shift 2
    kept_remove "$cache"/new.*
    for left in $(cd "$cache" && ls -d run.* $patterns 2>/dev/null); do
        case " $* " in
            *" $cache/$left "*) ;;
            *) ! flock -n "$cache/$left" true || kept_remove "$cache/$left" ;;
        esac
    done
}

# kept_remove PATH...: removes directories, which may contain files that belong to root.
kept_remove() {
    for path in "$@"; do
        [ -z "$path" ] || [ ! -e "$path" ] || as_root rm -rf --one-file-system "$path"
    done
}
