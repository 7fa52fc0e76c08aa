# scripts/test --no-rigs -k formats
# SPDX-License-Identifier: MIT
"""Every report format, judged by those who read it: prove, xmllint, promtool, node_exporter, jq, GitHub's
own Markdown; and by readers that keep to the others' rules (readers.py).

What they read is made up, each reason with each verdict, and noise in every text that may come from
outside; and it is real, a run of each row of test_reasons.py that this machine can do. Where noise shows a
fault, `report_dump noise:SEED FORMAT` makes it again.
"""
import concurrent.futures
import functools
import http.client
import json
import os
import pathlib
import re
import select
import subprocess
import time

import pytest

import readers
from harness import ROOT, STATUS, built, debian_file, need_program, run
from test_reasons import ANSWERED, SVM, answered, pvm_only

FORMATS = {"text": "text", "json": "json", "tap": "tap", "tap14": "tap14", "junit": "xml",
           "github": "log", "github-summary": "md", "github-output": "env", "prometheus": "prom",
           "nfd": "nfd", "npd": "npd"}
SEEDS = [*range(1, 41), int.from_bytes(os.urandom(4), "little")]


def test_formats_all_are_here():
    listed = [line.split()[0] for line in run(built("gcc"), "--list", "formats").expect(0).out.splitlines()]
    assert listed == list(FORMATS)


# ---- reports that are made up ----

def samples():
    """Each reason with each verdict; `works` has one reason."""
    rows = run(built("gcc"), "--list", "reasons").expect(0).out.splitlines()
    names = [row.split()[1] for row in rows]
    return ["ok:works"] + [f"{name}:{verdict}" for name in names if name != "ok"
                           for verdict in STATUS if verdict != "works"]


@functools.cache
def made_once(folder):
    names = samples()
    assert len(names) > 5 * 20
    names += [f"noise:{seed}" for seed in SEEDS]
    run(built("gcc", "report_dump"), "--into", folder, *names).expect(0)
    return names


class Made:
    def __init__(self, folder):
        self.folder = folder
        self.names = made_once(folder)

    def path(self, name, form):
        return self.folder / f"{name}.{form}"

    def paths(self, form):
        return [self.path(name, form) for name in self.names]

    def text(self, name, form):
        return self.path(name, form).read_text()

    @functools.cached_property
    def reports(self):
        """JSON, the measure of all the others: it loses no byte that is text."""
        return {name: readers.read_json(self.text(name, "json")) for name in self.names}

    def each(self, form, read):
        """What `read` is told by each file is what the JSON report tells."""
        for name in self.names:
            report = self.reports[name]
            try:
                told = read(name, self.text(name, form), report)
                assert told == (report["verdict"], report["reason"])
            except (AssertionError, ValueError, AttributeError, KeyError, TypeError) as why:
                pytest.fail(f"{name} as {form}: {why!r}\nagain: report_dump {name} {form}", pytrace=False)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return Made(tmp_path_factory.mktemp("made"))


def test_formats_made_json(made):
    assert readers.run_jq(made.paths("json")) == [
        (report["verdict"], report["reason"]) for report in made.reports.values()]
    verdicts = [report["verdict"] for name, report in made.reports.items() if name.startswith("noise:")]
    assert set(verdicts) == set(STATUS), "noise with each verdict"


@pytest.mark.parametrize("form, version", [("tap", 13), ("tap14", 14)])
def test_formats_made_tap(made, form, version):
    made.each(form, lambda name, text, report: readers.read_tap(text, version))
    for name, parsed in zip(made.names, readers.run_tap_parser(made.paths(form))):
        report = made.reports[name]
        assert parsed["stray"] == parsed["errors"] == [], name
        assert bool(parsed["failed"]) == readers.outcome_fails(report), name
        if parsed["skip_all"]:
            assert report["verdict"] == "unavailable" and not parsed["tests"], name
            continue
        assert parsed["tests"][-1]["ok"] == (not readers.outcome_fails(report)), name
        rows = report["steps"] + report.get("features", []) + report.get("required", [])
        assert [test["name"].split()[-1] for test in parsed["tests"]] == [
            row["name"] for row in rows] + ["nested-virtualization"], name
        assert {test["directive"] for test in parsed["tests"]} <= {"", "SKIP", "TODO"}


def test_formats_made_prove(made):
    """prove itself over all of them: it understands each, and finds those wrong that are."""
    need_program("prove")
    ran = run("prove", "--source", "File", "--file-option", "extensions=.tap", *made.paths("tap"))
    assert ran.status == 1 and "Parse errors" not in ran.out and "No plan" not in ran.out
    wrong = set(re.findall(r"^\S*/([^/\s]+)\.tap\s+\(Wstat", ran.out, re.M))
    assert wrong == {name for name, report in made.reports.items() if readers.outcome_fails(report)}


def test_formats_made_junit(made):
    readers.run_xmllint(made.paths("junit"))
    made.each("junit", lambda name, text, report: readers.read_junit(text, report))


def test_formats_made_github(made):
    tokens = set()

    def read(name, text, report):
        told, token = readers.read_github(text, report)
        tokens.add(token)
        return told
    made.each("github", read)
    assert len(tokens) == len(made.names), "a token that was used before"


def test_formats_made_github_output(made):
    def read(name, text, report):
        values = readers.read_github_output(text)
        assert values["reason-number"] == str(report["reason_number"])
        assert values["nested"] == ("true" if report["verdict"] in ("works", "limited") else "false")
        assert values["exit-status"] == str(
            1 if readers.outcome_fails(report) and report["exit_status"] in (0, 77) else report["exit_status"])
        readers.same(values["summary"], report["summary"])
        return values["verdict"], values["reason"]
    made.each("github-output", read)


def test_formats_made_github_summary(made):
    pages = dict(zip(made.names, readers.render([made.text(name, "github-summary") for name in made.names])))
    made.each("github-summary", lambda name, text, report: readers.read_github_summary(
        text, pages[name], report))


def test_formats_made_prometheus(made):
    def read(name, text, report):
        metrics = readers.read_prometheus(text)
        assert metrics["minivmm_nested_ok"] == {(): report["verdict"] in ("works", "limited")}
        labels = dict(next(iter(metrics["minivmm_nested_info"])))
        cpu = re.sub(r'\\(.)', r"\1", labels["cpu"])
        readers.same(cpu, report["host"]["cpu"])
        return readers.prometheus_told(text)
    made.each("prometheus", read)
    # node_exporter's own parser is Prometheus'
    lint_prometheus(readers.prometheus_merged([made.text(name, "prometheus") for name in made.names]))
    for name in made.names[::25]:
        lint_prometheus(made.text(name, "prometheus"))


def test_formats_made_nfd(made):
    def read(name, text, report):
        features = readers.read_nfd(text, 86400)
        shown = {key.removeprefix("minivmm.nested.feature."): value for key, (value, _) in features.items()
                 if key.startswith("minivmm.nested.feature.")}
        assert shown == {row["name"]: row["status"] for row in report.get("features", [])
                         if row["status"] != "not-applicable"}
        return readers.nfd_told(text)
    made.each("nfd", read)


def test_formats_made_npd(made):
    def read(name, text, report):
        verdict, word = readers.read_npd(text)
        unmet = [row["name"] for row in report.get("required", []) if not row["met"]]
        if verdict in ("works", "limited") and unmet:
            assert word == unmet[0]
            return verdict, report["reason"]
        return verdict, word
    made.each("npd", read)


@pytest.mark.parametrize("form, columns, more", [
    ("text", 80, {}), ("text-40", 40, {}), ("text-color", 100, {"color": True, "ascii_only": False})])
def test_formats_made_text(made, form, columns, more):
    def read(name, text, report):
        assert ("Required:" in text) == ("required" in report)
        return readers.read_text(text, columns, **more)
    made.each(form, read)


def test_formats_made_by_sanitizers(tmp_path):
    """Noise as long as its field reads and writes nothing beyond it, in any format."""
    names = [f"noise:{seed}" for seed in SEEDS] + ["hostile"]
    run(built("sanitizers", "report_dump"), "--into", tmp_path, *names).expect(0)
    assert len(os.listdir(tmp_path)) == len(names) * (len(FORMATS) + 2)


# ---- reports of real runs ----

class Real:
    """A run of each row, with a file in every format."""

    def __init__(self, folder):
        rows = [(f"{reason}-{name}", reason, answers, words) for reason, name, answers, words, _ in ANSWERED]
        rows.append(("l2-entry-failed-shouted", "l2-entry-failed", SVM, ["stop_by_shout"]))
        rows.append(("kvm-without-hw-virt", "kvm-without-hw-virt", "", []))
        self.folder = folder
        self.reasons = {name: reason for name, reason, _, _ in rows}
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            self.ran = dict(zip(self.reasons, pool.map(self.run, rows)))

    def run(self, row):
        name, _, answers, words = row
        outputs = [f"--output={form}:{self.path(name, form)}" for form in FORMATS]
        return answered(answers, words, outputs)

    def path(self, name, form):
        return self.folder / f"{name}.{FORMATS[form]}"

    def text(self, name, form):
        return self.path(name, form).read_text()

    def paths(self, form):
        return [self.path(name, form) for name in self.ran]


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    pvm_only()
    return Real(tmp_path_factory.mktemp("real"))


TOLD = {
    "text": lambda text: readers.read_text(text, 80, ascii_only=False),
    "tap": lambda text: readers.read_tap(text, 13),
    "tap14": lambda text: readers.read_tap(text, 14),
    "junit": readers.read_junit,
    "github": lambda text: readers.read_github(text)[0],
    "prometheus": readers.prometheus_told,
    "nfd": readers.nfd_told,
    "npd": readers.read_npd,
}


def test_formats_real_agree(real):
    """All files of a run tell the same verdict and reason, and its exit status."""
    assert len(set(real.reasons.values())) >= 20
    verdicts = set()
    pages = dict(zip(real.ran, readers.render([real.text(name, "github-summary") for name in real.ran])))
    for name, ran in real.ran.items():
        report = ran.report()
        assert report["reason"] == real.reasons[name]
        told = report["verdict"], report["reason"]
        verdicts.add(report["verdict"])
        assert json.loads(real.text(name, "json")) == report
        for form, read in TOLD.items():
            assert read(real.text(name, form)) == told, (name, form)
        values = readers.read_github_output(real.text(name, "github-output"))
        assert (values["verdict"], values["reason"], values["exit-status"]) == (*told, str(ran.status))
        summary = real.text(name, "github-summary")
        assert readers.read_github_summary(summary, pages[name], report) == told
        readers.read_junit(real.text(name, "junit"), report)
        readers.read_github(real.text(name, "github"), report)
    assert verdicts == set(STATUS) - {"works"}, "which takes a KVM that nests: test_amd.py"


def test_formats_real_by_their_tools(real):
    readers.run_xmllint(real.paths("junit"))
    lint_prometheus(readers.prometheus_merged([real.text(name, "prometheus") for name in real.ran]))
    assert len(readers.run_jq(real.paths("json"))) == len(real.ran)
    for form in ("tap", "tap14"):
        for name, parsed in zip(real.ran, readers.run_tap_parser(real.paths(form))):
            assert parsed["stray"] == parsed["errors"] == [], name
            assert bool(parsed["failed"]) == (real.ran[name].status not in (0, 77)), name
    # no temporary stayed
    assert len(list(real.folder.iterdir())) == len(real.ran) * len(FORMATS)


def test_formats_real_guest_shouts(real):
    """A guest's own words, made to get out of every format, are in all of them and obeyed by none."""
    name = "l2-entry-failed-shouted"
    report = real.ran[name].report(1)
    row = next(row for row in report["steps"] if row["name"] == "l2-entry")
    shout = "]]></failure>\n::error::x\r##[error]x # SKIP\nnot ok 1\nBail out!\n\x1b[2J\ufffd%0A|`${{x}}\"" \
        "'\\ <img src=x> www.a.b a@b.c"
    assert shout in row["detail"]
    for form in set(FORMATS) - {"json", "prometheus", "nfd", "npd", "github-output"}:
        text = real.text(name, form)
        assert "\x1b" not in text and "Bail out!" in text and "\nBail out!" not in text, form
        assert not re.search(r"^\s*(::error::x|##\[)", text, re.M) or form in ("github", "junit", "text"), form
    commands = readers.runner_reads(real.text(name, "github"))
    assert [word for word, _, _ in commands] == ["group", "stop-commands", "endgroup", "error"]


# ---- prove runs minivmm ----

@pytest.mark.parametrize("answers, words, result", [
    ("", [], "NOTESTS"), ("", ["--require", "nested"], "FAIL"), (SVM, [], "FAIL"),
    (SVM + "KVM_CREATE_VM=errno:EBUSY", [], "NOTESTS")], ids=["skip", "required", "broken", "busy"])
@pytest.mark.parametrize("form", ["tap"])
def test_formats_prove_runs_it(answers, words, result, form):
    """In its style, an exit status of 0 goes with skipped tests, and 1 with failed ones."""
    need_program("prove")
    pvm_only()
    program = " ".join(["env", f"LD_PRELOAD={built('gcc', 'kvm_answers.so')}", str(built("gcc")),
                        "--nested-probe", *words, "--exit-style", "tap", "--format"])
    ran = run("prove", "-v", "-e", program, form, env={"KVM_ANSWERS": answers})
    assert f"Result: {result}" in ran.out, ran
    assert "Parse errors" not in ran.out and "Dubious" not in ran.out.replace("Dubious, test returned 1 ", "")
    assert ran.status == (0 if result == "NOTESTS" else 1)


# ---- Prometheus ----

def lint_prometheus(text):
    # a package of its own since Debian 13
    alone = run("apt-cache", "show", "promtool").status == 0
    promtool = debian_file("promtool" if alone else "prometheus", "usr/bin/promtool")
    assert run(promtool, "check", "metrics", input=text.encode()).expect(0).out == ""


def scrape(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/metrics")
    answer = connection.getresponse()
    assert answer.status == 200
    text = answer.read().decode()
    connection.close()
    return text


class Exporter:
    """node_exporter with no collector but that of files, on loopback, at a port that it picks."""

    def __init__(self, folder):
        program = debian_file("prometheus-node-exporter", "usr/bin/prometheus-node-exporter")
        self.process = subprocess.Popen(
            [program, "--collector.disable-defaults", "--collector.textfile",
             f"--collector.textfile.directory={folder}", "--web.listen-address=127.0.0.1:0",
             "--web.disable-exporter-metrics"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE)

    def port(self):
        said, end = b"", time.monotonic() + 30
        while time.monotonic() < end:
            if select.select([self.process.stderr], [], [], 1)[0]:
                said += os.read(self.process.stderr.fileno(), 4096)
            found = re.search(rb'address="?127\.0\.0\.1:(\d+)', said)
            if found and found[1] != b"0":
                return int(found[1])
            assert self.process.poll() is None, said
        pytest.fail(f"no port within 30 s: {said}", pytrace=False)

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.process.kill()
        self.process.wait(10)
        self.process.stderr.close()


def test_formats_node_exporter(tmp_path):
    """Of a real run, of the same again with nesting required, and of noise."""
    pvm_only()
    out = f"prometheus:{tmp_path}/minivmm.prom"
    with Exporter(tmp_path) as exporter:
        port = exporter.port()
        for answers, words in [("", []), (SVM, ["--features"]), (SVM, ["--require", "nested,state,tsc-offset"])]:
            report = answered(answers, words, ["--output", out])
            told = scrape(port)
            assert "node_textfile_scrape_error 0\n" in told
            assert "minivmm_nested_ok 0\n" in told
            assert f'reason="{json.loads(report.out)["reason"]}"' in told
        for seed in SEEDS[-3:]:
            dumped = run(built("gcc", "report_dump"), f"noise:{seed}", "prometheus").expect(0).out
            (tmp_path / "minivmm.prom").write_text(dumped)
            told = scrape(port)
            assert "node_textfile_scrape_error 0\n" in told, seed
            assert f"minivmm_nested_ok {re.search('^minivmm_nested_ok (.)', dumped, re.M)[1]}\n" in told, seed


def test_formats_nfd_expiry():
    ran = run(built("gcc"), "--nested-probe", "--format", "nfd", "--expiry", "300")
    readers.nfd_told(ran.out, 300)
