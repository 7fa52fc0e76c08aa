# scripts/test --no-rigs -k series
# SPDX-License-Identifier: MIT
"""The probe again and again: what a series counts, keeps and says, and that it leaves nothing behind."""
import os
import pathlib
import signal
import subprocess
import time

import pytest

from harness import (NO_WITNESS, SANITIZERS, Ran, built, kvm_is_pvm, need_kvm, probe, run)

# A KVM that seems to offer nesting, so that L1 runs in full; its liar is not found out there.
L1_RUNS = ["-cpu", "host,+svm"]
LIMITED = "KVM_GET_SUPPORTED_CPUID=show:svm " + NO_WITNESS


def series(*args, build="gcc", **more):
    need_kvm()
    return probe(build, *args, **more).report()


def answered(answers, *args):
    """On a KVM whose every run is `limited`, but for what `answers` alters."""
    need_kvm()
    if not kvm_is_pvm():
        pytest.skip("this machine's KVM is not kvm_pvm: the rows are made for that one")
    return probe("gcc", "--probe-kernel", built("gcc", "l1_answers.elf"), *args,
                 env={"KVM_ANSWERS": f"{LIMITED} {answers}",
                      "LD_PRELOAD": str(built("gcc", "kvm_answers.so"))}).report()


def counts(report):
    return {row["reason"]: row["runs"] for row in report["series"]["reasons"]}


# ---- counting ----

@pytest.mark.parametrize("build", ["gcc", "sanitizers", "static"])
@pytest.mark.parametrize("args, runs", [(["--repeat", "5"], 5), (["--parallel", "3"], 3),
                                        (["--parallel", "3", "--repeat", "4"], 12)], ids=str)
def test_series_counts(build, args, runs):
    once = series(build=build)
    assert "series" not in once
    report = series(*args, build=build)
    assert report["series"]["runs"] == runs
    assert counts(report) == {once["reason"]: runs} and not report["series"]["interrupted"]
    assert [report[key] for key in ("verdict", "reason", "summary", "exit_status", "remedy")] == \
        [once[key] for key in ("verdict", "reason", "summary", "exit_status", "remedy")]
    assert "cpu" not in report["series"]["kept"] and report["series"]["kept"]["run"] == 1
    times = report["series"]
    assert 0 < times["shortest_ns"] <= times["mean_ns"] <= times["longest_ns"] <= times["duration_ns"]


def test_series_duration():
    begun = time.monotonic()
    report = series("--duration", "0.5")
    assert 0.5 <= time.monotonic() - begun < 5
    assert report["series"]["runs"] > 1 and report["series"]["duration_ns"] >= 500_000_000


@pytest.mark.parametrize("args, runs", [(["--duration", "60", "--repeat", "2"], 2),
                                        (["--duration", "0.001", "--repeat", "1000000"], None)], ids=str)
def test_series_ends_by_what_comes_first(args, runs):
    report = series(*args)
    assert report["series"]["runs"] == runs or runs is None and report["series"]["runs"] < 1000


def test_series_all_cpus():
    """Each CPU that this process may run on, in turn."""
    report = series("--all-cpus", "--repeat", "2")
    allowed = sorted(os.sched_getaffinity(0))
    assert [row["cpu"] for row in report["series"]["cpus"]] == allowed
    assert report["series"]["runs"] == 2 * len(allowed)
    assert {(row["runs"], row["odd"], row["mixed"]) for row in report["series"]["cpus"]} == {(2, False, False)}


def test_series_all_cpus_of_a_mask():
    last = max(os.sched_getaffinity(0))
    need_kvm()
    report = run("taskset", "-c", last, built("gcc"), "--nested-probe", "--format", "json", "--all-cpus").report()
    assert [row["cpu"] for row in report["series"]["cpus"]] == [last]


# ---- runs that differ ----

def test_series_flaky():
    """One of five cannot even make a VM: the verdict is its, the report is its, the reason says flaky."""
    report = answered("KVM_CREATE_VM@3=errno:EBUSY", "--repeat", "5")
    assert (report["verdict"], report["reason"]) == ("unavailable", "flaky")
    assert counts(report) == {"l2-unwitnessed": 4, "kvm-busy-other-hypervisor": 1}
    kept = report["series"]["kept"]
    assert (kept["run"], kept["reason"]) == (3, "kvm-busy-other-hypervisor")
    assert "l2-unwitnessed 4 times" in report["summary"]
    assert [step["status"] for step in report["steps"]][:3] == ["passed", "passed", "failed"]


def test_series_keeps_the_first_failure():
    report = answered("KVM_CREATE_VM@2=errno:EBUSY KVM_CREATE_VM@2=errno:ENOMEM", "--repeat", "4")
    assert counts(report) == {"l2-unwitnessed": 2, "kvm-busy-other-hypervisor": 1, "out-of-resources": 1}
    assert report["series"]["kept"] == {"run": 2, "reason": "kvm-busy-other-hypervisor",
                                        "verdict": "unavailable"}


@pytest.mark.parametrize("answers, verdict, status", [
    ("KVM_CREATE_VM@2=errno:EBUSY", "unavailable", 77),
    ("KVM_CREATE_VM@2=errno:EBUSY KVM_RUN@cpu-shows-virt=fail-entry:0", "broken", 1),
], ids=["unavailable", "broken"])
def test_series_worst_verdict(answers, verdict, status):
    """Of limited, unavailable and broken the last is the worst."""
    report = answered(answers, "--repeat", "4")
    assert (report["verdict"], report["exit_status"]) == (verdict, status)


def test_series_odd_cpu():
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        pytest.skip("one CPU cannot differ from the others")
    report = answered(f"KVM_CREATE_VM@cpu{allowed[-1]}=errno:EBUSY", "--all-cpus", "--repeat", "3")
    assert (report["verdict"], report["reason"]) == ("unavailable", "cpus-disagree")
    assert [(row["cpu"], row["odd"]) for row in report["series"]["cpus"]] == \
        [(cpu, cpu == allowed[-1]) for cpu in allowed]
    assert report["series"]["kept"]["cpu"] == allowed[-1]


def test_series_chance_is_not_the_cpu():
    report = answered("KVM_CREATE_VM@1=errno:EBUSY", "--all-cpus", "--repeat", "3")
    assert report["reason"] == "flaky"
    assert [row["mixed"] for row in report["series"]["cpus"]][0] is True


# ---- the report for people ----

def test_series_text():
    need_kvm()
    ran = run(built("gcc"), "--nested-probe", "--repeat", "3")
    assert "\nSeries:\n" in ran.out and "3 of 3 " in ran.out and "on average" in ran.out


# ---- ends from outside ----

def start(*args):
    need_kvm()
    return subprocess.Popen([built("gcc"), "--nested-probe", "--format", "json", *args],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                            env={**os.environ, **SANITIZERS})


def end(process):
    out, err = process.communicate(timeout=20)
    return Ran(str(process.args), process.returncode, out.decode(), err.decode())


def children(pid):
    return [int(word) for word in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def wait_for(what):
    limit = time.monotonic() + 10
    while not (got := what()):
        assert time.monotonic() < limit
        time.sleep(0.01)
    return got


def test_series_interrupted():
    """Ctrl-C ends it with a report of what there is."""
    process = start("--duration", "60", *L1_RUNS)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    report = end(process).report()
    assert report["series"]["runs"] >= 1 and report["series"]["interrupted"]


def test_series_leaves_no_process_behind():
    process = start("--duration", "60", "--parallel", "3", *L1_RUNS)
    pids = wait_for(lambda: len(found := children(process.pid)) == 3 and found)
    process.kill()
    process.communicate(timeout=20)
    wait_for(lambda: not any(running(pid) for pid in pids))


def running(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_series_process_that_dies():
    """It is minivmm's failure, and told."""
    process = start("--duration", "1", "--parallel", "3", *L1_RUNS)
    os.kill(wait_for(lambda: children(process.pid))[0], signal.SIGKILL)
    out = end(process)
    assert out.status == 99 and '"minivmm-failed"' in out.out


# ---- nothing grows ----

def held(pid):
    """Resident pages, mapped pages, open files, threads."""
    proc = pathlib.Path(f"/proc/{pid}")
    size, resident = (proc / "statm").read_text().split()[:2]
    return int(resident), int(size), len(os.listdir(proc / "fd")), len(os.listdir(proc / "task"))


def test_series_holds_nothing():
    """Three hundred in one process: what it holds is watched from outside, and is the same at both ends."""
    process = start("--repeat", "300", *L1_RUNS)
    looks = []
    while process.poll() is None and len(looks) < 100000:
        try:
            looks.append(held(process.pid))
        except (FileNotFoundError, ProcessLookupError, ValueError):
            break
        time.sleep(0.005)
    report = end(process).report()
    assert report["series"]["runs"] == 300 and len(report["series"]["reasons"]) == 1
    looks = [look for look in looks if look[0]]  # not yet, or no more, a process of its own
    quarter = len(looks) // 4
    assert quarter >= 20, "too few looks"
    early, late = [tuple(map(max, zip(*part))) for part in (looks[5:quarter], looks[-quarter:])]
    # a look may miss a peak: one that grows by a little with each run is far above these
    assert all(after <= before + most for after, before, most in zip(late, early, (32, 32, 3, 0))), (early, late)
