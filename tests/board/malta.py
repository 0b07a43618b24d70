"""The Linux guests of the MIPS Malta, and talking to their shell."""
import dataclasses
import hashlib
import pathlib
import re
import socket
import time

import pytest

from conftest import PATIENCE, Machine, guests, run_board


@dataclasses.dataclass(frozen=True)
class Guest:
    board: str
    ram: int
    kernel: str
    initrd: str


GUESTS = {
    "debian": Guest("malta", 256, "vmlinuz-debian-4kc-malta", "initramfs-debian-le.cpio.gz"),  # Debian's kernel, drivers as modules
    "le": Guest("malta", 128, "vmlinuz-le", "initramfs-le.cpio.gz"),
    "be": Guest("malta-be", 128, "vmlinux-be", "initramfs-be.cpio.gz"),
}
BOTH = pytest.mark.parametrize("which", ["le", "be"])
ALL = pytest.mark.parametrize("which", GUESTS)


def linux(which, words="", *options):
    """A machine that boots one of the guests; `words` go to the kernel's command line."""
    guest, at = GUESTS[which], guests("mips-malta")
    for name in (guest.kernel, guest.initrd):
        if not (at / name).is_file():
            pytest.skip(f"the guests folder has no mips-malta/{name}")
    return Machine(["-M", "malta", "-m", guest.ram, "-kernel", at / guest.kernel, "-initrd", at / guest.initrd, "-display", "none", "-serial", "stdio",
                    "-monitor", "none", "-no-reboot", "-append", f"console=ttyS0 {words}".strip(), *options], guest.board)


def shell(which, *options):
    """A machine whose shell takes lines and echoes nothing: a prompt with an editor would mix with the answers."""
    m = linux(which, "quiet", *options)
    m.expect("GUEST-READY", 60)
    m.expect("# ")
    m.type("stty -echo; echo qu''iet; while IFS= read -r line; do eval \"$line\" </dev/null 2>&1; echo STATUS=$?; done\n")
    m.expect("quiet\r\n")
    return m


def do(m, command, seconds=30):
    """Runs a line in that shell; what it wrote.  It must succeed."""
    m.type(f"{command}\n")
    found = m.expect(r"(.*?)STATUS=(\d+)\r?\n", seconds)
    wrote = found[1].replace("\r", "").strip("\n")
    assert found[2] == "0", f"{command!r} ended with {found[2]}: {wrote}"
    return wrote


def network(m, address=None, card="eth0"):
    """Gives the card an address, or asks DHCP for one."""
    do(m, f"ip link set lo up; ip link set {card} up")
    if address:
        do(m, f"ip addr add {address}/24 dev {card}")
    else:
        do(m, f"udhcpc -i {card} -n -q -t 5 -T 2 -s /etc/udhcpc.sh")


def card_with(m, mac):
    """The interface that has this address: the card of the board itself may be there beside it."""
    return do(m, f"cd /sys/class/net; for c in *; do grep -q {mac} $c/address && echo $c; done; cd /")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def connect(port, seconds=20):
    """A TCP connection to a port of this host, tried until it is there."""
    end = time.monotonic() + seconds * PATIENCE
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), 10 * PATIENCE)
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def blank(path, mib):
    with pathlib.Path(path).open("wb") as file:
        file.truncate(mib << 20)
    return path


def drive(path, more=""):
    return ["-drive", f"file={path},format=raw,if=ide{more}"]


# How the host carries a disk's requests out.
AIO = pytest.mark.parametrize("aio", ["threads", "io_uring"])


def need_aio(aio, folder):
    """Skips, with the emulator's words, where it has no such way."""
    _, _, said = run_board("-M", "malta", *drive(blank(folder / "probe.img", 1), f",aio={aio}"), "-kernel", folder / "none", board="malta")
    if refused := re.search(r"aio=\S+ was specified, but.*", said):
        pytest.skip(refused[0])


def md5(data):
    return hashlib.md5(data).hexdigest()


def oddities(text):
    """Lines of the console that speak of a fault of the machine."""
    return re.findall(r"(?im)^.*(?:oops|unable to handle|bug:|nobody cared|lost interrupt|failed command|reserved instruction|panic).*$", text)
