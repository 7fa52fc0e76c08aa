# scripts/test -k readme
# SPDX-License-Identifier: MIT
"""The README holds what it promises: each command block runs, and each report shown is a real one."""
import os
import pathlib
import re
import shlex
import xml.etree.ElementTree

import pytest
import yaml

from harness import (INSIDE, ROOT, Boot, boot, built, need_kvm, probe, rig, run,
                     tcg_knows_xsetbv)

TEXT = (ROOT / "README.md").read_text()


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.M | re.S)


def block(begins):
    """The command block that begins so; an output block that follows it is the second."""
    found = [text for text in blocks("sh") if text.startswith(begins)]
    assert len(found) == 1, f"{len(found)} blocks begin with {begins!r}"
    return found[0]


def checkout(folder):
    """What the blocks take for a clone that is built: scripts, and build/ with the program."""
    (folder / "build").mkdir()
    (folder / "build/minivmm").symlink_to(built("gcc"))
    (folder / "build/l1.elf").symlink_to(built("gcc", "l1.elf"))
    for name in ("scripts", "vmm", "guest"):
        (folder / name).symlink_to(ROOT / name)
    return folder


def shell(text, folder, env=None, timeout=120):
    return run("sh", "-c", text, cwd=folder, env=env, timeout=timeout)


# ---- blocks that run as they stand: here ----

# the block's beginning, and what the last of its commands may end with besides this machine's verdict
PROBES = [
    ("build/minivmm --nested-probe\n", set()),
    ("build/minivmm --nested-probe --repeat 100", set()),
    ("build/minivmm --nested-probe --features\n", set()),
    ("build/minivmm --nested-probe --features --quiet", set()),
    ("build/minivmm --nested-probe --require nested\n", {1, 2}),
    ("MINIVMM=build/minivmm scripts/recipes/smoke-test.sh", {1}),
]


@pytest.mark.parametrize("begins, other", PROBES, ids=[row[0].strip() for row in PROBES])
def test_readme_probes(tmp_path, begins, other):
    need_kvm()
    status = probe("gcc").status
    ran = shell(block(begins), checkout(tmp_path))
    assert ran.status in {status} | other and ran.err == "", ran


def test_readme_files_are_there(tmp_path):
    """What the block on --output names is written."""
    need_kvm()
    text = block("build/minivmm --nested-probe --features --quiet")
    shell(text, checkout(tmp_path))
    names = re.findall(r"--output \w+:(\S+)", text)
    assert len(names) == 3 and all((tmp_path / name).stat().st_size > 100 for name in names)


def test_readme_first_kernel(tmp_path):
    """The kernel of nine instructions prints what is shown behind it."""
    need_kvm()
    ran = shell(block("cat >hello.S"), checkout(tmp_path))
    shown = re.search(r"hello\.elf\n```\n\n```\n(.*?)```", TEXT, re.S)[1]
    assert ran.expect(0).out.replace("\r\n", "\n") == shown == "hello, world\n"


def test_readme_other_kernel(tmp_path):
    """IMAGE and MODULE are the reader's; the words around them are taken as they stand."""
    need_kvm()
    text = block("build/minivmm --kernel IMAGE").replace("IMAGE", str(built("gcc", "mb_hello.elf")))
    module = tmp_path / "module"
    module.write_text("module\n")
    ran = shell(text.replace("MODULE", str(module)), checkout(tmp_path))
    assert "words for it" in ran.out and "module" in ran.out, ran


def test_readme_kvm_unit_tests(tmp_path):
    """A stand-in for a built tree: its runner gets the words, and minivmm for a QEMU."""
    need_kvm()
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "config.mak").write_text("ARCH=x86_64\n")
    runner = tree / "run_tests.sh"
    runner.write_text('#!/bin/sh\necho "runner: $*"\n"$QEMU" --version\n')
    runner.chmod(0o755)
    text = block("scripts/kvm-unit-tests").replace("PATH-TO-A-BUILT-TREE", str(tree))
    ran = shell(text, checkout(tmp_path), env={"MINIVMM": str(built("gcc"))})
    assert "runner: -g vmexit\n" in ran.out and ran.err == "", ran


def test_readme_fleet(tmp_path):
    """The block for machines, with the folders of a machine that has all of these, and no scontrol."""
    need_kvm()
    text = block("# node_exporter's textfile collector")
    for path in re.findall(r"(?:prometheus|nfd):(/\S+)/", text):
        (tmp_path / path[1:]).mkdir(parents=True)
        text = text.replace(path, str(tmp_path / path[1:]))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/minivmm").symlink_to(built("gcc"))
    scontrol = tmp_path / "bin/scontrol"
    scontrol.write_text('#!/bin/sh\necho "scontrol $*"\n')
    scontrol.chmod(0o755)
    ran = shell(text, tmp_path, env={"PATH": f"{tmp_path}/bin:{os.environ['PATH']}"})
    assert ran.err == "", ran
    works = probe("gcc").report()["verdict"] in ("works", "limited")
    assert ("scontrol update NodeName=" in ran.out) != works
    assert [len(line) < 80 for line in ran.out.splitlines()[:2]] == [True, True]
    written = [path for path in tmp_path.rglob("*minivmm*") if path.is_file() and path.stat().st_size < 65536]
    assert len(written) == 2, written


# ---- and in an emulated host ----

def test_readme_rig(tmp_path):
    """Each line but the one that installs: works, nesting off, works."""
    lines = block("scripts/setup rig-amd rig-intel").splitlines()
    statuses = []
    for line in lines[1:]:
        words = shlex.split(line)
        assert words[0] == "scripts/rig"
        rig(words[1], "--prepare", timeout=900)
        ran = shell(line, checkout(tmp_path) if not statuses else tmp_path, timeout=330)
        assert ran.err == "", ran
        statuses.append(ran.status)
    assert statuses == [0, 77, 0]


def alike(text):
    """Without what differs from run to run, or with the width of the terminal."""
    text = re.sub(r"[\d.]+ (ms|µs|s)\b", "TIME", text)
    text = re.sub(r"EPYC-v\d", "EPYC", text)  # as newer QEMUs call it
    text = re.sub(r"\d[\d,]*(\.\d+\S*)?", "N", text)
    return [" ".join(line.split()) for line in text.strip().splitlines() if line.strip()]


PROBE = "LC_ALL=C.UTF-8 " + INSIDE["gcc"] + " --nested-probe --timeout 60"
SHOWN = Boot(("amd",), {"works": PROBE, "map": PROBE + " --features"})
SHOWN_OFF = Boot(("amd", "--nested", "0"), {"off": PROBE})


@pytest.mark.parametrize("shown, which, command", [
    ("minivmm: does nested virtualization work here?", SHOWN, "works"),
    ("── UNAVAILABLE", SHOWN_OFF, "off"),
    ("Nested features:", SHOWN, "map"),
])
def test_readme_reports_are_real(shown, which, command):
    """But for times, counts and versions, this is what the emulated host gives today."""
    if command == "map" and tcg_knows_xsetbv():
        pytest.skip("this QEMU has mended the one feature that fails in the README")
    example = next(text for text in blocks("") if text.startswith(shown))
    real = alike(boot(which)[command].out)
    example = alike(example)
    assert example[0] in real
    start = real.index(example[0])
    assert real[start:start + len(example)] == example


def test_readme_picture():
    """An image that a browser shows, of a report that ends in the verdict that its words promise."""
    path = re.search(r"!\[([^]]*WORKS)\]\(([^)]+)\)", TEXT)
    picture = ROOT / path[2]
    text = "".join(xml.etree.ElementTree.parse(picture).getroot().itertext())
    assert " WORKS " in text.replace("\xa0", " ") and "witnesses" in text
    assert "http" not in picture.read_text().replace("http://www.w3.org/2000/svg", ""), "it asks for nothing"


# ---- what other tests run ----

ELSEWHERE = {
    # a clone, by what tests/test_quickstart (below) and test_linux, test_release and scripts/test do
    "scripts/linux-as-l1 amd": ("test_linux.py", "test_linux_as_l1"),
    "scripts/test": ("../.ci/run", "scripts/test"),
    "CC=musl-gcc meson setup build-static": ("../scripts/test", "build static musl-gcc -Dstatic=true"),
    "scripts/package": ("test_release.py", 'script(tree, "package"'),
    "scripts/release": ("test_release.py", 'script(tree, "release"'),
    "tar -xzf build-release": ("test_release.py", "Containerfile"),
}


@pytest.mark.parametrize("begins", ELSEWHERE)
def test_readme_elsewhere(begins):
    block(begins)
    file, word = ELSEWHERE[begins]
    assert word in (ROOT / "tests" / file).read_text()


def test_readme_quickstart(tmp_path):
    """A fresh clone, and one command to a verdict: here, or in the emulated host."""
    need_kvm()
    rig("amd", "--prepare", timeout=900)
    clone = tmp_path / "clone"
    # in a CI's container the checkout is another user's, which git asks about
    config = tmp_path / "gitconfig"
    config.write_text("[safe]\n\tdirectory = *\n")
    run("git", "clone", "-q", ROOT, clone, timeout=60, env={"GIT_CONFIG_GLOBAL": str(config)}).expect(0)
    ran = shell(block("scripts/quickstart"), clone, timeout=600)
    assert ran.status == 0, ran
    assert " WORKS " in ran.out or " LIMITED " in ran.out, ran


def test_readme_every_block_is_run():
    """No command in the README that no test knows."""
    known = [row[0] for row in PROBES] + list(ELSEWHERE) + [
        "cat >hello.S", "build/minivmm --kernel IMAGE", "scripts/kvm-unit-tests", "# node_exporter",
        "scripts/setup rig-amd rig-intel", "scripts/quickstart"]
    for text in blocks("sh"):
        assert sum(text.startswith(begins) for begins in known) == 1, text
    assert len(blocks("sh")) == len(known)
    # every fence has a language that somebody looks at, or is what a command printed
    assert set(re.findall(r"^```(\w*)$", TEXT, re.M)) <= {"sh", "yaml", ""}


def test_readme_yaml():
    """Recipes to copy: they parse (tests/test_recipes.py runs what they call)."""
    assert len(blocks("yaml")) == 3
    for text in blocks("yaml"):
        assert isinstance(yaml.safe_load(text), (list, dict))


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\((?!http|#)([^)#]+)\)", TEXT))))
def test_readme_links(target):
    assert (ROOT / target).exists()


def test_readme_anchors():
    headings = {re.sub(r"[^a-z0-9 -]", "", line[3:].lower()).replace(" ", "-")
                for line in TEXT.splitlines() if line.startswith("## ")}
    assert set(re.findall(r"\]\(#([^)]+)\)", TEXT)) <= headings


def test_readme_tables_are_the_programs():
    """The table of exit styles, and the formats, as the program lists them."""
    listed = run(built("gcc"), "--list", "exit-styles").out.splitlines()[1:]
    for line in listed:
        name, *numbers = line.split()[:8]
        assert re.search(rf"^\| `{name}`[^|]*\| " + r" \| ".join(numbers) + r" \|$", TEXT, re.M), name
    for line in run(built("gcc"), "--list", "formats").out.splitlines():
        name = line.split()[0]
        assert name.startswith("github-") or re.search(rf"^\|.*`{name}`.*\|", TEXT, re.M), name


def test_readme_paths_are_relative():
    assert not re.search(r"/(root|home|work|tmp)/", TEXT), "a path of somebody's machine"
    assert pathlib.Path(ROOT / "README.md").stat().st_size < 40_000
