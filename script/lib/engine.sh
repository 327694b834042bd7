# script/test --engine PATH: asks one runc or crun, of any version, for its traits, and runs the explainer's cases and `verify` with it.
# POSIX sh; expects $ROOT and script/lib/setup.sh.

# engine_name PATH: prints the engine (runc or crun) that a program says it is.
engine_name() {
    "$1" --version 2>/dev/null </dev/null | sed -n 's/^\(runc\|crun\) version .*/\1/p' | head -n 1
}

# engine_test PATH: runs all three; returns 1 if the explanations or a lesson fail. A new answer of a trait is shown, and no failure.
engine_test() {
    [ $# -eq 1 ] && [ -n "$1" ] || { say "$MSG_ENGINE_USAGE"; exit 2; }
    engine_path=$(realpath -e -- "$1" 2>/dev/null) && [ -f "$engine_path" ] && [ -x "$engine_path" ] ||
        die "$(printf "$MSG_ENGINE_NO_PROGRAM" "$1")"
    engine=$(engine_name "$engine_path")
    [ -n "$engine" ] || die "$(printf "$MSG_ENGINE_UNKNOWN" "$1")"
    missing=$(missing_packages runc=runc crun=crun dockerd=docker.io containerd=containerd)
    [ -z "$missing" ] || install_packages $missing
    set_up_venv test requirements/dev.txt

    engine_home=$(mktemp -d) || exit 1
    trap 'rm -rf "$engine_home"' EXIT
    trap 'exit 130' INT TERM HUP
    # First on PATH, by the engine's name, whatever the program itself is called.
    mkdir "$engine_home/bin" && ln -s "$engine_path" "$engine_home/bin/$engine" || exit 1
    PATH="$engine_home/bin:$ROOT/.venv/bin:$PATH"
    # The answers are not kept among the learner's own.
    OCI_TUTOR_HOME="$engine_home/home"
    export PATH OCI_TUTOR_HOME

    failed=0
    step() { say "$(printf "$MSG_STEP" "$*")"; "$@" || failed=1; }
    say "$(printf "$MSG_STEP" "$("$engine" --version | head -n 1) ($engine_path)")"
    step oci-tutor engines --new
    step python -m pytest -q tests/tutor/test_explain_engines.py -k "engine_prints and $engine]"
    step python -m pytest -q tests/lessons/test_always.py -k "$engine] or $engine-"
    step oci-tutor verify --engine "$engine"
    return $failed
}
