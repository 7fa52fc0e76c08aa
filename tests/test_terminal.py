# scripts/test --no-rigs -k terminal
# SPDX-License-Identifier: MIT
"""On a terminal: the line of progress, and completion as the shells do it."""
import os
import pty
import re
import select
import shutil
import struct
import subprocess
import fcntl
import termios
import time

import pytest

from harness import ROOT, built, missing, need_kvm, run


class Terminal:
    """A command on a terminal of its own, driven by keys."""

    def __init__(self, *command, columns=80, stdout=None, env=None):
        self.ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.child = subprocess.Popen(
            [str(word) for word in command], stdin=theirs, stdout=stdout or theirs, stderr=theirs,
            start_new_session=True, env={**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8", **(env or {})})
        os.close(theirs)
        self.out = ""

    def read_until(self, pattern, seconds=20):
        """What came, up to and with `pattern`; None stands for the end."""
        end, start = time.monotonic() + seconds, len(self.out)
        while pattern is None or not re.search(pattern, self.out[start:]):
            left = end - time.monotonic()
            assert left > 0, f"no {pattern!r} in {self.out[start:]!r}"
            if not select.select([self.ours], [], [], left)[0]:
                continue
            try:
                data = os.read(self.ours, 65536)
            except OSError:  # the last writer is gone
                data = b""
            if not data:
                assert pattern is None, f"no {pattern!r} in {self.out[start:]!r}"
                break
            self.out += data.decode()
        return self.out[start:]

    def type(self, text):
        os.write(self.ours, text.encode())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.kill()
        self.child.wait()
        os.close(self.ours)


# ---- the line of progress ----

def series_on_terminal(*args, columns=80, env=None):
    """What the terminal gets behind stderr alone, and the exit status."""
    need_kvm()
    with open(os.devnull, "wb") as nowhere, \
            Terminal(built("gcc"), "--nested-probe", *args, columns=columns, stdout=nowhere,
                     env=env) as terminal:
        out = terminal.read_until(None)
        return out, terminal.child.wait(timeout=5)


@pytest.mark.parametrize("args, words", [
    (["--duration", "1.5"], r"minivmm: \d+ runs, \d+ not working, 1 s, about \d+ s left"),
    (["--duration", "1.5", "--all-cpus"], r"minivmm: \d+ runs, \d+ not working, 1 s, about \d+ s left"),
    (["--repeat", "100000", "--parallel", "3", "--duration", "1.5"], r"minivmm: \d+ of 300000 runs"),
    (["--repeat", "1000000", "--duration", "1.5"], r"minivmm: \d+ of 1000000 runs, .* left"),
], ids=" ".join)
def test_terminal_progress(args, words):
    """One line, drawn again and again, and gone when it is done."""
    verdict = run(built("gcc"), "--nested-probe", "--quiet").status
    out, status = series_on_terminal(*args)
    assert status == verdict
    assert re.search(words.replace(", \\d+ not working", "(, \\d+ not working)?"), out), out
    assert "\n" not in out
    assert out.endswith("\r\x1b[K")
    lines = out.split("\r")[1:]
    assert len(lines) > 2 and all(line.endswith("\x1b[K") and len(line) <= 79 + 3 for line in lines)


def test_terminal_progress_is_cut_to_the_width():
    out, _ = series_on_terminal("--duration", "1", columns=20)
    assert max(len(line) for line in out.split("\r")) <= 19 + len("\x1b[K")


@pytest.mark.parametrize("args, env", [(["--quiet"], {}), ([], {"TERM": "dumb"})], ids=str)
def test_terminal_progress_not_wanted(args, env):
    assert series_on_terminal("--duration", "1", *args, env=env)[0] == ""


def test_terminal_progress_not_in_a_file():
    need_kvm()
    assert run(built("gcc"), "--nested-probe", "--duration", "1").err == ""


def test_terminal_progress_for_one_run():
    """A single probe is quicker than a glance."""
    need_kvm()
    with open(os.devnull, "wb") as nowhere, \
            Terminal(built("gcc"), "--nested-probe", stdout=nowhere) as terminal:
        assert terminal.read_until(None) == ""


# ---- completion ----

# what is typed, and what the shell makes of it
COMPLETED = [
    ("--exit-st", "--exit-style"),
    ("--format jun", "--format junit"),
    ("--format=jun", "--format=junit"),
    ("--require nested,l2-ent", "--require nested,l2-entry"),
    ("--require=nested,l2-ent", "--require=nested,l2-entry"),
    ("--explain nested-dis", "--explain nested-disabled"),
    ("--output nf", "--output nfd:"),
    ("--output json:/etc/hostn", "--output json:/etc/hostname"),
    ("--cpu host,+vgi", "--cpu host,+vgif"),
    ("--list exit", "--list exit-styles"),
    ("--exit-style kse", "--exit-style kselftest"),
    ("--kernel /etc/hostn", "--kernel /etc/hostname"),
    ("--help a", "--help all"),
    ("--disp", "--display"),
    ("--display n", "--display none"),
]


def completions(folder, shell):
    if not shutil.which(shell):
        missing(f"there is no {shell} here: scripts/setup test")
    path = folder / {"bash": "minivmm", "zsh": "_minivmm", "fish": "minivmm.fish"}[shell]
    run(ROOT / "scripts/completions", built("gcc"), shell, path).expect(0)
    return path


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_terminal_completion_is_sound(tmp_path, shell):
    run(shell, "-n", completions(tmp_path, shell)).expect(0)


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_terminal_completes(tmp_path, shell):
    """Typed into the shell itself, with a Tab behind."""
    script = completions(tmp_path, shell)
    command, setup = {
        "bash": (["bash", "--norc", "-i"], f"source {script}"),
        "zsh": (["zsh", "-f", "-i"],
                f"fpath=({tmp_path} $fpath); autoload -Uz compinit; compinit -u -D; unsetopt list_beep"),
    }[shell]
    with Terminal(*command, columns=200, env={"HOME": str(tmp_path), "INPUTRC": os.devnull}) as terminal:
        # in the program's place: what the shell gives it
        terminal.type(f"PS1=; {setup}; minivmm() {{ echo \"got: $*;\"; }}; echo rea''dy\n")
        terminal.read_until("ready\r?\n")
        one_dash = [("-nested-pr", "-nested-probe"), ("-cpu ho", "-cpu host")] if shell == "bash" else []
        for typed, completed in COMPLETED + one_dash:
            terminal.type(f"minivmm {typed}\t")
            time.sleep(0.2)  # a shell that still completes would take the next key for an answer
            terminal.type("\n")
            assert f"got: {completed};" in terminal.read_until(r"got: [^;\n]*;"), (typed, completed)


@pytest.mark.parametrize("typed, completed", COMPLETED)
def test_terminal_completes_in_fish(tmp_path, typed, completed):
    script = completions(tmp_path, "fish")
    out = run("fish", "-c", f"source {script}; complete -C 'minivmm {typed}'",
              env={"HOME": str(tmp_path)}).expect(0).out
    offered = [line.split("\t")[0] for line in out.splitlines()]
    assert completed.split(" ")[-1] in offered or completed.split("=")[-1] in offered, out


def test_terminal_completes_every_option_and_value(tmp_path):
    """From the parser's own table: nothing is missing in any of them."""
    values = [line.split("\t") for line in run(built("gcc"), "--list", "values").out.splitlines()]
    options = [line.split("\t")[0] for line in run(built("gcc"), "--list", "options").out.splitlines()]
    for shell in ("bash", "zsh", "fish"):
        text = completions(tmp_path, shell).read_text()
        for option in options:
            assert re.search(rf"(--|-l |-|-s ){option}\b", text), (shell, option)
        for _, _, value, _ in values:
            assert value.replace(":", "\\:") in text or value in text, (shell, value)
