"""The monitor, on a socket and behind C-a c."""
import re
import struct
import time
import zlib

import pytest

from conftest import Line, Machine

LOOP = """
        .global _start
_start: mov r4, #0x44
        ldr r5, =0x12345678
        mov r6, #0
again:  add r6, r6, #1
        b again
        .balign 4
word:   .word 0xcafe0001, 0xcafe0002
"""


@pytest.fixture
def monitor(assemble, tmp_path):
    words = ["-kernel", assemble(LOOP), "-display", "none", "-serial", "null", "-monitor", f"unix:{tmp_path}/m,server=on,wait=off"]
    with Machine(words) as m, Line(tmp_path / "m") as line:
        line.machine = m
        line.until("(qemu) ")
        yield line


def moves_on(monitor, register="r6", seconds=30):
    """Whether the guest changes that register, which a busy host may let it do late."""
    first, end = monitor.ask(f"p ${register}"), time.monotonic() + seconds
    while time.monotonic() < end:
        if monitor.ask(f"p ${register}") != first:
            return True
        time.sleep(0.01)
    return False


def test_greets_with_a_prompt(assemble, tmp_path):
    with Machine(["-kernel", assemble(LOOP), "-display", "none", "-serial", "null", "-monitor", f"unix:{tmp_path}/m,server=on,wait=off"]):
        with Line(tmp_path / "m") as line:
            assert re.fullmatch(r"Pinstrap \S+ monitor - type 'help' for more information\n", line.until("(qemu) "))


def test_stop_and_cont(monitor):
    assert monitor.ask("info status") == "VM status: running\n"
    assert monitor.ask("stop") == ""
    assert monitor.ask("info status") == "VM status: paused\n"
    first = monitor.ask("p $r6")
    assert monitor.ask("p $r6") == first
    assert monitor.ask("cont") == ""
    assert monitor.ask("info status") == "VM status: running\n"
    assert moves_on(monitor)


def test_registers_and_memory(monitor):
    assert moves_on(monitor)
    monitor.ask("stop")
    text = monitor.ask("info registers")
    assert re.search(r"(?i)r0?4\s*=\s*(0x)?00000044", text) and "12345678" in text
    assert monitor.ask("p/x $r4 + 4") == "0x48\n"
    assert monitor.ask("x/2xw 0x10014") == "00010014: 0xcafe0001 0xcafe0002\n"
    assert "0xcafe0001" in monitor.ask("xp/8xw 0x10000")
    assert re.search(r"(?s)mov.*r4.*add.*r6", monitor.ask("x/4i 0x10000"))


def test_step_runs_one_instruction(monitor):
    assert moves_on(monitor)
    monitor.ask("stop")
    places = set()
    for _ in range(2):
        monitor.ask("step")
        places.add(int(monitor.ask("p/x $pc"), 16))
    assert len(places) == 2


def test_devices_and_wiring(monitor):
    assert re.search(r"101f1000.*uart0", monitor.ask("info mtree"))
    text = monitor.ask("info device uart0")
    assert text.startswith("uart0 (pl011)\n") and re.search(r"030 UARTCR = 0x0*0?300", text)
    assert monitor.ask("info device vicc") == "there is no device 'vicc' (did you mean 'vic'?)\n"
    assert "uart0" in monitor.ask("info qtree") and "vic" in monitor.ask("info wiring")
    assert "kernel" in monitor.ask("info roms")


def test_mtree_shows_the_ram_given_with_m(tmp_path):
    words = ["-m", "32", "-display", "none", "-serial", "null", "-monitor", f"unix:{tmp_path}/m,server=on,wait=off", "-S"]
    with Machine(words), Line(tmp_path / "m") as line:
        line.until("(qemu) ")
        assert re.search(r"0x00000000-0x01ffffff +ram +RAM, 32 MiB, -m up to", line.ask("info mtree"))
        assert "'info device uart0' shows" in line.ask("xp/4xw 0x101f1000")


def test_a_ramdisk_made_for_u_boot_loses_its_header(assemble, tmp_path):
    data = bytes(range(256))
    header = struct.pack(">7I4B32s", 0x27051956, 0, 0, len(data), 0, 0, zlib.crc32(data), 5, 2, 3, 0, b"initrd")
    (tmp_path / "uInitrd").write_bytes(header + data)
    words = ["-kernel", assemble(LOOP), "-initrd", tmp_path / "uInitrd", "-display", "none", "-serial", "null", "-S",
             "-monitor", f"unix:{tmp_path}/m,server=on,wait=off"]
    with Machine(words), Line(tmp_path / "m") as line:
        line.until("(qemu) ")
        assert re.search(r"04000000-040000ff initrd", line.ask("info roms"))
        assert line.ask("xp/1xw 0x04000000") == "04000000: 0x03020100\n"


def test_wrong_commands_get_a_sentence(monitor):
    assert monitor.ask("inof") == "unknown command: 'inof' (did you mean 'info'?)\n"
    assert monitor.ask("info regs").startswith("unknown command: 'info regs'")
    assert monitor.ask("savevm x") == "'savevm' is not built yet: it arrives with snapshots\n"
    assert monitor.ask("log nonsense").startswith("there is no log item 'nonsense'")
    assert monitor.ask("logfile /no/such/folder/x") == "cannot open '/no/such/folder/x': no such file or directory\n"


def test_system_reset_starts_over(monitor):
    time.sleep(0.2)
    monitor.ask("stop")
    assert int(monitor.ask("p $r6"), 0) > 1000
    monitor.ask("system_reset")
    assert int(monitor.ask("p $pc"), 0) == 0x10000
    for _ in range(3):
        monitor.ask("step")
    time.sleep(0.1)
    assert int(monitor.ask("p $r6"), 0) <= 1 and int(monitor.ask("p $r5"), 0) == 0x12345678


def test_quit_ends_with_0(monitor):
    monitor.socket.sendall(b"quit\n")
    assert monitor.machine.status(5) == 0


def test_shares_the_terminal_with_the_serial_port(hello):
    with Machine(["-nographic", "-kernel", hello, "-no-reboot"]) as m:
        m.expect("Hello")
        m.type("\x01c")
        m.expect(r"\(qemu\) ")
        m.type("info version\n")
        m.expect(r"Pinstrap \d")
        m.type("\x01c")
        m.type("xyz")
        m.expect("xyz")
        m.type("q")
        assert m.status(5) == 0
