# scripts/test --no-rigs -k native
# SPDX-License-Identifier: MIT
"""This machine's own KVM, whatever it is, and a /dev/kvm that is made to be wrong.

Nothing is mocked: the wrong ones stand in a mount namespace that the test has to itself.
"""
import os
import pathlib
import shlex
import shutil
import tempfile
import time

import pytest

from harness import (BUILDS, built, cpu_flags, kvm_is_pvm, may, need_kvm, need_namespaces,
                     probe, remedy, run, steps, vendor_module)

NATIVE = ["gcc", "sanitizers", "clang", "static"]


# ---- the verdict ----

def expected():
    """Reasons that fit what the system says of itself, by another way than minivmm's."""
    module = vendor_module()
    if module not in ("kvm_intel", "kvm_amd"):
        return {"kvm-without-hw-virt"}
    nested = pathlib.Path(f"/sys/module/{module}/parameters/nested").read_text().strip()
    if nested in ("N", "0"):
        return {"nested-disabled"}
    return {"ok", "ept-or-npt-absent"}


@pytest.mark.parametrize("build", NATIVE)
def test_native_verdict(build):
    need_kvm()
    report = probe(build).report()
    assert report["reason"] in expected(), report["summary"]
    assert report["host"]["kvm_module"] == vendor_module()
    virt = {"vmx", "svm"} & set(cpu_flags())
    assert report["host"]["cpu_virtualization"] == (virt.pop() if virt else "none")
    assert report["host"]["kernel"] == os.uname().release


@pytest.mark.parametrize("build", NATIVE)
def test_native_pvm(build):
    """KVM's pvm backend runs guests by software, so nothing can nest."""
    need_kvm()
    if not kvm_is_pvm():
        pytest.skip(f"the KVM of this machine is {vendor_module()}, not kvm_pvm")
    report = probe(build).report(77)
    assert report["verdict"] == "unavailable" and "kvm_pvm" in report["summary"]
    assert steps(report)["kvm-device"] == "passed"
    assert steps(report)["kvm-offers-virt"] == "failed"


@pytest.mark.parametrize("cpus", ["2", "64"])
def test_native_smp_changes_no_verdict(cpus):
    """Where nothing can nest, it does not matter on how many CPUs."""
    need_kvm()
    plain, ran = probe("gcc").report(), probe("gcc", "--smp", cpus).report()
    if plain["verdict"] == "unavailable":
        assert (ran["verdict"], ran["reason"]) == ("unavailable", plain["reason"])
        assert {row["name"]: row["status"] for row in ran["features"]} == {"smp": "not-tried"}


def need_l1():
    """A KVM that runs L1 with SVM shown to it, and whose verdict does not depend on that."""
    need_kvm()
    if not kvm_is_pvm():
        pytest.skip(f"the KVM of this machine is {vendor_module()}: the rigs show L1 there")


@pytest.mark.parametrize("build", NATIVE)
def test_native_l1_boots(build):
    """The loader, L1 and the contract work without nesting; the first use of SVM then fails."""
    need_l1()
    report = probe(build, "-cpu", "host,+svm").report(77)
    assert report["reason"] == "kvm-without-hw-virt"
    status = steps(report)
    assert [status[s] for s in ("vm-create", "l1-boot", "cpu-shows-virt")] == ["passed"] * 3
    assert "failed" in (status["virt-allowed"], status["virt-on"])
    assert status["l2-entry"] == "not-tried" and status["witnesses"] == "not-tried"
    assert report["evidence"]["run_end"] == "L1 reported to the end"
    assert report["evidence"]["kvm_nested_run"] in (0, None)


@pytest.mark.parametrize("build", NATIVE)
@pytest.mark.parametrize("kernel", ["liar", "l1_answers", "skipper"])
def test_native_liars(build, kernel):
    """Not believed here either: the cause stays the CPU, and no step claims that L2 was seen."""
    need_l1()
    report = probe(build, "-cpu", "host,+svm", "--probe-kernel", built("gcc", f"{kernel}.elf")).report(77)
    assert report["reason"] == "kvm-without-hw-virt"
    assert steps(report)["witnesses"] == ("not-tried" if kernel == "skipper" else "failed")


@pytest.mark.parametrize("build", NATIVE)
def test_native_deadline(build):
    """L1 spins with interrupts off: the deadline ends it, and the report says where it was."""
    need_l1()
    begun = time.monotonic()
    report = probe(build, "-cpu", "host,+svm", "--timeout", "1",
                   "--probe-kernel", built("gcc", "stop_by_spin.elf"), timeout=10).report(77)
    assert time.monotonic() - begun >= 1
    assert report["reason"] == "kvm-without-hw-virt"
    assert report["evidence"]["run_end"] == "time ran out"
    assert int(report["evidence"]["rip"], 16) >= 0x100000
    assert steps(report)["virt-on"] == "passed"
    assert steps(report)["l2-entry"] == "unfinished"
    assert steps(report)["l2-challenge"] == "not-tried"


@pytest.mark.parametrize("how", ["--block-signal=ALRM", "--ignore-signal=ALRM"])
def test_native_deadline_whatever_was_inherited(how):
    need_l1()
    report = run("env", how, built("static"), "--nested-probe", "--format", "json", "-cpu", "host,+svm",
                 "--timeout", "0.5", "--probe-kernel", built("gcc", "stop_by_spin.elf"), timeout=10).report(77)
    assert report["evidence"]["run_end"] == "time ran out"


def test_native_many():
    """Two hundred in a row: whatever one run leaves behind in the kernel would add up."""
    need_kvm()
    option = ["-cpu", "host,+svm"] if kvm_is_pvm() else []
    results = {(r.status, r.err) for r in (
        run(built("gcc"), "--nested-probe", "--quiet", *option) for _ in range(200))}
    assert len(results) == 1, results


def test_native_ten_at_once():
    need_kvm()
    once = run(built("gcc"), "--nested-probe", "--quiet").status
    script = f"""unset all; for i in 1 2 3 4 5 6 7 8 9 10; do {shlex.quote(str(built('gcc')))} --nested-probe --quiet &
        all="$all $!"; done; for i in $all; do wait $i; [ $? = {once} ] || exit 1; done"""
    run("sh", "-c", script).expect(0)


# ---- a /dev/kvm that is wrong ----

@pytest.fixture(scope="module")
def anyones():
    """A folder whose programs every user may run: a checkout may be in a home that others cannot see."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="minivmm-test."))
    folder.chmod(0o755)
    for build in BUILDS:
        (folder / build).mkdir()
        shutil.copy(built(build), folder / build / "minivmm")
    yield folder
    shutil.rmtree(folder)


NOBODY = "setpriv --reuid 65534 --regid 65534 --clear-groups"
KVM_GROUP = "mknod -m 660 /dev/kvm c 10 232; chgrp 12345 /dev/kvm"


def no_kvm_reason():
    """What an absent device means where neither /proc nor /sys can be seen."""
    flags = cpu_flags()
    if {"vmx", "svm"} & set(flags):
        return "kvm-dev-missing"
    return "l0-hides-virt" if "hypervisor" in flags else "cpu-no-virt"


WRONG = {
    # name: what is done to an empty /dev, as whom minivmm runs, reason, in the summary, in the remedy
    # /proc/misc or /sys shows that the kernel has KVM, so the node alone is missing.
    "missing": (":", "", "kvm-dev-not-in-container", "/dev/kvm does not exist", "mknod -m 660"),
    "dead-link": ("ln -s nowhere /dev/kvm", "", "kvm-dev-not-in-container", "does not exist", ""),
    "missing-blind": ("umount -l /proc; mount -t tmpfs none /sys", "", no_kvm_reason,
                      "/dev/kvm does not exist", ""),
    "link-to-itself": ("ln -s kvm /dev/kvm", "", "kvm-setup-failed", "Too many levels", "dmesg"),
    "mode-0600": ("mknod -m 600 /dev/kvm c 10 232", NOBODY, "kvm-dev-permission",
                  "mode (0600) does not let others read and write", "setfacl"),
    "other-group": (KVM_GROUP, NOBODY, "kvm-dev-permission", "is not in its group, 12345",
                    "usermod -aG 12345"),
    "group-may-read": (KVM_GROUP + "; chmod 640 /dev/kvm",
                       NOBODY.replace("--regid 65534", "--regid 12345"), "kvm-dev-permission",
                       "does not let group 12345", "setfacl"),
    "group-pending": (KVM_GROUP + "; { cat /etc/group; echo vms:x:12345:other,nobody; } >/dev/group;"
                      " mount --bind /dev/group /etc/group", NOBODY, "kvm-dev-permission",
                      "nobody was added to group vms", "sg vms -c"),
    "no-entry-to-dev": ("mknod -m 666 /dev/kvm c 10 232; chmod 700 /dev", NOBODY,
                        "kvm-dev-permission", "not even to look at it", ""),
    "user-namespace": ("mknod -m 600 /dev/kvm c 10 232", NOBODY + " unshare -U",
                       "kvm-dev-userns-or-lsm", "not mapped into this user namespace",
                       "--group-add keep-groups"),
    "null": ("mknod -m 666 /dev/kvm c 1 3", "", "not-a-kvm-device",
             "KVM_GET_API_VERSION failed", "--device=/dev/kvm"),
    "file": ("touch /dev/kvm", "", "not-a-kvm-device", "not a character device", "ls -ld /dev/kvm"),
    "file-of-another": ("touch /dev/kvm; chmod 600 /dev/kvm", NOBODY, "not-a-kvm-device",
                        "not a character device", ""),
    "folder": ("mkdir /dev/kvm", "", "not-a-kvm-device", "it is a directory", ""),
    "pipe": ("mkfifo /dev/kvm", "", "not-a-kvm-device", "not a character device", ""),
    "block-device": ("mknod -m 666 /dev/kvm b 10 232", "", "not-a-kvm-device",
                     "not a character device", ""),
    "other-number": ("mknod -m 666 /dev/kvm c 10 231", "", "not-a-kvm-device",
                     "it is number 10:231", "mknod -m 660 /dev/kvm c 10 232"),
}


# The sanitizers need /proc themselves.
@pytest.mark.parametrize("name, build", [(name, build) for name in WRONG for build in ("gcc", "sanitizers")
                                         if (name, build) != ("missing-blind", "sanitizers")])
def test_native_wrong_device(anyones, name, build):
    need_namespaces()
    need_kvm()
    prepare, prefix, reason, summary, mend = WRONG[name]
    if name == "user-namespace" and not may(*prefix.split(), "true"):
        pytest.skip("this kernel lets no ordinary user make a user namespace")
    program = anyones / build / "minivmm"
    reason = reason() if callable(reason) else reason
    report = run("unshare", "-m", "sh", "-ec", f"mount -t tmpfs -o mode=755 none /dev; {prepare}\n"
                 f"exec {prefix} {program} --nested-probe --format json").report(77)
    assert report["reason"] == reason, report["summary"]
    assert summary in report["summary"]
    assert mend in remedy(report)
    assert steps(report)["kvm-device"] == "failed"
    assert set(steps(report).values()) == {"failed", "not-tried"}


def test_native_cgroup(tmp_path):
    """A device cgroup of version 1 that denies 10:232."""
    need_namespaces()
    need_kvm()
    cgroups = pathlib.Path("/sys/fs/cgroup/devices")
    if not (cgroups / "devices.deny").exists():
        pytest.skip("no device cgroup of version 1 here")
    group = cgroups / f"minivmm-test-{os.getpid()}"
    group.mkdir()
    try:
        (group / "devices.deny").write_text("c 10:232 rwm")
        report = run("sh", "-ec", f"echo $$ >{group}/tasks; exec {built('gcc')} "
                     "--nested-probe --format json").report(77)
    finally:
        group.rmdir()
    assert report["reason"] == "kvm-dev-cgroup-denied"
    assert "Operation not permitted" in report["summary"]
    assert "DeviceAllow=/dev/kvm rw" in remedy(report)


def test_native_no_files_left():
    """The limit on open files is used up."""
    need_kvm()
    report = run("prlimit", "--nofile=3", built("static"), "--nested-probe", "--format", "json").report(77)
    assert report["reason"] == "out-of-resources"
    assert "ulimit -a" in remedy(report)
