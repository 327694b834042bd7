# script/test --peers: what is run in the other release's root. POSIX sh; script/lib/peers-enter.sh has laid everything out.
set -u
ROOT=/checkout
. "$ROOT/script/lib/setup.sh"
cd "$ROOT" || exit 1

# Tests clone the checkout, and only what git knows.
git init --quiet && git add --all || exit 1

# first_line COMMAND...: prints the first line that a peer says on its version.
first_line() { "$@" 2>/dev/null | head -n 1; }
# Tests that bring another release's engines need not do so here.
OCI_TUTOR_PEERS=$(. /etc/os-release && echo "$PRETTY_NAME")
export OCI_TUTOR_PEERS
say "$(printf "$MSG_PEERS_VERSIONS" "$OCI_TUTOR_PEERS" \
    "$(first_line python3 --version), $(first_line runc --version), $(first_line crun --version), $(first_line docker --version)")"

if [ -s /run/arguments ]; then
    # Not by xargs(1), which would end at ^C, and with it all processes here.
    exec python3 -c 'import os; os.execv("script/test", ["script/test", *open("/run/arguments").read().split("\0")[1:]])'
fi
exec script/test
