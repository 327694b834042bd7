"""The checks, a module for each chapter of the specification; importing this package registers them all, in the order of a report."""

from tutor.conformance.chapters import (  # noqa: I001 - the order is that of the report
    lifecycle as lifecycle,
    errors as errors,
    config as config,
    process as process,
    namespaces as namespaces,
    mounts as mounts,
    devices as devices,
    cgroups as cgroups,
    hooks as hooks,
    seccomp as seccomp,
)
