# scripts/test tests/test_kernel.py
# SPDX-License-Identifier: MIT
"""minivmm --kernel, end to end: small kernels of our own (guests/kernels) that show one behaviour each.

The rows run on this machine's KVM and, all in one boot, on the emulated AMD host's.
"""
import dataclasses
import datetime
import fcntl
import os
import pty
import re
import resource
import select
import shlex
import signal
import struct
import subprocess
import termios
import time

import pytest

from harness import (INSIDE, ROOT, Boot, boot, built, kvm_is_pvm, need_kvm, need_program, run)

NATIVE = ["gcc", "sanitizers", "clang", "static"]
MODULE = ROOT / "tests/guests/kernels/module.txt"
EXIT = "-device isa-debug-exit,iobase=0xf4,iosize=4"
PASS = 1  # isa-debug-exit's word for 0
POWER_OFF, USAGE, RESET, TRIPLE, KVM_ERROR, HALTED, FAILED, TIMED_OUT = 0, 2, 32, 34, 36, 38, 99, 124

LOW = "0x0 + 0x9fc00{}\n0x9fc00 + 0x400 reserved\n0xe0000 + 0x20000 reserved\n"
MAP = LOW.format("") + "0x100000 + 0x7f00000\n"
MB_MAP = ("memory 0x0 + 0x9fc00, type 1\nmemory 0x9fc00 + 0x400, type 2\n"
          "memory 0xe0000 + 0x20000, type 2\n")


def kernel(name):
    return built("gcc", name)


@dataclasses.dataclass(frozen=True)
class Row:
    """One run: the kernel, its options, and all that comes of it."""
    kernel: str
    options: str
    status: int
    out: str          # {kernel} and {version} are filled in
    err: tuple = ()   # regular expressions in standard error; none: it is empty
    stdin: str = ""
    lacks: str = ""   # what KVM's pvm backend cannot do, so that a real KVM is needed
    pvm: bool = False  # only there, for that is what it shows
    amd: bool = True  # in the rig, too

    @property
    def name(self):
        return re.sub(r"[^\w.=-]+", "_", f"{self.kernel} {self.options}").strip("_")

    def command(self, program):
        words = self.options.replace("MODULE", str(MODULE))
        return f"{program} {EXIT} --timeout 20 --kernel {kernel(self.kernel)} {words}"

    def expect(self, ran):
        version = run(built("gcc"), "--version").out.splitlines()[0]
        assert (ran.status, ran.out) == (self.status, self.out.format(
            kernel=kernel(self.kernel), version=version, module=MODULE)), ran
        assert self.err or ran.err == "", ran
        for part in self.err:
            assert re.search(part, ran.err, re.M), f"no {part} in {ran}"


HALT_LINE = r"^minivmm: CPU 0: halted for good: .*, at RIP 0x100"
TIME_LINE = r"^minivmm: CPU 0: time ran out, at RIP 0x100"
INT_N = "no interrupts and no int n for a guest without paging"
BIOS_OUT = ("0000000000 000009fc00\n000009fc00 0000000400 reserved\n00000e0000 0000020000 reserved\n"
            "0000100000 0007f00000\nkey q\ntick\n")

ROWS = [
    # ---- protocols ----
    Row("mb_hello.elf", "-append 'one  two' -initrd MODULE -initrd MODULE", PASS,
        "{version}\n{kernel} one  two\n639 KiB, 130048 KiB\nmodule {module}: a module\n"
        "module {module}: a module\n" + MB_MAP + "memory 0x100000 + 0x7f00000, type 1\n"),
    Row("mb_hello.elf", "-m 2", PASS, "{version}\n{kernel}\n639 KiB, 1024 KiB\n" + MB_MAP +
        "memory 0x100000 + 0x100000, type 1\n"),
    Row("mb_hello.elf", "-m 3G", PASS, "{version}\n{kernel}\n639 KiB, 3144704 KiB\n" + MB_MAP +
        "memory 0x100000 + 0xbff00000, type 1\n"),
    Row("mb_hello.elf", "-m 5G", PASS, "{version}\n{kernel}\n639 KiB, 3144704 KiB\n" + MB_MAP +
        "memory 0x100000 + 0xbff00000, type 1\nmemory 0x100000000 + 0x80000000, type 1\n"),
    Row("mb_addr.bin", "", PASS, "address fields\n"),
    Row("mb_hello.elf", "-append 'one  two' -initrd 'MODULE x y,MODULE'", PASS,
        "{version}\n{kernel} one  two\n639 KiB, 130048 KiB\nmodule {module} x y: a module\n"
        "module {module}: a module\n" + MB_MAP + "memory 0x100000 + 0x7f00000, type 1\n"),
    Row("mb2_hello.elf", "-append words -initrd MODULE", PASS,
        "1 {kernel} words\n2 {version}\n4 639 KiB, 130048 KiB\n6 0x0 + 0x9fc00; 0x9fc00 + 0x400 "
        "reserved; 0xe0000 + 0x20000 reserved; 0x100000 + 0x7f00000; \n14 RSD PTR sum right\n"
        "15 RSD PTR sum right\n3 module {module}: a module\n"),
    Row("pvh_hello.elf", "-append 'w x' -initrd MODULE", PASS,
        "w x\nmodule {module}: a module\n" + MAP + "RSD PTR\n"),
    Row("pvh_hello_64.elf", "-initrd MODULE", PASS, "\nmodule {module}: a module\n" + MAP + "RSD PTR\n"),
    Row("pvh_hello.elf", "-machine acpi=off", PASS, "\n" + MAP + "\n"),
    Row("elf64_hello.elf", "", PASS, "long mode\n"),
    Row("flat_real.bin", "--format flat@0x8000", PASS, "real\n"),
    Row("flat_real.bin", "--format flat@0x8000,real", PASS, "real\n"),
    Row("flat_protected.bin", "--format flat@0x8000,protected", PASS, "protected\n"),
    Row("flat_long.bin", "--format flat@0x8000,long", PASS, "long\n"),
    Row("flat_segment.bin", "--format flat@0x21234", PASS, "y"),
    Row("bios.bin", "--format flat@0x8000", POWER_OFF, BIOS_OUT, stdin="q", lacks=INT_N),
    Row("bios.bin", "--format flat@0x8000 --strict-io", POWER_OFF, BIOS_OUT, stdin="q", lacks=INT_N,
        err=(r"\Aminivmm: the BIOS has no service int 0x15 with AX 0x4200: called before "
             r"0000:8[0-9a-f]{3}\n\Z",)),
    Row("real_fault.bin", "--format flat@0x8000", HALTED, "fault\n",
        (r"^minivmm: CPU 0: halted for good: .*, at RIP 0xfc",)),
    Row("linux_64.bin", "-append console=x -initrd MODULE", PASS,
        "64-bit entry\nconsole=x\na module\nRSD PTR\n" + MAP),
    Row("linux_32.bin", "-append console=x -initrd MODULE -initrd MODULE", PASS,
        "32-bit entry\nconsole=x\na modulea module\nRSD PTR\n" + MAP),
    Row("low_image.elf", "-append words", PASS, "at 32 KiB\n"),

    # ---- the ends ----
    Row("power_off.elf", "-append acpi", POWER_OFF, "good night\n"),
    Row("power_off.elf", "-append 0x604", POWER_OFF, "good night\n"),
    Row("power_off.elf", "-append 0xb004", POWER_OFF, "good night\n"),
    Row("power_off.elf", "-append bochs", POWER_OFF, "good night\n"),
    Row("reset.elf", "-append acpi", RESET, "again\n"),
    Row("reset.elf", "-append 0xcf9", RESET, "again\n"),
    Row("reset.elf", "-append 0x64", RESET, "again\n"),
    Row("reset.elf", "-append 0x92", RESET, "again\n"),
    Row("reset.elf", "-append triple", TRIPLE, "again\n", (r"^minivmm: CPU 0: triple fault, at RIP 0x",)),
    Row("reset.elf", "-append none", 3, "again\n"),
    Row("halt.elf", "", HALTED, "the end\n", (HALT_LINE,)),
    Row("halt.elf", "-smp 3", HALTED, "the end\n", (HALT_LINE,)),
    Row("halt_if.elf", "--timeout 3", TIMED_OUT, "waiting\n", (TIME_LINE,)),
    Row("halt_if.elf", "-machine pit=off --timeout 3", TIMED_OUT, "waiting\n", (TIME_LINE,)),
    Row("spin.elf", "--timeout 3", TIMED_OUT, "spinning\n", (TIME_LINE,)),
    Row("spin.elf", "--timeout 3 -smp 2", TIMED_OUT, "spinning\n", (TIME_LINE,)),
    Row("internal_error.elf", "", KVM_ERROR, "now\n",
        (r"^minivmm: CPU 0: KVM internal error, suberror 1: .*, at RIP 0xd0000000$",)),
    Row("internal_error.elf", "-append fwait", KVM_ERROR, "now\n",
        (r"^minivmm: CPU 0: KVM internal error, suberror 1: .*, at RIP 0x100",
         r"^Code at RIP: 9b "), pvm=True),

    # ---- CPUs ----
    Row("smp.elf", "-append madt", PASS, "1 of 1 CPUs run\n"),
    Row("smp.elf", "-smp 2 -append madt", PASS, "2 of 2 CPUs run\n"),
    Row("smp.elf", "-smp 2 -append mp", PASS, "2 of 2 CPUs run\n"),
    Row("smp.elf", "-smp 4 -append madt", PASS, "4 of 4 CPUs run\n"),
    Row("smp.elf", "-smp cpus=4,cores=4 -append mp", PASS, "4 of 4 CPUs run\n"),
    Row("smp.elf", "-smp 16 -append madt", PASS, "16 of 16 CPUs run\n"),
    Row("smp.elf", "-smp 64 -append madt", PASS, "64 of 64 CPUs run\n", amd=False),
    Row("smp.elf", "-smp 64 -append mp", PASS, "64 of 64 CPUs run\n", amd=False),
    Row("smp.elf", "-smp 2 -append bare", PASS, "2 of 2 CPUs run\n"),
    Row("smp.elf", "-smp 3 -append bare", PASS, "3 of 3 CPUs run\n"),
    Row("smp_last.elf", "-smp 2", PASS, "you go on\n", amd=False),
    Row("smp_park.elf", "-smp 2", HALTED, "parked\n", (r"^minivmm: CPU 0: halted for good",)),

    # ---- devices ----
    Row("irq_uart.elf", "-append pic", PASS, "an interrupt\n", lacks=INT_N),
    Row("irq_uart.elf", "-append ioapic", PASS, "an interrupt\n", lacks=INT_N),
    Row("exception.elf", "", PASS, "int 0x30\n", lacks=INT_N),
    Row("uart_echo.elf", "", PASS, "?hello, world.", stdin="hello, world."),
    Row("uart_echo.elf", "--strict-io", PASS, "?\x01x\x03\x04\x1a.", stdin="\x01x\x03\x04\x1a."),
    Row("uart_echo.elf", "-m 64", PASS, "?" + "0123456789" * 700 + ".", stdin="0123456789" * 700 + ".and more"),
    Row("fw_cfg.elf", "-smp 3 -m 256", PASS, "0x10000000 bytes, 3 CPUs\n"),
    Row("fw_cfg.elf", "-m 5G", PASS, "0x140000000 bytes, 1 CPUs\n"),
    Row("debugcon.elf", "", PASS, "e9 402\n"),
    Row("testdev.elf", "-device pc-testdev", PASS, "echo\n"),
    Row("testdev.elf", "", 3, "testdev: not so: inl(0xe0) == 0x12345678 && inw(0xe2) == 0x1234 && "
        "inb(0xe1) == 0x56\n"),
    Row("unclaimed.elf", "", PASS, "all ones\n"),
    Row("unclaimed.elf", "--strict-io", PASS, "all ones\n",
        (r"^minivmm: nothing answers at port 0x1234: read of 1 bytes by CPU 0, RIP 0x100",
         r"^minivmm: nothing answers at port 0x1234: read of 2 bytes by CPU 0, RIP 0x100",
         r"^minivmm: nothing answers at port 0x1234: write of 4 bytes by CPU 0, RIP 0x100",
         r"^minivmm: nothing answers at port 0x2f8: read of 4 bytes by CPU 0, RIP 0x100",
         r"^minivmm: nothing answers at address 0xd0000000: write of 4 bytes by CPU 0, RIP 0x100",
         r"^minivmm: nothing answers at address 0xd0000002: read of 2 bytes by CPU 0, RIP 0x100",
         r"\A(minivmm: nothing answers at [^\n]*\n){11}\Z")),
    Row("high_memory.bin", "-m 5G", PASS, "0x180000000\n"),
    Row("high_memory.bin", "-m 3100", PASS, "0x101c00000\n"),
    Row("high_memory.bin", "-m 3G", 3, "high_memory: not so: start == 4 * GIB && AT(uint32_t, last + 16) == 1\n"),
    Row("halt.elf", "-serial none", HALTED, "", (HALT_LINE,)),
    Row("halt.elf", "-serial null", HALTED, "", (HALT_LINE,)),
    Row("halt.elf", "-nodefaults", HALTED, "", (HALT_LINE,)),
    Row("halt.elf", "-nodefaults -serial stdio", HALTED, "the end\n", (HALT_LINE,)),
]
ONE_BY_ONE = [(row, build) for row in ROWS for build in NATIVE]


def shell(row, program):
    """As one line for a shell, input included."""
    return f"printf %s {shlex.quote(row.stdin)} | {row.command(program)}"


def test_kernel_rows_have_names_of_their_own():
    assert len({row.name for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("row, build", ONE_BY_ONE, ids=[f"{r.name}-{b}" for r, b in ONE_BY_ONE])
def test_kernel_native(row, build):
    need_kvm()
    if row.lacks and kvm_is_pvm():
        pytest.skip(f"KVM's pvm backend has {row.lacks}")
    if row.pvm and not kvm_is_pvm():
        pytest.skip("shows what only KVM's pvm backend lacks")
    row.expect(run("sh", "-c", shell(row, built(build))))


AMD = Boot(("amd",), {row.name: shell(row, INSIDE["gcc"]) for row in ROWS if row.amd and not row.pvm}
           if (ROOT / "build-test/gcc/minivmm").exists() else {}, limit=300)


@pytest.mark.parametrize("row", [row for row in ROWS if row.amd and not row.pvm], ids=lambda row: row.name)
def test_kernel_amd(row):
    row.expect(boot(AMD)[row.name])


# ---- what no row can say ----

def go(name, *options, build="gcc", **more):
    need_kvm()
    return run(built(build), *EXIT.split(), "--timeout", "20", "--kernel", kernel(name), *options, **more)


def test_kernel_time_of_day():
    before = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0, tzinfo=None)
    told = datetime.datetime.fromisoformat(go("rtc.elf").expect(PASS).out.strip())
    after = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    assert before <= told <= after


def test_kernel_serial_file(tmp_path):
    ran = go("debugcon.elf", "-serial", f"file:{tmp_path}/out").expect(PASS)
    assert (ran.out, (tmp_path / "out").read_text()) == ("", "e9 402\n")


@pytest.mark.parametrize("build", ["gcc", "sanitizers"])
def test_kernel_output_has_no_reader(build):
    """A console that cannot be written ends the run, with a word about it."""
    with open("/dev/full", "wb") as full:
        ran = go("halt.elf", build=build, stdout=full)
    assert ran.status == FAILED and ran.err.count("\n") == 1, ran
    assert "cannot write the guest's output: No space left on device" in ran.err
    read, write = os.pipe()
    os.close(read)
    try:
        ran = go("halt.elf", build=build, stdout=write)
    finally:
        os.close(write)
    assert ran.status == FAILED and ran.err.count("\n") == 1, ran


def test_kernel_reader_that_is_stuck():
    """Nobody reads a full pipe: the time-out holds all the same."""
    read, write = os.pipe()
    fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)
    os.write(write, b"x" * 4096)
    try:
        assert go("halt.elf", "--timeout", "1", stdout=write, timeout=15).status == TIMED_OUT
    finally:
        os.close(read)
        os.close(write)


@pytest.mark.parametrize("name, options, begins", [
    ("halt.elf", [], None),                              # behind the hlt: whatever the compiler put there
    ("reset.elf", ["-append", "triple"], "0f 0b"),        # ud2
    ("internal_error.elf", ["-append", "fwait"], "9b"),
], ids=["halt", "triple fault", "internal error"])
def test_kernel_dump(name, options, begins):
    """Registers, the code at RIP as it is in the file, the last exits."""
    need_kvm()
    if begins and not kvm_is_pvm():
        pytest.skip("real KVM runs fwait, and on AMD a triple fault resets the CPU before anyone sees it")
    ran = go(name, *options)
    rip = int(re.search(r"^RIP=([0-9a-f]{16}) RFL=[0-9a-f]{16}$", ran.err, re.M)[1], 16)
    assert f", at RIP 0x{rip:x}\n" in ran.err
    code = re.search(r"^Code at RIP:((?: [0-9a-f]{2}){16})$", ran.err, re.M)[1].strip()
    image = kernel(name).read_bytes()
    offset, = [o for o, v, n in loads(image) if v <= rip < v + n and image[o + rip - v:].startswith(
        bytes.fromhex(code)[:4])]
    assert bytes.fromhex(code).startswith(bytes.fromhex(begins or ""))
    assert offset
    for register in ["RAX", "R15", "CS ", "TR ", "GDT base", "CR0", "EFER"]:
        assert f"{register}=" in ran.err
    count = int(re.search(r"^Last exits of (\d+):$", ran.err, re.M)[1])
    exits = re.findall(r"^  (\d+) (.*)$", ran.err, re.M)
    assert [int(n) for n, _ in exits] == list(range(max(0, count - 16), count))
    assert "IO write 0x3f8, 1 bytes" in [what for _, what in exits]


def loads(image):
    """(file offset, address, size) of an ELF32 file's PT_LOADs."""
    phoff, = struct.unpack_from("<I", image, 28)
    count, = struct.unpack_from("<H", image, 44)
    headers = [struct.unpack_from("<5I", image, phoff + 32 * i) for i in range(count)]
    return [(offset, vaddr, size) for kind, offset, vaddr, _, size in headers if kind == 1]


def test_kernel_timeout_is_kept():
    for limit in (0.5, 2):
        begun = time.monotonic()
        assert go("spin.elf", "--timeout", str(limit)).status == TIMED_OUT
        assert limit <= time.monotonic() - begun < limit + 10


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_kernel_signal_ends_it(number):
    need_kvm()
    # whoever runs the tests in the background may have SIGINT ignored, and children inherit that
    child = subprocess.Popen(["env", "--default-signal=INT", built("gcc"), "--kernel", kernel("spin.elf")],
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    with child:
        try:
            assert child.stdout.readline() == b"spinning\n"
            child.send_signal(number)
            assert child.wait(5) == -number
        finally:
            child.kill()


@pytest.fixture
def stuck(tmp_path):
    """A full FIFO that nobody reads: its path, and its file descriptor for writing."""
    os.mkfifo(tmp_path / "stuck")
    reader = os.open(tmp_path / "stuck", os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open(tmp_path / "stuck", os.O_WRONLY)
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    os.write(writer, b"x" * 4096)
    yield tmp_path / "stuck", writer
    os.close(writer)
    os.close(reader)


def test_kernel_serial_file_that_is_stuck(stuck):
    assert go("halt.elf", "-serial", f"file:{stuck[0]}", "--timeout", "1", timeout=15).status == TIMED_OUT


def test_kernel_serial_file_that_nobody_reads(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    assert f"cannot write '{tmp_path}/fifo'" in refused("--kernel", kernel("halt.elf"), "-serial",
                                                        f"file:{tmp_path}/fifo")


def test_kernel_strict_io_that_nobody_reads(stuck, tmp_path):
    """A guest that has minivmm complain for ever, mov $0x1234,%dx; 1: out %al,%dx; jmp 1b."""
    need_kvm()
    (tmp_path / "noise").write_bytes(b"\xba\x34\x12\xee\xeb\xfd")
    ran = subprocess.run([built("gcc"), "--kernel", tmp_path / "noise", "--format", "flat@0x7c00",
                          "--strict-io", "--timeout", "1"], stderr=stuck[1], timeout=15, check=False)
    assert ran.returncode == TIMED_OUT


@pytest.mark.parametrize("name, status", [("spin.elf", TIMED_OUT), ("halt.elf", HALTED)])
def test_kernel_signal_was_blocked(name, status):
    """Whoever starts minivmm may have left any signal blocked."""
    ran = go(name, "--timeout", "3", timeout=15, preexec_fn=lambda: signal.pthread_sigmask(
        signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGALRM}))
    assert ran.status == status, ran


@pytest.mark.parametrize("files", range(4, 12))
def test_kernel_few_files(files):
    """However few files may be open: a plain error, or a run."""
    ran = go("halt.elf", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files)))
    assert ran.status == HALTED or (ran.status == FAILED and ran.err.count("\n") == 1), ran


# ---- a terminal ----

class Terminal:
    """minivmm on a terminal of its own, as its session's leader."""

    def __init__(self, name, *options, build="gcc"):
        need_kvm()
        self.master, self.slave = pty.openpty()
        self.before = termios.tcgetattr(self.slave)
        self.seen = b""
        self.child = subprocess.Popen(
            [built(build), *EXIT.split(), "--timeout", "20", "--kernel", kernel(name), *options],
            stdin=self.slave, stdout=self.slave, stderr=self.slave, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.kill()
        self.child.wait()
        os.close(self.master)
        os.close(self.slave)

    def wait_for(self, text):
        end = time.monotonic() + 10
        while text not in self.seen:
            assert select.select([self.master], [], [], end - time.monotonic())[0], self.seen
            self.seen += os.read(self.master, 4096)

    def is_raw(self):
        return not termios.tcgetattr(self.slave)[3] & (termios.ICANON | termios.ECHO | termios.ISIG)

    def expect_end(self, status):
        while True:  # what it still writes must not block it
            if select.select([self.master], [], [], 0.1)[0]:
                self.seen += os.read(self.master, 4096)
            elif self.child.poll() is not None:
                break
        assert self.child.returncode == status, self.seen
        assert termios.tcgetattr(self.slave) == self.before


@pytest.mark.parametrize("build", ["gcc", "static"])
@pytest.mark.parametrize("keys, status, shown", [
    (b"hi.", PASS, b"?hi."),
    (b"\x01x", POWER_OFF, b"?"),
    (b"\x01\x01.", PASS, b"?\x01."),
    (b"\x03\x1a\x04\x11\x13\r.", PASS, b"?\x03\x1a\x04\x11\x13\r."),
    (b"\x01h.", PASS, b"Ctrl-A x       ends the machine"),
], ids=["keys", "ctrl-a x", "ctrl-a ctrl-a", "control keys", "ctrl-a h"])
def test_kernel_terminal_keys(keys, status, shown, build):
    with Terminal("uart_echo.elf", build=build) as terminal:
        terminal.wait_for(b"?")
        assert terminal.is_raw()
        os.write(terminal.master, keys)
        terminal.expect_end(status)
        assert shown in terminal.seen


@pytest.mark.parametrize("build", ["gcc", "sanitizers"])
@pytest.mark.parametrize("name, options, shown, status", [
    ("debugcon.elf", [], b"402", PASS),
    ("power_off.elf", ["-append", "acpi"], b"night", POWER_OFF),
    ("reset.elf", ["-append", "acpi"], b"again", RESET),
    ("reset.elf", ["-append", "triple"], b"again", TRIPLE),
    ("halt.elf", [], b"the end", HALTED),
    ("internal_error.elf", [], b"now", KVM_ERROR),
    ("spin.elf", ["--timeout", "1"], b"spinning", TIMED_OUT),
    ("mb_hello.elf", ["-m", "1"], b"no guest memory", USAGE),
], ids=["exit", "power off", "reset", "triple fault", "halt", "internal error", "time-out", "no memory"])
def test_kernel_terminal_restored(name, options, shown, status, build):
    with Terminal(name, *options, build=build) as terminal:
        terminal.wait_for(shown)
        terminal.expect_end(status)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT,
                                    signal.SIGABRT, signal.SIGALRM])
def test_kernel_terminal_restored_after_signal(number):
    with Terminal("spin.elf") as terminal:
        terminal.wait_for(b"spinning")
        assert terminal.is_raw()
        terminal.child.send_signal(number)
        terminal.expect_end(-number)


def test_kernel_terminal_ctrl_a_x_ends_a_spinning_guest():
    with Terminal("spin.elf", "-smp", "2") as terminal:
        terminal.wait_for(b"spinning")
        os.write(terminal.master, b"\x01x")
        terminal.expect_end(POWER_OFF)


# ---- wrong usage, and images that are refused ----

def refused(*arguments, build="gcc", **more):
    """One line on standard error, status 2, and nothing else."""
    ran = run(built(build), *arguments, timeout=10, **more)
    assert (ran.status, ran.out) == (USAGE, ""), ran
    assert ran.err.startswith("minivmm: ") and ran.err.count("\n") == 1, ran
    return ran.err


USAGE_ROWS = [
    ("--kernel /no/such/file", "could not open kernel file '/no/such/file': No such file or directory"),
    ("--kernel /dev", "could not open kernel file '/dev': Is a directory"),
    ("--kernel /dev/null", "could not open kernel file '/dev/null': Invalid argument"),
    ("--kernel", "--kernel needs an argument"),
    ("--kernel {k} -initrd /no/such/file", "'/no/such/file': No such file or directory"),
    ("--kernel {k} -device nvme", "-device: unknown device 'nvme'"),
    ("--kernel {k} -device pc-testdef", "did you mean 'pc-testdev'?"),
    ("--kernel {k} -device isa-debug-exit,iobase=0x10000", "iobase takes a port, not '0x10000'"),
    ("--kernel {k} -device isa-debug-exit,iosize=5", "iosize takes a number of ports"),
    ("--kernel {k} -smp 0", "cpus takes the number of CPUs, not '0'"),
    ("--kernel {k} -smp 65", "more than the most SMP CPUs (64)"),
    ("--kernel {k} -smp 4,threads=2", "threads takes 1, not '2'"),
    ("--kernel {k} -m 1023k", "size takes"),
    ("--kernel {k} -m 2T", "size takes"),
    ("--kernel {k} -m 1X", "size takes"),
    ("--kernel {k} -cpu nonsense", "nonsense"),
    ("--kernel {k} --format nonsense", "unknown image format 'nonsense'"),
    ("--kernel {k} --format flat", "needs flat@ADDRESS"),
    ("--kernel {k} --format elf64@0x8000", "have their address in themselves"),
    ("--kernel {k} --format flat@0x8000,virtual", "'virtual' is none of real, protected and long"),
    ("--kernel {k} --timeout never", "not a number of seconds"),
    ("--kernel {k} -serial tcp::1234", "is none of stdio, none, null and file:PATH"),
    ("--kernel {k} -serial file:/no/such/folder/x", "cannot write '/no/such/folder/x'"),
    ("--kernel {k} -device isa-debug-exit,iobase=0x3f8", "0x3f8-0x3f9 of isa-debug-exit overlaps uart"),
    ("--kernel {k} -device isa-debug-exit,iobase=0x20", "overlaps the PIC"),
    ("--kernel {k} -machine isapc", "type takes pc, q35 or microvm, not 'isapc'"),
    ("--kernel {k} --nested maybe", "'maybe' is none of on, off and auto"),
    ("--kernel {k} --verbose", "--verbose goes with --nested-probe only"),
    ("--kernel {k} --nested-probe", "at a time"),
    ("--smp 2", ""),
    ("{k}", "unexpected argument"),
]


@pytest.mark.parametrize("arguments, words", USAGE_ROWS, ids=[row[0] for row in USAGE_ROWS])
def test_kernel_usage(arguments, words):
    assert words in refused(*arguments.format(k=kernel("halt.elf")).split())


def find(image, magic):
    """The offset of a 32-bit word, at a multiple of four."""
    return next(at for at in range(0, len(image) - 3, 4)
                if struct.unpack_from("<I", image, at)[0] == magic)


def put(layout, offset, *values):
    """A change: writes values at an offset."""
    def change(image):
        struct.pack_into(layout, image, offset, *values)
    return change


def cut(size):
    def change(image):
        del image[size:]
    return change


def at_header(magic, layout, offset, *values):
    def change(image):
        struct.pack_into(layout, image, find(image, magic) + offset, *values)
    return change


MB, MB2 = 0x1badb002, 0xe85250d6


def mb_flags(flags):
    return at_header(MB, "<II", 4, flags, -(MB + flags) & 0xffffffff)


def note(layout, *values):
    """In the PVH note, behind its name."""
    def change(image):
        struct.pack_into(layout, image, image.find(b"\x12\x00\x00\x00Xen\x00") + 8, *values)
    return change


def note_size(size):
    def change(image):
        struct.pack_into("<I", image, image.find(b"\x12\x00\x00\x00Xen\x00") - 4, size)
    return change


MALFORMED = [
    # name, a good image, what is done to it, options, what is said
    ("empty", "halt.elf", cut(0), "", "no boot protocol that minivmm knows"),
    ("one byte", "halt.elf", cut(1), "", "no boot protocol that minivmm knows"),
    ("flat, not asked for", "flat_real.bin", cut(10000), "", "--format flat@ADDRESS"),

    ("elf: header cut", "elf64_hello.elf", cut(40), "", "the ELF header is cut off at 40 bytes"),
    ("elf: class", "elf64_hello.elf", put("<B", 4, 3), "", "unknown ELF class 3"),
    ("elf: byte order", "elf64_hello.elf", put("<B", 5, 2), "", "byte order 2"),
    ("elf: shared", "elf64_hello.elf", put("<H", 16, 3), "", "ELF type 3 is not an executable"),
    ("elf: ARM", "elf64_hello.elf", put("<H", 18, 183), "", "ELF machine 183 is not x86"),
    ("elf: entry", "elf64_hello.elf", put("<Q", 24, 0x5000), "", "the entry 0x5000 lies in no executable segment"),
    ("elf: headers outside", "elf64_hello.elf", put("<Q", 32, 2 ** 64 - 8), "", "leave the file"),
    ("elf: no headers", "elf64_hello.elf", put("<H", 56, 0), "", "0 ELF program headers"),
    ("elf: many headers", "elf64_hello.elf", put("<H", 56, 65535), "", "65535 ELF program headers"),
    ("elf: segment outside", "elf64_hello.elf", cut(0x1010), "", "leaves the file"),
    ("elf: segment wraps", "elf64_hello.elf", put("<Q", 64 + 24, 2 ** 64 - 16), "", "wraps around"),
    ("elf: segment above 4 GiB", "elf64_hello.elf", put("<Q", 64 + 24, 2 ** 32), "", "ends above 4 GiB"),
    ("elf: segment shrinks", "elf64_hello.elf", put("<Q", 64 + 40, 1), "", "larger in the file than in memory"),
    ("elf: takes no initrd", "elf64_hello.elf", None, "-initrd MODULE", "takes no -initrd"),
    ("elf: takes no words", "elf64_hello.elf", None, "-append words", "takes no -append"),

    ("multiboot: checksum", "halt.elf", at_header(MB, "<I", 8, 0), "--format multiboot", "wrong checksum"),
    ("multiboot: no header", "halt.elf", at_header(MB, "<I", 0, 0), "", "without a Multiboot header or PVH note"),
    ("multiboot: unknown demand", "halt.elf", mb_flags(0x8), "", "demands what is unknown"),
    ("multiboot: video", "halt.elf", mb_flags(0x4), "", "demands a video mode"),
    ("multiboot: header cut", "mb_addr.bin", cut(80), "", "is cut off"),
    ("multiboot: load_addr", "mb_addr.bin", at_header(MB, "<I", 16, 0x300000), "", "load_addr 0x300000 is above"),
    ("multiboot: load_addr far", "mb_addr.bin", at_header(MB, "<I", 16, 0x100000), "", "before a header at offset"),
    ("multiboot: load_end_addr", "mb_addr.bin", at_header(MB, "<I", 20, 0xfffffffc), "", "behind the end of the file"),
    ("multiboot: bss_end_addr", "mb_addr.bin", at_header(MB, "<I", 24, 0x200004), "", "bss_end_addr 0x200004"),
    ("multiboot: entry_addr", "mb_addr.bin", at_header(MB, "<I", 28, 0x1ffffc), "", "entry_addr 0x1ffffc"),

    ("multiboot2: architecture", "mb2_hello.elf", at_header(MB2, "<II4xI", 0, MB2, 4, -(MB2 + 4 + 0x48) & 0xffffffff),
     "--format multiboot2", ""),
    ("multiboot2: tag size", "mb2_hello.elf", at_header(MB2, "<I", 20, 4), "", "is too short"),
    ("multiboot2: tag outside", "mb2_hello.elf", at_header(MB2, "<I", 20, 4096), "", "leaves the header"),
    ("multiboot2: demand", "mb2_hello.elf", at_header(MB2, "<I", 24, 99), "", "demands information 99"),
    ("multiboot2: framebuffer", "mb2_hello.elf", at_header(MB2, "<H", 16, 5), "", "framebuffer"),

    ("pvh: entry", "pvh_hello.elf", note("<I", 0x1000), "", "the PVH entry 0x1000 lies in no executable segment"),
    ("pvh: entry in .bss", "pvh_hello.elf", note("<I", 0x101000), "", "lies in no executable segment"),
    ("pvh: size", "pvh_hello.elf", note_size(3), "", "a PVH entry note of 3 bytes"),
    ("pvh: size outside", "pvh_hello.elf", note_size(0xfffffff0), "--format pvh", "no PVH entry note"),

    ("linux: header cut", "linux_64.bin", cut(0x220), "", "the Linux setup header is cut off at 544 bytes"),
    ("linux: only the header", "linux_64.bin", cut(0x400), "", "nothing lies behind 1 setup sectors"),
    ("linux: cut", "linux_64.bin", put("<I", 0x1f4, 0x10000), "", "the file is cut off"),
    ("linux: boot flag", "linux_64.bin", put("<H", 0x1fe, 0x55aa), "", "the boot flag at offset 0x1fe is 0x55aa"),
    ("linux: jump", "linux_64.bin", put("<B", 0x200, 0x90), "", "0x90 at offset 0x200"),
    ("linux: jump far", "linux_64.bin", put("<B", 0x201, 0xff), "", "behind 0x290"),
    ("linux: old", "linux_64.bin", put("<H", 0x206, 0x205), "", "older than 2.06"),
    ("linux: zImage", "linux_64.bin", put("<B", 0x211, 0), "", "a zImage"),
    ("linux: alignment", "linux_64.bin", lambda i: (put("<I", 0x230, 3)(i), put("<B", 0x234, 1)(i)), "",
     "kernel_alignment 0x3"),
    ("linux: pref_address", "linux_64.bin", put("<Q", 0x258, 2 ** 63), "", "above 3 GiB"),
    ("linux: words", "linux_64.bin", None, "-append " + "x" * 256, "a command line of 256 bytes, but it takes 255"),

    ("flat: above 1 MiB", "flat_real.bin", None, "--format flat@0xfffff", "end above 0x100000"),
    ("flat: above 3 GiB", "flat_long.bin", None, "--format flat@0xbffffff8,long", "end above 0xc0000000"),
    ("flat: wraps", "flat_long.bin", None, "--format flat@0xffffffffffffffff,long", "end above"),
    ("flat: empty", "flat_long.bin", cut(0), "--format flat@0x8000", "the file is empty"),
]


@pytest.mark.parametrize("build", ["gcc", "sanitizers"])
@pytest.mark.parametrize("good, change, options, words", [row[1:] for row in MALFORMED],
                         ids=[row[0] for row in MALFORMED])
def test_kernel_malformed(tmp_path, good, change, options, words, build):
    image = bytearray(kernel(good).read_bytes())
    if change:
        change(image)
    (tmp_path / "image").write_bytes(image)
    said = refused("--kernel", tmp_path / "image", *options.replace("MODULE", str(MODULE)).split(), build=build)
    assert words in said
    assert str(tmp_path / "image") in said


# Whether these fit depends on the machine: told after there is one, but with the same status.
@pytest.mark.parametrize("arguments, words", [
    ("mb_hello.elf -m 1", "do not fit: there is no guest memory"),
    ("flat_real.bin --format flat@0x9fb00", "the EBDA"),
    ("flat_real.bin --format flat@0", "page 0"),
    ("flat_long.bin --format flat@0x8000000,long", "no guest memory"),
], ids=["memory", "EBDA", "page 0", "behind the end"])
def test_kernel_does_not_fit(arguments, words):
    need_kvm()
    name, *options = arguments.split()
    assert words in refused("--kernel", kernel(name), *options)


def test_kernel_refuses_a_pipe(tmp_path):
    """A named pipe that nobody writes: no file, and nothing to wait for."""
    os.mkfifo(tmp_path / "pipe")
    assert "could not open kernel file" in refused("--kernel", tmp_path / "pipe")


@pytest.mark.parametrize("arguments", ["{k} --format linux", "/no/such/file", "{k} -initrd /no/such/file",
                                       "{k} -device nvme", "{k} -serial file:/no/such/folder/x"])
def test_kernel_refuses_before_there_is_a_machine(tmp_path, arguments):
    need_kvm()
    need_program("strace")
    trace = tmp_path / "trace"
    ran = run("strace", "-f", "-o", trace, "-e", "trace=ioctl,openat,open", built("gcc"), "--kernel",
              *arguments.format(k=kernel("halt.elf")).split(), env={"ASAN_OPTIONS": None})
    if "ptrace" in ran.err:
        pytest.skip("no ptrace here")
    assert ran.status == USAGE, ran
    assert "KVM_CREATE_VM" not in trace.read_text() and "/dev/kvm" not in trace.read_text()
    run("strace", "-f", "-o", trace, "-e", "trace=ioctl", built("gcc"), "--kernel", kernel("halt.elf"))
    assert "KVM_CREATE_VM" in trace.read_text(), "strace would show it"
