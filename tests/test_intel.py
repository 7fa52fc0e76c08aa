# scripts/test -k intel
# SPDX-License-Identifier: MIT
"""VMX: a whole chain of guests in the emulated Intel host, under Debian's kernel and its kvm_intel."""
import pytest

from harness import (CHECKS, INSIDE, Boot, boot, expect_reason, features, rig, steps,
                     works)

PROBE = INSIDE["static"] + " --nested-probe --format json --timeout 60"

ON = Boot(("intel",), builds=("gcc", "static"), commands={
    "static": PROBE,
    "gcc": PROBE.replace(INSIDE["static"], INSIDE["gcc"]),
    "text": INSIDE["static"] + " --nested-probe --timeout 60 --verbose",
    "without-vmx": PROBE + " -cpu host,-vmx",
    "at-once": PROBE + " --timeout 0.001",
    "liar": PROBE + " --probe-kernel /t/liar.elf",
    "l1_answers": PROBE + " --probe-kernel /t/l1_answers.elf",
    "skipper": PROBE + " --probe-kernel /t/skipper.elf",
    "spinner": PROBE + " --probe-kernel /t/stop_by_spin.elf --timeout 3",
})
OFF = Boot(("intel", "--nested", "0"), {"probe": PROBE}, builds=("static",))
NO_PAGING = Boot(("intel", "--ept", "0"), {"probe": PROBE}, builds=("static",))
FEATURES = Boot(("intel",), {"map": PROBE + " --features",
                             "smp-2": PROBE + " --smp 2",
                             "smp-3": PROBE + " --smp 3",
                             "liar": PROBE + " --features --probe-kernel /t/features_liar.elf"},
                builds=("static",))
# A control that Bochs announces and does not take, and that kvm_intel uses unless told otherwise.
APICV = Boot(("intel", "--param", "kvm_intel.enable_apicv=1"), {"probe": PROBE}, builds=("static",))


@pytest.mark.parametrize("command", ["static", "gcc"])
def test_intel_works(command):
    report = boot(ON)[command].report(0)
    assert (report["verdict"], report["reason"]) == ("works", "ok")
    assert steps(report)["vmcs-load"] == "passed"
    assert report["host"]["kvm_module"] == "kvm_intel" and report["host"]["nested"] == "Y"


def test_intel_text():
    ran = boot(ON)["text"].expect(0)
    assert " WORKS " in ran.out
    for check in CHECKS:
        assert check in ran.out


ROWS = [
    # boot, command, exit status, reason, in the summary, in the remedy
    (OFF, "probe", 77, "nested-disabled", "nested=N",
     ["options kvm_intel nested=1", "modprobe -r kvm_intel && sudo modprobe kvm_intel nested=1"]),
    (NO_PAGING, "probe", 0, "ept-or-npt-absent", "(EPT)", ["options kvm_intel ept=1"]),
    (ON, "without-vmx", 77, "hidden-by-option", "KVM offers VMX", ["-cpu host"]),
    (ON, "liar", 1, "witnesses-disagree", "no access arrived", []),
    (ON, "l1_answers", 1, "witnesses-disagree", "not in guest mode", []),
    (ON, "skipper", 1, "l1-incomplete", "left check virt-allowed untried", []),
    (ON, "spinner", 124, "timed-out", "during check l2-entry: L1 was at RIP 0x", []),
    (ON, "at-once", 124, "timed-out", "Time ran out", ["--timeout 60"]),
    (APICV, "probe", 1, "entry-invalid-control", "hardware error 0x7",
     ["options kvm_intel enable_apicv=0"]),
]
NAMES = {id(OFF): "nested=0", id(NO_PAGING): "ept=0", id(APICV): "apicv=1", id(ON): "nested=1"}


@pytest.mark.parametrize("where, command, status, reason, summary, mend", ROWS,
                         ids=[f"{NAMES[id(row[0])]},{row[1]}" for row in ROWS])
def test_intel_reason(where, command, status, reason, summary, mend):
    expect_reason(boot(where)[command], status, reason, summary, mend)


def test_intel_limited_is_whole_otherwise():
    report = boot(NO_PAGING)["probe"].report(0)
    assert report["verdict"] == "limited" and steps(report)["nested-paging"] == "limited"
    works(report, but=["nested-paging"])


# What Bochs and this kernel's KVM do not show to L1, or only SVM has; all others work.
NOT_OFFERED = ["la57", "pause-filter", "posted-interrupts"]
SVM_ONLY = ["nrip-save", "vmcb-clean-bits", "decode-assists", "virtual-vmload", "virtual-interrupt",
            "virtual-gif"]


def test_intel_features():
    report = boot(FEATURES)["map"].report(0)
    expected = dict.fromkeys(NOT_OFFERED, "not-offered") | dict.fromkeys(SVM_ONLY, "not-applicable") | \
        {"smp": "not-tried"}
    for name, status in features(report).items():
        assert status == expected.pop(name, "works"), name
    assert not expected
    assert (report["verdict"], report["reason"]) == ("works", "ok")
    assert report["evidence"]["exit_cycles"] < report["evidence"]["round_trip_cycles"]


@pytest.mark.parametrize("cpus", [2, 3])
def test_intel_smp(cpus):
    """On a host of one CPU."""
    report = boot(FEATURES)[f"smp-{cpus}"].report(0)
    assert features(report) == {"smp": "works"} and report["reason"] == "ok"
    assert report["evidence"]["cpus_in_l2"] == cpus


def test_intel_features_liar():
    report = boot(FEATURES)["liar"].report(1)
    assert report["reason"] == "witnesses-disagree"
    assert set(features(report).values()) == {"fails"}


def test_intel_rig_passes_on():
    ran = rig("intel", "--", "sh", "-c", "echo out; echo err >&2; exit 42")
    assert (ran.status, ran.out, ran.err) == (42, "out\n", "err\n")
