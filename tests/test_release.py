# scripts/test --no-rigs tests/test_release.py
# SPDX-License-Identifier: MIT
"""What leaves the house: the release archive, the Debian package, the container's image, and what each
says of itself. All are built from a copy of the tree, a repository of its own at a known commit.
"""
import dataclasses
import datetime
import email.utils
import hashlib
import json
import os
import re
import shutil
import tarfile

import jsonschema
import pytest

from harness import (ROOT, built, may, missing, need_kvm, need_namespaces, need_program, run)

DATE = 1_700_000_000  # of the copies' commit
VERSION = re.search(r"version: '([^']+)'", (ROOT / "meson.build").read_text())[1]
NAME = f"minivmm-{VERSION}-linux-x86_64"
NIGHTLY = os.environ.get("MINIVMM_TEST_NIGHTLY") == "1"

# What meson installs, below the prefix.
COMPLETIONS = ["share/bash-completion/completions/minivmm", "share/zsh/site-functions/_minivmm",
               "share/fish/vendor_completions.d/minivmm.fish"]
INSTALLED = {"bin/minivmm", "share/man/man1/minivmm.1", "share/doc/minivmm/LICENSE",
             "share/minivmm/report.schema.json", *COMPLETIONS}
ADDED = {f"share/doc/minivmm/{name}" for name in ("README.md", "LICENSE.musl", "minivmm.spdx.json")}


# ---- the copies ----

def git(folder, *args):
    return run("git", *args, cwd=folder, env={
        "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b",
        "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b", "GIT_AUTHOR_DATE": f"{DATE} +0000",
        "GIT_COMMITTER_DATE": f"{DATE} +0000"}).expect(0).out


def copy_tree(folder):
    """This tree, with what is not committed, in `folder`: the only commit of a repository of its own."""
    shutil.copytree(ROOT, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(
        ".git", "build", "build-*", "__pycache__", ".pytest_cache"))
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "all of it")
    return folder


def need_build():
    for program in ("git", "musl-gcc", "meson", "ninja", "dpkg-query"):
        need_program(program)


def script(folder, name, *args, before=(), **more):
    """scripts/NAME of that copy, without what the environment may have set for a build."""
    env = {"CC": None, "CFLAGS": None, "SOURCE_DATE_EPOCH": None, "CCACHE_DISABLE": "1",
           **more.pop("env", {})}
    return run(*before, folder / "scripts" / name, *args, timeout=240, env=env, **more)


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    need_build()
    return copy_tree(tmp_path_factory.mktemp("tree"))


@pytest.fixture(scope="module")
def release(tree, tmp_path_factory):
    """The folder with a release."""
    out = tmp_path_factory.mktemp("release")
    script(tree, "release", out).expect(0)
    return out


@pytest.fixture(scope="module")
def unpacked(release, tmp_path_factory):
    folder = tmp_path_factory.mktemp("unpacked")
    run("tar", "-C", folder, "--strip-components=1", "-xzf", release / f"{NAME}.tar.gz").expect(0)
    return folder


def files_in(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


# ---- --version, before anything is built ----

def test_release_commit_in_version(tree, tmp_path):
    """The commit is the tree's own, whatever is around it; the header changes with the answer only."""
    outer = tmp_path / "outer"
    folder = outer / "inner"
    shutil.copytree(tree, folder, symlinks=True)
    head = git(folder, "rev-parse", "--short=12", "HEAD").strip()
    run("meson", "setup", "build", cwd=folder).expect(0)
    header = folder / "build/version.h"

    def commit():
        run("ninja", "-C", "build", "version.h", cwd=folder).expect(0)
        return re.search('MINIVMM_COMMIT "(.*)"', header.read_text())[1]

    assert commit() == head
    before = header.stat().st_mtime_ns
    assert (commit(), header.stat().st_mtime_ns) == (head, before)
    with (folder / "README.md").open("a") as file:
        file.write("changed\n")
    assert commit() == head + "-dirty"
    shutil.rmtree(folder / ".git")
    assert commit() == "unknown"
    git(outer, "init", "-q")
    git(outer, "commit", "-q", "--allow-empty", "-m", "another's")
    assert commit() == "unknown"


# ---- meson install ----

@pytest.mark.parametrize("build", ["gcc", "static"])
def test_release_meson_install(tmp_path, build):
    """Each file where its reader looks, below DESTDIR; of a static build, the stripped binary."""
    folder = built(build).parent
    run("meson", "install", "--no-rebuild", "-C", folder, env={"DESTDIR": str(tmp_path)}).expect(0)
    prefix = tmp_path / "usr/local"
    assert files_in(tmp_path) == {f"usr/local/{name}" for name in INSTALLED}
    assert (prefix / "bin/minivmm").read_bytes() == built(build).read_bytes()
    for name in INSTALLED:
        mode = 0o755 if name == "bin/minivmm" else 0o644
        assert (prefix / name).stat().st_mode & 0o777 == mode, name
    for name in COMPLETIONS:
        assert "minivmm" in (prefix / name).read_text(), name


# ---- the release ----

def test_release_has_these_files(release):
    assert files_in(release) == {f"{NAME}.tar.gz", f"{NAME}.spdx.json", "SHA256SUMS"}
    assert run("sha256sum", "--strict", "-c", "SHA256SUMS", cwd=release).expect(0).out == (
        f"{NAME}.spdx.json: OK\n{NAME}.tar.gz: OK\n")


def test_release_is_the_same_elsewhere_and_later(release, tmp_path):
    """From a folder of another name, by another path of temporary files, in another year, with another
    umask, language and time zone, and flags for a compiler in the environment: the same bytes."""
    need_program("faketime")
    folder = tmp_path / "another folder, of a longer name"
    folder.mkdir()
    copy_tree(folder)
    temporary = tmp_path / "temporary" / "files"
    temporary.mkdir(parents=True)
    out = tmp_path / "out"
    env = {"TMPDIR": str(temporary), "CFLAGS": "-g -O1", "LC_ALL": "C.UTF-8", "TZ": "Asia/Tokyo"}
    script(folder, "release", out, before=["faketime", "-f", "+500d"], umask=0o077, env=env).expect(0)
    assert {name: sha256(out / name) for name in files_in(out)} == {
        name: sha256(release / name) for name in files_in(release)}
    assert list(temporary.iterdir()) == []


def test_release_archive(release):
    """One folder, in order, of nobody's, as old as the commit; all may read it."""
    with tarfile.open(release / f"{NAME}.tar.gz") as archive:
        members = archive.getmembers()
    assert [m.name for m in members] == sorted((m.name for m in members), key=lambda n: n.split("/"))
    assert {m.name.removeprefix(f"{NAME}/") for m in members if m.isfile()} == INSTALLED | ADDED
    for member in members:
        assert member.isfile() or member.isdir()
        assert (member.uid, member.gid, member.uname, member.gname) == (0, 0, "", ""), member.name
        assert member.mtime == DATE, member.name
        program = member.isdir() or member.name.endswith("bin/minivmm")
        assert member.mode == (0o755 if program else 0o644), member.name


def test_release_binary(tree, unpacked):
    """Static and small; says which commit, compiler and libc it is of; holds no path of its builder."""
    program = unpacked / "bin/minivmm"
    lines = run(program, "--version").expect(0).out.splitlines()
    assert lines[:2] == [f"minivmm {VERSION}",
                         "commit  " + git(tree, "rev-parse", "--short=12", "HEAD").strip()]
    assert lines[3].startswith("libc  musl ")
    assert program.stat().st_size < 450_000
    data = program.read_bytes()
    for path in (tree, tree.parent, ROOT, "/tmp/"):
        assert str(path).encode() not in data, path
    assert b".symtab" not in data


def test_release_licences(unpacked):
    """The terms of what is linked in go along, as they ask."""
    doc = unpacked / "share/doc/minivmm"
    assert (doc / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    assert "Rich Felker" in (doc / "LICENSE.musl").read_text()


def test_release_dirty(tree, tmp_path):
    """What is not committed goes in by --allow-dirty only, and is told wherever the version is."""
    folder = tmp_path / "tree"
    shutil.copytree(tree, folder, symlinks=True)
    (folder / "vmm/notes").write_text("not committed\n")
    ran = script(folder, "release", "out", cwd=tmp_path)
    assert (ran.status, ran.err) == (1, "release: no commit describes this tree (?? vmm/notes): "
                                        "commit, or use --allow-dirty\n")
    assert not (tmp_path / "out").exists()
    script(folder, "release", "--allow-dirty", "out", cwd=tmp_path).expect(0)
    name = NAME.replace(VERSION, VERSION + "-dirty")
    assert files_in(tmp_path / "out") == {f"{name}.tar.gz", f"{name}.spdx.json", "SHA256SUMS"}
    run("tar", "-xzf", f"out/{name}.tar.gz", cwd=tmp_path).expect(0)
    lines = run(tmp_path / name / "bin/minivmm", "--version").expect(0).out.splitlines()
    assert lines[0] == f"minivmm {VERSION}" and lines[1].endswith("-dirty")
    bill = json.loads((tmp_path / f"out/{name}.spdx.json").read_text())
    assert bill["packages"][0]["versionInfo"] == VERSION + "-dirty"
    assert bill["packages"][0]["sourceInfo"].endswith("-dirty")


# What is done to a tree, as a shell command; the arguments; the exit status, and its one line.
REFUSALS = {
    "no-git": ("rm -rf .git", [], 1, r"\S+: \S+ is no git checkout, .*: use a clone"),
    "no-commit": ("rm -rf .git && git init -q", [], 1, r"\S+: git finds no commit in \S+: .*"),
    "no-version": ("sed -i s/version:/versions:/ meson.build", ["--allow-dirty"], 1,
                   r"\S+: meson.build has no line .*: give it one"),
    "broken": ("sed -i '1i no meson' meson.build", ["--allow-dirty"], 1,
               r"\S+: (setting up the build|dpkg-buildpackage) failed: .+ \(all it said: \S+\)"),
    "epoch": ("", ["--epoch"], 1, r"\S+: SOURCE_DATE_EPOCH is 'yesterday': set it to .*"),
    "no-room": ("", ["--no-tmp"], 1, r"\S+: no temporary folder in /nonexistent: .*"),
    "option": ("", ["--allow"], 2, r"\S+: no option '--allow': see scripts/\S+ --help"),
}


@pytest.mark.parametrize("what", REFUSALS)
@pytest.mark.parametrize("name", ["release", "package"])
def test_release_refuses(tree, tmp_path, name, what):
    """One line that says what, why, and what to do; nothing is made."""
    if name == "package":
        need_program("dpkg-buildpackage")
        need_program("dh")
    harm, args, status, line = REFUSALS[what]
    folder = tmp_path / "tree"
    shutil.copytree(tree, folder, symlinks=True)
    run("sh", "-ec", harm, cwd=folder).expect(0)
    env = {"TMPDIR": str(tmp_path)}
    if args == ["--epoch"]:
        env, args = {**env, "SOURCE_DATE_EPOCH": "yesterday"}, []
    if args == ["--no-tmp"]:
        env, args = {"TMPDIR": "/nonexistent"}, []
    ran = script(folder, name, *args, tmp_path / "out", env=env)
    lines = [text for text in ran.err.splitlines() if not text.startswith("mktemp: ")]
    assert ran.status == status and len(lines) == 1 and re.fullmatch(line, lines[0]), ran
    assert not (tmp_path / "out").exists()


# ---- the bill of materials ----

@pytest.fixture(scope="module")
def bill(release):
    return json.loads((release / f"{NAME}.spdx.json").read_text())


def test_release_bill_is_spdx(bill):
    """It fits SPDX 2.3, each name in it is some element's, and no two elements share one."""
    schema = json.loads((ROOT / "tests/spdx.schema.json").read_text())
    validator = jsonschema.Draft202012Validator(schema)
    assert [f"{e.json_path}: {e.message}" for e in validator.iter_errors(bill)] == []
    names = [e["SPDXID"] for e in [bill, *bill["packages"], *bill["files"]]]
    assert len(names) == len(set(names))
    ends = [r[end] for r in bill["relationships"] for end in ("spdxElementId", "relatedSpdxElement")]
    assert set(ends) == set(names)
    assert [r["relatedSpdxElement"] for r in bill["relationships"]
            if r["relationshipType"] == "DESCRIBES"] == ["SPDXRef-minivmm"]


def test_release_bill_of_files(bill, unpacked, release):
    """Every file of the archive but itself, by checksums, and SPDX's sum of these. It is in there."""
    inside = unpacked / "share/doc/minivmm/minivmm.spdx.json"
    assert inside.read_bytes() == (release / f"{NAME}.spdx.json").read_bytes()
    described = {file["fileName"].removeprefix("./"): {c["algorithm"]: c["checksumValue"]
                                                       for c in file["checksums"]}
                 for file in bill["files"]}
    assert described == {
        name: {kind: hashlib.new(kind, (unpacked / name).read_bytes()).hexdigest()
               for kind in ("SHA1", "SHA256")}
        for name in INSTALLED | ADDED - {"share/doc/minivmm/minivmm.spdx.json"}}
    code = bill["packages"][0]["packageVerificationCode"]
    assert code["packageVerificationCodeExcludedFiles"] == ["./share/doc/minivmm/minivmm.spdx.json"]
    sums = "".join(sorted(sums["SHA1"] for sums in described.values()))
    assert code["packageVerificationCodeValue"] == hashlib.sha1(sums.encode()).hexdigest()


def test_release_bill_of_packages(bill, tree, unpacked):
    """minivmm at its commit, and what it was built of and with, at the versions that are installed."""
    minivmm, *debian = bill["packages"]
    assert (minivmm["versionInfo"], minivmm["licenseDeclared"]) == (VERSION, "MIT")
    assert minivmm["sourceInfo"] == "git commit " + git(tree, "rev-parse", "HEAD").strip()
    date = datetime.datetime.fromtimestamp(DATE, datetime.timezone.utc)
    assert bill["creationInfo"]["created"] == date.strftime("%Y-%m-%dT%H:%M:%SZ")
    installed = {p["name"]: run("dpkg-query", "-W", "-f", "${Version}", p["name"]).expect(0).out
                 for p in debian}
    assert {p["name"]: p["versionInfo"] for p in debian} == installed
    parts = {(r["relationshipType"], r["spdxElementId"], r["relatedSpdxElement"])
             for r in bill["relationships"]} - {
                 (kind, one, other) for kind in ("CONTAINS", "DESCRIBES") for one in
                 ("SPDXRef-DOCUMENT", "SPDXRef-minivmm") for other in
                 [e["SPDXID"] for e in [minivmm, *bill["files"]]]}
    compiler = next(name for name in installed if name.startswith("gcc-"))
    assert parts == {
        ("STATIC_LINK", "SPDXRef-File-bin-minivmm", "SPDXRef-Debian-musl-dev"),
        ("BUILD_DEPENDENCY_OF", "SPDXRef-Debian-linux-libc-dev", "SPDXRef-minivmm"),
        ("BUILD_TOOL_OF", f"SPDXRef-Debian-{compiler}", "SPDXRef-minivmm"),
        ("BUILD_TOOL_OF", "SPDXRef-Debian-binutils", "SPDXRef-minivmm")}
    lines = run(unpacked / "bin/minivmm", "--version").expect(0).out.splitlines()
    assert lines[2].removeprefix("compiler  gcc ") == installed[compiler].split("-")[0]
    assert lines[3].removeprefix("libc  musl ") == installed["musl-dev"].split("-")[0]


# ---- the Debian package ----

@pytest.fixture(scope="module")
def package(tree, tmp_path_factory):
    """The folder with the package."""
    need_program("dpkg-buildpackage")
    need_program("dh")
    out = tmp_path_factory.mktemp("package")
    script(tree, "package", out).expect(0)
    return out


def test_release_changelog():
    """Its version is meson's; its date is written as Debian writes it, and no later than the commit."""
    need_program("dpkg-parsechangelog")

    def field(name):
        return run("dpkg-parsechangelog", "-l", ROOT / "scripts/debian/changelog", "-S", name
                   ).expect(0).out.strip()

    assert field("Version") == VERSION
    date = email.utils.parsedate_to_datetime(field("Date"))
    assert date.strftime("%a, %d %b %Y %H:%M:%S %z") == field("Date")
    committed = run("git", "--git-dir=.git", "log", "-1", "--format=%ct", cwd=ROOT)
    assert committed.status or int(field("Timestamp")) <= int(committed.out)
    control = (ROOT / "scripts/debian/control").read_text()
    assert re.search("^Maintainer: (.*)$", control, re.M)[1] == field("Maintainer")


def test_release_package_copyright():
    """The licence is LICENSE's, word by word."""
    text = (ROOT / "scripts/debian/copyright").read_text()
    terms = re.sub(r"^ \.?", "", text.split("License: MIT\n")[-1], flags=re.M)
    assert terms.split() == (ROOT / "LICENSE").read_text().split("\n\n", 2)[2].split()
    assert re.search("^Copyright: (.*)$", text, re.M)[1] == re.search(
        r"^Copyright \(c\) (.*)$", (ROOT / "LICENSE").read_text(), re.M)[1]


def test_release_package_passes_lintian(package):
    need_program("lintian")
    assert not list((ROOT / "scripts/debian").glob("*overrides*"))
    ran = run("lintian", "--fail-on", "error,warning", package / f"minivmm_{VERSION}_amd64.changes",
              timeout=180)
    assert (ran.status, ran.out) == (0, ""), ran


def test_release_package_is_the_same_later(package, tree, tmp_path):
    if not NIGHTLY:
        pytest.skip("takes long: scripts/test --nightly")
    need_program("faketime")
    script(tree, "package", tmp_path / "out", before=["faketime", "-f", "+500d"], umask=0o077).expect(0)
    name = f"minivmm_{VERSION}_amd64.deb"
    assert sha256(tmp_path / "out" / name) == sha256(package / name)


def need_overlay():
    """This machine's files with a layer on top that takes what is written, and goes."""
    need_namespaces()
    if not may("unshare", "-m", "sh", "-ec", OVERLAY + "true"):
        missing("no overlay file system can be mounted over / here")


OVERLAY = """
    mount -t tmpfs none /mnt; cd /mnt; mkdir upper work root
    mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root
    mount --rbind /dev root/dev; mount -t proc none root/proc; mount --rbind /sys root/sys
"""


def test_release_package_installs(package, tree, tmp_path):
    """dpkg takes it, its files are there and whole, it runs; removed, it leaves nothing."""
    need_overlay()
    deb = package / f"minivmm_{VERSION}_amd64.deb"
    script_inside = """
        dpkg -i /deb >&2
        dpkg --verify minivmm
        dpkg-query -W -f '${Version} ${Architecture} ${Depends}\\n' minivmm
        minivmm --version
        dpkg -L minivmm | while read -r f; do [ -d "$f" ] || echo "$f"; done | sort | tee /files
        gzip -dc /usr/share/man/man1/minivmm.1.gz | grep -c -x '.TH MINIVMM .*'
        dpkg --purge minivmm >&2
        while read -r f; do [ ! -e "$f" ]; done </files"""
    ran = run("unshare", "-m", "sh", "-ec", f"""{OVERLAY}
        cp {deb} root/deb; exec chroot root env -i PATH="$PATH" sh -ec "$0" """, script_inside,
              timeout=180)
    assert ran.status == 0, ran
    dpkg, *version = ran.out.splitlines()[:5]
    assert re.fullmatch(rf"{re.escape(VERSION)} amd64 libc6 \(>= [0-9.]+\)", dpkg), ran
    assert version[:2] == [f"minivmm {VERSION}",
                           "commit  " + git(tree, "rev-parse", "--short=12", "HEAD").strip()]
    assert version[3].startswith("libc  glibc ")
    *files, man = ran.out.splitlines()[5:]
    assert man == "1"
    expected = {name.replace("zsh/site-functions", "zsh/vendor-completions") for name in INSTALLED}
    expected -= {"share/doc/minivmm/LICENSE", "share/man/man1/minivmm.1"}
    expected |= {"share/man/man1/minivmm.1.gz", "share/doc/minivmm/copyright",
                 "share/doc/minivmm/changelog.gz"}
    assert set(files) == {f"/usr/{name}" for name in expected}


def test_release_package_probes(package):
    """The packaged program comes to the verdict that a build from the clone comes to."""
    need_kvm()
    need_overlay()
    deb = package / f"minivmm_{VERSION}_amd64.deb"
    ran = run("unshare", "-m", "sh", "-ec", f"""{OVERLAY}
        dpkg-deb -x {deb} root; exec chroot root minivmm --nested-probe --format json""")
    ours = run(built("gcc"), "--nested-probe", "--format", "json").report()
    assert ran.report()["reason"] == ours["reason"]


# ---- the image ----

def recipe(word):
    """What the recipe says by a word, in order: JSON, or a list of words."""
    text = (ROOT / "scripts/Containerfile").read_text()
    found = re.findall(rf"^{word} (.*)$", text, re.M)
    return [json.loads(rest) if rest.startswith("[") else rest.split() for rest in found]


def test_release_image_root(unpacked, tmp_path):
    """Without a container: what the recipe copies is all that the program needs, beside /dev/kvm."""
    need_namespaces()
    need_kvm()
    assert recipe("FROM") == [["scratch"]]
    copies = [f"mkdir -p root{os.path.dirname(to)}; cp -r {unpacked / one} root{to}"
              for one, to in recipe("COPY")]
    [entry], [words] = recipe("ENTRYPOINT"), recipe("CMD")
    ran = run("unshare", "-m", "sh", "-ec", f"""mount -t tmpfs none {tmp_path}; cd {tmp_path}
        {'; '.join(copies)}
        mkdir root/dev; touch root/dev/kvm; mount --bind /dev/kvm root/dev/kvm
        exec chroot root {' '.join(entry + words)} --format json""")
    ours = run(built("gcc"), "--nested-probe", "--format", "json").report()
    assert ran.report()["reason"] == ours["reason"]


@dataclasses.dataclass
class Builder:
    """buildah with a store of its own."""
    store: list

    def __call__(self, *args, **more):
        return run("buildah", *self.store, *args, timeout=180, **more)


@pytest.fixture(scope="module")
def image(unpacked, tmp_path_factory):
    """buildah, after it has built the image `minivmm`."""
    need_program("buildah")
    if os.geteuid() != 0:
        pytest.skip("buildah without root needs subordinate user ids")
    folder = tmp_path_factory.mktemp("image")
    buildah = Builder(["--storage-driver", "vfs", "--root", folder / "root",
                       "--runroot", folder / "run"])
    ran = buildah("build", "--isolation", "chroot", "-t", "minivmm",
                  "-f", ROOT / "scripts/Containerfile", unpacked)
    assert ran.status == 0, ran
    yield buildah
    buildah("rm", "--all")
    buildah("rmi", "--all", "--force")


def test_release_image_configuration(image):
    """The program runs as it is, and probes unless told otherwise; nothing else is in there."""
    config = json.loads(image("inspect", "--type", "image", "minivmm").expect(0).out)["OCIv1"]["config"]
    assert (config["Entrypoint"], config["Cmd"]) == (["/bin/minivmm"], ["--nested-probe"])
    container = image("from", "minivmm").out.strip()
    root = image("mount", container).expect(0).out.strip()
    listed = run("find", root, "-type", "f", "-printf", "%P\n").expect(0).out.split()
    assert set(listed) == {"bin/minivmm"} | {n for n in INSTALLED | ADDED if n.startswith("share/doc/")}


@pytest.mark.parametrize("isolation, device", [("chroot", True), ("oci", True), ("oci", False)])
def test_release_image_runs(image, isolation, device):
    """With /dev/kvm handed in, the image finds what the machine finds; without, it says so by name.
    (buildah's chroot isolation shows all of the machine's devices.)"""
    need_kvm()
    if isolation == "oci":
        need_program("runc")
    container = image("from", *(["--device", "/dev/kvm"] if device else []), "minivmm").out.strip()
    network = ["--network", "none"] if isolation == "oci" else []
    ran = image("run", "--isolation", isolation, *network, container, "--", "/bin/minivmm",
                "--nested-probe", "--format", "json", env={"BUILDAH_RUNTIME": "runc"})
    assert '"/bin/minivmm"' not in ran.err, ran  # runc's word for a program that it does not find
    if isolation == "oci" and not ran.out:
        pytest.skip(f"no container can be run here: {ran.err.strip()}")
    report = dataclasses.replace(ran, err="").report()
    ours = run(built("gcc"), "--nested-probe", "--format", "json").report()
    assert report["reason"] == (ours["reason"] if device else "kvm-dev-not-in-container")
