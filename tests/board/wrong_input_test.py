"""Every wrong command line gets one sentence that names the thing and a way out, and status 1."""
import pathlib
import subprocess

import pytest

from conftest import ROOT, run_board

# Words of the command line; the sentence, without the program's name.  {tmp} is a folder with the files made below.
WRONG = [
    ("-kernle x", "unknown option '-kernle' (did you mean '-kernel'?)"),
    ("--zzzzzzzz", "unknown option '--zzzzzzzz'; -help lists them"),
    ("zImage", "'zImage' is no option; a program to run is given with -kernel, a disk with -drive"),
    ("-kernel", "-kernel needs an argument: -kernel FILE"),
    ("-M malta", "-M: this program is the board 'versatilepb'; 'malta' is pinstrap-malta"),
    ("-M versatilebp", "-M: there is no board 'versatilebp' (did you mean 'versatilepb'?); this program is 'versatilepb'"),
    ("-machine versatilepb,colour=red", "-machine: there is no property 'colour'; there are usb, dump-guest-core, memory-backend, graphics, mem-merge, dtb"),
    ("-accel jitt", "-accel: there is no accelerator 'jitt' (did you mean 'jit'?); there are jit (also called tcg), interp and kvm"),
    ("-accel jit,tb-size=x", "-accel: tb-size='x' must be a whole number"),
    ("-accel jit,tb-size=99999", "-accel: tb-size=99999 is too much; at most 4096 MiB of translated code"),
    ("-accel jit,one-insn-per-tb=maybe", "-accel: one-insn-per-tb='maybe' must be on or off"),
    ("-accel kvm", "-accel kvm: this build of pinstrap-versatilepb has no KVM yet; use -accel jit"),
    ("-m lots", "-m: 'lots' is not a size; write 128, 128M or 1G"),
    ("-m 1G", "-m: '1G' is too much RAM; this board takes at most 256 MiB"),
    ("-smp 4", "-smp: this board has 1 processor, not 4"),
    ("-smp 0", "-smp: a machine needs a processor"),
    ("-serial stdiox", "-serial: 'stdiox' is no place for characters (did you mean 'stdio'?)"),
    ("-serial chardev:a", "'chardev:a': there is no -chardev with id=a"),
    ("-monitor nul", "-monitor: 'nul' is no place for characters (did you mean 'null'?)"),
    ("-display gtkk", "-display: there is no display 'gtkk' (did you mean 'gtk'?)"),
    ("-display gtk", "-display: this build of pinstrap-versatilepb has no screen yet; use -display none or -nographic"),
    ("-vnc :0", "-vnc: this build of pinstrap-versatilepb has no screen yet; use -nographic"),
    ("-d guest_error", "-d: there is no log item 'guest_error' (did you mean 'guest_errors'?); '-d help' lists them"),
    ("-D /no/such/folder/log", "-D: cannot open '/no/such/folder/log': no such file or directory"),
    ("-rtc base=yesterday", "-rtc: base='yesterday' must be utc, localtime or a time like 2006-06-17T16:01:21"),
    ("-semihosting-config target=moon", "-semihosting-config: target='moon' must be native, gdb or auto"),
    ("-uuid 1234", "-uuid: '1234' is not a UUID like 6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
    ("-drive file=disk.img", "-drive: cannot open 'disk.img': no such file or directory; make it with 'qemu-img create' or 'truncate -s SIZE'"),
    ("-hda disk.img", "-hda: cannot open 'disk.img': no such file or directory; make it with 'qemu-img create' or 'truncate -s SIZE'"),
    ("-device virtio-blk", "-device virtio-blk: virtio-blk-pci needs drive=; add '-drive if=none,id=d0,file=FILE' and say drive=d0"),
    ("-nic user,model=e1000", "-nic: model=e1000: this board knows no such card, but smc91c111, pcnet, virtio-net-pci, virtio"),
    ("-loadvm before", "-loadvm: this build of pinstrap-versatilepb has no snapshots yet; leave it out"),
    ("-initrd {tmp}/text", "-initrd: there is no kernel to give it to; add -kernel FILE"),
    ("-append quiet", "-append: there is no kernel to give it to; add -kernel FILE"),
    ("-kernel {tmp}/none", "-kernel: cannot open '{tmp}/none': there is no such file"),
    ("-kernel {tmp}", "-kernel: '{tmp}' is a folder, not a file"),
    ("-kernel {tmp}/empty", "-kernel: '{tmp}/empty' is empty"),
    ("-kernel {tmp}/short.elf", "-kernel: '{tmp}/short.elf': the file ends inside its ELF header"),
    ("-kernel {tmp}/x86.elf", "-kernel: '{tmp}/x86.elf': this ELF file is for another processor (machine number 62), not Arm"),
    ("-kernel {tmp}/broken.gz", "-kernel: '{tmp}/broken.gz' has broken gzip data"),
    ("-kernel {tmp}/text -initrd {tmp}/none", "-initrd: cannot open '{tmp}/none': there is no such file"),
    ("-kernel {tmp}/text -dtb {tmp}/text", "-dtb: '{tmp}/text' is not a device tree; dtc makes one from source"),
    ("-bios {tmp}/none", "-bios: cannot open '{tmp}/none': there is no such file"),
    ("-serial file:", "-serial: 'file:' needs a name after it: file:PATH"),
    ("-serial file", "-serial: 'file' needs a name after it: file:PATH"),
    ("-accel jti", "-accel: there is no accelerator 'jti' (did you mean 'jit'?); there are jit (also called tcg), interp and kvm"),
    ("-singlestep", "unknown option '-singlestep': QEMU's, not ours; write -accel jit,one-insn-per-tb=on"),
    ("-kernel {tmp}/virtual.hex", "-kernel: '{tmp}/virtual.hex': it starts at 0xc0010000, where it loads nothing; give the address the program is loaded at"),
    ("-gdb nonsense", "-gdb: gdb cannot use 'nonsense'; say tcp::1234, tcp:HOST:PORT, unix:PATH or stdio"),
    ("-gdb file:/x", "-gdb: gdb cannot use 'file:/x'; say tcp::1234, tcp:HOST:PORT, unix:PATH or stdio"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    tmp = tmp_path_factory.mktemp("wrong")
    (tmp / "text").write_bytes(b"this is no kernel, but a raw image may hold anything\n" * 4)
    (tmp / "empty").write_bytes(b"")
    (tmp / "short.elf").write_bytes(b"\x7fELF\x01\x01\x01" + bytes(20))
    (tmp / "x86.elf").write_bytes(b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\0\x3e\0" + bytes(44))
    (tmp / "virtual.hex").write_text(":020000040001F9\n:04000000FEFFFFEA16\n:04000005C00100" + "0036\n:00000001FF\n")
    (tmp / "broken.gz").write_bytes(b"\x1f\x8b\x08" + bytes(7) + b"\xff" * 40)
    return tmp


@pytest.mark.parametrize("words, sentence", WRONG, ids=[w for w, _ in WRONG])
def test_one_sentence_and_status_1(words, sentence, folder):
    status, out, err = run_board(*words.format(tmp=folder).split(), seconds=10)
    assert (status, out, err) == (1, "", f"pinstrap-versatilepb: {sentence.format(tmp=folder)}\n")


@pytest.mark.parametrize("words, text", [("-help", "usage: pinstrap-versatilepb"), ("-version", "pinstrap-versatilepb (Pinstrap) "),
                                         ("-M help", "versatilepb"), ("-cpu help", "arm926"), ("-accel help", "interp"),
                                         ("-d help", "guest_errors"), ("-map", "uart0"), ("-explain", "vic")])
def test_what_is_asked_for_goes_to_standard_output(words, text):
    status, out, err = run_board(*words.split())
    assert status == 0 and err == "" and text in out


@pytest.mark.parametrize("words, sentence", [
    ("rnu", "pinstrap: unknown command 'rnu' (did you mean 'run'?); './pinstrap help' lists them"),
    ("help xyz", "pinstrap: unknown command 'xyz'; './pinstrap help' lists them"),
    ("guest versatilepb-linxu", "pinstrap: there is no guest 'versatilepb-linxu' (did you mean 'versatilepb-linux'?)"),
])
def test_front_door(words, sentence):
    done = subprocess.run([str(pathlib.Path(ROOT) / "pinstrap"), *words.split()], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", sentence + "\n")
