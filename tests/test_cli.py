# scripts/test --no-rigs -k cli
# SPDX-License-Identifier: MIT
"""The command line: what it takes, what it prints where, how it ends. No KVM is needed but where said."""
import os
import pty
import re
import select
import struct
import subprocess
import fcntl
import termios
import time

import pytest

from harness import (BUILDS, CHECKS, ROOT, SANITIZERS, STATUS, built, need_kvm, need_program, probe,
                     run)

CLI = ["gcc", "sanitizers"]


def minivmm(*args, build="gcc", **more):
    return run(built(build), *args, **more)


def listed(what, build="gcc"):
    return minivmm("--list", what, build=build).expect(0).out.splitlines()


# ---- the builds ----

@pytest.mark.parametrize("build", BUILDS)
def test_cli_built_without_warning(build):
    built(build)
    log = (ROOT / f"build-test/{build}.log").read_text()
    assert [line for line in log.splitlines() if "warning:" in line] == []


# ---- what it says of itself ----

@pytest.mark.parametrize("build", BUILDS)
def test_cli_help(build):
    ran = minivmm("--help", "all", build=build).expect(0)
    for option in listed("options", build):
        name, argument, text, _ = option.split("\t")
        dashes = "-" if len(name) == 1 else "--"
        assert f"\n  {dashes}{name} {argument}".rstrip() in ran.out
        assert " ".join(text.split()) in " ".join(ran.out.split())
    for status in {*STATUS.values(), 2} - {0}:
        assert re.search(rf"\b{status} ", ran.out), status
    assert max(map(len, ran.out.splitlines())) <= 100


def test_cli_help_fits_a_screen():
    """24 lines of 80 columns with the prompt: three examples, which work, then what most need."""
    lines = minivmm("--help").expect(0).out.splitlines()
    assert len(lines) <= 23 and max(map(len, lines)) <= 80
    examples = [line.split("  ")[1].strip() for line in lines if line.startswith("  minivmm ")]
    assert len(examples) == 3 and all(line.startswith("  minivmm ") for line in lines[2:5])
    for example in examples[:2]:
        assert minivmm(*example.split()[1:]).err == ""
    everything = minivmm("--help", "all").expect(0).out
    for line in lines:
        assert line in everything, "the same words in both"
    for name in ("--require", "--output", "--exit-style", "--format", "--help [all]"):
        assert any(line.startswith(f"  {name} ") for line in lines)


@pytest.mark.parametrize("args", [["--help"], ["-h"], ["-help"], ["--help", "all"], ["--help=all"]], ids=" ".join)
def test_cli_help_either_way(args):
    assert minivmm(*args).expect(0).out == minivmm("--help", *(["all"] if "all" in args[-1] else [])).out


def test_cli_help_all_in_groups():
    """Every option once, in the order of the table; each group has its heading."""
    lines = minivmm("--help", "all").expect(0).out.splitlines()
    names = [match[1] for match in (re.match(r"  --?([a-zA-Z][a-z-]*)( |$)", line) for line in lines) if match]
    assert names == [line.split("\t")[0] for line in listed("options")]
    for heading in ("Does nested virtualization work?", "Boot a test kernel", "Both", "About"):
        assert lines.count(heading) == 1


# option, shape, a value among those of its list
VALUES = [("format", "one", "junit"), ("format", "one", "multiboot2"), ("output", "of-file", "prometheus"),
          ("exit-style", "one", "nagios"), ("require", "commas", "l2-entry"), ("require", "commas", "state"),
          ("require", "commas", "tsc-offset"), ("cpu", "commas", "+svm"), ("cpu", "commas", "max"),
          ("explain", "one", "nested-disabled"), ("list", "one", "values"), ("kernel", "file", ""),
          ("nested", "one", "off"), ("device", "one", "pc-testdev"), ("help", "one", "all")]


def test_cli_list_values():
    """Option, shape, value, about, by tabs: what completes them in a shell reads that."""
    rows = [line.split("\t") for line in listed("values")]
    assert {len(row) for row in rows} == {4}
    options = {line.split("\t")[0]: line.split("\t")[1] for line in listed("options")}
    assert {row[0] for row in rows} <= {name for name, argument in options.items() if argument}
    assert {row[1] for row in rows} == {"one", "commas", "file", "of-file"}
    assert all(len({row[1] for row in rows if row[0] == name}) == 1 for name, *_ in rows)
    assert len({tuple(row[:3]) for row in rows}) == len(rows)
    for value in VALUES:
        assert list(value) in [row[:3] for row in rows]
    # each list is one and the same for whoever asks for it
    def of(option):
        return [row[2] for row in rows if row[0] == option]
    assert of("output") == [line.split()[0] for line in listed("formats")]
    assert of("format")[:len(of("output"))] == of("output")
    assert of("explain") == [name for _, name, _ in reasons()]
    assert of("require") == [line.split()[0] for line in listed("required")]
    assert of("exit-style") == [line.split()[0] for line in listed("exit-styles")[1:]]
    for what in of("list"):
        listed(what)


@pytest.mark.parametrize("build", BUILDS)
def test_cli_version(build):
    declared = re.search(r"version: '([^']+)'", (ROOT / "meson.build").read_text())[1]
    lines = minivmm("--version", build=build).expect(0).out.splitlines()
    assert lines[0] == f"minivmm {declared}"
    compiler = "clang" if build == "clang" else "gcc"
    libc = r"musl \d+\.\d+\.\d+" if build == "static" else r"glibc \d+\.\d+"
    for line, form in zip(lines[1:], [r"commit  ([0-9a-f]{12,40}(-dirty)?|unknown)",
                                      rf"compiler  {compiler} \d+\.\d+\.\d+", rf"libc  {libc}"],
                          strict=True):
        assert re.fullmatch(form, line), line


@pytest.mark.parametrize("build", CLI)
@pytest.mark.parametrize("what, least", [("reasons", 40), ("checks", 15), ("formats", 2),
                                         ("features", 4), ("options", 10), ("required", 60),
                                         ("exit-styles", 6), ("values", 100)])
def test_cli_list(build, what, least):
    lines = listed(what, build)
    assert len(lines) >= least and len(set(lines)) == len(lines)
    assert all(line.strip() == line.strip("\n ") and line.isprintable() or "\t" in line for line in lines)


def test_cli_list_checks_in_order():
    core = [line for line in listed("checks") if line[:3].strip().isdigit() and int(line[:3]) < 100]
    assert [line.split()[2] for line in core] == CHECKS


def test_cli_list_checks_marks_the_optional():
    lines = listed("checks")
    mark = next(i for i, line in enumerate(lines) if line.startswith("Optional, "))
    numbers = [int(line[:3]) for line in lines if line[:3].strip().isdigit()]
    assert numbers == sorted(set(numbers)) and len(numbers) > 60
    assert all(int(line[:3]) >= 100 for line in lines[mark:] if line[:3].strip().isdigit())
    assert "120  L2  tsc-offset             TSC offset" in lines


def reasons():
    """(number, name, verdict) of each; none where there is no build yet."""
    try:
        return [tuple(line.split()[:3]) for line in listed("reasons")]
    except (pytest.fail.Exception, OSError):
        return []


@pytest.mark.parametrize("number, name, verdict", reasons(), ids=lambda value: value)
def test_cli_explain(number, name, verdict):
    for build in CLI:
        ran = minivmm("--explain", name, build=build).expect(0)
        assert ran.out.startswith(f"{name} ({number}), verdict {verdict}\n")
        assert "\nCause\n" in ran.out and "\nHow it is told\n" in ran.out


def test_cli_reasons_are_unique():
    rows = reasons()
    assert len({number for number, _, _ in rows}) == len({name for _, name, _ in rows}) == len(rows)
    assert {verdict for _, _, verdict in rows} == set(STATUS)


# ---- how options are read ----

@pytest.mark.parametrize("args", [["-version"], ["--version"]], ids=" ".join)
def test_cli_one_dash_or_two(args):
    assert minivmm(*args).expect(0).out.startswith("minivmm ")


@pytest.mark.parametrize("args", [["--explain=ok"], ["-explain=ok"], ["-explain", "ok"]], ids=" ".join)
def test_cli_value_apart_or_not(args):
    assert minivmm(*args).expect(0).out.startswith("ok (0)")


WRONG = [
    # the words, and what the complaint must name
    ([], "--nested-probe"), (["nonsense"], "nonsense"), (["--nonsense"], "--nonsense"),
    (["-x"], "-x"), (["-"], "-"), (["--"], "--"), ([""], "''"),
    (["--nested-probe", "--help"], "one of"), (["--nested-probe=1"], "--nested-probe"),
    (["--nested-probe", "extra"], "extra"),
    (["--explain"], "REASON"), (["--explain", "no-such"], "no-such"), (["--explain", ""], "''"),
    (["--list"], "WHAT"), (["--list", "no-such"], "no-such"),
    (["--nested-probe", "--format"], "NAME"), (["--nested-probe", "--format", "no-such"], "no-such"),
    (["--nested-probe", "--timeout"], "SECONDS"), (["--nested-probe", "--timeout", "soon"], "soon"),
    (["--nested-probe", "--timeout", "-1"], "-1"), (["--nested-probe", "--timeout", "1s"], "1s"),
    (["--nested-probe", "--timeout", ""], "--timeout"), (["--nested-probe", "--timeout", "nan"], "nan"),
    (["--nested-probe", "--timeout", "1e9"], "1e9"),
    (["--nested-probe", "--timeout", "inf"], "inf"),
    (["--nested-probe", "--repeat", "0"], "--repeat"), (["--nested-probe", "--repeat", "x"], "--repeat"),
    (["--nested-probe", "--duration", "0"], "--duration"),
    (["--nested-probe", "--parallel", "1000"], "--parallel"),
    (["--nested-probe", "--all-cpus", "--parallel", "2"], "--all-cpus"),
    (["--kernel", "x", "--parallel", "2"], "--parallel"), (["--kernel", "x", "--repeat", "2"], "--repeat"),
    (["--explain", "ok", "--output", "json:x"], "--output goes with --nested-probe only"),
    (["--list", "reasons", "--format", "json"], "--format"), (["--version", "--quiet"], "--quiet"),
    (["--list", "formats", "-m", "1"], "-m goes with --kernel only"),
    (["nested-probe"], "did you mean '--nested-probe'?"), (["help"], "did you mean '--help'?"),
    (["--nested-prob"], "did you mean 'nested-probe'?"), (["--help", "al"], "--help"),
    (["--kernel", "x", "--nested", "onn"], "did you mean 'on'?"),
    (["--kernel", "x", "--serial", "stdo"], "did you mean 'stdio'?"),
    (["--kernel", "x", "--machine", "p35"], "did you mean 'q35'?"),
    (["--kernel", "x", "--device", "pc-tesdev"], "did you mean 'pc-testdev'?"),
    (["--kernel", "x", "--format", "multibot"], "did you mean 'multiboot'?"),
    (["--nested-probe", "--format", "juint"], "did you mean 'junit'?"),
    (["--nested-probe", "--require", "a\n::error::b"], "a ::error::b"),
    (["--nested-probe", "-cpu", "no-such"], "no-such"),
    (["--nested-probe", "-cpu", "host,+no-such"], "no-such"),
    (["--nested-probe", "-cpu", ""], "cpu"),
    (["--nested-probe", "--probe-kernel"], "FILE"),
    (["--nested-probe", "--probe-kernel", "/no/such"], "/no/such"),
    (["--nested-probe", "--probe-kernel", "/dev/null"], "/dev/null"),
    (["--nested-probe", "--probe-kernel", "/"], "/"),
    (["--nested-probe", "--probe-kernel", "/bin/sh"], "/bin/sh"),
    (["--nested-probe", "--probe-kernel", "/etc/passwd"], "/etc/passwd"),
]


@pytest.mark.parametrize("build", CLI)
@pytest.mark.parametrize("args, named", WRONG, ids=[" ".join(args) for args, _ in WRONG])
def test_cli_wrong_usage(build, args, named):
    """Exit status 2 and one line on standard error that names what is wrong; nothing is run."""
    ran = minivmm(*args, build=build, timeout=10)
    assert (ran.status, ran.out) == (2, ""), ran
    assert ran.err.startswith("minivmm: ") and ran.err.count("\n") == 1, ran
    assert named in ran.err


@pytest.mark.parametrize("args", [["--nested-probe", "--format", "json"], ["--nested-probe"], ["--help"],
                                  ["--version"], ["--list", "reasons"], ["--explain", "ok"]],
                         ids=" ".join)
@pytest.mark.parametrize("build", CLI)
@pytest.mark.parametrize("reader", ["full", "gone", "closed"])
def test_cli_output_lost(args, build, reader):
    """A report that cannot be written is minivmm's failure, told in one line. It is no verdict."""
    if reader == "full":
        with open("/dev/full", "wb") as out:
            ran = minivmm(*args, build=build, stdout=out)
    elif reader == "gone":
        read, write = os.pipe()
        os.close(read)
        ran = minivmm(*args, build=build, stdout=write)
        os.close(write)
    else:
        ran = run("sh", "-c", 'exec "$@" >&-', "sh", built(build), *args)
    assert ran.status == 99, ran
    assert ran.err.startswith("minivmm: cannot write the report: ") and ran.err.count("\n") == 1, ran


@pytest.mark.parametrize("build", CLI)
def test_cli_quiet_writes_nothing(build):
    """The exit status tells, even where nothing can be written."""
    need_kvm()
    status = probe(build).status
    assert minivmm("--nested-probe", "--quiet", build=build).expect(status).out == ""
    with open("/dev/full", "wb") as out:
        minivmm("--nested-probe", "--quiet", build=build, stdout=out).expect(status)


# ---- the report for people ----

def on_a_terminal(*args, columns=80, build="gcc", **variables):
    """What a terminal of that width gets, and the exit status. Bounded by 20 s."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    env = {**os.environ, **SANITIZERS, "TERM": "xterm", "LC_ALL": "C.UTF-8", **variables}
    if "NO_COLOR" not in variables:
        env.pop("NO_COLOR", None)
    child = subprocess.Popen([built(build), *args], stdin=subprocess.DEVNULL, stdout=theirs,
                             stderr=theirs, env=env)
    os.close(theirs)
    out, end = b"", time.monotonic() + 20
    try:
        while time.monotonic() < end and select.select([ours], [], [], end - time.monotonic())[0]:
            try:
                data = os.read(ours, 65536)
            except OSError:
                break  # the last writer has closed it
            if not data:
                break
            out += data
        return out.decode().replace("\r\n", "\n"), child.wait(timeout=5)
    finally:
        child.kill()
        os.close(ours)


STYLED = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.parametrize("variables, colour", [({}, True), ({"NO_COLOR": "1"}, False),
                                               ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
                         ids=["plain", "NO_COLOR=1", "NO_COLOR=", "TERM=dumb"])
def test_cli_colour(variables, colour):
    """Colour for a terminal that wants it, and the same words either way."""
    out, status = on_a_terminal("--nested-probe", **variables)
    assert ("\x1b[" in out) == colour
    assert "\x1b" not in STYLED.sub("", out)
    piped = minivmm("--nested-probe").expect(status)
    assert "\x1b" not in piped.out
    # the times differ between two runs
    assert re.sub(r"[\d.]+ [nµm]?s\n", "", STYLED.sub("", out)) == re.sub(r"[\d.]+ [nµm]?s\n", "", piped.out)


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {}], ids=["plain", "colour"])
@pytest.mark.parametrize("args", [["--format", "json"]], ids=" ".join)
def test_cli_no_colour_in_json(args, variables):
    out, _ = on_a_terminal("--nested-probe", *args, **variables)
    assert "\x1b" not in out


@pytest.mark.parametrize("columns", [20, 40, 60, 80, 100, 200])
def test_cli_width(columns):
    """Prose is folded to the terminal's width, between bounds; only what is to be pasted is not."""
    out, _ = on_a_terminal("--nested-probe", columns=columns, NO_COLOR="1")
    commands = {line.strip() for line in out.splitlines() if line.startswith("    ") or "minivmm --" in line}
    widest = max(len(line) for line in out.splitlines() if line.strip() not in commands)
    assert widest <= max(columns, 40)


@pytest.mark.parametrize("locale, ascii_only", [("C", True), ("C.UTF-8", False)])
def test_cli_locale(locale, ascii_only):
    ran = minivmm("--nested-probe", env={"LC_ALL": locale})
    assert ran.out.isascii() == ascii_only and ran.err == ""


@pytest.mark.parametrize("build", BUILDS)
def test_cli_verbose(build):
    ran = minivmm("--nested-probe", "--verbose", build=build)
    assert ran.err == ""
    for check in CHECKS:
        assert check in ran.out


# ---- the sources ----

def test_cli_man_page():
    """It renders without a complaint, and tells of every option and reason."""
    need_program("groff")
    page = built("gcc", "minivmm.1")
    warnings = run("groff", "-man", "-ww", "-z", "-Tutf8", page)
    assert (warnings.status, warnings.out, warnings.err) == (0, "", "")
    text = STYLED.sub("", run("groff", "-man", "-Tutf8", "-P-c", page).out)
    text = re.sub(r".\x08", "", text).replace("\u2010", "-").replace("\u2212", "-")
    for option in listed("options"):
        name = option.split()[0]
        assert re.search(rf"^ +-{'' if len(name) == 1 else '-'}{name}\b", text, re.M), option
    for _, name, _ in reasons():
        assert name in text
    for status in STATUS.values():
        assert re.search(rf"^ +{status}\b", text, re.M)


def scripts():
    """All that a shell reads."""
    files = sorted(path for path in (ROOT / "scripts").rglob("*") if path.is_file()) + [ROOT / ".ci/run"]
    return [path for path in files if path.suffix == ".sh" or
            re.match(rb"#!.*\b(ba|da)?sh\n", path.read_bytes()[:64])]


@pytest.mark.parametrize("script", scripts(), ids=lambda path: str(path.relative_to(ROOT)))
def test_cli_shellcheck(script):
    need_program("shellcheck")
    run("shellcheck", "-x", script).expect(0)


@pytest.mark.parametrize("script", ["quickstart", "setup", "rig", "test", "release", "package"])
def test_cli_scripts_help(script):
    assert run(ROOT / "scripts" / script, "--help").expect(0).out.startswith("usage: scripts/" + script)


@pytest.mark.parametrize("args", [["setup"], ["setup", "no-such"], ["quickstart", "extra"]], ids=" ".join)
def test_cli_scripts_wrong_usage(args):
    ran = run(ROOT / "scripts" / args[0], *args[1:])
    assert (ran.status, ran.out) == (2, "") and ran.err
