"""Filters decide as those of libseccomp, which runc and crun use; it is called as runc calls it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from runtime.seccomp.compiler import compile_profile
from runtime.seccomp.numbers import numbers_of
from runtime.support.errors import RuntError
from tests.support.libseccomp import (
    ACTIONS,
    AUDIT,
    ENOSYS,
    OPERATORS,
    X32_BIT,
    action_of,
    alone,
    decide,
    disagreements,
    instructions,
    number_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

MACHINES = {
    "x86_64": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
    "aarch64": ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"],
    "riscv64": ["SCMP_ARCH_RISCV64"],
}
NO_ARGUMENTS = (0,) * 6
KILL = ACTIONS["SCMP_ACT_KILL_THREAD"]
ALLOW = ACTIONS["SCMP_ACT_ALLOW"]


def profile_of(default: str = "SCMP_ACT_ERRNO", *rules: dict[str, Any], **members: Any) -> Any:
    return {"defaultAction": default, "syscalls": list(rules), **members}


def rule(
    names: str, action: str = "SCMP_ACT_ALLOW", *args: tuple[int, str, int, int], **more: Any
) -> dict[str, Any]:
    arguments = [
        {"index": index, "op": f"SCMP_CMP_{op}", "value": value, "valueTwo": second}
        for index, op, value, second in args
    ]
    return {"names": names.split(), "action": action, "args": arguments, **more}


def asked(
    profile: Any, call: str, *arguments: int, architecture: str = "SCMP_ARCH_X86_64", machine: str = "x86_64"
) -> int:
    """Return the action of runt's filter for one call."""
    program = instructions(compile_profile(profile, machine))
    number = numbers_of(architecture)[call] | (X32_BIT if architecture == "SCMP_ARCH_X32" else 0)
    return decide(program, AUDIT[architecture], number, (*arguments, *NO_ARGUMENTS)[:6])


def named(profile: Any, architecture: str) -> set[int]:
    """Return the numbers of the calls that the profile names, and of those through which they are made."""
    numbers = numbers_of(architecture)
    names = {name for rule in profile.get("syscalls", ()) for name in rule["names"]}
    found = {numbers[name] for name in names if name in numbers}
    for name in names if architecture == "SCMP_ARCH_X86" else ():
        if -300 < number_of(architecture, name) <= -100:
            found.add(numbers["socketcall" if number_of(architecture, name) > -200 else "ipc"])
    return found


def is_too_new(profile: Any, architecture: str, number: int) -> bool:
    """Tell whether runc's stub answers: libcontainer/seccomp/patchbpf."""
    if profile["defaultAction"] in ("SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_TRACE"):
        return False
    last = max(named(profile, architecture), default=0)
    bit = X32_BIT if architecture == "SCMP_ARCH_X32" else 0
    # A call with x32's bit that is not x32's reaches the filter.
    return last > 0 and number ^ bit > last and not (architecture == "SCMP_ARCH_X86_64" and number & X32_BIT)


def sample_numbers(profile: Any, architecture: str) -> list[int]:
    bit = X32_BIT if architecture == "SCMP_ARCH_X32" else 0
    around = {number + step for number in (*named(profile, architecture), 0) for step in (-1, 0, 1)} - {-1}
    return sorted(number | bit for number in around | {5000})


def differences(profile: Any, machine: str, samples: list[tuple[int, ...]]) -> list[Any]:
    """Return the calls about which libseccomp and runt disagree."""
    architectures = MACHINES[machine]
    profile = {**profile, "architectures": architectures}
    compiled = instructions(compile_profile(profile, machine))
    found = []
    for architecture in architectures:
        reference = alone(profile, architecture)
        if not reference:
            continue
        for number in sample_numbers(profile, architecture):
            for arguments in samples:
                expected = decide(reference, AUDIT[architecture], number, arguments)
                if is_too_new(profile, architecture, number):
                    expected = ENOSYS
                got = decide(compiled, AUDIT[architecture], number, arguments)
                if got != expected:
                    found.append((architecture, number, arguments, hex(expected), hex(got)))
    return found


values = st.one_of(
    st.integers(0, 4),
    st.integers(0, 2**64 - 1),
    st.builds(
        lambda high, low: high << 32 | low, st.integers(0, 2), st.sampled_from([0, 1, 2**31, 2**32 - 1])
    ),
)
arguments_of_rules = st.fixed_dictionaries(
    {
        "index": st.integers(0, 2),
        "op": st.sampled_from(sorted(OPERATORS)),
        "value": values,
        "valueTwo": values,
    }
)
CALLS = [
    *("read", "write", "open", "close", "execve", "clone", "clone3", "personality", "mmap", "mmap2"),
    *("socket", "accept", "connect", "sendmsg", "recv", "socketcall", "shmat", "semop", "ipc"),
    *("cacheflush", "futex_waitv", "restart_syscall", "no_such_call"),
]


defaults = st.sampled_from(sorted(ACTIONS.keys() - {"SCMP_ACT_NOTIFY"}))
actions = st.sampled_from(["SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_LOG"])


@st.composite
def simple_profiles(draw: Any) -> Any:
    """A profile with at most one rule for a call and one condition for an argument.

    The programs that libseccomp 2.5.4 makes of more are not always right.
    """
    calls = draw(st.lists(st.sampled_from(CALLS), max_size=6, unique=True))
    rules = [
        {
            "names": [call],
            "action": draw(actions),
            "args": draw(st.lists(arguments_of_rules, max_size=3, unique_by=lambda each: each["index"])),
        }
        for call in calls
    ]
    return {"defaultAction": draw(defaults), "syscalls": rules}


rules_of_any_kind = st.fixed_dictionaries(
    {
        "names": st.lists(st.sampled_from(CALLS), min_size=1, max_size=3, unique=True),
        "action": actions,
        "args": st.lists(arguments_of_rules, max_size=3),
    }
)
profiles = st.fixed_dictionaries(
    {"defaultAction": defaults, "syscalls": st.lists(rules_of_any_kind, max_size=5)}
)


def near(profile: Any, chosen: Random) -> list[tuple[int, ...]]:
    """Return arguments at the edges of the profile's conditions."""
    edges = {0}
    for each in profile["syscalls"]:
        for argument in each.get("args", ()):
            for value in (argument["value"], argument["valueTwo"]):
                edges |= {value, value ^ 1 << 32, (value - 1) % 2**64, (value + 1) % 2**64}
    ordered = sorted(edges)
    return [tuple(chosen.choices(ordered, k=6)) for _ in range(20)]


@settings(max_examples=60, phases=[Phase.generate], deadline=None)
@given(simple_profiles(), st.sampled_from(sorted(MACHINES)), st.randoms(use_true_random=False))
def test_profile_means_what_libseccomp_makes_of_it(profile: Any, machine: str, chosen: Random) -> None:
    assert differences(profile, machine, near(profile, chosen)) == []


COMPARE: dict[str, Callable[[int, int, int], bool]] = {
    "SCMP_CMP_EQ": lambda found, value, _: found == value,
    "SCMP_CMP_NE": lambda found, value, _: found != value,
    "SCMP_CMP_LT": lambda found, value, _: found < value,
    "SCMP_CMP_LE": lambda found, value, _: found <= value,
    "SCMP_CMP_GT": lambda found, value, _: found > value,
    "SCMP_CMP_GE": lambda found, value, _: found >= value,
    "SCMP_CMP_MASKED_EQ": lambda found, mask, value: found & mask == value & mask,
}


def allowed_by_the_words(profile: Any, name: str, arguments: tuple[int, ...]) -> set[int]:
    """Return the actions that config-linux.md allows for a call of a 64-bit architecture by its rules."""
    default = action_of(profile["defaultAction"], None)
    found = set()
    for each in profile["syscalls"]:
        action = action_of(each["action"], None)
        if name not in each["names"] or action == default:
            continue
        true = [
            COMPARE[argument["op"]](arguments[argument["index"]], argument["value"], argument["valueTwo"])
            for argument in each["args"]
        ]
        several = len({argument["index"] for argument in each["args"]}) < len(true)
        if not true or (any(true) if several else all(true)):
            found.add(action)
    return found or {default}


@settings(max_examples=60, deadline=None, phases=[Phase.generate])
@given(profiles, st.randoms(use_true_random=False))
def test_rules_for_the_same_call_are_alternatives(profile: Any, chosen: Random) -> None:
    try:
        program = instructions(compile_profile(profile, "riscv64"))
    except RuntError:
        # Two rules that contradict each other.
        return
    numbers = numbers_of("SCMP_ARCH_RISCV64")
    for name in numbers.keys() & {name for each in profile["syscalls"] for name in each["names"]}:
        for arguments in near(profile, chosen):
            got = decide(program, AUDIT["SCMP_ARCH_RISCV64"], numbers[name], arguments)
            assert got in allowed_by_the_words(profile, name, arguments)


READ_ONLY_ALLOWED = profile_of("SCMP_ACT_ERRNO", rule("read"))


def test_call_newer_than_the_profile_does_not_exist() -> None:
    profile = profile_of("SCMP_ACT_KILL_PROCESS", rule("read"), rule("clone3", "SCMP_ACT_ERRNO", errnoRet=38))
    assert asked(profile, "write") == ACTIONS["SCMP_ACT_KILL_PROCESS"]
    assert asked(profile, "close_range") == ENOSYS
    assert asked({**profile, "defaultAction": "SCMP_ACT_LOG"}, "close_range") == ACTIONS["SCMP_ACT_LOG"]


def test_program_of_an_architecture_that_is_not_listed_is_ended() -> None:
    assert asked(READ_ONLY_ALLOWED, "read") == ALLOW
    for architecture in ("SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_AARCH64"):
        assert asked(READ_ONLY_ALLOWED, "read", architecture=architecture) == KILL
        listed = {**READ_ONLY_ALLOWED, "architectures": [architecture]}
        # For an architecture whose programs can't run here there is no filter.
        expected = KILL if architecture == "SCMP_ARCH_AARCH64" else ALLOW
        assert asked(listed, "read", architecture=architecture) == expected
        assert asked(listed, "read") == ALLOW


def test_call_that_a_tracer_skips_is_no_call_of_x32() -> None:
    program = instructions(compile_profile(profile_of("SCMP_ACT_LOG"), "x86_64"))
    assert decide(program, AUDIT["SCMP_ARCH_X86_64"], 0xFFFFFFFF, NO_ARGUMENTS) == ACTIONS["SCMP_ACT_LOG"]
    assert decide(program, AUDIT["SCMP_ARCH_X86_64"], 0xFFFFFFFE, NO_ARGUMENTS) == KILL


def test_rule_with_the_default_action_is_as_if_it_were_not_there() -> None:
    profile = profile_of("SCMP_ACT_ERRNO", rule("read write", "SCMP_ACT_ERRNO", errnoRet=1), rule("read"))
    assert asked(profile, "read") == ALLOW
    other = profile_of("SCMP_ACT_ERRNO", rule("read write", "SCMP_ACT_ERRNO", errnoRet=2), rule("read"))
    assert asked(other, "read") == ACTIONS["SCMP_ACT_ERRNO"] | 2


def test_rule_without_conditions_counts_more_wherever_it_stands() -> None:
    some = rule("read", "SCMP_ACT_LOG", (0, "EQ", 1, 0))
    every = rule("read")
    never = rule("read", "SCMP_ACT_TRAP")
    for rules in ((some, every, never), (every, some, never), (every, never, some)):
        assert asked(profile_of("SCMP_ACT_ERRNO", *rules), "read", 1) == ALLOW


def test_rule_without_conditions_leaves_nothing_that_others_could_contradict() -> None:
    """podman 5.8's rules for socket: through socketcall(2), which is allowed, their conditions are one and the same."""
    profile = profile_of(
        "SCMP_ACT_ERRNO",
        rule("socketcall read"),
        rule("socket", "SCMP_ACT_ERRNO", (0, "EQ", 40, 0), errnoRet=1),
        rule("socket", "SCMP_ACT_ERRNO", (0, "EQ", 16, 0), (2, "EQ", 9, 0), errnoRet=22),
        rule("socket", "SCMP_ACT_ALLOW", (0, "EQ", 16, 0), (2, "NE", 9, 0)),
        rule("socket", "SCMP_ACT_ALLOW", (0, "NE", 16, 0)),
        defaultErrnoRet=38,
        architectures=["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
    )
    assert disagreements(profile) == []
    asked_for = [asked(profile, "socket", *arguments) for arguments in ((40,), (16, 3, 9), (16, 3, 0), (2,))]
    errno = ACTIONS["SCMP_ACT_ERRNO"]
    assert asked_for == [errno | 1, errno | 22, ALLOW, ALLOW]
    assert asked(profile, "socketcall", 1, architecture="SCMP_ARCH_X86") == ALLOW


def test_equality_is_asked_before_an_inequality_wherever_it_stands() -> None:
    rules = [
        rule("read", "SCMP_ACT_ALLOW", (0, "LE", 100, 0)),
        rule("read", "SCMP_ACT_LOG", (0, "EQ", 50, 0)),
    ]
    for each in (rules, rules[::-1]):
        profile = profile_of("SCMP_ACT_ERRNO", *each)
        assert asked(profile, "read", 50) == ACTIONS["SCMP_ACT_LOG"]
        assert asked(profile, "read", 49) == ALLOW
        assert asked(profile, "read", 101) == ACTIONS["SCMP_ACT_ERRNO"] | 1


def test_conditions_on_one_argument_are_alternatives_and_on_several_are_not() -> None:
    one = profile_of(
        "SCMP_ACT_ERRNO", rule("personality", "SCMP_ACT_ALLOW", (0, "EQ", 0, 0), (0, "EQ", 8, 0))
    )
    assert [asked(one, "personality", value) == ALLOW for value in (0, 8, 4)] == [True, True, False]
    several = profile_of("SCMP_ACT_ERRNO", rule("socket", "SCMP_ACT_ALLOW", (0, "EQ", 1, 0), (1, "EQ", 2, 0)))
    assert [asked(several, "socket", *values) == ALLOW for values in ((1, 2), (1, 3), (0, 2))] == [
        True,
        False,
        False,
    ]


def test_both_halves_of_an_argument_count_but_only_where_it_has_two() -> None:
    profile = profile_of("SCMP_ACT_ERRNO", rule("read", "SCMP_ACT_ALLOW", (2, "EQ", 5, 0)))
    profile["architectures"] = ["SCMP_ARCH_X86"]
    assert asked(profile, "read", 0, 0, 5) == ALLOW
    assert asked(profile, "read", 0, 0, 1 << 32 | 5) != ALLOW
    assert asked(profile, "read", 0, 0, 1 << 32 | 5, architecture="SCMP_ARCH_X86") == ALLOW


def test_thousands_of_values_of_one_argument_fit() -> None:
    """libseccomp needs one instruction for each; the kernel takes 4096 in all."""
    wanted = {n * 3: ("SCMP_ACT_LOG" if n % 7 == 0 else "SCMP_ACT_ALLOW") for n in range(2000)}
    wanted |= {5 << 32 | 1: "SCMP_ACT_ALLOW", 5 << 32: "SCMP_ACT_LOG"}
    rules = [rule("ioctl", action, (1, "EQ", value, 0)) for value, action in wanted.items()]
    profile = profile_of("SCMP_ACT_ERRNO", *rules, rule("ioctl", "SCMP_ACT_LOG", (1, "GT", 6 << 32, 0)))
    program = instructions(compile_profile(profile, "x86_64"))
    audit, number = AUDIT["SCMP_ARCH_X86_64"], numbers_of("SCMP_ARCH_X86_64")["ioctl"]
    for value in [*range(6010), 5 << 32, 5 << 32 | 1, 5 << 32 | 3, 4 << 32, 6 << 32]:
        action = wanted.get(value, "SCMP_ACT_ERRNO")
        expected = ACTIONS[action] | (1 if action == "SCMP_ACT_ERRNO" else 0)
        assert decide(program, audit, number, (0, value, 0, 0, 0, 0)) == expected
    assert decide(program, audit, number, (0, 6 << 32 | 1, 0, 0, 0, 0)) == ACTIONS["SCMP_ACT_LOG"]


def test_call_through_socketcall_is_filtered_like_the_call_itself() -> None:
    profile = profile_of("SCMP_ACT_ERRNO", rule("accept4"), architectures=["SCMP_ARCH_X86"])
    x86 = "SCMP_ARCH_X86"
    assert asked(profile, "accept4", architecture=x86) == ALLOW
    # linux/net.h: SYS_ACCEPT4 is 18, SYS_BIND is 2.
    assert asked(profile, "socketcall", 18, architecture=x86) == ALLOW
    assert asked(profile, "socketcall", 2, architecture=x86) != ALLOW


def test_long_filters_can_be_jumped_over() -> None:
    """A conditional jump reaches 255 instructions."""
    names = [name for name in numbers_of("SCMP_ARCH_X86_64") if name != "read"]
    rules = [rule(name, "SCMP_ACT_ERRNO", (0, "EQ", n, 0)) for n, name in enumerate(names)]
    profile = profile_of("SCMP_ACT_ALLOW", *rules)
    program = instructions(compile_profile(profile, "x86_64"))
    assert len(program) > 5 * 255
    audit, numbers = AUDIT["SCMP_ARCH_X86_64"], numbers_of("SCMP_ARCH_X86_64")
    for n, name in enumerate(names):
        assert decide(program, audit, numbers[name], (n,) * 6) == ACTIONS["SCMP_ACT_ERRNO"] | 1
        assert decide(program, audit, numbers[name], (n + 1,) * 6) == ALLOW
    assert decide(program, audit, numbers["read"], (1,) * 6) == ALLOW
