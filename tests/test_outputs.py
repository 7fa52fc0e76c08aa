# scripts/test --no-rigs -k outputs
# SPDX-License-Identifier: MIT
"""Where reports go: --output's files, whole or not at all, and what GitHub's variables name."""
import json
import os
import pathlib
import resource
import stat
import threading

import pytest

import readers
from harness import built, may, need_namespaces, probe, run
from test_reasons import SVM, pvm_only

NOBODY = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]


def report_into(path, *args, form="json", front=(), **more):
    """The probe, with nothing on standard output but what is asked for."""
    return run(*front, built("gcc"), "--nested-probe", "--quiet", "--output", f"{form}:{path}", *args, **more)


def written(path):
    return readers.read_json(pathlib.Path(path).read_text())


def refused(ran, words, status=2):
    """One line on standard error, and nothing else."""
    assert (ran.status, ran.out) == (status, ""), ran
    assert ran.err.startswith("minivmm: ") and ran.err.count("\n") == 1, ran
    assert words in ran.err, ran


@pytest.fixture(name="status", scope="module")
def status_here():
    """The exit status of a probe of this machine."""
    return probe("gcc").status


# ---- how a file is written ----

def test_outputs_new_file(tmp_path, status):
    out = tmp_path / "report.json"
    report_into(out, preexec_fn=lambda: os.umask(0o027)).expect(status)
    assert written(out)["verdict"] and stat.S_IMODE(out.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["report.json"]


def test_outputs_beside_standard_output(tmp_path, status):
    """Several, in formats of their own; what is on standard output is as ever."""
    ran = run(built("gcc"), "--nested-probe", "--format", "npd", "--output", f"json:{tmp_path}/a",
              "--output", f"npd:{tmp_path}/b", f"--output=tap:{tmp_path}/c:d").expect(status)
    assert (tmp_path / "b").read_text() == ran.out
    assert readers.read_tap((tmp_path / "c:d").read_text(), 13) == readers.read_npd(ran.out)
    assert written(tmp_path / "a")["reason"] == readers.read_npd(ran.out)[1]


def test_outputs_here(tmp_path, status):
    """A name without a folder."""
    report_into("report", cwd=tmp_path).expect(status)
    assert os.listdir(tmp_path) == ["report"] and written(tmp_path / "report")


def test_outputs_by_rename(tmp_path, status):
    """Who reads the old file goes on with it; the new one has its mode, and its owner."""
    out = tmp_path / "report.json"
    out.write_text("old\n")
    out.chmod(0o604)
    if os.geteuid() == 0:
        os.chown(out, 65534, 65534)
    with open(out, encoding="utf-8") as reader:
        report_into(out).expect(status)
        assert reader.read() == "old\n" and os.fstat(reader.fileno()).st_nlink == 0
    assert written(out) and stat.S_IMODE(out.stat().st_mode) == 0o604
    assert os.geteuid() != 0 or (out.stat().st_uid, out.stat().st_gid) == (65534, 65534)
    assert os.listdir(tmp_path) == ["report.json"]


@pytest.mark.parametrize("there", [True, False], ids=["there", "dangling"])
@pytest.mark.parametrize("absolute", [True, False], ids=["absolute", "relative"])
def test_outputs_links_are_followed(tmp_path, status, there, absolute):
    """Two in a row, into another folder: both stay links."""
    (tmp_path / "far").mkdir()
    target = tmp_path / "far" / "report"
    if there:
        target.write_text("old\n")
    (tmp_path / "far" / "second").symlink_to(target if absolute else "report")
    (tmp_path / "first").symlink_to(tmp_path / "far/second" if absolute else "far/second")
    report_into(tmp_path / "first").expect(status)
    assert (tmp_path / "first").is_symlink() and (tmp_path / "far/second").is_symlink()
    assert not target.is_symlink() and written(target)
    assert sorted(os.listdir(tmp_path / "far")) == ["report", "second"]


def test_outputs_fifo(tmp_path, status):
    """Written as it is, and still a pipe behind it."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    got = []
    reader = threading.Thread(target=lambda: got.append(fifo.read_text()), daemon=True)
    reader.start()
    report_into(fifo).expect(status)
    reader.join(20)
    assert json.loads(got[0])["verdict"] and stat.S_ISFIFO(fifo.stat().st_mode)


def test_outputs_fifo_unread(tmp_path):
    """A reader that does not come is waited for, but not for ever."""
    os.mkfifo(tmp_path / "fifo")
    ran = report_into(tmp_path / "fifo", timeout=20)
    assert (ran.status, ran.err) == (
        99, f"minivmm: cannot write the report to {tmp_path}/fifo: nobody reads it\n")


@pytest.mark.parametrize("name", ["/dev/stderr", "/proc/self/fd/2", "/dev/fd/2"])
def test_outputs_stderr_pipe(name, status):
    ran = report_into(name)
    assert (ran.status, ran.out) == (status, "") and json.loads(ran.err)["verdict"]


def test_outputs_into_a_descriptor_of_the_caller(tmp_path, status):
    """A file that a shell has open: what is in it stays, and what comes later is not lost."""
    log = tmp_path / "log"
    script = (f"exec 5>>{log}; echo before >&5; {built('gcc')} --nested-probe --quiet --output npd:/dev/fd/5; "
              "status=$?; echo after >&5; exit $status")
    ran = run("sh", "-c", script, cwd=tmp_path)
    assert (ran.status, ran.out, ran.err) == (status, "", "")
    lines = log.read_text().splitlines()
    assert len(lines) == 3 and (lines[0], lines[2]) == ("before", "after")
    assert [path.name for path in tmp_path.iterdir()] == ["log"]


@pytest.mark.parametrize("name", ["/dev/stdout", "its name"])
def test_outputs_stdout_is_a_file(tmp_path, status, name):
    """It is added to: what it has already stays, and so does the file that a shell has open."""
    log = tmp_path / "log"
    log.write_text("before\n")
    with open(log, "ab") as out:
        ran = run(built("gcc"), "--nested-probe", "--format", "npd", "--output",
                  f"nfd:{log if name == 'its name' else name}", stdout=out)
        assert (ran.status, ran.err) == (status, "")
        assert os.fstat(out.fileno()).st_nlink == 1
    lines = log.read_text().splitlines(keepends=True)
    assert lines[0] == "before\n"
    assert readers.read_npd(lines[1]) == readers.nfd_told("".join(lines[2:]))


# ---- what is refused before anything runs ----

@pytest.mark.parametrize("path, words", [
    ("missing/report", "No such file or directory"), (".", "Is a directory"), ("folder", "Is a directory"),
    ("new/", "Is a directory"), ("file/report", "Not a directory"), ("loop", "symbolic links"),
    ("to-folder", "Is a directory"), ("to-missing", "No such file"), ("x" * 300, "File name too long"),
    ("x" * 5000, "File name too long")], ids=lambda value: value[:20])
def test_outputs_no_such_place(tmp_path, path, words):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "to-folder").symlink_to("folder")
    (tmp_path / "to-missing").symlink_to("missing/report")
    before = sorted(os.listdir(tmp_path))
    refused(report_into(f"{tmp_path}/{path}"), words)
    refused(report_into(path, cwd=tmp_path), words)
    assert sorted(os.listdir(tmp_path)) == before


def test_outputs_folder_of_another(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("needs root, to be nobody")
    # where nobody may look, which pytest's own folders are not
    copy = pathlib.Path("/tmp") / f"minivmm-outputs.{os.getpid()}"
    copy.mkdir(mode=0o755)
    try:
        program = copy / "minivmm"
        program.write_bytes(built("gcc").read_bytes())
        program.chmod(0o755)
        refused(run(*NOBODY, program, "--nested-probe", "--output", f"json:{copy}/report"), "Permission denied")
        (copy / "open").mkdir()
        (copy / "open").chmod(0o777)
        ran = run(*NOBODY, program, "--nested-probe", "--quiet", "--output", f"json:{copy}/open/report")
        assert ran.err == "" and written(copy / "open/report")["exit_status"] == ran.status
        assert (copy / "open/report").stat().st_uid == 65534
        assert os.listdir(copy / "open") == ["report"]
    finally:
        run("rm", "-rf", copy)


@pytest.mark.parametrize("args, words", [
    (["--output", "jsn:x"], "unknown format 'jsn'; did you mean 'json'?"),
    (["--output", "github-sumary:x"], "did you mean 'github-summary'?"),
    (["--output", "nothing:x"], "unknown format 'nothing' (see --list formats)"),
    (["--output", "json"], "'json' is not FORMAT:FILE"), (["--output", "json:"], "is not FORMAT:FILE"),
    (["--output", ":x"], "unknown format ''"), (["--output", ""], "is not FORMAT:FILE"), (["--output"], "NAME:FILE"),
    (["--output", "json:a", "--output", "tap:a"], "two reports into a"),
    (["--output", "json:a", "--output", "json:./a"], "two reports into ./a"),
    (["--output", "json:a", "--output", "tap:../{here}/a"], "two reports into"),
    (["--output", "json:a", "--output", "tap:link"], "two reports into link"),
    (["--output", "json:/dev/null", "--output", "tap:/dev/null"], "two reports into /dev/null"),
    ([word for n in range(17) for word in ("--output", f"json:{n}")], "more than 16 files"),
], ids=lambda value: " ".join(value[:4]) if isinstance(value, list) else "")
def test_outputs_wrong_usage(tmp_path, args, words):
    (tmp_path / "link").symlink_to("a")
    args = [word.replace("{here}", tmp_path.name) for word in args]
    refused(run(built("gcc"), "--nested-probe", *args, cwd=tmp_path), words)
    assert os.listdir(tmp_path) == ["link"]


def test_outputs_sixteen(tmp_path, status):
    names = [word for n in range(16) for word in ("--output", f"json:{n}")]
    run(built("gcc"), "--nested-probe", "--quiet", *names, cwd=tmp_path).expect(status)
    texts = {(tmp_path / str(n)).read_text() for n in range(16)}
    assert len(os.listdir(tmp_path)) == 16 and len(texts) == 1


# ---- what goes wrong later ----

def test_outputs_device_full(tmp_path):
    """The other files are written all the same, and standard output, too."""
    ran = run(built("gcc"), "--nested-probe", "--format", "npd", "--output", "json:/dev/full", "--output",
              f"nfd:{tmp_path}/b")
    assert ran.status == 99 and ran.err == \
        "minivmm: cannot write the report to /dev/full: No space left on device\n"
    assert readers.nfd_told((tmp_path / "b").read_text()) == readers.read_npd(ran.out)


@pytest.mark.parametrize("old", [True, False], ids=["old", "new"])
def test_outputs_disk_full(tmp_path, old):
    """The old file is whole, and no other one is left."""
    need_namespaces()
    if not may("unshare", "-m", "mount", "-t", "tmpfs", "-o", "size=4k", "none", "/mnt"):
        pytest.skip("no tmpfs of one page here")
    ran = run("unshare", "-m", "sh", "-ec", f"""
        mount -t tmpfs -o size=8k none {tmp_path}; cd {tmp_path}
        {"echo old >report;" if old else ""} head -c 4096 /dev/zero >filler
        status=0; {built("gcc")} --nested-probe --quiet --output json:report || status=$?
        ls -A; cat report 2>/dev/null || :; exit $status""")
    assert ran.status == 99, ran
    assert ran.err == "minivmm: cannot write the report to report: No space left on device\n"
    assert ran.out == ("filler\nreport\nold\n" if old else "filler\n")


def test_outputs_file_limit(tmp_path):
    """A limit on files' sizes is an error like others, not the end of the process."""
    out = tmp_path / "report"
    out.write_text("old\n")
    ran = report_into(out, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024)))
    refused(ran, "cannot write the report to", 99)
    assert "File too large" in ran.err
    assert os.listdir(tmp_path) == ["report"] and out.read_text() == "old\n"


def test_outputs_folder_goes_away(tmp_path):
    """While the guest runs."""
    pvm_only()
    (tmp_path / "folder").mkdir()
    ran = run("sh", "-c", '(sleep 0.3; rmdir folder) & exec "$@"', "sh", built("gcc"), "--nested-probe", "--quiet",
              "--timeout", "1", "--output", "json:folder/report", cwd=tmp_path, env={
                  "KVM_ANSWERS": SVM + "KVM_RUN@1=hang", "LD_PRELOAD": str(built("gcc", "kvm_answers.so"))})
    refused(ran, "cannot write the report to folder/report: No such file or directory", 99)


@pytest.mark.parametrize("style, status", [("gnu", 99), ("nagios", 3), ("kselftest", 1), ("npd", 2), ("tap", 1)])
@pytest.mark.parametrize("reader", ["gone", "full"])
def test_outputs_stdout_lost(tmp_path, reader, style, status):
    """The files are written; the status says that minivmm failed, in the words of that style."""
    read, write = os.pipe()
    os.close(read)
    with open("/dev/full", "wb") as full:
        ran = run(built("gcc"), "--nested-probe", "--exit-style", style, "--output", f"json:{tmp_path}/a",
                  "--output", f"tap:{tmp_path}/b", stdout=full if reader == "full" else write)
    os.close(write)
    refused(ran, "cannot write the report: ", status)
    report = written(tmp_path / "a")
    assert readers.read_tap((tmp_path / "b").read_text(), 13) == (report["verdict"], report["reason"])


# ---- GitHub's own files ----

def github(tmp_path, *args, **variables):
    names = {"GITHUB_STEP_SUMMARY": str(tmp_path / "summary"), "GITHUB_OUTPUT": str(tmp_path / "values")}
    return run(built("gcc"), "--nested-probe", *args, env={**names, **variables})


def appended(tmp_path, before):
    """Both files begin with what they had, and go on with a report."""
    summary, values = (tmp_path / "summary").read_text(), (tmp_path / "values").read_text()
    assert summary.startswith(before) and values.startswith(before)
    summary, values = (text.removeprefix(before).lstrip("\n") for text in (summary, values))
    page, = readers.render([summary])
    values = readers.read_github_output(values)
    assert page.startswith(f"<h3>Nested virtualization: {values['verdict']}</h3>")
    return values["verdict"], values["reason"]


@pytest.mark.parametrize("before", ["", "a=b\n", "a=b"], ids=["new", "line", "open-line"])
@pytest.mark.parametrize("how", [["--format", "github"], ["--output", "github:{}/log", "--quiet"]],
                         ids=["format", "output"])
def test_outputs_github_appends(tmp_path, status, before, how):
    if before:
        (tmp_path / "summary").write_text(before)
        (tmp_path / "values").write_text(before)
    ran = github(tmp_path, *[word.format(tmp_path) for word in how]).expect(status)
    log = ran.out or (tmp_path / "log").read_text()
    assert appended(tmp_path, before) == readers.read_github(log)[0]
    assert before != "a=b" or "a=b\n" in (tmp_path / "values").read_text()


def test_outputs_github_twice(tmp_path, status):
    """Two steps' worth: the second comes behind the first."""
    for _ in range(2):
        github(tmp_path, "--format", "github").expect(status)
    pages = readers.render([(tmp_path / "summary").read_text()])
    assert pages[0].count("<h3>") == 2
    assert (tmp_path / "values").read_text().count("verdict=") == 2


def test_outputs_github_quietly(tmp_path, status):
    """No report on standard output; those who read the files are not left without."""
    ran = github(tmp_path, "--format", "github", "--quiet").expect(status)
    assert ran.out == "" and "verdict=" in (tmp_path / "values").read_text()
    assert "<table>" in (tmp_path / "summary").read_text()


@pytest.mark.parametrize("how", [["--format", "text"], ["--output", "github-summary:{}/log"]],
                         ids=" ".join)
def test_outputs_github_not_asked(tmp_path, status, how):
    """No other format touches these files."""
    github(tmp_path, *[word.format(tmp_path) for word in how]).expect(status)
    assert not (tmp_path / "summary").exists() and not (tmp_path / "values").exists()


@pytest.mark.parametrize("unset", [None, ""], ids=["unset", "empty"])
def test_outputs_github_elsewhere(tmp_path, status, unset):
    """Without the variables, as on another machine."""
    ran = github(tmp_path, "--format", "github", GITHUB_OUTPUT=unset, GITHUB_STEP_SUMMARY=unset)
    readers.read_github(ran.expect(status).out)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("variable, other", [("GITHUB_OUTPUT", "summary"), ("GITHUB_STEP_SUMMARY", "values")])
@pytest.mark.parametrize("path, words", [("/no/such/file", "No such file"), ("/", "Is a directory"),
                                         ("/dev/full", "No space left")])
def test_outputs_github_lost(tmp_path, variable, other, path, words):
    """One line, which names the variable; the other file and the log are written."""
    ran = github(tmp_path, "--format", "github", **{variable: path})
    assert ran.status == 99 and ran.err.count("\n") == 1, ran
    assert ran.err.startswith(f"minivmm: cannot append to {path}, which ${variable} names: ") and words in ran.err
    readers.read_github(ran.out)
    assert (tmp_path / other).stat().st_size > 100 and len(os.listdir(tmp_path)) == 1
