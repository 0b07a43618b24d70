"""What a checked board page says: the objects the templates and drawings are made from."""
from dataclasses import dataclass, field

from boardsource import Mark

DRIVE_UNITS = {"ide": 2, "floppy": 2, "scsi": 7, "sd": 1, "mtd": 1}  # of one bus; an IDE device has two buses
UNITS = {"Hz": 1, "kHz": 10**3, "MHz": 10**6, "GHz": 10**9, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


def amount(v):
    """A size or frequency in units of one."""
    if isinstance(v, int):
        return v
    n, unit = v.split()
    return int(float(n) * UNITS[unit])


def size_text(n):
    for unit in ("GiB", "MiB", "KiB"):
        if n % UNITS[unit] == 0:
            return f"{n // UNITS[unit]} {unit}"
    return f"{n} bytes"


def frequency_text(hz):
    for unit in ("GHz", "MHz", "kHz"):
        if hz >= UNITS[unit]:
            return f"{hz / UNITS[unit]:.12g} {unit}"
    return f"{hz} Hz"


def camel(words):
    return "".join(w.capitalize() for w in words.split("_"))


@dataclass
class Edge:
    source: str
    pin: str
    to: str
    line: int
    mark: Mark
    gate: int = -1  # the joined line it belongs to
    bit: int = 0    # its place in the gate


@dataclass
class Region:
    name: str
    at: int
    size: int
    mark: Mark
    what: str  # memory, device, known
    space: str = "mem"
    rom: bool = False
    option: bool = False
    max: int = 0
    rest: str = ""  # the memory whose surplus it holds
    number: int = 0  # of a device's windows

    @property
    def last(self):
        return self.at + max(self.size, self.max) - 1


@dataclass
class Space:
    name: str
    size: int
    grain: int
    window: tuple | None = None  # (bridge, number)
    plug: str = ""  # who answers where nobody does
    mark: Mark | None = None


@dataclass
class Device:
    name: str
    kind: str
    group: str
    header: str
    windows: list  # Regions, the first is the device's address
    clock: str
    hz: int
    host: tuple | None  # ("serial", 0)
    pci: tuple | None  # (bridge, slot, function)
    fitted: str  # "drives": only with a drive of its own; "nic": only with a network; "vga": not with -vga none
    memory: str
    constants: dict
    uses: dict
    open_pins: list  # said to be `none`
    mark: Mark
    marks: dict
    edges: list = field(default_factory=list)

    @property
    def serial(self):
        return self.host[1] if self.host and self.host[0] == "serial" else -1

    @property
    def drive_places(self):
        """Units of its host port that can hold a drive."""
        return DRIVE_UNITS.get(self.host[0], 0) if self.host else 0

    @property
    def placed(self):
        """True when the page says where it is, and not a PCI function's base addresses."""
        return self.region.size > 0

    @property
    def region(self):
        return self.windows[0]

    @property
    def cls(self):
        return f"peripherals::{self.kind}::{camel(self.kind)}<{self.name}_wires>"

    @property
    def pins(self):
        return list(dict.fromkeys([e.pin for e in self.edges] + self.open_pins))


@dataclass
class Board:
    name: str
    title: str
    machines: list
    cpu: dict
    clocks: dict
    regions: list
    spaces: dict
    devices: list
    edges: list
    gates: list
    linux: dict
    firmware: list
    source: str

    def memories(self):
        return [r for r in self.regions if r.what == "memory"]

    def namespace(self):
        return self.name.replace("-", "_")

    def rest(self):
        """The memory that holds what -m asks beyond the first."""
        return next((r for r in self.regions if r.rest), None)

    def ram_max(self):
        ram, rest = self.ram(), self.rest()
        return ram.max + (rest.max if rest else 0) if ram else 0

    def hosts(self, what):
        """Devices with that kind of host port, in the order of their numbers."""
        return sorted((d for d in self.devices if d.host and d.host[0] == what), key=lambda d: d.host[1])

    def drive_facts(self):
        """The drives of the page's devices: (interface, buses, units per bus, only with a drive), in the order of the page."""
        out = []
        for d in self.devices:
            if not d.host or d.host[0] not in DRIVE_UNITS or d.host[0] in [i for i, *_ in out]:
                continue
            last = self.hosts(d.host[0])[-1].host[1]
            out.append((d.host[0], last + (2 if d.host[0] == "ide" else 1), DRIVE_UNITS[d.host[0]], all(o.fitted for o in self.hosts(d.host[0]))))
        return out

    def bridges(self):
        return list(dict.fromkeys(d.pci[0] for d in self.devices if d.pci))

    def known(self):
        return [r for r in self.regions if r.what == "known"]

    def ram(self):
        """The memory -m sizes."""
        return next((r for r in self.regions if r.option), None)

    def device(self, name):
        return next((d for d in self.devices if d.name == name), None)
