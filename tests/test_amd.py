# scripts/test -k amd
# SPDX-License-Identifier: MIT
"""SVM: a whole chain of guests in the emulated AMD host, under Debian's kernel and its real kvm_amd.

A row is a command, the boot of the rig that it shares with others, and what must come of it.
"""
import json

import pytest

from harness import (BUILDS, CHECKS, INSIDE, NIGHTLY, NO_WITNESS, Boot, boot, expect_reason, features,
                     other_kvm, rig, steps, tcg_knows_xsetbv, works)

PROBE = INSIDE["gcc"] + " --nested-probe --format json --timeout 60"
QEMU = ("qemu-system-x86_64 -accel kvm -cpu host -M {} -kernel /t/l1.elf -serial stdio -display none "
        "-nodefaults -no-reboot -device isa-debug-exit,iobase=0xf4,iosize=4")
NOBODY = "setpriv --reuid 65534 --regid 65534 --clear-groups "

# Kernels that claim what is not so, and one that never ends.
LIARS = ["liar", "l1_answers", "skipper"]

ON = Boot(("amd",), builds=tuple(BUILDS), commands={
    **{f"build-{build}": PROBE.replace(INSIDE["gcc"], INSIDE[build]) for build in BUILDS},
    "no-root": NOBODY + PROBE,
    "no-deadline": PROBE + " --timeout 0",
    "own-kernel": PROBE + " --probe-kernel /t/l1.elf",
    "text": INSIDE["gcc"] + " --nested-probe --timeout 60 --verbose",
    "quiet": INSIDE["gcc"] + " --nested-probe --timeout 60 --quiet",
    "five-at-once": f"unset all; for i in 1 2 3 4 5; do {PROBE} --quiet & all=\"$all $!\"; done; "
                    "for i in $all; do wait $i || exit; done",
    "without-svm": PROBE + " -cpu host,-svm",
    "without-npt": PROBE + " -cpu host,-npt",
    "little-memory": f"ulimit -v 10000; {PROBE.replace(INSIDE['gcc'], INSIDE['static'])}",
    "few-files": f"ulimit -n 3; {PROBE.replace(INSIDE['gcc'], INSIDE['static'])}",
    "spinner": PROBE + " --probe-kernel /t/stop_by_spin.elf --timeout 3",
    "spinner-sanitizers": PROBE.replace(INSIDE["gcc"], INSIDE["sanitizers"]) +
                          " --probe-kernel /t/stop_by_spin.elf --timeout 1",
    "sleeper": PROBE + " --probe-kernel /t/stop_5.elf --timeout 2",
    "unwitnessed": other_kvm(NO_WITNESS) + PROBE,
    "unwitnessed-liar": other_kvm(NO_WITNESS) + PROBE + " --probe-kernel /t/l1_answers.elf",
    "at-once": PROBE + " --timeout 0.001",
    **{name: PROBE + f" --probe-kernel /t/{name}.elf" for name in LIARS},
    "lacks-once": other_kvm("KVM_CHECK_EXTENSION/KVM_CAP_NESTED_STATE@2=return:0") + PROBE
                  + " --repeat 3 --require state,l2-entry",
    "lacks-never": PROBE + " --repeat 3 --require nested,state,nested-paging,tsc-offset",
    "qemu-pc": QEMU.format("pc"),
    "qemu-microvm": QEMU.format("microvm"),
})
OFF = Boot(("amd", "--nested", "0"), {
    "probe": PROBE,
    "forced": PROBE + " -cpu host,+svm",
    "held-open": f"sleep 60 3<>/dev/kvm & {PROBE}; status=$?; kill $!; exit $status",
    "text": INSIDE["gcc"] + " --nested-probe",
})
NO_PAGING = Boot(("amd", "--npt", "0"), {"probe": PROBE})
NO_SVM = Boot(("amd", "--cpu", "EPYC,-svm"), {"probe": PROBE})
NO_NPT_BELOW = Boot(("amd", "--cpu", "EPYC,+svm,-npt"), {"probe": PROBE})
FEATURES = Boot(("amd",), builds=("gcc",), commands={
    "map": PROBE + " --features",
    "without-npt": PROBE + " --features -cpu host,-npt",
    "liar": PROBE + " --features --probe-kernel /t/features_liar.elf",
    "plain": PROBE,
})
# On one CPU they take turns. Two at once are for every night: such a rig locked up now and then.
SMP = Boot(("amd", "--smp", "2" if NIGHTLY else "1"), builds=("gcc",), commands={
    "2": PROBE + " --smp 2",
    "4": PROBE + " --smp 4",
    "4-without-npt": PROBE + " --smp 4 -cpu host,-npt",
    "map": PROBE + " --smp 2 --features",
    "again": PROBE + " --smp 3 --repeat 5 --parallel 2",
    "liar": PROBE + " --smp 2 --probe-kernel /t/smp_liar.elf",
    "spinner": PROBE + " --smp 2 --timeout 3 --probe-kernel /t/stop_by_spin.elf",
    "sleeper": PROBE + " --smp 2 --timeout 2 --probe-kernel /t/stop_5.elf",
    "unwitnessed": other_kvm(NO_WITNESS) + PROBE + " --smp 2",
})
# What TCG has beyond the EPYC that it models.
MORE = Boot(("amd", "--cpu", "EPYC,+svm,+npt,+vgif,+la57"), {"map": PROBE + " --features"}, builds=("gcc",))
# Bochs emulates a Ryzen: another implementation of SVM than QEMU's.
BOCHS = Boot(("amd", "--engine", "bochs"), {"probe": PROBE})


@pytest.mark.parametrize("command", [f"build-{build}" for build in BUILDS] +
                         ["no-root", "no-deadline", "own-kernel"])
def test_amd_works(command):
    report = boot(ON)[command].report(0)
    assert (report["verdict"], report["reason"]) == ("works", "ok")
    assert steps(report)["vmcs-load"] == "not-applicable"
    assert report["host"]["kvm_module"] == "kvm_amd" and report["host"]["nested"] == "1"
    assert report["host"]["level"] == "a guest of QEMU's TCG emulator"


def test_amd_works_by_bochs():
    report = boot(BOCHS)["probe"].report(0)
    assert report["verdict"] == "works" and report["host"]["kvm_module"] == "kvm_amd"


def test_amd_text():
    ran = boot(ON)["text"].expect(0)
    assert " WORKS " in ran.out and "\x1b" not in ran.out
    for check in CHECKS:
        assert check in ran.out


@pytest.mark.parametrize("command", ["quiet", "five-at-once"])
def test_amd_quiet(command):
    assert boot(ON)[command].expect(0).out == ""


ROWS = [
    # boot, command, exit status, reason, in the summary, in the remedy
    (OFF, "probe", 77, "nested-disabled", "nested=0",
     ["/etc/modprobe.d/kvm-nested.conf", "options kvm_amd nested=1",
      "modprobe -r kvm_amd && sudo modprobe kvm_amd nested=1"]),
    (OFF, "held-open", 77, "nested-disabled", "nested=0",
     ["kvm_amd is in use now (reference count 1)", "stop all virtual machines first"]),
    (OFF, "forced", 77, "nested-disabled", "nested=0", ["options kvm_amd nested=1"]),
    (NO_PAGING, "probe", 0, "ept-or-npt-absent", "switched off here", ["options kvm_amd npt=1"]),
    (NO_NPT_BELOW, "probe", 0, "ept-or-npt-absent", "no nested paging (NPT)", ["a guest (of QEMU"]),
    (NO_SVM, "probe", 77, "l0-hides-virt", "/dev/kvm does not exist", ["-cpu EPYC,+svm"]),
    (ON, "without-svm", 77, "hidden-by-option", "-cpu hides it", ["-cpu host"]),
    (ON, "without-npt", 0, "ept-or-npt-absent", "-cpu hides nested paging (NPT)", []),
    (ON, "little-memory", 77, "out-of-resources", "mmap: Out of memory", ["ulimit -a"]),
    (ON, "few-files", 77, "out-of-resources", "No file descriptors available", ["ulimit -a"]),
    (ON, "spinner", 124, "timed-out", "during check l2-entry: L1 was at RIP 0x", ["--timeout 60"]),
    (ON, "spinner-sanitizers", 124, "timed-out", "during check l2-entry: L1 was at RIP 0x", []),
    (ON, "at-once", 124, "timed-out", "Time ran out", []),
    (ON, "liar", 1, "witnesses-disagree", "no access arrived", []),
    (ON, "l1_answers", 1, "witnesses-disagree", "not in guest mode", []),
    (ON, "sleeper", 1, "l1-silent", "halted for good during check l2-entry", []),
    (ON, "unwitnessed", 0, "l2-unwitnessed", "L1's word alone", ["Linux 5.14"]),
    (ON, "unwitnessed-liar", 0, "l2-unwitnessed", "L1's word alone", ["Linux 5.14"]),
    (ON, "skipper", 1, "l1-incomplete", "left check virt-allowed untried", []),
]
NAMES = {id(OFF): "nested=0", id(NO_PAGING): "npt=0", id(NO_SVM): "-svm", id(NO_NPT_BELOW): "-npt",
         id(ON): "nested=1"}


@pytest.mark.parametrize("where, command, status, reason, summary, mend", ROWS,
                         ids=[f"{NAMES[id(row[0])]},{row[1]}" for row in ROWS])
def test_amd_reason(where, command, status, reason, summary, mend):
    expect_reason(boot(where)[command], status, reason, summary, mend)


@pytest.mark.parametrize("where, command", [(NO_PAGING, "probe"), (NO_NPT_BELOW, "probe"),
                                            (ON, "without-npt")], ids=["npt=0", "-npt", "option"])
def test_amd_limited_is_whole_otherwise(where, command):
    report = boot(where)[command].report(0)
    assert report["verdict"] == "limited"
    assert steps(report)["nested-paging"] == "limited"
    works(report, but=["nested-paging"])


@pytest.mark.parametrize("command", ["spinner", "spinner-sanitizers"])
def test_amd_deadline_says_where(command):
    """L1 spins with interrupts off, and the report tells the step and the instruction."""
    report = boot(ON)[command].report()
    assert steps(report)["l2-entry"] == "unfinished"
    assert steps(report)["virt-on"] == "passed" and steps(report)["l2-challenge"] == "not-tried"
    assert int(report["evidence"]["rip"], 16) >= 0x100000
    assert report["evidence"]["stopped_in_l2"] is False


@pytest.mark.parametrize("command", ["liar", "l1_answers"])
def test_amd_witness_row_fails(command):
    """L1 says that all is well; the row of KVM's word is the one that fails."""
    report = boot(ON)[command].report()
    failed = [name for name, status in steps(report).items() if status == "failed"]
    assert failed == ["witnesses"]
    assert report["evidence"]["kvm_nested_run"] == 0


# What QEMU's TCG and this kernel's KVM show to L1; all others of SVM's work.
NOT_OFFERED = ["la57", "tsc-scaling", "pause-filter", "nrip-save", "decode-assists",
               "virtual-vmload", "virtual-gif"]
VMX_ONLY = ["nested-execute-only", "page-modification-log", "vm-functions", "virtual-delivery",
            "posted-interrupts", "preemption-timer", "monitor-trap-flag", "shadow-vmcs",
            "bad-host-state"]


def fails():
    return set() if tcg_knows_xsetbv() else {"xsave-state"}


def test_amd_features():
    report = boot(FEATURES)["map"].report(0)
    expected = dict.fromkeys(NOT_OFFERED, "not-offered") | dict.fromkeys(fails(), "fails") | \
        dict.fromkeys(VMX_ONLY, "not-applicable") | {"smp": "not-tried"}
    for name, status in features(report).items():
        assert status == expected.pop(name, "works"), name
    assert not expected
    assert report["evidence"]["exit_cycles"] < report["evidence"]["round_trip_cycles"]
    assert "emulated" in report["evidence"]["slow"]
    if not fails():
        assert (report["verdict"], report["reason"]) == ("works", "ok")
        return
    assert (report["verdict"], report["reason"]) == ("limited", "feature-fails")
    assert "xsave-state" in report["summary"]
    failed = next(f for f in report["features"] if f["status"] == "fails")
    assert "known of QEMU's TCG" in failed["detail"]


def test_amd_features_of_another_model():
    report = boot(MORE)["map"].report(0)
    assert {features(report)[name] for name in ("la57", "virtual-gif")} == {"works"}


def test_amd_features_without_npt():
    """What plays in the nested page tables is not tried, and the reason is given."""
    report = boot(FEATURES)["without-npt"].report(0)
    for feature in report["features"]:
        if feature["status"] == "not-tried" and feature["name"] != "smp":
            assert feature["detail"] == "L1 has no NPT"
    assert features(report)["nested-2m"] == "not-tried"
    assert features(report)["tsc-offset"] == "works"


def test_amd_features_on_request_only():
    report = boot(FEATURES)["plain"].report(0)
    assert "features" not in report and "exit_cycles" not in report["evidence"]
    assert report["verdict"] == "works"


def test_amd_features_liar():
    """Claims without an L2, half of them signed from L1: none is shown as working."""
    report = boot(FEATURES)["liar"].report(1)
    assert report["reason"] == "witnesses-disagree"
    assert set(features(report).values()) == {"fails"}


@pytest.mark.parametrize("command, cpus", [("2", 2), ("4", 4), ("4-without-npt", 4)])
def test_amd_smp(command, cpus):
    """An L2 on each CPU, also where L1 has more than the host; --smp alone asks for that row alone."""
    report = boot(SMP)[command].report(0)
    assert features(report) == {"smp": "works"}
    assert report["features"][0]["detail"] == \
        f"an L2 on {cpus} CPUs at once, each called and answered"
    assert (report["evidence"]["cpus"], report["evidence"]["cpus_in_l2"]) == (cpus, cpus)
    assert report["evidence"]["witness_guest_mode"] is True
    assert report["reason"] == ("ept-or-npt-absent" if "npt" in command else "ok")


def test_amd_smp_among_all():
    """The other CPUs are off and out of the way of what comes behind."""
    report = boot(SMP)["map"].report(0)
    assert {name for name, status in features(report).items() if status == "fails"} == fails()
    assert features(report)["smp"] == features(report)["bad-guest-state"] == "works"


def test_amd_smp_again():
    report = boot(SMP)["again"].report(0)
    assert (report["verdict"], report["series"]["runs"]) == ("works", 10)


def test_amd_smp_liar():
    """L2 ran on CPU 0 alone: KVM has not seen the other in guest mode."""
    report = boot(SMP)["liar"].report(1)
    assert report["reason"] == "witnesses-disagree"
    assert "L2 on 2 CPUs; KVM saw 1 of them" in report["summary"]
    assert features(report) == {"smp": "fails"} and report["evidence"]["cpus_in_l2"] == 1


def test_amd_smp_unwitnessed():
    report = boot(SMP)["unwitnessed"].report(0)
    assert report["reason"] == "l2-unwitnessed" and report["evidence"]["cpus_in_l2"] is None


@pytest.mark.parametrize("command, status, reason", [("spinner", 124, "timed-out"),
                                                     ("sleeper", 1, "l1-silent")])
def test_amd_smp_ends(command, status, reason):
    """With CPUs that L1 never started."""
    expect_reason(boot(SMP)[command], status, reason, "during check l2-entry", [])


def test_amd_series_lacks_what_is_required():
    """In one run of three, which is the one that is kept: works and limited alone would be no failure."""
    ran = boot(ON)["lacks-once"]
    report = json.loads(ran.out)
    assert (ran.status, report["verdict"], report["reason"]) == (1, "limited", "flaky"), ran
    assert report["series"]["kept"] == {"run": 2, "reason": "nested-state-unsupported", "verdict": "limited"}
    assert [(row["name"], row["met"]) for row in report["required"]] == [("state", False), ("l2-entry", True)]


def test_amd_series_has_what_is_required():
    report = json.loads(boot(ON)["lacks-never"].expect(0).out)
    assert [row["met"] for row in report["required"]] == [True] * 4


def test_amd_held_open_is_counted():
    assert boot(OFF)["held-open"].report()["host"]["kvm_module_users"] == 1
    assert boot(OFF)["probe"].report()["host"]["kvm_module_users"] == 0


def test_amd_text_of_a_remedy():
    ran = boot(OFF)["text"].expect(77)
    assert " UNAVAILABLE " in ran.out and "minivmm --explain nested-disabled" in ran.out


@pytest.mark.parametrize("machine", ["pc", "microvm"])
def test_amd_l1_under_qemu(machine):
    """The same kernel file runs its own L2 under another VMM, and tells it on the serial port."""
    ran = boot(ON)[f"qemu-{machine}"]
    lines = ran.out.replace("\r", "").splitlines()
    for check in CHECKS:
        word = "not applicable" if check == "vmcs-load" else "ok"
        assert any(line.startswith(f"minivmm-l1: {check}: {word}") for line in lines), ran
    assert "minivmm-l1: PASS" in ran.out
    assert ran.status == 1, "isa-debug-exit's word for 0"


# ---- the rig itself ----

def test_amd_rig_passes_on():
    ran = rig("amd", "--", "sh", "-c", "echo out; echo err >&2; exit 42")
    assert (ran.status, ran.out, ran.err) == (42, "out\n", "err\n")


def test_amd_rig_hang():
    ran = rig("amd", "--timeout", "20", "--", "sh", "-c", "echo begun; sleep 1000", timeout=60)
    assert (ran.status, ran.out) == (124, "begun\n")
    assert ran.err == "rig: no end after 20 s (--timeout): the command was still running\n"


def test_amd_rig_panic():
    """Long before the time-out: a panic is an end."""
    ran = rig("amd", "--", "sh", "-c", "echo c >/proc/sysrq-trigger; sleep 1000", timeout=60)
    assert ran.status == 124
    assert "kernel panicked: " in ran.err and ran.err.count("\n") == 1


@pytest.mark.parametrize("args", [[], ["arm"], ["amd"], ["amd", "--nested", "2", "--", "true"],
                                  ["amd", "--engine", "none", "--", "true"],
                                  ["amd", "--param", "kvm", "--", "true"],
                                  ["amd", "--what", "--", "true"], ["intel", "--stdin", "true"]],
                         ids=" ".join)
def test_amd_rig_wrong_usage(args):
    ran = rig(*args)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("rig: ") and ran.err.count("\n") == 1
