"""Virtio devices under Linux on both byte orders: their structures are little-endian, or, in the legacy interface, the guest's."""
import random

import pytest

from malta import BOTH, do, md5, network, oddities, shell

pytestmark = pytest.mark.linux

INTERFACES = pytest.mark.parametrize("interface", ["disable-legacy=on", "disable-modern=on"], ids=["modern", "legacy"])
MIB = 1 << 20


@BOTH
@INTERFACES
def test_disk(which, interface, tmp_path):
    """The guest's sum of the disk is the image's; so it is after the guest wrote."""
    image = tmp_path / "disk.img"
    image.write_bytes(random.Random(which + interface).randbytes(4 * MIB))
    options = ["-drive", f"file={image},format=raw,if=none,id=d0", "-device", f"virtio-blk-pci,drive=d0,{interface}"]
    with shell(which, *options) as m:
        assert do(m, "cat /sys/block/vda/size") == str(4 * MIB // 512)
        assert do(m, "md5sum </dev/vda", 60).split()[0] == md5(image.read_bytes())
        do(m, "dd if=/dev/urandom of=/tmp/part bs=64k count=8 2>/dev/null; dd if=/tmp/part of=/dev/vda bs=64k seek=11 conv=notrunc,fsync 2>/dev/null")
        part = do(m, "md5sum </tmp/part").split()[0]
        do(m, "echo 3 >/proc/sys/vm/drop_caches")
        whole = do(m, "md5sum </dev/vda", 60).split()[0]
        assert not oddities(m.text)
        m.process.terminate()
        assert m.status() == 0
    data = image.read_bytes()
    assert md5(data[11 << 16:19 << 16]) == part and md5(data) == whole


@BOTH
@INTERFACES
def test_network(which, interface):
    """DHCP and frames that need several buffers, with the host of -netdev user."""
    with shell(which, "-nic", "none", "-netdev", "user,id=n0", "-device", f"virtio-net-pci,netdev=n0,{interface}") as m:
        network(m)
        assert "3 packets received" in do(m, "ping -c 3 -i 0.2 -W 5 -s 1400 10.0.2.2", 60)
        assert not oddities(m.text)
