"""How a machine ends, and with which exit status."""
import signal
import subprocess
import time

import pytest

from conftest import Machine, run_board, tool

QUIET = ("-display", "none", "-monitor", "none", "-serial", "null")

EXIT = """
        .global _start
_start: ldr r1, ={reason}
        mov r0, #0x18
        svc 0x123456
1:      b 1b
"""
EXIT_EXTENDED = """
        .global _start
_start: adr r1, block
        mov r0, #0x20
        svc 0x123456
1:      b 1b
        .balign 4
block:  .word 0x20026, {status}
"""
# Linked where the flash is, started at its alias at 0: jumps home, ends the alias, puts a marker in the RAM that was
# under it, and exits with the marker as status.
FLASH_BOOT = """
        .global _start
_start: ldr pc, =home
home:   ldr r0, =0x101e0000
        mov r1, #0x100
        str r1, [r0]
        mov r2, #0
        mov r3, #42
        str r3, [r2, #0x40]
        ldr r3, [r2, #0x40]
        ldr r4, =0x1000
        str r3, [r4, #4]
        ldr r3, =0x20026
        str r3, [r4]
        mov r1, r4
        mov r0, #0x20
        svc 0x123456
"""
LOOP = """
        .global _start
_start: b _start
"""
RESET = """
        .global _start
_start: ldr r0, =0x10000000
        ldr r1, =0xa05f
        str r1, [r0, #0x20]
        ldr r1, =0x106
        str r1, [r0, #0x40]
1:      b 1b
"""
WRITE = """
        .global _start
_start: adr r1, text
        mov r0, #4
        svc 0x123456
        ldr r1, =0x20026
        mov r0, #0x18
        svc 0x123456
text:   .asciz "hello, host\\n"
"""


@pytest.mark.parametrize("accel", ["jit", "interp"])
@pytest.mark.parametrize("source, status", [(EXIT.format(reason="0x20026"), 0), (EXIT.format(reason="0x20023"), 1),
                                            (EXIT_EXTENDED.format(status=0), 0), (EXIT_EXTENDED.format(status=42), 42)],
                         ids=["exit", "error", "extended 0", "extended 42"])
def test_semihosting_exit_status(assemble, source, status, accel):
    assert run_board("-accel", accel, "-semihosting", "-kernel", assemble(source), *QUIET) == (status, "", "")


@pytest.mark.parametrize("accel", ["jit", "interp"])
@pytest.mark.parametrize("option", ["-bios", "-pflash"])
def test_firmware_starts_at_0_and_remaps(assemble, tmp_path, accel, option):
    """Flash shows at 0 until the system controller's RemapClear; then RAM is there (DUI 0224I §4.2)."""
    image = tmp_path / "flash.bin"
    elf = assemble(FLASH_BOOT, "0x34000000")
    subprocess.run([tool("arm-none-eabi-objcopy"), "-O", "binary", elf, image], check=True)
    assert run_board("-accel", accel, "-semihosting", option, image, *QUIET) == (42, "", "")


def test_semihosting_writes_to_standard_output(assemble):
    assert run_board("-semihosting", "-kernel", assemble(WRITE), *QUIET) == (0, "hello, host\n", "")


def test_without_semihosting_the_call_is_the_guests(assemble):
    """SVC goes to the guest's vector at 8; nothing is there but zeros, so it runs on and does not end."""
    with Machine(["-kernel", assemble(EXIT.format(reason="0x20026")), *QUIET]) as m:
        time.sleep(0.5)
        assert m.process.poll() is None


def test_no_reboot_ends_with_0_where_the_guest_resets(assemble):
    assert run_board("-no-reboot", "-kernel", assemble(RESET), *QUIET) == (0, "", "")


def test_reset_starts_over(assemble):
    with Machine(["-kernel", assemble(RESET), *QUIET]) as m:
        time.sleep(0.5)
        assert m.process.poll() is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_in_order(assemble, number):
    with Machine(["-kernel", assemble(LOOP), *QUIET]) as m:
        time.sleep(0.3)
        m.process.send_signal(number)
        assert m.status(5) == 0


def test_control_a_x_leaves(hello):
    with Machine(["-nographic", "-kernel", hello]) as m:
        m.expect("Hello")
        m.type("\x01x")
        assert m.status(5) == 0
