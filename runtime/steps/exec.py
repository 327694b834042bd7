"""`exec` as two lists of small named steps, like those in `steps`: of the runtime, and of the process that enters.

    runtime                              process
    clone_process                        stay_with_runtime, join_cgroup ... close_host_descriptors
                                         enter_namespaces
    wait_for_second_birth          <-->  be_born_again (only for who is not root)
                                         open_exec_terminal ... set_user ... find_program
    pass_listener_on               <-->  filter_while_privileged or filter_with_listener (only with a listener)
    wait_until_ready                <--  report_ready
    send_pidfd, write_pid_file
    hand_over                       -->  wait_for_go_ahead
    wait_until_executed             <--  execute_program (by its end of the line, which execve closes)

A module of its own, because it needs much less than a creation: what is not loaded costs no time.
"""

from __future__ import annotations

from runtime.cgroups import lifecycle as cgroups
from runtime.lifecycle import handshake
from runtime.namespaces import clone as namespaces
from runtime.namespaces import setns as joining
from runtime.process import capabilities, labels, scheduling
from runtime.process import setup as process
from runtime.seccomp import install as seccomp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.steps.create import Step

EXEC_STEPS: tuple[Step, ...] = (
    seccomp.compile_filter,
    seccomp.connect_to_agent,
    joining.find_init,
    joining.find_root,
    joining.find_cgroups,
    joining.clone_process,
    joining.wait_for_second_birth,
    seccomp.pass_listener_on,
    handshake.wait_until_ready,
    handshake.send_pidfd,
    handshake.write_pid_file,
    joining.pass_signals_on,
    handshake.hand_over,
    joining.wait_until_executed,
)

EXEC_INIT_STEPS: tuple[Step, ...] = (
    joining.stay_with_runtime,
    scheduling.set_initial_affinity,
    cgroups.join_cgroup,
    scheduling.set_final_affinity,
    process.set_oom_score,
    labels.label_keyrings,
    labels.label_program,
    joining.close_host_descriptors,
    process.set_limits,
    joining.enter_namespaces,
    joining.be_born_again,
    namespaces.become_root_of_user_namespace,
    process.new_session,
    process.new_session_keyring,
    capabilities.read_capabilities,
    joining.open_exec_terminal,
    process.reopen_null_device,
    process.own_standard_streams,
    process.make_environment,
    process.set_umask,
    process.change_directory,
    scheduling.set_scheduler,
    scheduling.set_io_priority,
    scheduling.set_personality,
    scheduling.set_memory_policy,
    seccomp.filter_while_privileged,
    capabilities.drop_bounding_set,
    process.set_user,
    capabilities.set_capabilities,
    process.set_no_new_privileges,
    process.find_program,
    seccomp.filter_with_listener,
    handshake.report_ready,
    joining.wait_for_go_ahead,
    seccomp.filter_at_last,
    process.execute_program,
)
