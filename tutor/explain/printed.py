"""Extracts the error from what engines print: without the time, level and quoting of their logs."""

from __future__ import annotations

import json
import re

from tutor.text import printable
from tutor.text.logrus import QUOTED, unquoted

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
# logrus' text form, as runc and runt print it to a pipe; a terminal gets `ERRO[0000] ...`.
_FIELD = re.compile(rf"(\w+)=({QUOTED}|\S*)")
_TERMINAL = re.compile(r"^(ERRO|FATA|WARN|INFO|DEBU)\[\d+\]\s*")
_STAMP = re.compile(r"^\d{4}-\d\d-\d\dT[\d:.]+Z(?::|\s+)\s*")
_QUIET = ("warning", "info", "debug")
_MOST_LINES, _LONGEST_LINE = (
    400,
    4000,
)  # a crash of Go's runtime prints hundreds; the important lines are the first and the last
# Phrases before the reason, which only repeat what the reader knows.
_WRAPPING = re.compile(
    r"^(?:docker: Error response from daemon: |Error: |ctr: |OCI runtime error: |(?:crun|runc|runt): "
    r"|OCI runtime \w+ failed: |Error response from daemon: |(?:runc|runt) \w+ failed: |exec failed: |create failed: "
    r"|failed to create task for container: |failed to create shim task: |error running container: "
    r"|unable to start container process: |error during container init: )+",
    re.IGNORECASE,
)


# `... caused "process_linux.go:449: container init caused \\"...\\""`: each message quoted in the one before it.
_CAUSED = ' caused "'
_NESTED = re.compile(r'\\+"')


def sentences(text: str) -> list[str]:
    """Return the messages, one per line, without time, level and quoting; warnings only if there is nothing else."""
    loud: list[str] = []
    quiet: list[str] = []
    lines = _COLOUR.sub("", text).splitlines()
    if len(lines) > _MOST_LINES:
        lines = lines[: _MOST_LINES // 2] + lines[-_MOST_LINES // 2 :]
    for line in lines:
        level, said = _unwrapped(line.strip()[:_LONGEST_LINE])
        if said:
            (quiet if level in _QUIET else loud).append("\n".join(map(printable, said.split("\n"))))
    return loud or quiet


def core(sentence: str) -> str:
    """Return a sentence without the phrases that only say which operation failed, and without the quoting of runc 1.0 and older."""
    plain = _WRAPPING.sub("", sentence).strip()
    return _NESTED.sub('"', plain) if _CAUSED in plain else plain


def _unwrapped(line: str) -> tuple[str, str]:
    if line.startswith("{") and line.endswith("}"):
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            entry = None
        if isinstance(entry, dict) and isinstance(entry.get("msg"), str):
            return str(entry.get("level", "error")), entry["msg"]
    if line.startswith(("time=", "level=")) and "msg=" in line:
        fields = {name: unquoted(value) for name, value in _FIELD.findall(line)}
        said = fields.get("msg", "") + (f": {fields['error']}" if fields.get("error") else "")
        return fields.get("level", "error"), said
    match = _TERMINAL.match(line)
    if match:
        levels = {"WARN": "warning", "INFO": "info", "DEBU": "debug"}
        return levels.get(match[1], "error"), line[match.end() :]
    return "error", _STAMP.sub("", line)
