# SPDX-License-Identifier: MIT
"""What the tests share: the builds, bounded runs, reports that are checked, the emulated hosts.

The builds are scripts/test's (build-test/NAME); without them, scripts/test --no-rigs makes them.
"""
import dataclasses
import functools
import io
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import tarfile
import warnings

import jsonschema
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILDS = ["gcc", "clang", "sanitizers", "static"]
NIGHTLY = os.environ.get("MINIVMM_TEST_NIGHTLY") == "1"  # scripts/test --nightly
STATUS = {"works": 0, "limited": 0, "broken": 1, "unavailable": 77, "timed-out": 124, "failed": 99}

# The ladder, whole and in order: L0's rungs, L1's checks, the witnesses.
RUNGS = ["kvm-device", "kvm-offers-virt", "vm-create", "l1-boot"]
CHECKS = ["cpu-shows-virt", "virt-allowed", "virt-on", "vmcs-load", "l2-entry", "l2-challenge",
          "l2-resume", "l2-cpuid", "l2-port", "l2-msr", "nested-paging", "l2-interrupt",
          "l2-exception", "l2-triple-fault", "virt-off"]
LADDER = RUNGS + CHECKS + ["witnesses"]

# An honest sanitizer is silent, and ends the run otherwise.
SANITIZERS = {"ASAN_OPTIONS": "exitcode=97:detect_leaks=1:detect_stack_use_after_return=1",
              "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1:exitcode=97"}


def missing(what):
    """This machine lacks `what`: the test is skipped, but not in CI, where it must be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI=true, and {what}", pytrace=False)
    pytest.skip(what)


def built(build, name="minivmm"):
    """The path of a file that scripts/test built."""
    folder = ROOT / "build-test"
    if (folder / f"{build}.failed").exists():
        pytest.fail(f"build {build} failed: see build-test/{build}.log", pytrace=False)
    if build == "static" and name == "minivmm":
        name = "minivmm-static"
    path = folder / build / name
    if not path.exists():
        pytest.fail(f"there is no {path}: scripts/test makes it", pytrace=False)
    return path


@functools.cache
def schema():
    text = (ROOT / "vmm/report/report.schema.json").read_text()
    return jsonschema.Draft202012Validator(json.loads(text))


@dataclasses.dataclass
class Ran:
    """A command that ran to its end."""
    command: str
    status: int
    out: str
    err: str

    def __str__(self):
        return f"$ {self.command}\n{self.out}{self.err}[exit status {self.status}]"

    def expect(self, status):
        """It ended with `status`, and had nothing to say on standard error."""
        assert (self.status, self.err) == (status, ""), self
        return self

    def report(self, status=None):
        """Its JSON report, which fits the schema, the exit status, and itself."""
        report = json.loads(self.out, object_pairs_hook=unique)
        assert [e.message for e in schema().iter_errors(report)] == []
        word = f"{report['verdict']}, {report['reason']}: {report['summary']}"
        assert self.err == "", self
        assert self.status == report["exit_status"] == STATUS[report["verdict"]], word
        assert status is None or self.status == status, word
        nulls = {k for part in ("host", "evidence") for k, v in report[part].items() if v is None}
        assert nulls == report["unknown"].keys()
        assert [step["name"] for step in report["steps"]] == LADDER
        if report["verdict"] == "works":
            works(report)
        return report


def unique(pairs):
    keys = [key for key, _ in pairs]
    assert len(keys) == len(set(keys)), "a key twice"
    return dict(pairs)


def steps(report):
    return {step["name"]: step["status"] for step in report["steps"]}


def remedy(report):
    return "\n".join(line["text"] for line in report["remedy"])


def expect_reason(ran, status, reason, summary="", mend=()):
    """That reason and no other, in these words."""
    report = ran.report(status)
    assert report["reason"] == reason, report["summary"]
    assert summary in report["summary"], report["summary"]
    for text in [mend] if isinstance(mend, str) else mend:
        assert text in remedy(report)
    return report


def features(report):
    return {feature["name"]: feature["status"] for feature in report["features"]}


def works(report, but=()):
    """L2 really ran: every step but those in `but` passed, and KVM's own witnesses say so."""
    for name, status in steps(report).items():
        if name == "vmcs-load" and status == "not-applicable":
            continue
        assert name in but or status == "passed", (name, status)
    evidence = report["evidence"]
    assert evidence["run_end"] == "L1 reported to the end"
    assert evidence["challenge_answered"] and evidence["witness_answered"]
    assert evidence["witness_guest_mode"] is True
    assert evidence["stat_guest_mode"] is True
    assert evidence["witness_exits"] >= 2
    assert evidence["l1_entries"] >= 1000
    assert evidence["kvm_nested_run"] >= evidence["l1_entries"]


def run(*command, timeout=60, env=None, **more):
    """Runs it, bounded; env adds to the environment, and None takes a variable away."""
    variables = {**os.environ, **SANITIZERS, "LC_ALL": "C.UTF-8", **(env or {})}
    variables = {k: v for k, v in variables.items() if v is not None}
    command = [str(word) for word in command]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    more = pipes | ({} if "input" in more else {"stdin": subprocess.DEVNULL}) | more
    done = subprocess.run(command, timeout=timeout, env=variables, **more, check=False)
    return Ran(shlex.join(command), done.returncode, (done.stdout or b"").decode(),
               (done.stderr or b"").decode())


ANSWERS = "/t/kvm_answers.so"  # inside a rig


def other_kvm(answers, library=ANSWERS):
    """In front of a shell command: KVM with other answers (tests/interpose/kvm_answers.c)."""
    return f"KVM_ANSWERS={shlex.quote(answers)} LD_PRELOAD={library} "


NO_WITNESS = "KVM_CHECK_EXTENSION/KVM_CAP_NESTED_STATE=return:0 KVM_GET_STATS_FD=errno:ENOTTY"


def probe(build, *args, **more):
    """The probe on this machine, reporting in JSON."""
    return run(built(build), "--nested-probe", "--format", "json", *args, **more)


# ---- this machine ----

def need_kvm():
    if not os.path.exists("/dev/kvm"):
        missing("there is no /dev/kvm here")
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        missing("this user may not open /dev/kvm")


def need_program(name):
    if run("sh", "-c", f"command -v {name}").status:
        missing(f"there is no {name} here: scripts/setup test")


@functools.cache
def debian_file(package, *paths):
    """A file of a Debian package that is not installed: the first of `paths` that is there."""
    ran = run(ROOT / "scripts/debian-file", package, *paths, timeout=120)
    if ran.status == 125:
        missing(f"no {paths[0]} of Debian's {package} here: {ran.err.strip()}")
    return ran.expect(0).out.strip()


@functools.cache
def may(*command):
    return run(*command).status == 0


def need_namespaces():
    """Root that may mount: what happens to /dev is then seen by the test alone."""
    if os.geteuid() != 0:
        pytest.skip("needs root, for a mount namespace of its own")
    if not may("unshare", "-m", "sh", "-c", "mount -t tmpfs none /mnt && mknod /mnt/kvm c 10 232"):
        pytest.skip("this root may not mount, or make device nodes")


def cpu_flags():
    text = pathlib.Path("/proc/cpuinfo").read_text()
    return next((line.split() for line in text.splitlines() if line.startswith("flags")), [])


def vendor_module():
    """kvm_intel, kvm_amd, kvm_pvm ... or None; built in or loaded."""
    return next((p.name for p in sorted(pathlib.Path("/sys/module").glob("kvm_*"))
                 if (p / "parameters").exists() or (p / "initstate").exists()), None)


def kvm_is_pvm():
    return vendor_module() == "kvm_pvm"


# ---- the emulated hosts ----

def tcg_knows_xsetbv():
    """QEMU's emulated SVM lets XSETBV exit since 8.2; before, a guest's XCR0 does not stay."""
    if not shutil.which("qemu-system-x86_64"):
        return False  # no such rig: whoever asks is skipped
    version = re.search(r"version (\d+)\.(\d+)", run("qemu-system-x86_64", "--version").out)
    return tuple(map(int, version.groups())) >= (8, 2)


# Where the builds are inside.
INSIDE = {build: f"/t/{build}/minivmm" for build in BUILDS}
STOPS = [f"stop_{number}" for number in range(1, 16)] + [
    f"stop_by_{how}" for how in ("spin", "trap", "die", "babble", "fail")]
MISTAKES = [f"bad_{what}" for what in ("enable", "control", "host", "state", "intercept", "region",
                                      "leave")]
KERNELS = ["l1", "liar", "features_liar", "smp_liar", "l1_answers", "skipper"] + STOPS + MISTAKES


@dataclasses.dataclass(frozen=True)
class Boot:
    """One boot of a rig: its arguments, and the shell commands that share it, by name."""
    args: tuple
    commands: dict
    builds: tuple = ("gcc",)
    seconds: int = 60  # for each command
    limit: int = 180   # for all of it, in seconds of emulation

    def __hash__(self):
        return id(self)


# Now and then an emulated host locks up as a whole, also before anything of ours runs in it. Where every
# command in it has a limit of its own, a rig that does not end is that, and is tried once more, aloud.
LOCKED_UP = "rig: no end after"


def locked_up(status, err):
    if status != 124 or LOCKED_UP not in err:
        return False
    warnings.warn(f"an emulated host locked up, and is tried once more: {err.strip()}")
    return True


def rig(*args, timeout=330, again=False):
    """scripts/rig, where there is such a rig. `again`: the command has a limit below the rig's."""
    if os.environ.get("MINIVMM_TEST_RIGS") == "0":
        pytest.skip("--no-rigs")
    ran = run(ROOT / "scripts/rig", *args, timeout=timeout, cwd=ROOT)
    if again and locked_up(ran.status, ran.err):
        ran = run(ROOT / "scripts/rig", *args, timeout=timeout, cwd=ROOT)
    if ran.status == 125:
        missing("no such rig here: " + ran.err.strip().splitlines()[-1])
    return ran


boots = {}


def boot(which):
    """What each command of a boot did. One boot serves all tests that ask for it, also if it fails."""
    if which not in boots:
        try:
            boots[which] = boot_once(which)
        except (Exception, pytest.skip.Exception, pytest.fail.Exception) as why:
            boots[which] = why
    if isinstance(boots[which], BaseException):
        raise boots[which]
    return boots[which]


def boot_once(which):
    files = [f"{built(build)}:{INSIDE[build]}" for build in which.builds]
    files += [f"{built('gcc', kernel + '.elf')}:/t/{kernel}.elf" for kernel in KERNELS]
    files += [f"{built('gcc', 'kvm_answers.so')}:/t/kvm_answers.so"]
    script = ["mkdir -p /out && cd /out"]
    script += [f"export {name}={shlex.quote(value)}" for name, value in SANITIZERS.items()]
    for name, command in which.commands.items():
        # each in its own shell; 124 is timeout's word for a command that had to be ended
        script.append(f"timeout -k 2 {which.seconds} sh -c {shlex.quote(command)} >{name}.out "
                      f"2>{name}.err </dev/null; echo $? >{name}.status")
    script.append("tar cf - .")
    # as bytes: standard output is an archive
    command = [str(ROOT / "scripts/rig"), *which.args, "--timeout", str(which.limit)]
    for file in files:
        command += ["--file", file]
    command += ["--", "sh", "-c", "\n".join(script)]
    if os.environ.get("MINIVMM_TEST_RIGS") == "0":
        pytest.skip("--no-rigs")
    for _ in range(2):
        done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=which.limit + 60, check=False)
        why = done.stderr.decode().strip()
        if not locked_up(done.returncode, why):
            break
    if done.returncode == 125:
        missing("no such rig here: " + why.splitlines()[-1])
    assert done.returncode == 0, f"the rig ended with {done.returncode}: {why}"
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        def text(member):
            return archive.extractfile(f"./{member}").read().decode()
        return {name: Ran(command, int(text(f"{name}.status")), text(f"{name}.out"),
                          text(f"{name}.err"))
                for name, command in which.commands.items()}
