"""The guard: starts the keeper, watches it and the client, and cleans up when either is gone.

It is the keeper's parent and a subreaper, so that when the keeper is killed with -9 the guard inherits what the keeper had.
It stays outside the lab's mount namespace and cgroup, so that it can remove them.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from typing import TYPE_CHECKING

from tutor.lab import cgroups, keeper, kernel, processes
from tutor.lab.cleaning import clean
from tutor.lab.journal import Journal
from tutor.lab.signals import WATCHED, SignalPipe
from tutor.lab.wire import Channel

if TYPE_CHECKING:
    from tutor.lab.wire import Message

# What a keeper may take to end in order: it lets the engines delete their containers, poststop hooks included.
PATIENCE = 15.0


def main() -> None:
    """Run as `guard GUARD_FD KEEPER_FD`; the first message on the guard's channel is the lab's plan (`Lab.start` sends it)."""
    channel, keeper_channel = Channel.inherited(int(sys.argv[1])), Channel.inherited(int(sys.argv[2]))
    signal.pthread_sigmask(signal.SIG_SETMASK, ())  # whatever the thread that started us had blocked
    received = channel.receive()
    if received is None:
        return
    plan = received[0]
    kernel.set_process_name("oci-tutor-guard")
    kernel.become_subreaper()
    journal = Journal.new(plan["journal"], plan["name"], processes.Identity(*plan["client"]))
    journal = journal._replace(
        owners=[*journal.owners, processes.own_identity()], cgroups=cgroups.planned(plan["name"])
    )
    try:
        journal.write()
    except OSError as error:
        keeper_channel.send({"error": "lab.journal", "errno": error.errno, "path": plan["journal"]})
        return
    child = os.fork()
    if child == 0:
        channel.close()
        keeper.main(keeper_channel, plan, journal)
    keeper_channel.close()
    _watch(channel, child)
    _end(channel, child, journal)


def _watch(channel: Channel, child: int) -> None:
    """Return when the client closes the lab or is gone, the keeper is gone, or SIGTERM asks for the end."""
    signals = SignalPipe(WATCHED)
    while True:
        # A child that ended before its handler stood sends no signal any more: look before every wait.
        if child in (pid for pid, _code in processes.reap_children()):
            return
        ready, _, _ = select.select([channel.fileno(), signals.fileno()], [], [])
        if channel.fileno() in ready or signal.SIGTERM in signals.read():
            return


def _end(channel: Channel, child: int, journal: Journal) -> None:
    who = processes.identity(child)
    if who:
        processes.send_signal(who, signal.SIGTERM)
        processes.send_signal(who, signal.SIGCONT)  # a stopped one would not hear the other
        processes.wait_for_end(who, PATIENCE)
    latest = keeper.latest(journal)
    answer: Message = {"closed": clean(latest, reap=True, ancestor=os.getpid())}
    try:
        channel.send(answer)
    except OSError:
        return  # nobody is left to hear it


if __name__ == "__main__":
    main()
