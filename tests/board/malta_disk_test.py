"""The Malta's IDE disk under Linux: what is written is read, here and in the image, also after the emulator was killed."""
import os
import random
import re
import time

import pytest

from conftest import PATIENCE
from malta import AIO, ALL, blank, do, drive, md5, need_aio, oddities, shell

pytestmark = pytest.mark.linux

KILLS = int(os.environ.get("PINSTRAP_KILLS", "3"))  # by hand: 200
SECTOR, PAGE = 512, 4096


@pytest.mark.slow
@AIO
@ALL
def test_random_writes_are_read_back(which, aio, tmp_path):
    """Runs of 1 to 64 pages at random places of 64 MiB, some over others; the guest's sums, read past its cache, and the image's."""
    need_aio(aio, tmp_path)
    image = blank(tmp_path / "disk.img", 64)
    seed = random.Random(7)
    runs = [(seed.randrange(16384 - 64), seed.randint(1, 64)) for _ in range(40)]
    with shell(which, *drive(image, f",aio={aio}")) as m:
        do(m, "cd /tmp; dd if=/dev/urandom of=pool bs=64k count=16 2>/dev/null; dd if=/dev/zero of=model bs=1M count=0 seek=64 2>/dev/null")
        for i, (page, count) in enumerate(runs):
            # `model` is what the disk must be: the same writes to a sparse file in memory.
            do(m, f"dd if=pool bs={PAGE} skip={i * 5} count={count} 2>/dev/null >part; "
                  f"for f in /dev/sda model; do dd if=part of=$f bs={PAGE} seek={page} conv=notrunc 2>/dev/null || return 1; done")
        do(m, "sync; echo 3 >/proc/sys/vm/drop_caches")
        of_disk, of_model = do(m, "md5sum </dev/sda; md5sum <model", 120).replace("-", "").split()
        assert of_disk == of_model
        m.type("exit\n")
        assert not oddities(m.text)
        m.process.terminate()
        m.status()
    assert md5(image.read_bytes()) == of_model


@pytest.mark.slow
@AIO
@pytest.mark.parametrize("cache", ["writethrough", "writeback"])
@pytest.mark.parametrize("which", ["le", "debian"])
def test_what_was_flushed_survives_a_kill(which, cache, aio, tmp_path):
    """The guest writes numbered blocks and says so after each flush; whatever it said is in the image after SIGKILL."""
    need_aio(aio, tmp_path)
    image = blank(tmp_path / "disk.img", 16)
    seed, first = random.Random(3), 0
    for _ in range(KILLS):
        with shell(which, *drive(image, f",cache={cache},aio={aio}")) as m:
            m.type(f"i={first}; while [ $i -lt 32768 ]; do printf %-{SECTOR}s $i | dd of=/dev/sda bs={SECTOR} seek=$i conv=notrunc,fsync 2>/dev/null "
                   "&& echo FLUSHED $i.; i=$((i+1)); done\n")
            m.expect("FLUSHED", 60)
            end = time.monotonic() + seed.uniform(0.1, 1.5) * PATIENCE
            while time.monotonic() < end:
                m.read(0.01)
            m.process.kill()
            while m.read(1):
                pass
            flushed = [int(n) for n in re.findall(r"FLUSHED (\d+)\.", m.text)]
        assert flushed == list(range(first, first + len(flushed)))
        first += len(flushed)
        with image.open("rb") as file:  # those of earlier rounds too
            lost = [n for n in range(first) if file.read(SECTOR) != b"%-512d" % n]
        assert not lost, f"blocks {lost[:10]} were said to be flushed and are not in the image"
