"""gdb connected to a Malta of either byte order: what a person at a debugger does."""
import re
import subprocess

import pytest

from conftest import PATIENCE, Machine, tool

PROGRAM = """
        .set    noreorder
        .globl  _start, again, add_one, count, fault
_start: la      $16, count
        li      $17, 0
again:  jal     add_one
        li      $17, 7          # in the slot
        beqz    $2, fault
        nop
        b       again
        nop
add_one:
        lw      $2, 0($16)
        addiu   $2, $2, 1
        jr      $31
        sw      $2, 0($16)      # in the slot
fault:  li      $3, 0x1003
        lw      $4, 0($3)
        .align  2
count:  .word   0x100
"""
CU1 = 1 << 29


@pytest.fixture(params=[("malta", "jit"), ("malta", "interp"), ("malta-be", "jit"), ("malta-be", "interp")], ids="-".join)
def session(request, assemble_mips, tmp_path):
    """session(commands) -> gdb's words.  The machine waits for gdb before its first instruction."""
    board, accel = request.param
    elf = assemble_mips(PROGRAM, board, "counting")
    gdb = tool("gdb-multiarch")
    address = tmp_path / "gdb"
    words = ["-accel", accel, "-kernel", elf, "-display", "none", "-serial", "null", "-monitor", "none", "-S", "-gdb", f"unix:{address}"]
    with Machine(words, board=board) as m:
        while not address.exists():
            m.read(0.02)
            assert m.process.poll() is None, m.text

        def run(*commands):
            done = subprocess.run([gdb, "-q", "-nx", "-batch", "-ex", "set confirm off", "-ex", f"target remote {address}",
                                   *(w for c in commands for w in ("-ex", c)), str(elf)],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60 * PATIENCE)
            return done.stdout

        run.machine = m
        yield run


def values(text):
    return [int(v, 0) for v in re.findall(r"\$\d+ = (0x[0-9a-f]+|\d+)$", text, re.M)]


def test_connects_before_the_first_instruction(session):
    text = session("p/x $pc", "info registers", "kill")
    assert values(text) == [0x80100000]
    for name in ("zero", "ra", "status", "lo", "hi", "badvaddr", "cause", "pc", "fcsr", "fir"):
        assert re.search(rf"\b{name}\b", text), text


def test_breaks_and_continues(session):
    text = session("break add_one", "continue", "p/x $pc == &add_one", "continue", "continue", "x/wx &count", "kill")
    assert len(re.findall(r"Breakpoint 1, .*add_one", text)) == 3
    assert re.search(r"<count>:\s+0x00000102", text)


def test_steps_over_a_branch_with_its_slot(session):
    text = session("tbreak again", "continue", "p/x $s1", "stepi", "p/x $pc == &add_one", "p/x $s1", "p/x $ra == &again + 8",
                   "stepi", "stepi", "p/x *(int*)&count", "stepi", "p/x $pc == &again + 8", "p/x *(int*)&count", "kill")
    assert values(text) == [0, 1, 7, 1, 0x100, 1, 0x101]


def test_a_breakpoint_in_a_delay_slot_is_gdbs_at_the_branch(session):
    text = session("break *(&again + 4)", "continue", "p/x $pc == &again", "stepi", "p/x $s1", "x/i $pc", "kill")
    assert values(text) == [1, 7], text
    assert re.search(r"=> 0x[0-9a-f]+ <add_one>", text)


def test_finishes(session):
    text = session("break add_one", "continue", "finish", "p/x $pc == &again + 8", "p/x $v0", "kill")
    assert values(text) == [1, 0x101]


def test_changes_registers_and_memory(session):
    text = session("break add_one", "continue", "set var *(int*)&count = 0x7000", "p/x *(int*)&count", "stepi", "p/x $v0",
                   "set $v0 = 0x41", "stepi", "p/x $v0", "stepi", "p/x *(int*)&count", "set $pc = &again", "p/x $pc == &again", "kill")
    assert values(text) == [0x7000, 0x7000, 0x42, 0x42, 1]


def test_a_fault_shows_in_the_registers_of_cp0(session):
    text = session("tbreak again", "continue", "break *0x80000180", "break *0xbfc00380", "jump fault", "p/x $pc & 0xfff",
                   "p/x $badvaddr", "p ($cause >> 2) & 31", "p/x $sr & 2", "kill")
    assert values(text)[-3:] == [0x1003, 4, 2], text


def test_floating_point_registers(session):
    text = session(f"set $sr = $sr | {CU1}", "set $f2 = 1.5", "set $f3 = -2", "p $f2", "p $f3", "p/x $fir & 0xffff", "p/x ($sr >> 29) & 1", "kill")
    assert re.search(r"= 1\.5\b", text) and re.search(r"= -2\b", text), text
    assert values(text)[-2:] == [0x9300, 1]


def test_memory_that_is_not_there_is_an_error_not_an_end(session):
    text = session("x/wx 0xc0000000", "p 1 + 1", "kill")
    assert "Cannot access memory at address 0xc0000000" in text and "= 2" in text


def test_detach_lets_the_guest_run_and_gdb_comes_back(session):
    session("break add_one", "continue", "delete", "detach")
    text = session("p/x *(int*)&count", "detach")
    assert values(text)[0] > 0x101


def test_monitor_commands_reach_the_monitor(session):
    text = session("monitor info status", "monitor info registers", "kill")
    assert "VM status: paused" in text and "CP0 Status" in text


def test_kill_ends_the_machine(session):
    session("kill")
    assert session.machine.status(10) == 0
