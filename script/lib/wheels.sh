# Shared by script/wheelhouse and script/test --peers: fetches the wheels of another Python, or of another machine. POSIX sh;
# expects script/lib/setup.sh and its .venv.

# The minor version of glibc 2 in Ubuntu 22.04, the oldest release that the manual recommends.
NEWEST_GLIBC=35

# fetch_wheels LOCK DIR PIP_ARGUMENTS...: fetches the wheels of a lock without markers. No source distributions: building one takes
# packages that no lock names.
fetch_wheels() {
    lock=$1 into=$2
    shift 2
    venv_pip download --no-deps --require-hashes --requirement "$lock" --only-binary :all: --dest "$into" "$@"
}

# platforms MACHINE: prints pip's arguments for every wheel that runs there, newest glibc first. manylinux1 means glibc 2.5.
platforms() {
    glibc=$NEWEST_GLIBC
    while [ "$glibc" -ge 5 ]; do
        printf -- '--platform manylinux_2_%d_%s ' "$glibc" "$1"
        glibc=$((glibc - 1))
    done
    printf -- '--platform manylinux%s_%s ' 2014 "$1" 2010 "$1" 1 "$1"
}
