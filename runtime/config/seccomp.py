"""The shape of `linux.seccomp`, and the rules between its members (config-linux.md, Seccomp).

The messages are runc's where it has one.
"""

from __future__ import annotations

from runtime.config.shape import ABSENT, Array, Integer, Mismatch, Object, String

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.config.document import Place
    from runtime.config.types import Config, Seccomp

ACTIONS = tuple(
    f"SCMP_ACT_{name}"
    for name in ["ALLOW", "ERRNO", "KILL", "KILL_PROCESS", "KILL_THREAD", "LOG", "NOTIFY", "TRACE", "TRAP"]
)
OPERATORS = tuple(f"SCMP_CMP_{name}" for name in ["EQ", "GE", "GT", "LE", "LT", "MASKED_EQ", "NE"])
ARCHITECTURES = tuple(
    f"SCMP_ARCH_{name}"
    for name in [
        *("AARCH64", "ARM", "LOONGARCH64", "M68K", "MIPS", "MIPS64", "MIPS64N32", "MIPSEL", "MIPSEL64"),
        *("MIPSEL64N32", "PARISC", "PARISC64", "PPC", "PPC64", "PPC64LE", "RISCV64", "S390", "S390X"),
        *("SH", "SHEB", "X32", "X86", "X86_64"),
    ]
)
"""All are known, but only those that this machine can run have an effect."""
FLAGS = tuple(f"SECCOMP_FILTER_FLAG_{name}" for name in ["LOG", "SPEC_ALLOW", "TSYNC", "WAIT_KILLABLE_RECV"])

_UINT64 = Integer(0, 2**64 - 1)
_ERRNO = Integer(0, 0xFFFF)
_HIGHEST_ERRNO = 4095
"""MAX_ERRNO of the kernel (linux/err.h). With SCMP_ACT_TRACE a tracer gets any number of 16 bits."""
_WITH_ERRNO = ("SCMP_ACT_ERRNO", "SCMP_ACT_TRACE")
_PLACE = ("linux", "seccomp")

_ARGUMENT = Object(
    {"index": Integer(0, 5), "value": _UINT64, "valueTwo": _UINT64, "op": String(choices=OPERATORS)},
    required=("index", "value", "op"),
)
_RULE = Object(
    {
        "names": Array(String(), filled=True),
        "action": String(choices=ACTIONS),
        "errnoRet": _ERRNO,
        "args": Array(_ARGUMENT),
    },
    required=("names", "action"),
)
_PROFILE = Object(
    {
        "defaultAction": String(choices=ACTIONS),
        "defaultErrnoRet": _ERRNO,
        "architectures": Array(String(choices=ARCHITECTURES)),
        "flags": Array(String(choices=FLAGS)),
        "listenerPath": String(),
        "listenerMetadata": String(nul=True),
        "syscalls": Array(_RULE),
    }
)


class _Profile:
    """The object, absent if it has neither a default nor a rule, as with runc."""

    def check(self, value: object, place: Place) -> object:
        """Return the object or ABSENT. Raises Mismatch."""
        profile = _PROFILE.check(value, place)
        if "defaultAction" in profile:
            return profile
        if profile.get("syscalls"):
            raise Mismatch((*place, "defaultAction"), " is required, but missing")
        return ABSENT


SECCOMP = _Profile()


def check_seccomp(config: Config) -> None:
    """`linux.seccomp`: valid actions, and a listener if a rule notifies one."""
    seccomp = config["linux"].get("seccomp")
    if seccomp is None:
        return
    _check_errno(seccomp["defaultAction"], seccomp.get("defaultErrnoRet"), (*_PLACE, "defaultErrnoRet"))
    for index, rule in enumerate(seccomp.get("syscalls", ())):
        place = (*_PLACE, "syscalls", index)
        _check_errno(rule["action"], rule.get("errnoRet"), (*place, "errnoRet"))
        if "" in rule["names"]:
            raise Mismatch((*place, "names"), ": empty string is not a valid syscall")
        if rule["action"] == "SCMP_ACT_NOTIFY" and "write" in rule["names"]:
            # After the filter is loaded, init has to write the number of the listener's descriptor to the runtime.
            raise Mismatch((*place, "action"), ": SCMP_ACT_NOTIFY cannot be used for the write syscall")
    _check_listener(seccomp)


def _check_errno(action: str, number: int | None, place: Place) -> None:
    """Refuse an error number for an action that does not return it: "the runtime MUST print and error and fail"."""
    if number is None:
        return
    if action not in _WITH_ERRNO:
        raise Mismatch(place, f": {action} has no error number to return")
    if action == "SCMP_ACT_ERRNO" and number > _HIGHEST_ERRNO:
        raise Mismatch(place, f": expected an error number up to {_HIGHEST_ERRNO}, found {number}")


def _check_listener(seccomp: Seccomp) -> None:
    """SCMP_ACT_NOTIFY needs a listener, and members for the listener need `listenerPath`."""
    if seccomp["defaultAction"] == "SCMP_ACT_NOTIFY":
        raise Mismatch((*_PLACE, "defaultAction"), ": SCMP_ACT_NOTIFY cannot be used as default action")
    notifies = any(rule["action"] == "SCMP_ACT_NOTIFY" for rule in seccomp.get("syscalls", ()))
    if "listenerPath" not in seccomp:
        if notifies:
            raise Mismatch(
                (*_PLACE, "listenerPath"), ": seccomp listenerPath is not set: SCMP_ACT_NOTIFY needs it"
            )
        if "listenerMetadata" in seccomp:
            raise Mismatch((*_PLACE, "listenerMetadata"), " must not be set without listenerPath")
    if not notifies and "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV" in seccomp.get("flags", ()):
        raise Mismatch(
            (*_PLACE, "flags"), ": SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV needs a rule with SCMP_ACT_NOTIFY"
        )
