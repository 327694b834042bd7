#!/bin/sh
# A createRuntime hook: the runtime calls it with the container's state on
# standard input. When it fails, so does create.
while read -r _; do :; done
if [ "$MODE" != production ]; then
  echo "check.sh: MODE is '$MODE', but must be 'production'" >&2
  exit 3
fi
echo checked >> "${0%/*}/../hooks.log"
