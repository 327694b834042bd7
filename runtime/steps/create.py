"""Creating a container is a list of small named steps: the tables that `runner` runs.

The tables alone define the order. RUNTIME_STEPS are the steps of the process `runt create`. INIT_STEPS are those of the
container's first process, from its creation in `clone_init` until it executes the user's program. Where the two wait for
each other, one sends and the other waits:

    runtime                              init
    clone_init                           wait_until_journalled
    journal_init ... release_init   -->  join_cgroup ... mount_filesystems ...
    move_by_systemd                 -->  join_cgroup (only where the user may not)
    wait_until_mounted              <--  report_mounted
    set_time_limits ... run_runtime_hooks
    let_init_continue               -->  wait_for_runtime_hooks ... pivot_root ... set_user
    pass_listener_on               <-->  filter_while_privileged or filter_with_listener (only with a listener)
    wait_until_ready                <--  report_ready
    journal_created
    hand_over                       -->  wait_for_hand_over
    wait_until_let_go               <--  (it closes the connection), wait_for_start

A step is a plain function of the container, in the module of its topic. Its name is unique in both tables.
"""

from __future__ import annotations

from runtime.cgroups import devices as cgroup_devices
from runtime.cgroups import lifecycle as cgroups
from runtime.cgroups import limits, ownership
from runtime.filesystem import bind_sources, devices, mounts, paths, rootfs
from runtime.lifecycle import handshake
from runtime.namespaces import clone, sysctl, uts
from runtime.process import capabilities, labels, scheduling, setup
from runtime.seccomp import install as seccomp
from runtime.steps.runner import Table

RUNTIME_STEPS = Table(
    "RUNTIME_STEPS",
    "runtime",
    (
        seccomp.compile_filter,
        seccomp.connect_to_agent,
        handshake.make_exec_fifo,
        clone.open_namespaces,
        limits.check_cgroup_limits,
        cgroups.make_cgroup,
        limits.set_cgroup_limits,
        ownership.give_cgroup_to_user,
        rootfs.bind_root_in_callers_namespace,
        bind_sources.open_bind_sources,
        devices.make_device_sources,
        setup.clear_environment,
        clone.clone_init,
        handshake.journal_init,
        clone.map_user_ids,
        bind_sources.map_ids_of_bind_sources,
        handshake.release_init,
        cgroups.move_by_systemd,
        bind_sources.open_later_sources,
        handshake.wait_until_mounted,
        cgroups.end_placeholder,
        limits.set_time_limits,
        cgroup_devices.restrict_devices,
        clone.move_net_devices,
        handshake.run_runtime_hooks,
        handshake.let_init_continue,
        seccomp.pass_listener_on,
        handshake.wait_until_ready,
        limits.set_oom_killer,
        handshake.send_pidfd,
        handshake.write_pid_file,
        handshake.journal_created,
        handshake.hand_over,
        handshake.wait_until_let_go,
    ),
)

INIT_STEPS = Table(
    "INIT_STEPS",
    "init",
    (
        handshake.wait_until_journalled,
        cgroups.join_cgroup,
        scheduling.reset_affinity,
        setup.set_oom_score,
        rootfs.detach_from_host_propagation,
        rootfs.bind_root,
        clone.enter_time_namespace,
        clone.become_root_of_user_namespace,
        clone.unshare_cgroup_namespace,
        setup.new_session,
        labels.label_keyrings,
        setup.new_session_keyring,
        clone.bring_loopback_up,
        mounts.mount_filesystems,
        devices.make_devices,
        devices.make_dev_symlinks,
        setup.make_working_directory,
        handshake.report_mounted,
        handshake.wait_for_runtime_hooks,
        handshake.run_create_container_hooks,
        uts.set_hostname,
        uts.set_domainname,
        labels.label_program,
        sysctl.write_sysctls,
        paths.make_paths_readonly,
        paths.mask_paths,
        capabilities.read_capabilities,
        handshake.keep_own_descriptors,
        rootfs.pivot_root,
        handshake.close_own_descriptors,
        setup.open_terminal,
        rootfs.set_root_propagation,
        rootfs.make_root_readonly,
        mounts.make_mounts_readonly,
        setup.reopen_null_device,
        setup.own_standard_streams,
        setup.make_environment,
        setup.set_limits,
        setup.close_descriptors,
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
        handshake.wait_for_hand_over,
        handshake.wait_for_start,
        seccomp.filter_at_last,
        handshake.run_start_container_hooks,
        setup.execute_program,
    ),
)
