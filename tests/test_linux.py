# scripts/test -k linux
# SPDX-License-Identifier: MIT
"""Kernels that others wrote, in the emulated hosts: Debian's Linux, also as an L1, and memtest86+."""
import gzip
import pathlib
import re
import shlex

import pytest

from harness import NIGHTLY, ROOT, built, debian_file, rig, run

# The Intel rig needs more memory than its default to hold such a guest. The AMD rig has one CPU, on which
# the guest's two take turns: with two of its own, 2 of some 130 runs stopped before the guest's first
# word, one of them with "soft lockup" on both CPUs by the emulated host's own kernel.
VENDORS = {"amd": ["amd"], "intel": ["intel", "--mem", "512"]}
INIT = """
echo "init: $(uname -s), $(nproc) CPUs, clock $(cat /sys/devices/system/clocksource/*/current_*)"
grep -q ' hypervisor ' /proc/cpuinfo && echo "init: knows its hypervisor"
poweroff -f
"""


def nightly():
    """Too slow for every day."""
    if not NIGHTLY:
        pytest.skip("takes long: scripts/test --nightly runs it")


def initramfs(folder, init):
    make = ". scripts/rigs/initramfs.sh && initramfs_make " + shlex.quote(str(folder / "initrd"))
    run("bash", "-c", f"{{ {make}; }} <<'END'\n{init}\nEND", cwd=ROOT).expect(0)
    return folder / "initrd"


# A CPU whose TSC never stops or changes its pace, as Bochs' Skylake, is a Linux guest's first choice.
@pytest.mark.parametrize("vendor, package, clock", [
    ("amd", "linux-image-amd64", "kvm-clock"),
    ("amd", "linux-image-cloud-amd64", "kvm-clock"),
    ("intel", "linux-image-cloud-amd64", "tsc"),
])
def test_linux_boots(vendor, package, clock, tmp_path):
    """Debian's kernels, with all that a distribution switches on, find their two CPUs and their
    clock, run /init, and power off by ACPI."""
    rig(*VENDORS[vendor], "--prepare", timeout=900)
    kernel = debian_file(package, "boot/vmlinuz-*")
    ran = rig(*VENDORS[vendor], "--timeout", "260",
              "--file", f"{built('static')}:/t/minivmm", "--file", f"{kernel}:/t/vmlinuz",
              "--file", f"{initramfs(tmp_path, INIT)}:/t/initrd", "--",
              "/t/minivmm", "--timeout", "220", "-kernel", "/t/vmlinuz", "-initrd", "/t/initrd",
              "-smp", "2", "-m", "256", "-append", "console=ttyS0 panic=-1 mitigations=off", timeout=320,
              again=True)
    assert ran.status == 0, ran
    assert f"init: Linux, 2 CPUs, clock {clock}\r\n" in ran.out, ran
    assert "init: knows its hypervisor" in ran.out
    assert "ACPI: Interpreter enabled" in ran.out and "reboot: Power down" in ran.out
    assert "Kernel panic" not in ran.out and "rcu: INFO" not in ran.out


@pytest.mark.parametrize("vendor, flag, nested", [("amd", "svm", "1"), ("intel", "vmx", "Y")])
def test_linux_as_l1(vendor, flag, nested):
    """It shows SVM or VMX, its own KVM loads, and minivmm in it runs L3."""
    if vendor == "intel":
        nightly()
    rig(*VENDORS[vendor], "--prepare", timeout=900)
    ran = run(ROOT / "scripts/linux-as-l1", vendor, timeout=1900,
              env={"MINIVMM": str(built("static")), "LINUX_LIMIT": "1800"})
    assert ran.status == 0, ran
    assert f"2 CPUs, flags: {flag}\n" in ran.out
    assert re.search(f"kvm-{vendor} is loaded, nested={nested}\n", ran.out)
    assert " WORKS " in ran.out and "this machine is itself a guest (of KVM)" in ran.out
    assert "L0: L1 powered off, minivmm ended with 0" in ran.out


def test_linux_xen(tmp_path):
    """A hypervisor as L1, booted by Multiboot with a kernel and an initrd as its modules: it finds
    its CPUs by the MADT, asks a BIOS for the memory map, and gets as far as starting its first guest.
    (That guest's Linux dies in this rig, under QEMU as well: so nothing is asked of it.)"""
    rig("amd", "--prepare", timeout=900)
    image = tmp_path / "xen"
    image.write_bytes(gzip.decompress(pathlib.Path(
        debian_file("xen-system-amd64", "boot/xen-*.gz")).read_bytes()))
    linux = debian_file("linux-image-amd64", "boot/vmlinuz-*")
    ran = rig("amd", "--timeout", "200", "--",
              built("gcc"), "--timeout", "150", "-kernel", image, "-smp", "2", "-m", "512",
              "-append", "com1=115200,8n1 console=com1 loglvl=all noreboot",
              "-initrd", f"{linux} console=hvc0,{initramfs(tmp_path, INIT)}", timeout=300, again=True)
    assert re.search(r"\(XEN\) Xen version \d", ran.out), ran
    for line in ["Bootloader: minivmm", "[0000000000100000, 000000001fffffff] (usable)",
                 "Using ACPI (MADT) for SMP configuration information", "Brought up 2 CPUs",
                 "HVM: SVM enabled", "*** Building a PV Dom0 ***",
                 "Dom0 has maximum 2 VCPUs", "Freed "]:
        assert f"(XEN) {line}" in re.sub(r"\(XEN\) +", "(XEN) ", ran.out), line


MEMTEST = """
{ timeout 150 sh -c 'until grep -q "Errors: 0" log; do sleep 0.2; done'; printf '\\033'; sleep 20; } |
	PROGRAM -kernel IMAGE -append 'console=ttyS0,115200 nopause' -m 64 --timeout 150 >log
status=$?
cat log
exit $status
"""


def test_linux_memtest():
    """A bzImage that is no Linux, with no driver but its own: it finds CPU and memory, tests, and
    takes a key from the serial port: Esc resets the machine."""
    image = debian_file("memtest86+", "boot/memtest86+x64.bin")
    script = MEMTEST.replace("IMAGE", image).replace("PROGRAM", str(built("gcc")))
    ran = rig("amd", "--timeout", "250", "--", "sh", "-c", "cd /tmp && : >log && " + script)
    assert ran.status == 32, ran
    assert re.search(r"Memtest86\+ +v[67]", ran.out)
    assert re.search(r"Memory +: +64MB", ran.out) and "Errors: 0" in ran.out


def test_linux_ipxe_starts():
    """A bzImage with a 16-bit entry alone, which asks a BIOS for all it needs: it takes commands from
    -append and, in its shell, from int 0x16's keys; reboots; and gives up (int 0x18) without them."""
    image = debian_file("ipxe", "boot/ipxe.lkrn", "usr/lib/ipxe/ipxe.lkrn")
    program = f"{built('gcc')} -kernel {image} --timeout 60 -append"
    ran = rig("amd", "--timeout", "200", "--", "sh", "-c",
              f"printf 'echo typed words\\nreboot\\n' | {program} shell; echo status $?;"
              f"{program} 'echo hi' </dev/null 2>/dev/null; echo status $?")
    shell, echo = ran.out.split("status 32\n")
    for out in shell, echo:
        assert re.search(r"iPXE initialising devices\.\.\.(ok)?\r\n", out), ran
        assert re.search(r"iPXE 1\.\S+ -- Open Source Network Boot Firmware -- http://ipxe.org", out), ran
    assert "\ntyped words\r\n" in shell, ran
    assert echo.endswith("\r\nhi\r\nstatus 38\n"), ran
    assert ran.err == ""
