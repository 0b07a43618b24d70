"""Firmware on the bare Malta: U-Boot, unchanged, from Debian's package u-boot-qemu."""
import pathlib
import struct

import pytest

from conftest import Machine

UBOOT = pathlib.Path("/usr/lib/u-boot/maltael/u-boot.bin")


@pytest.fixture
def flash(tmp_path):
    """The image as the flash holds it: big-endian words, which a little-endian board has swapped."""
    if not UBOOT.is_file():
        pytest.skip("there is no U-Boot for the Malta (package u-boot-qemu)")
    data = UBOOT.read_bytes()
    data += bytes(-len(data) % 4)
    image = tmp_path / "flash.bin"
    image.write_bytes(struct.pack(f">{len(data) // 4}I", *struct.unpack(f"<{len(data) // 4}I", data)))
    return image


def prompt(machine):
    machine.expect(r"maltael # ", 60)


def test_u_boot(flash):
    words = ["-m", "256", "-bios", flash, "-display", "none", "-serial", "stdio", "-no-reboot", "-nic", "user", "-rtc", "base=utc"]
    with Machine(words, board="malta") as m:
        m.expect(r"Board: MIPS Malta CoreLV", 60)
        m.expect(r"DRAM: +256 MiB")
        m.expect(r"Net: +eth0: pcnet#0")
        prompt(m)
        m.type("pci\r")
        for vendor, device in (("11ab", "4620"), ("8086", "7110"), ("8086", "7111"), ("8086", "7112"), ("8086", "7113"), ("1022", "2000")):
            m.expect(f"0x{vendor} +0x{device}")
        prompt(m)
        m.type("mw.l 80800000 cafe1234 4; cmp.l 80800000 80800008 2\r")
        m.expect("Total of 2 word\\(s\\) were the same")
        prompt(m)
        m.type("md.l be000000 1; flinfo\r")
        m.expect("CFI conformant flash")
        prompt(m)
        m.type("dhcp 80800000 nothing\r")
        m.expect("DHCP client bound to address 10.0.2.15", 60)
        m.type("\x03")
        prompt(m)
        m.type("reset\r")
        assert m.status(60) == 0
