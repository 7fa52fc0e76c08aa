# scripts/test --no-rigs -k static
# SPDX-License-Identifier: MIT
"""The one file that people copy: musl, static, stripped, the guest inside; and what it touches."""
import re

import pytest

from harness import (BUILDS, built, cpu_flags, kvm_is_pvm, need_kvm,
                     need_namespaces, need_program, run)


def readelf(*args):
    need_program("readelf")
    return run("readelf", "-W", *args).expect(0).out


def test_static_is_one_small_file():
    program = built("static")
    assert program.stat().st_size < 450_000
    headers = readelf("-l", "-S", "-d", program)
    assert "INTERP" not in headers and "There is no dynamic section" in headers
    assert ".symtab" not in headers


def blind_reason():
    flags = cpu_flags()
    if {"vmx", "svm"} & set(flags):
        return "kvm-dev-missing"
    return "l0-hides-virt" if "hypervisor" in flags else "cpu-no-virt"


# What the empty root file system gets, what must be named as unseen, the reason where KVM is pvm.
ROOTS = {
    "dev-proc-sys": ({"dev", "proc", "sys"}, set(), "kvm-without-hw-virt"),
    "dev-sys": ({"dev", "sys"}, {"/proc"}, "kvm-without-hw-virt"),
    "dev-proc": ({"dev", "proc"}, {"/sys"}, "kvm-without-hw-virt"),
    "dev": ({"dev"}, {"/proc", "/sys"}, "kvm-without-hw-virt"),
    "proc-sys": ({"proc", "sys"}, set(), "kvm-dev-not-in-container"),
    "proc": ({"proc"}, {"/sys"}, "kvm-dev-not-in-container"),
    "nothing": (set(), {"/proc", "/sys"}, blind_reason),
}


@pytest.mark.parametrize("name", ROOTS)
def test_static_in_an_empty_root(tmp_path, name):
    """No other file is needed, whatever cannot be seen is named, and nothing is left behind."""
    need_namespaces()
    need_kvm()
    parts, unseen, reason = ROOTS[name]
    mounts = {"dev": "mkdir dev; touch dev/kvm; mount --bind /dev/kvm dev/kvm",
              "proc": "mkdir proc; mount --bind /proc proc",
              "sys": "mkdir sys; mount --bind /sys sys"}
    script = f"""cd {tmp_path}; mount -t tmpfs none .; cd {tmp_path}
        cp {built('static')} minivmm; {'; '.join(mounts[p] for p in sorted(parts)) or ':'}
        find . -xdev | sort >{tmp_path}.before
        set +e; chroot . /minivmm --nested-probe --format json; status=$?; set -e
        find . -xdev | sort | cmp - {tmp_path}.before
        exit $status"""
    ran = run("unshare", "-m", "sh", "-ec", script)
    report = ran.report()
    named = report["host"].get("not_visible", "")
    assert {path for path in ("/proc", "/sys") if path in named} == unseen
    assert ("kvm_module" in report["unknown"]) == ("/sys" in unseen)
    if kvm_is_pvm():
        assert report["reason"] == (reason() if callable(reason) else reason), report["summary"]


def opened(trace):
    """(path, flags) of each file that was opened, and other calls that could change something."""
    calls = re.findall(r'^\d+ +(\w+)\((.*)', trace, re.M)
    files = [re.search(r'"([^"]*)", ([A-Z_|]+)', args).groups() for call, args in calls
             if call in ("open", "openat")]
    return files, [call for call, _ in calls if call not in ("open", "openat", "execve")]


@pytest.mark.parametrize("build", ["gcc", "static"])
def test_static_writes_nowhere(tmp_path, build):
    """/dev/kvm alone is opened for writing; no call that makes, moves or removes a file, no network."""
    need_kvm()
    need_program("strace")
    option = ["-cpu", "host,+svm"] if kvm_is_pvm() else []
    ran = run("strace", "-f", "-o", tmp_path / "trace", "-e",
              "trace=open,openat,creat,mkdir,mkdirat,mknod,mknodat,unlink,unlinkat,rename,renameat,"
              "renameat2,link,linkat,symlink,symlinkat,truncate,chmod,fchmodat,chown,socket,connect,"
              "execve,fork,vfork", built(build), "--nested-probe", "--format", "json", *option)
    ran.report()
    files, others = opened((tmp_path / "trace").read_text())
    assert others == []
    writing = [(path, flags) for path, flags in files if "O_RDONLY" not in flags]
    assert [path for path, _ in writing] == ["/dev/kvm"] and "O_RDWR" in writing[0][1]
    assert "O_CLOEXEC" in writing[0][1]


# ---- the guest inside ----

@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("kernel", ["l1", "liar", "stop_by_spin"])
def test_static_guest_is_a_kernel(build, kernel):
    """An ELF file with a PVH entry (note 18 of Xen, at 4 GiB or below), which needs nothing."""
    path = built(build, f"{kernel}.elf")
    notes = readelf("-n", path)
    entry = re.search(r"Xen .*0x00000012.*data: ([0-9a-f ]+)", notes.replace("\n   description", " "))
    assert entry, notes
    address = int.from_bytes(bytes.fromhex(entry[1].replace(" ", "")), "little")
    assert 0x100000 <= address < 1 << 32
    headers = readelf("-l", "-d", "-s", path)
    assert " UND " not in re.sub(r"^\s*0: .*$", "", headers, flags=re.M)
    assert "INTERP" not in headers and "There is no dynamic section" in headers
    assert path.read_bytes() in built(build).read_bytes() or kernel != "l1"
