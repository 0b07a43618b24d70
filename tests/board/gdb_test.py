"""gdb connected to a board: what a person at a debugger does."""
import re
import subprocess

import pytest

from conftest import PATIENCE, Machine, tool

PROGRAM = """
        .global _start, count, add_one
_start: mov   sp, #0x20000
        ldr   r4, =count
        mov   r5, #0
again:  bl    add_one
        b     again
add_one:
        ldr   r5, [r4]
        add   r5, r5, #1
        str   r5, [r4]
        bx    lr
        .balign 4
count:  .word 0x100
"""


@pytest.fixture(params=["jit", "interp"])
def session(request, assemble, tmp_path):
    """session(commands) -> gdb's words.  The machine waits for gdb before its first instruction."""
    elf = assemble(PROGRAM, name="counting")
    gdb = tool("gdb-multiarch")
    address = tmp_path / "gdb"
    words = ["-accel", request.param, "-kernel", elf, "-display", "none", "-serial", "null", "-monitor", "none", "-S", "-gdb", f"unix:{address}"]
    with Machine(words) as m:
        while not address.exists():
            m.read(0.02)
            assert m.process.poll() is None, m.text

        def run(*commands):
            done = subprocess.run([gdb, "-q", "-nx", "-batch", "-ex", "set confirm off", "-ex", "set architecture armv5te",
                                   "-ex", f"target remote {address}", *(w for c in commands for w in ("-ex", c)), str(elf)],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60 * PATIENCE)
            return done.stdout

        run.machine = m
        yield run


def test_connects_before_the_first_instruction(session):
    text = session("p/x $pc", "info registers r0 sp pc cpsr", "kill")
    assert re.search(r"\$1 = 0x0*(10000|0)\b", text)
    assert "cpsr" in text


def test_breaks_and_continues(session):
    text = session("break add_one", "continue", "p/x $pc", "continue", "continue", "x/wx &count", "info breakpoints", "kill")
    assert len(re.findall(r"Breakpoint 1, .*add_one", text)) == 3
    assert re.search(r"<count>:\s+0x00000102", text)


def test_steps_and_finishes(session):
    text = session("break add_one", "continue", "stepi", "p $r5", "stepi", "p $r5", "finish", "x/i $pc", "kill")
    assert re.search(r"\$1 = 256\n", text) and re.search(r"\$2 = 257\n", text)
    assert re.search(r"=> 0x[0-9a-f]+ <again\+4>:\s+b", text)


def test_changes_registers_and_memory(session):
    text = session("break add_one", "continue", "set var *(int*)&count = 0x7000", "p/x *(int*)&count", "stepi", "p/x $r5",
                   "set $r5 = 0x41", "stepi", "p/x $r5", "stepi", "p/x *(int*)&count", "kill")
    assert [m for m in re.findall(r"\$\d = (0x[0-9a-f]+)", text)] == ["0x7000", "0x7000", "0x42", "0x42"]


def test_breakpoint_removed_is_gone(session):
    text = session("break add_one", "tbreak again", "continue", "delete 1", "break *(&add_one + 0)", "continue", "delete", "detach")
    assert "error" not in text.lower().replace("no error", "")
    session.machine.read(0.2)
    assert session.machine.process.poll() is None


def test_memory_that_is_not_there_is_an_error_not_an_end(session):
    text = session("x/wx 0x90000000", "p 1 + 1", "kill")
    assert "Cannot access memory at address 0x90000000" in text and "= 2" in text


def test_detach_lets_the_guest_run_and_gdb_comes_back(session):
    session("break add_one", "continue", "delete", "detach")
    text = session("p/x *(int*)&count", "detach")
    assert int(re.search(r"\$1 = (0x[0-9a-f]+)", text)[1], 16) > 0x101


def test_monitor_commands_reach_the_monitor(session):
    text = session("monitor info status", "monitor info device uart0", "kill")
    assert "VM status: paused" in text and "UARTCR" in text


def test_kill_ends_the_machine(session):
    session("kill")
    assert session.machine.status(10) == 0


@pytest.mark.parametrize("cpu, dsp", [("24KEc", True), ("34Kf", True), ("24Kc", False)])
def test_registers_of_a_mips_dsp(tmp_path, cpu, dsp):
    address = tmp_path / "gdb"
    with Machine(["-cpu", cpu, "-display", "none", "-serial", "null", "-monitor", "none", "-S", "-gdb", f"unix:{address}"], "malta") as m:
        while not address.exists():
            m.read(0.02)
            assert m.process.poll() is None, m.text
        words = ["set architecture mips:isa32r2", "set endian little", f"target remote {address}", "set $hi1 = 0x11", "set $lo3 = 0x33",
                 "set $dspctl = 0xffffffff", "info registers hi1 lo3 dspctl", "p/x $pc", "detach"]
        done = subprocess.run([tool("gdb-multiarch"), "-q", "-nx", "-batch", *(w for c in words for w in ("-ex", c))],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60 * PATIENCE)
    assert "rejected" not in done.stdout and "0xbfc00000" in done.stdout
    found = dict(re.findall(r"(hi1|lo3|dspctl):?\s+(0x[0-9a-f]+)", done.stdout))
    assert found == ({"hi1": "0x11", "lo3": "0x33", "dspctl": "0xfff7fbf"} if dsp else {})
