"""`exec` as two tables of steps, as in `create`: of the runtime, and of the process that enters.

    runtime                              process
    clone_process                        stay_with_runtime, join_cgroup ... close_host_descriptors
    move_by_systemd                 -->  join_cgroup (only where the user may not)
                                         enter_namespaces
    wait_for_second_clone          <-->  clone_again (only without root)
                                         open_exec_terminal ... set_user ... find_program
    pass_listener_on               <-->  filter_while_privileged or filter_with_listener (only with a listener)
    wait_until_ready                <--  report_ready
    send_pidfd, write_pid_file
    hand_over                       -->  wait_for_go_ahead
    wait_until_executed             <--  execute_program (execve closes its end of the connection)

A module of its own, because it loads much less than `create`.
"""

from __future__ import annotations

from runtime.cgroups import lifecycle as cgroups
from runtime.lifecycle import handshake
from runtime.namespaces import clone, setns
from runtime.process import capabilities, labels, scheduling, setup
from runtime.seccomp import install as seccomp
from runtime.steps.runner import Table

EXEC_STEPS = Table(
    "EXEC_STEPS",
    "runtime",
    (
        seccomp.compile_filter,
        seccomp.connect_to_agent,
        setns.find_init,
        setns.find_root,
        setns.find_cgroups,
        setup.clear_environment,
        setns.clone_process,
        cgroups.move_by_systemd,
        setns.wait_for_second_clone,
        seccomp.pass_listener_on,
        handshake.wait_until_ready,
        handshake.send_pidfd,
        handshake.write_pid_file,
        setns.pass_signals_on,
        handshake.hand_over,
        setns.wait_until_executed,
    ),
)

EXEC_INIT_STEPS = Table(
    "EXEC_INIT_STEPS",
    "exec",
    (
        setns.stay_with_runtime,
        scheduling.set_initial_affinity,
        cgroups.join_cgroup,
        scheduling.set_final_affinity,
        setup.set_oom_score,
        labels.label_keyrings,
        labels.label_program,
        setns.close_host_descriptors,
        setup.set_limits,
        setns.enter_namespaces,
        setns.clone_again,
        clone.become_root_of_user_namespace,
        setup.new_session,
        setup.new_session_keyring,
        capabilities.read_capabilities,
        setns.open_exec_terminal,
        setup.reopen_null_device,
        setup.own_standard_streams,
        setup.make_environment,
        setup.set_umask,
        setup.change_directory,
        scheduling.set_scheduler,
        scheduling.set_io_priority,
        scheduling.set_personality,
        scheduling.set_memory_policy,
        seccomp.filter_while_privileged,
        capabilities.drop_bounding_set,
        setup.set_user,
        capabilities.set_capabilities,
        setup.set_no_new_privileges,
        setup.find_program,
        seccomp.filter_with_listener,
        handshake.report_ready,
        setns.wait_for_go_ahead,
        seccomp.filter_at_last,
        setup.execute_program,
    ),
)
