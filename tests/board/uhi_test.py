"""Semihosting of MIPS boards: the Unified Hosting Interface, SDBBP 1 with the operation in $25."""
import time

import pytest

from conftest import Machine, run_board

QUIET = ("-display", "none", "-monitor", "none", "-serial", "null")
BOARDS = pytest.mark.parametrize("board", ["malta", "malta-be"])
ACCELS = pytest.mark.parametrize("accel", ["jit", "interp"])

MACROS = """
        .set    noreorder
        .macro  host operation
        li      $2, 1
        li      $25, \\operation
        sdbbp   1
        .endm
        .macro  exit status
        move    $4, \\status
        host    1
1:      b       1b
        nop
        .endm
        .globl  _start
"""
HELLO = MACROS + """
_start: li      $4, 1
        la      $5, text
        li      $6, 12
        host    5               # write
        subu    $8, $2, 12      # all of it?
        addiu   $8, $8, 42
        exit    $8
        .align  2
text:   .ascii  "hello, host\\n"
"""
# Writes its arguments, a line each; the status is how many there are.
ARGUMENTS = MACROS + """
_start: host    9               # argc
        move    $16, $2
        li      $17, 0
next:   beq     $17, $16, done
        move    $4, $17
        host    10              # argnlen
        move    $18, $2
        move    $4, $17
        la      $5, buffer
        host    11              # argn
        la      $5, buffer
        addu    $8, $5, $18
        li      $9, 10
        sb      $9, 0($8)
        addiu   $6, $18, 1
        li      $4, 1
        host    5
        b       next
        addiu   $17, $17, 1
done:   exit    $16
        .bss
buffer: .space  256
"""
# Reads a line of the console and says it again.
ECHO = MACROS + """
_start: li      $4, 0
        la      $5, buffer
        li      $6, 200
        host    4               # read
        move    $6, $2
        li      $4, 2
        la      $5, buffer
        host    5
        exit    $0
        .bss
buffer: .space  256
"""


@BOARDS
@ACCELS
def test_writes_to_standard_output_and_exits(assemble_mips, board, accel):
    elf = assemble_mips(HELLO, board, "hello")
    assert run_board("-accel", accel, "-semihosting", "-kernel", elf, *QUIET, board=board) == (42, "hello, host\n", "")


@BOARDS
def test_arguments(assemble_mips, board):
    elf = assemble_mips(ARGUMENTS, board, "arguments")
    run = lambda *words: run_board(*words, "-kernel", elf, *QUIET, board=board)
    assert run("-semihosting", "-append", "one  two") == (3, f"{elf}\none\ntwo\n", "")
    assert run("-semihosting-config", "enable=on,arg=prog,arg=a b") == (2, "prog\na b\n", "")


def test_reads_standard_input(assemble_mips):
    elf = assemble_mips(ECHO, name="echo")
    assert run_board("-semihosting", "-kernel", elf, *QUIET, board="malta", stdin="a line\n") == (0, "", "a line\n")


@pytest.mark.parametrize("options", [(), ("-semihosting-config", "enable=off")])
def test_without_semihosting_it_is_a_breakpoint(assemble_mips, options):
    """SDBBP goes to the guest's vector, where nothing is."""
    with Machine([*options, "-kernel", assemble_mips(HELLO, name="hello"), *QUIET], board="malta") as m:
        time.sleep(0.5)
        assert m.process.poll() is None
