# scripts/test --no-rigs -k exit_styles
# SPDX-License-Identifier: MIT
"""--exit-style and --require: which number a run ends with, for every style, verdict and kind of name."""
import re

import pytest

import readers
from harness import CHECKS, INSIDE, NO_WITNESS, STATUS, Boot, boot, built, features, run, steps
from test_reasons import SVM, answered, pvm_only

# By the conventions' own documents: Automake "Scripts-based Testsuites" and timeout(1); Linux' kselftest.h;
# "Nagios Plugin API"; node-problem-detector's custom plugin monitor; prove(1).
#              works limited broken unavailable timed-out failed usage
STYLES = {
    "gnu":       (0, 0, 1, 77, 124, 99, 2),
    "kselftest": (0, 0, 1, 4, 1, 1, 1),
    "nagios":    (0, 1, 2, 3, 2, 3, 3),
    "npd":       (0, 0, 1, 2, 2, 2, 2),
    "tap":       (0, 0, 1, 0, 1, 1, 2),
}
WORDS = ["works", "limited", "broken", "unavailable", "timed-out", "failed", "usage"]
TABLE = {style: dict(zip(WORDS, row)) for style, row in STYLES.items()}

# How each verdict is had without a rig.
MADE = {
    "limited": (SVM + NO_WITNESS, ["l1_answers"]),
    "broken": (SVM, []),
    "unavailable": ("", []),
    "timed-out": (SVM + "KVM_RUN@1=hang", ["--timeout", "0.3"]),
    "failed": (SVM, ["prlimit", "--sigpending=0"]),
}


def test_exit_styles_table():
    """--list exit-styles has the same numbers, in the same order."""
    lines = run(built("gcc"), "--list", "exit-styles").expect(0).out.splitlines()
    assert re.split(r" {2,}", lines[0].strip())[:3] == ["works limited", "broken", "unavailable"] or \
        lines[0].split() == ["works", "limited", "broken", "unavailable", "timed", "out", "failed", "usage"]
    listed = {line.split()[0]: tuple(map(int, line.split()[1:8])) for line in lines[1:]}
    assert list(listed.items()) == list(STYLES.items())


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("verdict", MADE)
def test_exit_styles_verdicts(style, verdict):
    """A real run ends so; the JSON report keeps to the verdict, whatever the style."""
    pvm_only()
    answers, words = MADE[verdict]
    ran = answered(answers, words, ["--exit-style", style])
    report = readers.read_json(ran.out)
    assert report["verdict"] == verdict and report["exit_status"] == STATUS[verdict]
    assert (ran.status, ran.err) == (TABLE[style][verdict], "")


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("verdict", MADE)
def test_exit_styles_required(style, verdict):
    """What is required and missing makes it fail, but where nobody can know: after a time-out, or a
    failure of minivmm's own."""
    pvm_only()
    answers, words = MADE[verdict]
    ran = answered(answers, words, ["--exit-style", style, "--require", "state"])
    expected = verdict if verdict in ("timed-out", "failed") else "broken"
    report = readers.read_json(ran.out)
    assert (ran.status, report["verdict"]) == (TABLE[style][expected], verdict)
    assert [row["name"] for row in report["required"]] == ["state"] and not report["required"][0]["met"]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("args", [
    ["--nonsense"], ["--require", "no-such"], ["--output", "json:/no/such/file"], ["--timeout", "soon"],
    ["--probe-kernel", "/no/such"], ["-m", "64"], ["extra"]], ids=" ".join)
@pytest.mark.parametrize("late", [False, True], ids=["style-first", "style-last"])
def test_exit_styles_wrong_usage(style, args, late):
    """Whether the style comes before the mistake or behind it."""
    words = ["--exit-style=" + style]
    ran = run(built("gcc"), "--nested-probe", *([*args, *words] if late else [*words, *args]))
    assert (ran.status, ran.out) == (TABLE[style]["usage"], "") and ran.err.count("\n") == 1, ran


@pytest.mark.parametrize("args, words", [
    (["--exit-style", "nagos"], "unknown style 'nagos'; did you mean 'nagios'?"),
    (["--exit-style", ""], "unknown style ''"), (["--exit-style"], "needs an argument: STYLE"),
    (["--exit-style", "xyz"], "(see --list exit-styles)")], ids=lambda value: " ".join(value))
def test_exit_styles_unknown(args, words):
    ran = run(built("gcc"), "--nested-probe", *args)
    assert ran.status == 2 and words in ran.err and ran.err.count("\n") == 1, ran


def test_exit_styles_last_counts():
    pvm_only()
    ran = answered("", [], ["--exit-style", "nagios", "--exit-style", "kselftest"])
    assert ran.status == TABLE["kselftest"]["unavailable"]


# ---- what can be required ----

LIARS = (SVM + NO_WITNESS, ["l1_answers"])  # `limited`, on L1's word alone


def required(answers, words, *args):
    ran = answered(answers, words, args)
    report = readers.read_json(ran.out)
    return ran.status, report, {row["name"]: row["met"] for row in report.get("required", [])}


@pytest.mark.parametrize("names, met", [
    ("nested", True), ("cpu-shows-virt", True), ("l2-entry", True), ("nested,l2-entry,virt-off", True),
    ("state", False), ("witnesses", False), ("nested,state", False), ("vmcs-load", False),
], ids=lambda value: value if isinstance(value, str) else "")
def test_exit_styles_require(names, met):
    """Of the names of a `limited` run; one that is missing is enough to fail it."""
    pvm_only()
    status, report, rows = required(*LIARS, "--require", names)
    assert status == (0 if met else 1) and report["verdict"] == "limited"
    assert list(rows) == names.split(",") and all(rows.values()) == met
    assert "features" not in report


def test_exit_styles_require_many():
    """Lists and repeated options add up; a name twice counts once, in every format."""
    pvm_only()
    status, report, _ = required(*LIARS, "--require", "nested,l2-entry", "--require", "nested",
                                 "--require=l2-msr,nested")
    assert status == 0 and [row["name"] for row in report["required"]] == ["nested", "l2-entry", "l2-msr"]


@pytest.mark.parametrize("name", ["nested", "state", "kvm-device", "l2-entry", "witnesses"])
def test_exit_styles_require_where_unavailable(name):
    """No skip, but a failure: this machine was to have it."""
    pvm_only()
    status, report, rows = required("", [], "--require", name)
    assert report["verdict"] == "unavailable" and rows[name] == (name == "kvm-device")
    assert status == (77 if rows[name] else 1)
    why = report["required"][0]["why_not"]
    assert why == "" if rows[name] else why


def test_exit_styles_require_features():
    """A feature that is required is tried."""
    pvm_only()
    status, report, rows = required(SVM, [], "--require", "tsc-offset,msr-bitmap")
    assert status == 1 and rows == {"tsc-offset": False, "msr-bitmap": False}
    assert len(report["features"]) > 40
    assert features(report)["tsc-offset"] == "not-tried"


@pytest.mark.parametrize("names, words", [
    ("l2-entri", "unknown name 'l2-entri'; did you mean 'l2-entry'?"),
    ("nestd", "did you mean 'nested'?"), ("tsc-ofset", "did you mean 'tsc-offset'?"),
    ("zzz", "unknown name 'zzz' (see --list required)"), ("", "unknown name ''"),
    ("nested,", "unknown name ''"), ("nested,,state", "unknown name ''"), ("nested, state", "unknown name ' state'"),
    ("smp", "--require smp needs CPUs to try it on: --smp 2"), ("nested,smp", "--require smp needs CPUs"),
])
def test_exit_styles_require_unknown(names, words):
    ran = run(built("gcc"), "--nested-probe", "--require", names)
    assert (ran.status, ran.out) == (2, "") and words in ran.err and ran.err.count("\n") == 1, ran


def test_exit_styles_require_smp():
    pvm_only()
    status, report, rows = required("", [], "--require", "smp", "--smp", "2")
    assert (status, rows, report["verdict"]) == (1, {"smp": False}, "unavailable")


def test_exit_styles_require_list():
    """--list required has each name that is taken, and all of them are."""
    names = [line.split()[0] for line in run(built("gcc"), "--list", "required").expect(0).out.splitlines()]
    assert names[:2] == ["nested", "state"] and set(CHECKS) <= set(names) and len(names) == len(set(names)) > 60
    assert steps(readers.read_json(run(built("gcc"), "--nested-probe", "--format", "json").out)).keys() <= set(names)
    few = [name for name in names if name != "smp"]
    for at in range(0, len(few), 32):
        ran = run(built("gcc"), "--nested-probe", "--quiet", "--require", ",".join(few[at:at + 32]))
        assert ran.err == "" and ran.status != 2
    ran = run(built("gcc"), "--nested-probe", "--require", ",".join(few[:33]))
    assert ran.status == 2 and "--require: more than 32 names" in ran.err


@pytest.mark.parametrize("form, words", [
    ("text", "\nRequired:\n  nested  met\n  state   MISSING  KVM_GET_NESTED_STATE"),
    ("npd", "nested limited, but state is required: KVM_GET_NESTED_STATE"),
    ("tap", "not ok 22 - required state\n# state: KVM_GET_NESTED_STATE"),
    ("junit", 'classname="minivmm.required" name="state"'),
    ("prometheus", 'minivmm_nested_required_met{name="state"} 0\n'),
    ("github", "::error title=required%2C and missing%3A state::KVM_GET_NESTED_STATE"),
    ("github-summary", "<td><code>state</code></td><td>KVM_GET_NESTED_STATE"),
    ("github-output", "exit-status=1\n"),
])
def test_exit_styles_require_is_told(tmp_path, form, words):
    pvm_only()
    out = tmp_path / "report"
    required(*LIARS, "--require", "nested,state", "--output", f"{form}:{out}")
    assert words in out.read_text()


# ---- where nesting works ----

PROBE = INSIDE["gcc"] + " --nested-probe --format json --timeout 60"
AMD = Boot(("amd",), commands={
    **{style: f"{PROBE} --exit-style {style}" for style in STYLES},
    "met": PROBE + " --require nested,state,witnesses,l2-entry,tsc-offset",
    "missing": PROBE + " --require nested,tsc-scaling --output npd:npd --output tap:tap; echo $?; cat npd tap",
    "smp": PROBE + " --require smp --smp 2",
})


@pytest.mark.parametrize("style", STYLES)
def test_exit_styles_works(style):
    ran = boot(AMD)[style]
    assert readers.read_json(ran.out)["verdict"] == "works" and ran.status == TABLE[style]["works"]


@pytest.mark.parametrize("command, names", [("met", 5), ("smp", 1)])
def test_exit_styles_works_required(command, names):
    ran = boot(AMD)[command]
    report = readers.read_json(ran.out)
    assert ran.status == 0 and [row["met"] for row in report["required"]] == [True] * names


def test_exit_styles_works_required_missing():
    """Nesting works, and what this CPU does not have was asked for."""
    text, status, npd, tap = re.fullmatch(r"(\{.*\n\})\n(\d+)\n(.*?)\n(TAP.*)", boot(AMD)["missing"].out,
                                          re.S).groups()
    report = readers.read_json(text + "\n")
    assert report["verdict"] in ("works", "limited") and status == "1"
    assert [row["met"] for row in report["required"]] == [True, False]
    assert f"nested {report['verdict']}, but tsc-scaling is required: not-offered" in npd
    assert "\nnot ok " in tap and " - required tsc-scaling\n" in tap
