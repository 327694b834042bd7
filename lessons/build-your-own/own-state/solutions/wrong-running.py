def stat_of(pid):
    """Return the letter of the state and the start time, None if there is no such process."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            text = file.read()
    except OSError:
        return None
    fields = text[text.rindex(")") + 2:].split()
    return fields[0], fields[19]


def status_of(c):
    found = stat_of(c.pid) if c.pid else None
    if found is None or found[0] in ("Z", "X") or found[1] != c.start_time:
        return "stopped"
    return "running"
