"""The guard: start the keeper, watch it and the client, and clean up when either has ended.

It is the keeper's parent and a subreaper, so that it adopts the keeper's children when the keeper is killed with SIGKILL.
It stays outside the lab's mount namespace and cgroup, so that it can remove them.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from typing import TYPE_CHECKING

from tutor import patience
from tutor.lab import cgroups, keeper, kernel, processes
from tutor.lab.cleaning import clean
from tutor.lab.journal import Journal
from tutor.lab.signals import WATCHED, SignalPipe
from tutor.lab.wire import Channel

if TYPE_CHECKING:
    from tutor.lab.wire import Message

# Seconds that a keeper may take to end in order: it has the engines delete their containers, poststop hooks included.
PATIENCE = 15.0


def main() -> None:
    """Run as `guard GUARD_FD KEEPER_FD`; the first message on the guard's channel is the lab's plan, from `Lab.start`."""
    channel, keeper_channel = Channel.inherited(int(sys.argv[1])), Channel.inherited(int(sys.argv[2]))
    signal.pthread_sigmask(
        signal.SIG_SETMASK, ()
    )  # the mask is inherited from the thread that started this process
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
    """Return when the client closes the lab or has ended, when the keeper has ended, or on SIGTERM."""
    signals = SignalPipe(WATCHED)
    while True:
        # A child that ended before the handler was installed sends no signal any more: look before every wait.
        if child in (pid for pid, _code in processes.reap_children()):
            return
        ready, _, _ = select.select([channel.fileno(), signals.fileno()], [], [])
        if channel.fileno() in ready or signal.SIGTERM in signals.read():
            return


def _end(channel: Channel, child: int, journal: Journal) -> None:
    process = processes.identity(child)
    if process:
        processes.send_signal(process, signal.SIGTERM)
        processes.send_signal(process, signal.SIGCONT)  # a stopped process does not handle SIGTERM
        processes.wait_for_end(process, patience.scaled(PATIENCE))
    latest = keeper.latest(journal)
    answer: Message = {"closed": clean(latest, reap=True, ancestor=os.getpid())}
    try:
        channel.send(answer)
    except OSError:
        return  # the client has ended


if __name__ == "__main__":
    main()
