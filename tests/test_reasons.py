# scripts/test -k reasons
# SPDX-License-Identifier: MIT
"""Every reason of the catalogue, made to happen under the real program, and no other reason seen.

A row is a reason, a name, where it is made, how, and what its sentence must say. NATIVE rows take
milliseconds on this machine's KVM; AMD and INTEL rows share one boot of a rig each. What only exotic
hosts answer comes from tests/interpose/kvm_answers.c, on a real VM.
"""
import ctypes
import os
import pathlib
import re
import shlex
import struct

import pytest

from harness import (CHECKS, INSIDE, NO_WITNESS, Boot, boot, built, expect_reason, kvm_is_pvm,
                     need_kvm, need_namespaces, other_kvm, probe, run, steps, tcg_knows_xsetbv)

# ---- this machine ----

# A KVM that seems to offer nesting: L1 runs under it, and fails where it first uses SVM or VMX.
SVM = "KVM_GET_SUPPORTED_CPUID=show:svm "
VMX = "KVM_GET_SUPPORTED_CPUID=show:vmx KVM_SET_MSRS=return:1 "
AT = "KVM_RUN@virt-allowed="

# reason, name of the row, answers, further options, in the summary
ANSWERED = [
    ("minivmm-failed", "no-timer", SVM, ["prlimit", "--sigpending=0"], "timer"),
    ("kvm-dev-cgroup-denied", "eperm", "open=errno:EPERM", [], "Operation not permitted"),
    ("not-a-kvm-device", "api-10", "KVM_GET_API_VERSION=return:10", [], "version 10"),
    ("not-a-kvm-device", "enotty", "KVM_GET_API_VERSION=errno:ENOTTY", [], "KVM_GET_API_VERSION failed"),
    ("kvm-capability-missing", "no-irqchip", "KVM_CHECK_EXTENSION/KVM_CAP_IRQCHIP=return:0", [],
     "KVM_CAP_IRQCHIP"),
    ("hidden-by-option", "svm", SVM, ["-cpu", "host,-svm"], "KVM offers SVM"),
    ("kvm-busy-other-hypervisor", "ebusy", SVM + "KVM_CREATE_VM=errno:EBUSY", [],
     "Device or resource busy"),
    ("msr-rejected", "short", SVM.replace("svm", "vmx") + "KVM_SET_MSRS=return:0", [],
     "0x3a (IA32_FEATURE_CONTROL)"),
    ("kvm-setup-failed", "vcpu", SVM + "KVM_CREATE_VCPU=errno:EIO", [], "KVM_CREATE_VCPU"),
    ("kvm-setup-failed", "cpuid", "KVM_GET_SUPPORTED_CPUID=errno:EFAULT", [], "KVM_GET_SUPPORTED_CPUID"),
    ("kvm-setup-failed", "memory", SVM + "KVM_SET_USER_MEMORY_REGION=errno:EINVAL", [],
     "KVM_SET_USER_MEMORY_REGION"),
    ("kvm-setup-failed", "registers", SVM + "KVM_SET_SREGS=errno:EINVAL", [], "KVM_SET_SREGS"),
    ("ioctl-blocked", "create-vm", SVM + "KVM_CREATE_VM=errno:EPERM", [], "KVM_CREATE_VM"),
    ("ioctl-blocked", "run", SVM + AT + "errno:EPERM", [], "KVM_RUN"),
    ("ioctl-blocked", "api", "KVM_GET_API_VERSION=errno:ENOSYS", [], "KVM_GET_API_VERSION"),
    ("out-of-resources", "memory", SVM + "KVM_CREATE_VM=errno:ENOMEM", [], "KVM_CREATE_VM"),
    ("out-of-resources", "files", "open=errno:EMFILE", [], "Too many open files"),
    ("timed-out", "create-vm", SVM + "KVM_CREATE_VM=errno:EINTR", ["--timeout", "0.7"],
     "being set up"),
    ("timed-out", "run-interrupted", SVM + AT + "errno:EINTR", ["--timeout", "0.7"],
     "during check virt-allowed"),
    *[("timed-out", f"hang-{name}", SVM + f"KVM_RUN@{name}=hang", ["--timeout", "0.7"],
       f"during check {name}") for name in ("cpu-shows-virt", "virt-allowed")],
    ("timed-out", "hang-at-boot", SVM + "KVM_RUN@1=hang", ["--timeout", "0.7"], "before the first check"),
    ("entry-invalid-guest-state", "33", VMX + AT + "fail-entry:0x80000021", [], "0x80000021"),
    ("entry-msr-load-failed", "34", VMX + AT + "fail-entry:0x80000022", [], "0x80000022"),
    ("entry-invalid-control", "7", VMX + AT + "fail-entry:7", [], "0x7"),
    ("entry-invalid-host-state", "8", VMX + AT + "fail-entry:8", [], "0x8"),
    ("entry-fail-reason-zero", "0", VMX + AT + "fail-entry:0", [], "is 0"),
    ("entry-fail-reason-zero", "0-svm", SVM + AT + "fail-entry:0", [], "is 0"),
    ("entry-fail-svm", "64", SVM + AT + "fail-entry:0xffffffffffffffff", [], "VMEXIT_INVALID"),
    ("entry-fail-svm", "32", SVM + AT + "fail-entry:0xffffffff", [], "VMEXIT_INVALID"),
    ("entry-failed", "5", VMX + AT + "fail-entry:5", [], "VMRESUME with a VMCS that was not launched"),
    ("entry-failed", "svm-7", SVM + AT + "fail-entry:7", [], "0x7"),
    ("emulation-failure", "1", SVM + AT + "internal-error:1", [], "could not emulate"),
    *[("kvm-internal-error", str(n), SVM + AT + f"internal-error:{n}", [], words) for n, words in
      [(2, "two exceptions at once"), (3, "an event was delivered"), (4, "KVM does not handle"),
       (99, "internal error 99")]],
    ("l1-triple-fault", "answered", SVM + AT + "exit:8", [], "triple fault"),
    ("l1-triple-fault", "real", SVM, ["stop_by_die"], "during check l2-entry"),
    ("l1-trap", "real", SVM, ["stop_by_trap"], "#UD"),
    ("l1-silent", "halts", SVM, ["stop_5", "--timeout", "1"], "halted for good during check l2-entry"),
    ("l1-silent", "babbles", SVM, ["stop_by_babble"], "does not know"),
    ("l1-silent", "unknown-exit", SVM + AT + "exit:77", [], "unknown exit reason 77"),
    ("kvm-run-failed", "efault", SVM + AT + "errno:EFAULT", [], "Bad address"),
    ("l1-sees-no-virt", "hidden", SVM + "KVM_SET_CPUID2=hide:svm", [], "L1 sees no SVM"),
    ("feature-control-not-locked", "swallowed", VMX, [], "IA32_FEATURE_CONTROL"),
    ("feature-control-not-locked", "svm", SVM, [], "VM_CR"),
    ("l2-entry-failed", "said", SVM, ["stop_by_fail"], "L2 did not run"),
    ("witnesses-disagree", "liar", SVM, ["liar"], "no access arrived"),
    ("witnesses-disagree", "l1-answers", SVM, ["l1_answers"], "guest_mode was 0"),
    ("l1-incomplete", "skipper", SVM, ["skipper"], "left check virt-allowed untried"),
    ("l2-unwitnessed", "old-kernel", SVM + NO_WITNESS, ["l1_answers"], "L1's word alone"),
]


def pvm_only():
    """Where nesting is real, the rigs' rows show the same; here it must not come in between."""
    need_kvm()
    if not kvm_is_pvm():
        pytest.skip("this machine's KVM is not kvm_pvm: the rigs' rows show this")


def answered(answers, words, more=()):
    """The probe's arguments; a guest's name stands for --probe-kernel, prlimit goes in front."""
    front = words if words[:1] == ["prlimit"] else []
    options = [] if front else words
    if options and not options[0].startswith("-"):
        options = ["--probe-kernel", built("gcc", options[0] + ".elf"), *options[1:]]
    return run(*front, built("gcc"), "--nested-probe", "--format", "json", *options, *more,
               env={"KVM_ANSWERS": answers, "LD_PRELOAD": str(built("gcc", "kvm_answers.so"))})


@pytest.mark.parametrize("reason, name, answers, words, says", ANSWERED,
                         ids=[f"{row[0]}-{row[1]}" for row in ANSWERED])
def test_reasons_answered(reason, name, answers, words, says):
    pvm_only()
    expect_reason(answered(answers, words), None, reason, says)


def test_reasons_interruptions_are_harmless():
    """A storm of signals at KVM_CREATE_VM and KVM_RUN changes nothing."""
    pvm_only()
    storm = "KVM_CREATE_VM@1-50=errno:EINTR KVM_RUN@2-50=errno:EINTR "
    expect_reason(answered(SVM + storm, []), 1, "feature-control-not-locked")


@pytest.mark.parametrize("rule", ["KVM_RUN", "KVM_RUN=", "KVM_RUN@x=hang", "NO=hang", "KVM_RUN=errno:E"])
def test_reasons_interposer_reads_or_ends(rule):
    need_kvm()
    assert answered(rule, []).status == 96


# The guest stops at each step in turn: never believed, always placed there.
@pytest.mark.parametrize("number", range(1, len(CHECKS) + 1))
def test_reasons_stop_at_each_step(number):
    pvm_only()
    vendor = VMX if number == 4 else SVM
    report = answered(vendor, [f"stop_{number}", "--timeout", "1"]).report(1)
    name = CHECKS[number - 1]
    assert f"halted for good during check {name}" in report["summary"]
    assert steps(report)[name] == "unfinished"
    assert set(list(steps(report).values())[number + 4:-1]) <= {"not-tried"}


# reason, name, shell commands that make /dev wrong (in a mount namespace of the test's own)
HIDE_KVM = "mount -t tmpfs none /sys/devices/virtual/misc; grep -v ' kvm$' /proc/misc >/dev/misc; " \
           "mount --bind /dev/misc /proc/misc; "
SPACES = [
    ("kvm-dev-not-in-container", "absent", "", ""),
    ("kvm-dev-nodev", "nodev", "mount -o remount,nodev /dev; mknod -m 666 /dev/kvm c 10 232", "nodev"),
    ("kvm-dev-permission", "0600", "mknod -m 600 /dev/kvm c 10 232; as=nobody", "does not let others"),
    ("kvm-dev-userns-or-lsm", "unmapped", "mknod -m 600 /dev/kvm c 10 232; as=unmapped",
     "not mapped into this user namespace"),
    ("not-a-kvm-device", "file", "touch /dev/kvm", "not a character device"),
    ("confidential-guest", "sev", HIDE_KVM + "touch /dev/sev-guest", "confidential"),
    ("cpu-inconsistent", "one-with", HIDE_KVM + "awk '/^flags/ && !n++ { $0 = $0 \" svm\" } { print }' "
     "/proc/cpuinfo /proc/cpuinfo >/dev/cpuinfo; mount --bind /dev/cpuinfo /proc/cpuinfo",
     "1 of this machine's"),
]
AS = {"nobody": "setpriv --reuid 65534 --regid 65534 --clear-groups ",
      "unmapped": "setpriv --reuid 65534 --regid 65534 --clear-groups unshare -U "}


@pytest.mark.parametrize("reason, name, prepare, says", SPACES, ids=[f"{r[0]}-{r[1]}" for r in SPACES])
def test_reasons_spaces(tmp_path_factory, reason, name, prepare, says):
    need_namespaces()
    pvm_only()
    who = re.search(r"; as=(\w+)", prepare)
    prepare = re.sub(r"; as=\w+", "", prepare)
    # a copy that every user may run
    copy = pathlib.Path("/tmp") / f"minivmm-reasons.{os.getpid()}"
    copy.write_bytes(built("gcc").read_bytes())
    copy.chmod(0o755)
    try:
        ran = run("unshare", "-m", "sh", "-ec", f"mount -t tmpfs -o mode=755 none /dev; {prepare or ':'}\n"
                  f"exec {AS[who[1]] if who else ''} {copy} --nested-probe --format json")
    finally:
        copy.unlink()
    expect_reason(ran, 77, reason, says)


# struct sock_filter: code, jump if true, jump if false, operand
def refuse_ioctl(request):
    """A real seccomp filter that answers EPERM to one ioctl."""
    load, equal, give = 0x20, 0x15, 0x06
    rows = [(load, 0, 0, 0), (equal, 0, 3, 16), (load, 0, 0, 24), (equal, 0, 1, request),
            (give, 0, 0, 0x00050000 | 1), (give, 0, 0, 0x7fff0000)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *row) for row in rows))
    program = struct.pack("HxxxxxxQ", len(rows), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)

    def install():
        assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, program, 0, 0) == 0
    install.keeps = code
    return install


def test_reasons_seccomp():
    """KVM_CREATE_VM under a real filter."""
    pvm_only()
    ran = probe("gcc", "-cpu", "host", env={"KVM_ANSWERS": SVM, "LD_PRELOAD": str(built("gcc", "kvm_answers.so"))},
                preexec_fn=refuse_ioctl(0xae01))
    expect_reason(ran, 77, "ioctl-blocked", "seccomp filter of this process", "seccomp=unconfined")


# ---- the two of a series (test_series.py has the rest) ----

def series(*args, answers=SVM, **more):
    return run(built("gcc"), "--nested-probe", "--format", "json", *args, env={
        "KVM_ANSWERS": answers, "LD_PRELOAD": str(built("gcc", "kvm_answers.so"))}, **more)


def counted(report):
    return {row["reason"]: row["runs"] for row in report["series"]["reasons"]}


def test_reasons_flaky():
    """The third of five differs, and is the one that is kept, for it has the worse verdict."""
    pvm_only()
    report = expect_reason(series("--repeat", "5", answers=SVM + "KVM_CREATE_VM@1-3=errno:EBUSY"), 1, "flaky")
    assert counted(report) == {"kvm-busy-other-hypervisor": 3, "feature-control-not-locked": 2}
    assert report["series"]["kept"] == {"run": 1, "reason": "kvm-busy-other-hypervisor",
                                        "verdict": "unavailable"}
    assert steps(report)["vm-create"] == "failed", "the kept run's own ladder"


def test_reasons_cpus_disagree():
    pvm_only()
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        pytest.skip("one CPU cannot differ from itself")
    report = expect_reason(series("--all-cpus", "--repeat", "3",
                                  answers=SVM + f"KVM_CREATE_VM@cpu{cpus[-1]}=errno:EBUSY"), 1, "cpus-disagree")
    rows = report["series"]["cpus"]
    assert [row["cpu"] for row in rows] == cpus and {row["runs"] for row in rows} == {3}
    assert [row["cpu"] for row in rows if row["reason"] == "kvm-busy-other-hypervisor"] == cpus[-1:]
    assert [row["odd"] for row in rows].count(True) == 1 and not any(row["mixed"] for row in rows)


# ---- the rigs ----

PROBE = INSIDE["gcc"] + " --nested-probe --format json --timeout 60"


def guest(name, options=""):
    return f"{PROBE} --probe-kernel /t/{name}.elf {options}"


def space(prepare, command=PROBE):
    """In a mount namespace of its own, with a /dev of its own."""
    return f"unshare -m sh -ec {shlex.quote(prepare + '; exec ' + command)}"


INDEX = "mkdir -p /lib/modules; mount -t tmpfs none /lib/modules; mkdir /lib/modules/$(uname -r); " \
        "echo {line} >/lib/modules/$(uname -r)/modules.dep"
NO_FLAG = "sed 's/ {flag} / /' /proc/cpuinfo >/tmp/cpuinfo; mount --bind /tmp/cpuinfo /proc/cpuinfo"
BLACKLIST = "mkdir -p /etc/modprobe.d; mount -t tmpfs none /etc/modprobe.d; " \
            "echo 'blacklist {module}' >/etc/modprobe.d/no-kvm.conf"


def without_modules(module, flag, firmware):
    """The modules go one by one; nothing of KVM can be used after these."""
    dep = f"kernel/arch/x86/kvm/{module.replace('_', '-')}.ko:"
    vendor = f"busybox rmmod {module}; "
    return {
        "kvm-vendor-module-not-loaded": vendor + PROBE,
        "kvm-module-blacklisted": space(BLACKLIST.format(module=module)),
        "kernel-without-kvm": space(INDEX.format(line="kernel/other.ko:")),
        firmware: space(INDEX.format(line=dep) + "; " + NO_FLAG.format(flag=flag)),
        "kvm-module-not-loaded": "busybox rmmod kvm; " + PROBE,
    }


# At each step the machine dies, which is quick; at some it hangs, which takes the deadline.
AMD_DEATHS = {f"death-{name}": other_kvm(f"KVM_RUN@{name}=exit:8") + PROBE
              for name in CHECKS if name != "vmcs-load"}
AMD_HANGS = {f"hang-{name}": other_kvm(f"KVM_RUN@{name}=hang") + PROBE.replace("60", "5")
             for name in ("virt-on", "l2-entry", "l2-port", "virt-off")}
# Here the claims before could be true; each takes the deadline, so not all fifteen.
RIG_STOPS = ["stop_3", "stop_5", "stop_9", "stop_15"]
AMD = Boot(("amd",), seconds=30, commands={
    "ok": PROBE,
    "feature-fails": PROBE + " --features",
    "nested-state-unsupported": other_kvm("KVM_CHECK_EXTENSION/KVM_CAP_NESTED_STATE=return:0") + PROBE,
    "l2-unwitnessed": other_kvm(NO_WITNESS) + PROBE,
    "witnesses-disagree": guest("l1_answers"),
    "l2-entry-failed": "mkdir -p /sys/kernel/tracing; mount -t tracefs none /sys/kernel/tracing; "
                       + guest("bad_control") + "; status=$?; ls /sys/kernel/tracing/instances; exit $status",
    "l2-entry-failed-state": guest("bad_state"),
    "l2-entry-failed-nobody": "setpriv --reuid 65534 --regid 65534 --clear-groups " + guest("bad_state"),
    "l2-wrong-exit": guest("bad_intercept"),
    "l1-vmxon-fail": guest("bad_enable"),
    "kvm-dev-missing": other_kvm("open=errno:ENODEV") + PROBE,
    "entry-fail-svm": other_kvm("KVM_RUN@l2-port=fail-entry:0xffffffff") + PROBE,
    "emulation-failure": other_kvm("KVM_RUN@l2-msr=internal-error:1") + PROBE,
    "kvm-run-failed": other_kvm("KVM_RUN@l2-cpuid=errno:EFAULT") + PROBE,
    **AMD_DEATHS,
    **AMD_HANGS,
    **{name: guest(name, "--timeout 6") for name in RIG_STOPS},
    **without_modules("kvm_amd", "svm", "firmware-disabled-svm"),
}, limit=280)
AMD_OFF = Boot(("amd", "--nested", "0"), {"nested-disabled": PROBE})
AMD_NO_NPT = Boot(("amd", "--npt", "0"), {"ept-or-npt-absent": PROBE})
AMD_NO_SVM = Boot(("amd", "--cpu", "EPYC,-svm"), {"l0-hides-virt": PROBE})
AMD_BARE = Boot(("amd", "--cpu", "EPYC,-svm,-hypervisor"), {"cpu-no-virt": PROBE})
INTEL_RESTRICTED = Boot(("intel", "--param", "kvm_intel.unrestricted_guest=0"),
                        {"no-unrestricted-guest": PROBE})
INTEL = Boot(("intel",), commands={
    "ok": PROBE,
    "feature-control-not-locked": other_kvm("KVM_SET_MSRS=return:1") + PROBE,
    "l1-vmxon-fail": guest("bad_enable"),
    "l1-vmptrld-fail": guest("bad_region"),
    "l2-entry-failed": "mkdir -p /sys/kernel/tracing; mount -t tracefs none /sys/kernel/tracing; "
                       + guest("bad_control") + "; status=$?; ls /sys/kernel/tracing/instances; exit $status",
    "l2-entry-failed-host": guest("bad_host"),
    "l2-entry-failed-state": guest("bad_state"),
    "l1-leave-failed": guest("bad_leave"),
    "entry-invalid-control": other_kvm("KVM_RUN@l2-port=fail-entry:7") + PROBE,
    **without_modules("kvm_intel", "vmx", "firmware-disabled-vmx"),
}, builds=("gcc",))

# boot, command, reason, in the summary
RIGS = [
    (AMD, "ok", "ok", "ran under SVM"),
    (AMD, "feature-fails", "feature-fails", "xsave-state"),
    (AMD, "nested-state-unsupported", "nested-state-unsupported", "migration"),
    (AMD, "l2-unwitnessed", "l2-unwitnessed", "L1's word alone"),
    (AMD, "witnesses-disagree", "witnesses-disagree", "not in guest mode"),
    (AMD, "l2-entry-failed", "l2-entry-failed", "VMEXIT_INVALID"),
    (AMD, "l2-entry-failed-state", "l2-entry-failed", "VMEXIT_INVALID"),
    (AMD, "l2-wrong-exit", "l2-wrong-exit", "check l2-cpuid failed"),
    (AMD, "l1-vmxon-fail", "l1-vmxon-fail", "could not switch SVM on"),
    (AMD, "entry-fail-svm", "entry-fail-svm", "during check l2-port"),
    (AMD, "emulation-failure", "emulation-failure", "during check l2-msr"),
    (AMD, "kvm-run-failed", "kvm-run-failed", "during check l2-cpuid"),
    *[(AMD, name, "l1-triple-fault", f"during check {name[6:]}: L") for name in AMD_DEATHS],
    *[(AMD, name, "timed-out", f"during check {name[5:]}: L") for name in AMD_HANGS],
    (AMD, "kvm-dev-missing", "kvm-dev-missing", "although module kvm_amd is there"),
    *[(AMD, name, name, "") for name in (
        "kvm-vendor-module-not-loaded", "kvm-module-blacklisted", "kernel-without-kvm",
        "firmware-disabled-svm", "kvm-module-not-loaded")],
    (AMD_OFF, "nested-disabled", "nested-disabled", "nested=0"),
    (AMD_NO_NPT, "ept-or-npt-absent", "ept-or-npt-absent", "(NPT)"),
    (AMD_NO_SVM, "l0-hides-virt", "l0-hides-virt", "QEMU's TCG emulator"),
    (AMD_BARE, "cpu-no-virt", "cpu-no-virt", "neither VMX nor SVM"),
    (INTEL_RESTRICTED, "no-unrestricted-guest", "no-unrestricted-guest", "as it is off here"),
    (INTEL, "ok", "ok", "ran under VMX"),
    (INTEL, "feature-control-not-locked", "feature-control-not-locked", "0x3a"),
    (INTEL, "l1-vmxon-fail", "l1-vmxon-fail", "VMXON failed"),
    (INTEL, "l1-vmptrld-fail", "l1-vmptrld-fail", "error 11: VMPTRLD with a wrong revision"),
    (INTEL, "l2-entry-failed", "l2-entry-failed", "error 7: VM entry with an invalid control field"),
    (INTEL, "l2-entry-failed-host", "l2-entry-failed", "error 8: VM entry with an invalid host-state"),
    (INTEL, "l2-entry-failed-state", "l2-entry-failed", "invalid guest state: VMCS link pointer"),
    (INTEL, "l1-leave-failed", "l1-leave-failed", "VMXOFF"),
    (INTEL, "entry-invalid-control", "entry-invalid-control", "during check l2-port"),
    *[(INTEL, name, name, "") for name in (
        "kvm-vendor-module-not-loaded", "kvm-module-blacklisted", "kernel-without-kvm",
        "firmware-disabled-vmx", "kvm-module-not-loaded")],
]
RIG_IDS = [f"{which.args[0]}-{command}" for which, command, _, _ in RIGS]


@pytest.mark.parametrize("which, command, reason, says", RIGS, ids=RIG_IDS)
def test_reasons_rig(which, command, reason, says):
    if command == "feature-fails" and tcg_knows_xsetbv():
        pytest.skip("this QEMU has mended the one feature that failed")
    expect_reason(boot(which)[command], None, reason, says)


@pytest.mark.parametrize("which, command, sentence, reached", [
    (AMD, "l2-entry-failed", "control->asid == 0", "SVM is on (EFER.SVME), KVM counted 0 entries"),
    (AMD, "l2-entry-failed-state", "!(save->efer & EFER_SVME)", "SVM is on"),
    (AMD, "l2-entry-failed-nobody", None, "SVM is on"),
    (INTEL, "l2-entry-failed", "vmcs12->cr3_target_count >", "VMX is on (VMXON region 0x"),
    (INTEL, "l2-entry-failed-host", "vmcs12->host_cr4", "VMCS 0x"),
    (INTEL, "l2-entry-failed-state", "vmcs12->vmcs_link_pointer", "VMX is on"),
], ids=lambda value: value if isinstance(value, str) else None)
def test_reasons_kernel_says(which, command, sentence, reached):
    """Root hears the kernel's own sentence, and no trace instance stays behind (the report would not
    be all of the output)."""
    evidence = boot(which)[command].report(1)["evidence"]
    assert reached in evidence["l1_reached"]
    assert (sentence or "") in evidence.get("kernel_says", "")
    assert ("kernel_says" in evidence) == (sentence is not None)


def test_reasons_reached():
    """After a death the report tells how far L1 came, by KVM's word."""
    evidence = boot(AMD)["death-nested-paging"].report(1)["evidence"]
    assert "SVM is on (EFER.SVME)" in evidence["l1_reached"] and "entries into L2" in evidence["l1_reached"]
    words = boot(AMD)["l2-wrong-exit"].report(1)["evidence"]["l1_exit"]
    assert words == "exit 0x81, VMMCALL"


@pytest.mark.parametrize("name", RIG_STOPS)
def test_reasons_rig_stop_at_each_step(name):
    """On a KVM that can nest: what was claimed before is not believed either."""
    report = boot(AMD)[name].report(1)
    number = int(name.split("_")[1])
    assert steps(report)[CHECKS[number - 1]] == "unfinished"
    assert report["reason"] == "l1-silent" and f"during check {CHECKS[number - 1]}" in report["summary"]


# ---- all of them ----

NOT_MADE = {
    "l1-not-started": "a fault of minivmm's own, which no machine brings about",
}


def made():
    return {row[0] for row in ANSWERED + SPACES} | {reason for _, _, reason, _ in RIGS} | \
        {"kvm-without-hw-virt",  # test_native.py
         "flaky", "cpus-disagree"}


def test_reasons_all_are_made():
    """A reason of the table has a row here, or a word why not; and not both."""
    listed = {line.split()[1] for line in run(built("gcc"), "--list", "reasons").expect(0).out.splitlines()}
    assert listed - made() == set(NOT_MADE)
    assert made() <= listed
    assert len(made()) >= 30 and len(listed) >= 40
