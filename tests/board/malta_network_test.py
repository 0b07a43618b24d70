"""Guests that speak to each other and to the host: two boards on one cable, TCP through forwarded ports."""
import hashlib
import os
import random
import socket
import threading

import pytest

from conftest import PATIENCE
from malta import BOTH, card_with, connect, do, free_port, network, shell

pytestmark = pytest.mark.linux

# A few MB in the quick suite, as much as an installer fetches in the whole one.
MIB = 5 if os.environ.get("PINSTRAP_QUICK") else 100


MACS = ("52:54:00:12:34:01", "52:54:00:12:34:02")
WAYS = {
    "the board's own card": "-nic socket,{role}=127.0.0.1:{port},mac={mac}",
    "a card in a slot": "-netdev socket,id=n0,{role}=127.0.0.1:{port} -device pcnet,netdev=n0,mac={mac}",
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_two_boards_ping_each_other(way):
    """One of each byte order, on a cable between two emulators."""
    port = free_port()
    options = [way.format(role=role, port=port, mac=mac).split() for role, mac in zip(("listen", "connect"), MACS)]
    with shell("le", *options[0]) as a, shell("be", *options[1]) as b:
        network(a, "192.168.7.1", card_with(a, MACS[0]))
        network(b, "192.168.7.2", card_with(b, MACS[1]))
        for m, other in ((a, "192.168.7.2"), (b, "192.168.7.1")):
            assert "5 packets received" in do(m, f"ping -c 1 -W 5 {other} >/dev/null; ping -c 5 -i 0.2 -W 5 {other}", 60)
        assert MACS[1] in do(a, "ip neigh show").lower()
        # Frames that need more than one buffer.
        assert "3 packets received" in do(a, "ping -c 3 -i 0.2 -W 5 -s 4000 192.168.7.2", 60)


def forwarded(which, *guest_ports):
    ports = [free_port() for _ in guest_ports]
    rules = "".join(f",hostfwd=tcp:127.0.0.1:{host}-:{guest}" for host, guest in zip(ports, guest_ports))
    m = shell(which, "-nic", f"user{rules}")
    network(m)
    return m, ports


def transfer(m, port, work, seconds):
    """Runs `work` on a connection of this host in a thread while the machine's console is read."""
    out = []
    do(m, "until netstat -ltn | grep -q :5000; do usleep 50000; done")

    def talk():
        with connect(port) as s:
            s.settimeout(60 * PATIENCE)
            out.append(work(s))

    thread = threading.Thread(target=talk, daemon=True)
    thread.start()
    wrote = do(m, "wait; cat /tmp/sum", seconds)
    thread.join(30 * PATIENCE)
    assert out, "the connection to the forwarded port did not end"
    return wrote.split()[0], out[0]


@BOTH
def test_sends_a_file_through_a_forwarded_port(which):
    m, (port,) = forwarded(which, 5000)
    with m:
        do(m, "mkfifo /tmp/copy; { sha256sum </tmp/copy >/tmp/sum; } &")
        do(m, f"{{ dd if=/dev/urandom bs=64k count={MIB * 16} 2>/dev/null | tee /tmp/copy | nc -l -p 5000; }} &")

        def receive(s):
            digest, total = hashlib.sha256(), 0
            while total < MIB << 20 and (piece := s.recv(1 << 18)):
                digest.update(piece)
                total += len(piece)
            return digest.hexdigest(), total

        there, (here, total) = transfer(m, port, receive, 600)
        assert (total, here) == (MIB << 20, there)


@BOTH
def test_receives_a_file_through_a_forwarded_port(which):
    m, (port,) = forwarded(which, 5000)
    with m:
        do(m, "{ nc -l -p 5000 | sha256sum >/tmp/sum; } &")
        block = random.Random(1).randbytes(1 << 20)

        def send(s):
            digest = hashlib.sha256()
            for i in range(MIB):
                piece = i.to_bytes(8) + block[8:]
                s.sendall(piece)
                digest.update(piece)
            s.shutdown(socket.SHUT_WR)
            s.recv(1)
            return digest.hexdigest()

        there, here = transfer(m, port, send, 600)
        assert here == there
