"""Creating a container is a list of small named steps: the tables that `runner` walks.

The tables are the only place that says the order. RUNTIME_STEPS is what the process does that was called as
`runt create`; INIT_STEPS is what the container's first process does, from its birth in `clone_init` to the moment when
it becomes the user's program. Where the two wait for each other, one sends and the other waits:

    runtime                              init
    clone_init                           wait_until_journalled
    journal_init ... release_init   -->  join_cgroup ... mount_filesystems ...
    wait_until_mounted              <--  report_mounted
    set_time_limits ... run_runtime_hooks
    let_init_continue               -->  wait_for_runtime_hooks ... pivot_root ... set_user
    pass_listener_on               <-->  filter_while_privileged or filter_with_listener (only with a listener)
    wait_until_ready                <--  report_ready
    journal_created
    hand_over                       -->  wait_for_hand_over, wait_for_start

A step is a plain function of the container, in the module of its topic. Its name is unique in both tables.
"""

from __future__ import annotations

from runtime.cgroups import devices as cgroup_devices
from runtime.cgroups import lifecycle as cgroups
from runtime.cgroups import limits, ownership
from runtime.filesystem import bind_sources, devices, mounts, paths, rootfs
from runtime.lifecycle import handshake
from runtime.namespaces import clone as namespaces
from runtime.namespaces import sysctl
from runtime.namespaces import uts as identity
from runtime.process import capabilities, labels, scheduling
from runtime.process import setup as process
from runtime.seccomp import install as seccomp
from runtime.steps.runner import Plan as AnyPlan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime.state.container import Container
    from runtime.steps.runner import Observer

    Step = Callable[[Container], None]


RUNTIME_STEPS: tuple[Step, ...] = (
    seccomp.compile_filter,
    seccomp.connect_to_agent,
    handshake.make_exec_fifo,
    namespaces.open_namespaces,
    limits.check_cgroup_limits,
    cgroups.make_cgroup,
    limits.set_cgroup_limits,
    ownership.give_cgroup_to_user,
    rootfs.bind_root_in_callers_namespace,
    bind_sources.open_bind_sources,
    namespaces.clone_init,
    handshake.journal_init,
    namespaces.map_user_ids,
    bind_sources.map_ids_of_bind_sources,
    handshake.release_init,
    handshake.wait_until_mounted,
    cgroups.end_placeholder,
    limits.set_time_limits,
    cgroup_devices.restrict_devices,
    namespaces.move_net_devices,
    handshake.run_runtime_hooks,
    handshake.let_init_continue,
    seccomp.pass_listener_on,
    handshake.wait_until_ready,
    limits.set_oom_killer,
    handshake.send_pidfd,
    handshake.write_pid_file,
    handshake.journal_created,
    handshake.hand_over,
)

INIT_STEPS: tuple[Step, ...] = (
    handshake.wait_until_journalled,
    cgroups.join_cgroup,
    process.set_oom_score,
    rootfs.detach_from_host_propagation,
    rootfs.bind_root,
    namespaces.become_root_of_user_namespace,
    namespaces.unshare_cgroup_namespace,
    namespaces.enter_time_namespace,
    process.new_session,
    labels.label_keyrings,
    process.new_session_keyring,
    namespaces.bring_loopback_up,
    mounts.mount_filesystems,
    devices.make_devices,
    devices.make_dev_symlinks,
    process.make_working_directory,
    handshake.report_mounted,
    handshake.wait_for_runtime_hooks,
    handshake.run_create_container_hooks,
    identity.set_hostname,
    identity.set_domainname,
    labels.label_program,
    sysctl.write_sysctls,
    paths.make_paths_readonly,
    paths.mask_paths,
    capabilities.read_capabilities,
    rootfs.pivot_root,
    process.open_terminal,
    rootfs.set_root_propagation,
    rootfs.make_root_readonly,
    mounts.make_mounts_readonly,
    process.reopen_null_device,
    process.own_standard_streams,
    process.make_environment,
    process.set_limits,
    process.close_descriptors,
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
    handshake.wait_for_hand_over,
    handshake.wait_for_start,
    seccomp.filter_at_last,
    handshake.run_start_container_hooks,
    process.execute_program,
)


class Plan(AnyPlan):
    """How a container is created: as the tables say, or otherwise."""

    __slots__ = ()

    def __init__(
        self,
        *,
        runtime: tuple[Step, ...] = RUNTIME_STEPS,
        init: tuple[Step, ...] = INIT_STEPS,
        observer: Observer | None = None,
    ) -> None:
        super().__init__(runtime=runtime, init=init, observer=observer)
