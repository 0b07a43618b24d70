"""Checks a board page and turns it into a Board.  What YAML alone can tell is refused here; facts only a
peripheral knows (pins, inputs, window) become static_asserts of the generated header."""
import re

import jsonschema

from boardmodel import Board, Device, Edge, Region, Space, amount, size_text
from boardsource import Page, suggest

PAGE = 4096
# Names C++ or the machine itself already uses.
RESERVED = set("""cpu none clock timers ram serial request wake known now raise read write expire info devices edges
 auto bool break case catch char class const continue default delete do double else enum explicit export extern false
 float for friend goto if inline int long mutable namespace new not operator or and xor private protected public
 register return short signed sizeof static struct switch template this throw true try typedef typeid union unsigned
 using virtual void volatile while""".split())
WIRE_NAMES = set("m name clock_hz size put can_put arm disarm armed now repeats_until wall_clock dma_read dma_write stray unimp guest_error"
                 " system_reset shutdown backing backing_mapped window_moved end_boot_alias drive nic function big_endian"
                 " machine ram_size".split())
FITTED = {"nic": "with a network, say 'pci:' and 'host:'", "drives": "with drives, say 'pci:' and 'host:'", "vga": "without 'host:', say 'pci:'"}


def host_kind(device):
    """What may decide whether a device is fitted: its network, its drives, or the user's wish for a graphics card."""
    host = device.get("host", "")
    return "nic" if host.startswith("net") else "vga" if not host else "" if host.startswith("serial") else "drives"


class Checker:
    def __init__(self, page: Page, roots):
        self.page, self.roots, self.data = page, roots, page.data

    def error(self, where, text, key=False):
        self.page.error(where, text, key)

    def board(self, schema):
        """The checked board; complaints are with the page when something is wrong."""
        self.check_shape(schema)
        self.page.complaints.stop_if_any()
        self.places = {}  # (bridge, slot, function) → who is there
        d = self.data
        self.clocks = {k: amount(v) for k, v in d.get("clocks", {}).items()}
        self.spaces = {"mem": Space("mem", 1 << 64, PAGE)}
        for k, v in d.get("spaces", {}).items():
            plug = v.get("plug", "")
            if plug and plug not in d["devices"]:
                self.error(("spaces", k, "plug"), f"{k}: no device '{plug}' on this board" + suggest(plug, d["devices"]))
            if k == "mem":
                for extra in [x for x in v if x != "plug"]:
                    self.error(("spaces", k, extra), f"mem: memory is there by itself, only 'plug:' can be said of it", key=True)
                self.spaces[k].plug = plug
                continue
            if "size" not in v:
                self.error(("spaces", k), f"{k}: 'size:' is missing (bytes of the address space)", key=True)
                continue
            window = v["window"].split(".") if "window" in v else None
            if window and window[0] not in d["devices"]:
                self.error(("spaces", k, "window"), f"{k}: no device '{window[0]}' on this board" + suggest(window[0], d["devices"]))
            self.spaces[k] = Space(k, amount(v["size"]), v.get("grain", PAGE), window and (window[0], int(window[1])), plug, self.page.mark(("spaces", k), True))
        self.regions = [self.memory(k, v) for k, v in d["memory"].items()]
        self.regions += [Region(k, v["at"], amount(v["size"]), self.page.mark(("known", k), True), "known") for k, v in d.get("known", {}).items()]
        cpu = self.find("cpus", d["cpu"]["kind"], ("cpu", "kind"), "cpu", "processor")
        devices = [self.device(k, v) for k, v in d["devices"].items()]
        self.check_overlaps()
        edges, gates = self.edges(devices)
        self.page.complaints.stop_if_any()
        cpu |= {"hz": amount(d["cpu"]["clock"]), "mark": self.page.mark(("cpu", "kind"))}
        for key in [k for k in d["cpu"] if k in ("model", "endian", "bus_errors_from")]:
            if cpu["header"] and not cpu["facts"]:
                self.error(("cpu", key), f"cpu: {d['cpu']['kind']} is no kind that has '{key}:', leave it out", key=True)
        self.page.complaints.stop_if_any()
        cpu |= {k: v for k, v in d["cpu"].items() if k != "clock"}
        self.regions.sort(key=lambda r: (r.space != "mem", r.space, r.at, r.what != "memory"))
        return Board(d["board"], d["title"], d.get("machines", [d["board"]]), cpu, self.clocks, self.regions, self.spaces,
                     devices, edges, gates, d.get("linux", {}), d.get("firmware", []), self.page.file)

    # Shape --------------------------------------------------------------------------------------

    def meaning(self, key):
        return key.get("description") or self.schema["$defs"][key["$ref"].rpartition("/")[2]]["description"]

    def check_shape(self, schema):
        self.schema = schema
        errors = jsonschema.Draft202012Validator(schema).iter_errors(self.data)
        for e in sorted(errors, key=lambda e: [str(p) for p in e.absolute_path]):
            where = tuple(e.absolute_path)
            name = ".".join(map(str, where)) or "board"
            names = schema_keys(e.schema)
            if e.validator == "additionalProperties":
                for extra in [k for k in e.instance if k not in names]:
                    self.error(where + (extra,), f"{name}: unknown key '{extra}'" + suggest(extra, names, f"; the keys here are {', '.join(names)}"), key=True)
            elif e.validator == "required":
                missing = next(k for k in e.validator_value if k not in e.instance)
                self.error(where, f"{name}: '{missing}:' is missing ({self.meaning(names[missing])})", key=True)
            elif "propertyNames" in e.absolute_schema_path:
                self.error(where + (e.instance,), f"{name}: '{e.instance}' is not {e.schema['description']}", key=True)
            else:
                hint = e.schema.get("description") or e.message
                self.error(where, f"{name}: expected {hint}, got {shown(e.instance)}{unit_hint(e.instance)}")
        for k in self.data.get("devices") or ():
            if k in RESERVED:
                self.error(("devices", k), f"{k}: the machine itself uses this name, choose another", key=True)

    # Parts --------------------------------------------------------------------------------------

    def memory(self, name, v):
        where = ("memory", name)
        r = Region(name, v["at"], amount(v["size"]), self.page.mark(where, True), "memory", rom=v.get("rom", False),
                   option=v.get("option", False), max=amount(v.get("max", v["size"])), rest=v.get("rest", ""))
        for what in ("at", "size"):
            if getattr(r, what) % PAGE:
                self.error(where + (what,), f"{name}.{what}: memory comes in pages of 4 KiB")
        if r.max < r.size:
            self.error(where + ("max",), f"{name}: 'max:' is below 'size:'")
        first = next((k for k, m in self.data["memory"].items() if m.get("option")), name)
        if r.rest and (r.rest not in self.data["memory"] or not self.data["memory"][r.rest].get("option")):
            self.error(where + ("rest",), f"{name}: '{r.rest}' is no memory that -m sizes; the one with 'option: true' is meant")
        if r.option and first != name:
            self.error(where + ("option",), f"{name}: only one memory can follow -m, and '{first}' does")
        return r

    def find(self, folder, kind, where, name, what):
        """Header and group of a peripheral or processor."""
        kinds = {}
        for root in reversed(self.roots):
            kinds |= {p.stem: (p.parent.name, p.relative_to(root).as_posix()) for p in sorted((root / folder).glob("*/*.hpp"))}
        if kind not in kinds:
            self.error(where, f"{name}: no {what} '{kind}'" + suggest(kind, kinds, f"; there is no {folder}/*/{kind}.hpp"))
        group, header = kinds.get(kind, ("", ""))
        text = next(((r / header).read_text() for r in self.roots if header and (r / header).exists()), "")
        return {"group": group, "header": header, "facts": "class Facts" in text}

    def device(self, name, v):
        where, d, page = ("devices", name), self.data, self.page
        found = self.find("peripherals", v["kind"], where + ("kind",), name, "peripheral")
        windows = self.windows(name, v, where)
        region = windows[0]
        tied = next((r for r in self.regions if r.what == "memory" and r.name == v.get("memory")), None)
        if "memory" in v:
            if tied is None:
                self.error(where + ("memory",), f"{name}: no memory '{v['memory']}' on this board" + suggest(v["memory"], d["memory"]))
            elif not tied.rom:
                self.error(where + ("memory",), f"{name}: memory '{v['memory']}' must say 'rom: true' to have a device on it")
            for k in [k for k in ("at", "size", "space") if k in v]:
                self.error(where + (k,), f"{name}: '{k}:' comes from memory '{v['memory']}', leave it out", key=True)
            if tied:
                region.at, region.size = tied.at, tied.size
        elif "pci" in v and "at" not in v:
            region.size = 0
        elif "at" not in v:
            self.error(where, f"{name}: 'at:' is missing (the address the device begins at)", key=True)
        space = self.spaces.get(region.space)
        if space is None:
            self.error(where + ("space",), f"{name}: no address space '{region.space}'" + suggest(region.space, self.spaces))
        for i, w in enumerate(windows if space else ()):
            if w.size == 0:
                continue  # a PCI function has no place here
            if w.last >= space.size:
                self.error(where + ("at", i), f"{name}: ends at {w.last:#x}, past the end of {space.name} ({space.size:#x})")
            elif w.size >= space.grain and w.at % space.grain:
                self.error(where + ("at", i), f"{name}: {w.at:#x} is not aligned to its {size_text(space.grain)}; say 'size:' when the board decodes less")
        if v.get("clock") and v["clock"] not in self.clocks:
            self.error(where + ("clock",), f"{name}: clock '{v['clock']}' is not declared under 'clocks:'" + suggest(v["clock"], self.clocks, f"; declared are {', '.join(self.clocks) or 'none'}"))
        if "host" in v:
            other = next((k for k, o in d["devices"].items() if k != name and o.get("host") == v["host"]), None)
            if other and list(d["devices"]).index(other) < list(d["devices"]).index(name):
                at = page.mark(("devices", other, "host"))
                self.error(where + ("host",), f"{name}: {v['host']} already belongs to {other} ({at.seen_from(page.mark(where + ('host',)))})")
        for k in [k for k in v.get("set", {}) if k in WIRE_NAMES | RESERVED]:
            self.error(where + ("set", k), f"{name}.set: '{k}' is a name the wires use, choose another", key=True)
        pci = self.place_on_bus(name, v, where) if "pci" in v else None
        if "fitted" in v and ("pci" not in v or host_kind(v) != v["fitted"]):
            self.error(where + ("fitted",), f"{name}: 'fitted: {v['fitted']}' is for a PCI function {FITTED[v['fitted']]}", key=True)
        for k, to in v.get("uses", {}).items():
            if k in WIRE_NAMES | RESERVED:
                self.error(where + ("uses", k), f"{name}.uses: '{k}' is a name the wires use, choose another", key=True)
            if to not in d["devices"] or to == name:
                self.error(where + ("uses", k), f"{name}.uses: no other device '{to}' on this board" + suggest(to, d["devices"]))
        if space and "at" in v and not tied:
            self.regions += windows
        wires = v.get("wires", {})
        return Device(name, v["kind"], found["group"], found["header"], windows, v.get("clock", ""), self.clocks.get(v.get("clock"), 0),
                      self.host_port(v["host"]) if "host" in v else None, pci, v.get("fitted", ""), v.get("memory", ""), v.get("set", {}), v.get("uses", {}), [p for p, t in wires.items() if t == "none"],
                      page.mark(where, True), {k: page.mark(where + (k,), k == "wires") for k in v} | {p: page.mark(where + ("wires", p), True) for p in wires})

    @staticmethod
    def host_port(text):
        m = re.fullmatch(r"([a-z]+)([0-9]+)", text)
        return m[1], int(m[2])

    def place_on_bus(self, name, v, where):
        bridge, slot, function = (v["pci"].split(".") + ["0"])[:3]
        here = self.page.mark(where + ("pci",))
        if bridge not in self.data["devices"]:
            self.error(where + ("pci",), f"{name}: no device '{bridge}' on this board" + suggest(bridge, self.data["devices"]))
        place = (bridge, int(slot), int(function))
        other = self.places.setdefault(place, (name, here))
        if other[0] != name:
            self.error(where + ("pci",), f"{name}: slot {slot}, function {function} of {bridge} already holds {other[0]} ({other[1].seen_from(here)})")
        if "inta" in v.get("wires", {}):
            self.error(where + ("wires", "inta"), f"{name}: the bus wires the interrupt pin of a PCI function, leave 'inta' out", key=True)
        return place

    def windows(self, name, v, where):
        """The places of a device, one mostly."""
        at, size = v.get("at", 0), v.get("size", PAGE)
        places = at if isinstance(at, list) else [at]
        sizes = size if isinstance(size, list) else [size] * len(places)
        if len(sizes) != len(places):
            self.error(where + ("size",), f"{name}: 'at:' and 'size:' list {len(places)} and {len(sizes)} windows, must be as many")
            sizes = (sizes * len(places))[:len(places)]
        return [Region(name, a, amount(n), self.page.mark(where, True), "device", v.get("space", "mem"), number=i) for i, (a, n) in enumerate(zip(places, sizes))]

    def check_overlaps(self):
        for space in {r.space for r in self.regions}:
            regions = sorted((r for r in self.regions if r.space == space), key=lambda r: r.at)
            highest = None
            for r in regions:
                if highest and r.at <= highest.last:
                    # Blame the one that stands later on the page.
                    new, old = (r, highest) if (r.mark.file, r.mark.line, r.mark.column) >= (highest.mark.file, highest.mark.line, highest.mark.column) else (highest, r)
                    self.page.complaints.error(new.mark, f"{new.name}: {new.at:#x}-{new.last:#x} overlaps {old.name} at {old.at:#x}-{old.last:#x} "
                                               f"({old.mark.seen_from(new.mark)}); the next free {size_text(new.size)} begin at {next_free(regions, new):#x}")
                if highest is None or r.last > highest.last:
                    highest = r

    # Wires --------------------------------------------------------------------------------------

    def edges(self, devices):
        names, driven, gates, out = {d.name for d in devices} | {"cpu"}, {}, [], []
        for d in devices:
            for pin, to in self.data["devices"][d.name].get("wires", {}).items():
                where = ("devices", d.name, "wires", pin)
                if pin in WIRE_NAMES | RESERVED - {"cpu"}:
                    self.error(where, f"{d.name}: a pin cannot be called '{pin}'", key=True)
                joined = isinstance(to, dict)
                for target in [] if to == "none" else [to["or"]] if joined else to if isinstance(to, list) else [to]:
                    name, _, line = target.partition(".")
                    edge = Edge(d.name, pin, name, int(line), self.page.mark(where))
                    before = driven.get(target)
                    if name not in names:
                        self.error(where, f"{d.name}.{pin}: no device '{name}' on this board" + suggest(name, names))
                    elif before and not (joined and before[1]):
                        other = before[0]
                        self.error(where, f"{d.name}.{pin}: {target} is already driven by {other.source}.{other.pin} ({other.mark.seen_from(edge.mark)}); "
                                   f"write {{or: {target}}} at both if the lines are joined")
                    else:
                        if joined:
                            edge.gate, edge.bit = (before[0].gate, before[2]) if before else (len(gates), 0)
                            gates += [] if before else [target]
                        driven[target] = (edge if not before else before[0], joined, edge.bit + 1)
                        d.edges.append(edge)
                        out.append(edge)
        return out, gates


def next_free(regions, wanted):
    at = wanted.at
    for r in regions:
        if r is not wanted and r.at <= at + wanted.size - 1 and at <= r.last:
            at = -(-(r.last + 1) // PAGE) * PAGE if wanted.size >= PAGE else r.last + 1
    return at


def schema_keys(schema):
    return schema.get("properties", {}) if isinstance(schema, dict) else {}


def shown(v):
    return f"'{v}'" if isinstance(v, str) else "a mapping" if isinstance(v, dict) else "a list" if isinstance(v, list) else "nothing" if v is None else repr(v).lower()


def unit_hint(v):
    """'210MHz', '64 mb': what was probably meant."""
    m = re.fullmatch(r"([0-9.]+)\s*([kKmMgG]?)(i?[bB]|[hH][zZ])?", v) if isinstance(v, str) else None
    if not m or not (m[2] or m[3]):
        return ""
    prefix = m[2].upper()
    unit = {"K": "k"}.get(prefix, prefix) + "Hz" if (m[3] or "").lower() == "hz" else (prefix or "K") + "iB"
    return f"; did you mean '{m[1]} {unit}'?"
