#include "tests/fuzz/malta_programs.hpp"

#include "peripherals/net/plug.hpp"
#include "peripherals/pci/plug.hpp"
#include "peripherals/scsi/plug.hpp"
#include "peripherals/virtio/plug.hpp"

#include <algorithm>

namespace fuzz {
namespace {
constexpr unsigned isa_slot = 10;
constexpr unsigned devfn_of(unsigned function) { return isa_slot << 3 | function; }
constexpr unsigned devfn_ide = devfn_of(1), devfn_pm = devfn_of(3);
constexpr u32 pm_at = 0x1000, smbus_at = 0x1100;  // PMBA and SMBBA
constexpr u32 behind_io = 0x8000, behind_memory = 0x1600'0000;
}  // namespace

peripherals::usb::Packet AnyUsbDevice::transact(peripherals::usb::Pid, u8, std::span<u8> data) {
  using peripherals::usb::Answer;
  if (s.one_in(8)) at = u8(s.below(4));
  for (u8& b : data.first(std::min<std::size_t>(data.size(), 8))) b = u8(s.word(1));
  const Answer answer = s.pick({Answer::ack, Answer::ack, Answer::ack, Answer::nak, Answer::stall, Answer::none});
  return {answer, answer == Answer::ack && s.one_in(3) ? s.below(u32(data.size()) + 1) : u32(data.size())};
}

MaltaPrograms::MaltaPrograms(Source& s, MachineBase& m, pci::Bus& bus, std::string_view only)
    : Fuzzer(s, m, only), m_(m), bus_(bus) {
  add_program({{"ide"}, 12, [this] { ide(); }});
  add_program({{"floppy", "dma"}, 8, [this] { floppy(); }});
  add_program({{"usb"}, 6, [this] { uhci(); }});
  add_program({{"pm"}, 4, [this] { smbus(); }});
  add_program({{"pci", "pci-bridge"}, 4, [this] { pci_space(); }});
  add_program({{"gt"}, 4, [this] { windows(); }});
  add_program({{"pic", "pit", "rtc", "port61"}, 6, [this] { chipset(); }});
  add_program({{"keyboard"}, 4, [this] { keyboard(); }});
  add_program({{"flash"}, 3, [this] { flash(); }});
}

void MaltaPrograms::furnish() {
  for (unsigned unit = 0; unit < 4; ++unit)
    if (!s_.one_in(4))
      add_drive(BlockInterface::ide, unit / 2, unit % 2, s_.pick<u64>({8 * MiB, 1 * MiB, 200u << 30, 3 * 512}),
                s_.one_in(3));
  for (unsigned unit = 0; unit < 2; ++unit)
    if (!s_.one_in(4)) add_drive(BlockInterface::floppy, 0, unit, s_.pick<u64>({1440, 720, 2880}) * KiB);
  plug_cards();
  find_regions(bus_);
  for (const Region& r : regions_) {
    // The name of a soldered device is its id.
    const std::string_view name = r.function->soldered ? r.function->id : r.function->kind;
    add_target({name, r.io ? space_io : space_pci_memory, r.at, r.size});
  }
  add_target({"pm", space_io, pm_at, 64});
  add_target({"pm", space_io, smbus_at, 16});
  add_target({"pci", space_io, 0x1000, 0x9000});
  add_target({"vga", space_pci_memory, 0xa'0000, 0x2'0000});
}

// -device without the command line.
void MaltaPrograms::plug_cards() {
  static constexpr std::string_view names[] = {
      "virtio-blk-pci", "virtio-net-pci", "virtio-rng-pci", "virtio-serial-pci", "lsi53c895a", "pci-bridge", "pcnet"};
  buses_.push_back(std::make_unique<pci::PciPlugBus>("pci.0", bus_, bus_.first_plug_slot));
  const auto plug = [this](const PlugKind& kind, PlugContext context) {
    for (std::size_t n = buses_.size(); n--;) {
      if (buses_[n]->type != kind.bus || (kind.bus == pci::plug_type && n && !s_.one_in(2))) continue;
      PlugRequest request{kind, *buses_[n], std::move(context),
                          [this](std::unique_ptr<PlugBus> b) { buses_.push_back(std::move(b)); },
                          [](std::string_view prefix) { return std::string(prefix) + ".0"; }};
      return void(kind.plug(request));
    }
  };
  const auto each_kind = [&](const auto& f) {
    for (const auto list : {pci::bridge_kinds(), peripherals::virtio::plug_kinds(), peripherals::network_kinds(),
                            peripherals::scsi::plug_kinds()})
      for (const PlugKind& k : list) f(k);
  };
  each_kind([&](const PlugKind& k) {
    const bool is_card = std::ranges::find(names, k.name) != std::end(names);
    if (is_card && only_ != k.name && (s_.one_in(3) || !(only_.empty() || only_ == "pci" || only_ == "pci-bridge")))
      return;
    // Parts of cards: ports and disks, some of each.
    for (u32 n = is_card ? 1 : s_.below(4); n--;) {
      if (std::ranges::none_of(buses_, [&k](const auto& b) { return b->type == k.bus; })) return;
      PlugContext context{.machine = m_, .id = std::string(k.name) + std::to_string(n)};
      if (k.drive != PlugNeed::none)
        context.drives.push_back(&add_drive(BlockInterface::none, 0, 0, s_.pick<u64>({64 * MiB, 4096, 200u << 30})));
      if (k.netdev != PlugNeed::none && !s_.one_in(8)) context.nic = &add_nic();
      if (k.chardev != PlugNeed::none && s_.one_in(2)) {
        context.chars = &m_.plugged_serial.emplace_back().port;
        if (s_.one_in(2)) context.chars->wake_host = [](void*) {};
        chars_.push_back(context.chars);
      }
      if (is_card) choose_properties(k, context);
      plug(k, std::move(context));
    }
  });
}

// Some switches turned, some vectors, an option ROM of any size.
void MaltaPrograms::choose_properties(const PlugKind& kind, PlugContext& context) {
  for (const auto list : {kind.properties, kind.bus_properties})
    for (const PlugProperty& p : list) {
      const bool is_switch = p.type == "bool" || p.type == "OnOffAuto";
      if (is_switch && s_.one_in(8)) context.properties[std::string(p.name)] = s_.one_in(2) ? "on" : "off";
      if (p.name == "vectors" && s_.one_in(2)) context.properties["vectors"] = std::to_string(s_.below(129));
    }
  if (s_.one_in(3)) context.rom.resize(s_.pick({1u, 512u, 2048u, 2049u, 65536u, s_.below(70'000)}), 0x55);
}

void MaltaPrograms::find_regions(pci::Bus& on) {
  u64 io = &on == &bus_ ? 0x2000 : behind_io, memory = &on == &bus_ ? 0x1100'0000 : behind_memory;
  on.each([&](pci::Function& f) {
    if (pci::Bus* behind = f.behind()) find_regions(*behind);
    for (unsigned bar = 0; bar <= pci::rom_bar; ++bar) {
      const u64 size = f.bar_size(bar);
      const bool is_there = bar == pci::rom_bar || f.identity().bars[bar].kind != pci::BarKind::none;
      if (!is_there || !size) continue;
      u64& next = f.is_io(bar) ? io : memory;
      next = (next + size - 1) / size * size;
      regions_.push_back({&f, bar, f.is_io(bar), next, size});
      next += size;
    }
    if (f.kind.starts_with("virtio")) {
      virtio_.push_back({.function = &f});
      add_program({{std::string_view(f.kind)}, 6, [this, &card = virtio_.back()] { virtio(card); }});
    }
    if (f.kind == "pcnet") {
      pcnet_.push_back({.function = &f});
      const std::string_view name = f.soldered ? std::string_view(f.id) : std::string_view(f.kind);
      add_program({{name}, 8, [this, &card = pcnet_.back()] { pcnet(card); }});
    }
    if (f.id == "vga") add_program({{"vga"}, 8, [this, &f] { cirrus(f); }});
    if (f.kind == "lsi53c895a") add_program({{std::string_view(f.kind)}, 6, [this, &f] { lsi(f); }});
  });
}

void MaltaPrograms::after_reset() {
  for (VirtioCard& card : virtio_) card.queues = 0;
  for (PcnetCard& card : pcnet_) card.started = card.wide_io = false;
  set_up();
}
// As firmware does: addresses, then decoding and bus mastering on.
void MaltaPrograms::set_up() {
  bus_.each([](pci::Function& f) {
    if (!f.behind()) return;
    f.config_write(0x18, 4, 0x0002'0100);  // buses 0, 1 … 2
    f.config_write(0x1c, 2, 0xf080);       // I/O 0x8000 … 0xffff
    f.config_write(0x20, 4, 0x17f0'1600);  // memory 0x1600_0000 … 0x17ff_ffff
    f.config_write(pci::cfg_command, 2, 7);
  });
  for (const Region& r : regions_) {
    if (r.function->number == 0 && r.function->slot == 0) continue;  // the bridge's own do not move
    const bool is_rom = r.bar == pci::rom_bar;
    r.function->config_write(is_rom ? pci::cfg_rom : pci::cfg_bar + 4 * r.bar, 4, u32(r.at) | is_rom);
    r.function->config_write(pci::cfg_command, 2, 7);
  }
  config(devfn_ide, 0x40, 4, 0x8000'8000);
  config(devfn_pm, 0x40, 4, pm_at), config(devfn_pm, 0x80, 1, 1);
  config(devfn_pm, 0x90, 4, smbus_at), config(devfn_pm, pci::cfg_command, 2, 1);
}
u64 MaltaPrograms::region(const pci::Function& f, unsigned bar) const {
  for (const Region& r : regions_)
    if (r.function == &f && r.bar == bar) return r.at;
  return 0;
}
void MaltaPrograms::config(unsigned devfn, u32 reg, unsigned size, u32 v) {
  note("config", devfn << 8 | reg, v, size);
  bus_.config_write(0, devfn, reg, size, v);
}

// A command with its parameters, a table for the bus master, and data either way.
void MaltaPrograms::ide() {
  if (s_.one_in(30)) set_up();
  const u32 channel = s_.below(2), base = channel ? 0x170 : 0x1f0, unit = s_.below(2);
  const u32 master = u32(region(*bus_.at(isa_slot, 1), 4)) + 8 * channel;
  const u32 table = s_.one_in(24) ? address() : in_ram();
  for (u32 n = 0, count = 1 + s_.below(6); n < count; ++n) {
    poke<u32>(table + 8 * n, s_.one_in(6) ? address() : in_ram(0x10000, 2));
    poke<u32>(table + 8 * n + 4,
              s_.pick({0u, 512u, 2048u, 4096u, s_.below(65536)}) | (n + 1 == count && !s_.one_in(16) ? 1u << 31 : 0));
  }
  if (s_.one_in(16)) out(base + 0x206, s_.pick<u8>({0, 2, 4, 6, 0x80}));  // device control
  out(master, 0), out(master + 4, table, 4), out(master + 2, 6);
  out(base + 6, u64(s_.one_in(4) ? value() : 0xe0) | unit << 4 | s_.below(2));
  const u8 command = s_.one_in(8)
                         ? u8(s_.word(1))
                         : s_.pick<u8>({0x20, 0x24, 0x25, 0x29, 0x30, 0x34, 0x35, 0x39, 0x3d, 0xc4, 0xc5, 0xc6, 0xc8,
                                        0xca, 0xce, 0xec, 0xa1, 0xa0, 0xa0, 0xa0, 0xa0, 0xef, 0xe7, 0xea, 0x40, 0x42,
                                        0xf8, 0x27, 0x90, 0xb0, 0x91, 0x08, 0xe0, 0xe5, 0x06, 0x00, 0x10, 0x70});
  const bool is_packet = command == 0xa0, write = s_.one_in(2);
  for (u32 twice = 0; twice < 2; ++twice) {  // LBA48 takes each register's previous value too
    out(base + 1, is_packet ? s_.below(4) : s_.one_in(2) ? s_.pick<u8>({2, 3, 0x82, 0xd0, 0xd8, 0xda}) : value());
    out(base + 2, s_.one_in(2) ? s_.below(4) : value());
    out(base + 3, s_.one_in(2) ? s_.below(64) : value());
    out(base + 4, is_packet ? s_.pick({0u, 2u, 254u, s_.below(256)}) : s_.one_in(2) ? 0 : value());
    out(base + 5, is_packet ? s_.below(256) : command == 0xb0 ? 0xc2 : s_.one_in(2) ? 0 : value());
    if (s_.one_in(2)) break;
  }
  out(base + 7, command);
  if (s_.one_in(2)) out(master, 1 | (write ? 0 : 8));
  if (is_packet) packet(base);
  else if (s_.one_in(2)) answer_disks();
  if (s_.one_in(2)) out(master, 1 | (write ? 0 : 8));
  for (u32 rounds = s_.below(4); rounds--;) {
    const unsigned size = s_.pick({2u, 2u, 4u, 1u});
    const bool to = s_.one_in(2);
    for (u32 n = s_.one_in(2) ? 256 : s_.below(1200); n--;) one(to, space_io, base, size, to ? s_.word(2) : 0);
    answer_disks();
    in(base + 7), in(master + 2);
  }
}
void MaltaPrograms::packet(u32 base) {
  const u8 code = s_.one_in(8) ? u8(s_.word(1)) : s_.pick<u8>({0x00, 0x03, 0x12, 0x1b, 0x1e, 0x25, 0x28, 0xa8, 0xbe,
                                                               0x42, 0x43, 0x43, 0x46, 0x4a, 0x51, 0x52, 0x5a, 0x55,
                                                               0xad, 0xbd, 0xb9, 0x2b, 0x4e, 0x1a, 0x35, 0xa4, 0xac});
  u8 cdb[12] = {code};
  for (u32 n = 1; n < 12; ++n) cdb[n] = u8(s_.one_in(2) ? 0 : s_.one_in(2) ? s_.below(8) : s_.word(1));
  for (u32 n = 0; n < 12; n += 2) out(base, load_le<u16>(cdb + n), 2);
  if (s_.one_in(2)) answer_disks();
}

// Channel 2 of the DMA controller, then a command byte by byte (82077AA data sheet, chapter 5).
void MaltaPrograms::floppy() {
  if (!s_.one_in(4)) {
    out(0x0a, 6), out(0x0c, 0);
    out(0x0b, s_.one_in(8) ? value() : s_.pick<u8>({0x46, 0x4a, 0x42, 0x56, 0x66}));
    const u32 at = s_.one_in(4) ? u32(value()) : s_.below(0x10000),
              count = s_.one_in(4) ? u32(value()) : 512 * (1 + s_.below(36)) - 1;
    out(0x04, at), out(0x04, at >> 8), out(0x81, s_.below(s_.one_in(4) ? 256 : 64)), out(0x05, count),
        out(0x05, count >> 8);
    out(0x0a, 2);
    if (s_.one_in(8)) out(s_.below(16), value());
  }
  const u32 unit = s_.below(2);
  out(0x3f2, s_.one_in(16) ? value() : 0x0c | 0x10 << unit | unit);
  static constexpr struct {
    u8 code, parameters;
  } commands[] = {{0x03, 2}, {0x04, 1}, {0x07, 1}, {0x08, 0}, {0x0f, 2}, {0x4a, 1}, {0x46, 8}, {0xe6, 8},
                  {0x45, 8}, {0xc5, 8}, {0x4d, 5}, {0x42, 8}, {0x56, 8}, {0x51, 8}, {0x13, 3}, {0x0e, 0},
                  {0x12, 1}, {0x94, 0}, {0x14, 0}, {0x10, 0}, {0x8f, 2}, {0xcf, 2}, {0x49, 8}, {0x4c, 8}};
  const auto& c = commands[s_.below(std::size(commands))];
  out(0x3f5, c.code);
  for (u32 n = 0; n < c.parameters; ++n) {
    // unit and head, cylinder, head, sector, size, last sector, gap, data length
    const u8 usual[] = {
        u8(unit | s_.below(2) << 2), u8(s_.below(80)), u8(s_.below(2)), u8(1 + s_.below(18)), 2, 18, 0x1b, 0xff};
    out(0x3f5, s_.one_in(12) ? value() : usual[n % 8]);
  }
  for (u32 rounds = s_.below(3); rounds--;) {
    answer_disks();
    if (s_.one_in(2)) pass_time();
    const bool to = s_.one_in(3);
    for (u32 n = s_.one_in(3) ? 512 : s_.below(20); n--;) one(to, space_io, 0x3f5, 1, to ? s_.word(1) : 0), in(0x3f4);
  }
}

// A frame list whose entries lead into queues and descriptors that lead anywhere (UHCI Design Guide, chapter 3).
void MaltaPrograms::uhci() {
  const u32 base = u32(region(*bus_.at(isa_slot, 2), 4)), list = in_ram(0x3000, 4096), nodes = list + 0x1000;
  const u32 count = 1 + s_.below(64);
  const auto link = [&] {
    return s_.one_in(40)  ? address()
           : s_.one_in(6) ? 1u
                          : (nodes + 16 * s_.below(count)) | s_.below(2) << 1 | s_.below(2) << 2;
  };
  for (u32 n = 0; n < count; ++n) {
    const u32 at = nodes + 16 * n;
    poke<u32>(at, link());
    if (s_.one_in(2)) {  // a queue: two links; read as a descriptor it is nonsense
      poke<u32>(at + 4, link());
      continue;
    }
    const u32 length = s_.one_in(4) ? 0x7ff : s_.one_in(8) ? u32(value()) : s_.below(64);
    poke<u32>(at + 4, s_.one_in(8)
                          ? u32(value())
                          : 1u << 23 | s_.below(2) << 24 | s_.below(2) << 25 | s_.below(2) << 29 | s_.below(4) << 27);
    poke<u32>(at + 8,
              s_.pick({0x69u, 0xe1u, 0x2du, s_.below(256)}) | s_.below(3) << 8 | s_.below(4) << 15 | length << 21);
    poke<u32>(at + 12, s_.one_in(16) ? address() : in_ram());
  }
  for (u32 n = 0; n < 64; ++n) poke<u32>(list + 4 * s_.below(1024), link());
  const u32 every = link();
  if (s_.one_in(2))
    for (u32 n = 0; n < 1024; ++n) poke<u32>(list + 4 * n, every);
  out(base + 8, s_.one_in(16) ? address() : list, 4);
  for (u32 port : {0x10u, 0x12u}) out(base + port, s_.one_in(4) ? value() : 6, 2);
  out(base + 4, s_.below(16), 2), out(base + 2, 0x3f, 2), out(base + 6, s_.below(1024), 2);
  out(base, s_.one_in(6) ? value() : 0xc1, 2);
  for (u32 n = s_.below(4); n--;) pass_time();
}

// A transaction of the SMBus host (290562-001 §7.3).
void MaltaPrograms::smbus() {
  if (s_.one_in(8)) return one(s_.one_in(2), space_io, pm_at + s_.below(64), s_.pick({1u, 2u, 4u}), value());
  if (s_.one_in(8)) config(devfn_pm, s_.pick({0x40u, 0x80u, 0x90u, 0xd0u}), 4, s_.one_in(2) ? u32(value()) : pm_at | 1);
  if (s_.one_in(8)) set_up();
  out(smbus_at + 4, s_.one_in(8) ? value() : 0xa0 | s_.below(16)), out(smbus_at + 3, value());
  out(smbus_at + 5, s_.one_in(2) ? s_.below(40) : value()), out(smbus_at + 6, value());
  in(smbus_at + 2);
  for (u32 n = s_.below(40); n--;) one(s_.one_in(2), space_io, smbus_at + 7, 1, value());
  out(smbus_at + 2, s_.one_in(8) ? value() : 0x40 | s_.below(8) << 2 | s_.below(2));
  in(smbus_at), in(smbus_at);
  for (u32 n = s_.below(40); n--;) in(smbus_at + 7);
  out(smbus_at, 0x1f);
}

// Configuration space of every function, directly and through the bridge's two registers.
void MaltaPrograms::pci_space() {
  if (s_.one_in(4)) return set_up();
  for (u32 n = 1 + s_.below(8); n--;) {
    const unsigned slot = s_.pick({0u, isa_slot, isa_slot, 18u, 19u, 20u, 21u, 22u, s_.below(32)}),
                   fn = s_.below(s_.one_in(2) ? 4 : 8);
    const unsigned bus = s_.one_in(3) ? s_.below(3) : 0, size = 1u << s_.below(3);
    const u32 reg = (s_.one_in(2) ? s_.pick({0x04u, 0x10u, 0x14u, 0x18u, 0x1cu, 0x20u, 0x30u, 0x3cu}) : s_.below(256)) &
                    ~(size - 1);
    const u32 v = s_.one_in(3) ? 0x2000u | u32(value()) : u32(value());
    note("config", bus << 16 | slot << 11 | fn << 8 | reg, v, size);
    if (s_.one_in(2)) {
      put(space_internal, 0xcf8, 4, 1u << 31 | bus << 16 | slot << 11 | fn << 8 | (reg & 0xfc));
      one(s_.one_in(2), space_internal, 0xcfc, 4, v);
    } else if (s_.one_in(2)) bus_.config_write(bus, slot << 3 | fn, reg, size, v);
    else (void)bus_.config_read(bus, slot << 3 | fn, reg, size);
    one(s_.one_in(2), s_.pick({space_io, space_pci_memory, space_cpu}),
        s_.pick({0x2000u, behind_io, 0x1100'0000u, behind_memory, 0x1000'0000u}) + s_.below(0x4000), 1u << s_.below(4),
        value());
  }
}

// The bridge's windows, over each other and over memory, then accesses at where they are or were.
void MaltaPrograms::windows() {
  static constexpr u32 low[] = {0x48, 0x58, 0x68, 0x80, 0x90}, high[] = {0x50, 0x60, 0x88, 0x98};
  for (u32 n = 1 + s_.below(4); n--;) {
    const u32 at =
        s_.one_in(4)
            ? address()
            : s_.pick({0u, 0x1000'0000u, 0x1800'0000u, 0x1be0'0000u, 0x1e00'0000u, 0x1f00'0000u, 0x1400'0000u});
    put(space_internal, low[s_.below(5)], 4, s_.one_in(8) ? value() : at >> 21);
    if (s_.one_in(2)) put(space_internal, high[s_.below(4)], 4, s_.one_in(2) ? s_.below(128) : value());
    for (u32 i = s_.below(8); i--;)
      one(s_.one_in(2), space_cpu, at + s_.below(s_.one_in(2) ? 0x1000 : 0x20'0000), 1u << s_.below(4), value());
  }
  if (s_.one_in(3)) {  // as firmware has them
    static constexpr u32 usual[][2] = {{0x48, 0xc0}, {0x50, 0x40}, {0x58, 0x80}, {0x60, 0x3f},
                                       {0x68, 0xdf}, {0x80, 0xc1}, {0x88, 0x5e}};
    for (const auto& u : usual) put(space_internal, u[0], 4, u[1]);
  }
}

// Interrupt controllers, timer, clock, speaker.
void MaltaPrograms::chipset() {
  switch (s_.below(4)) {
    case 0: {
      const u32 pic = s_.one_in(2) ? 0x20 : 0xa0;
      if (s_.one_in(3)) {
        out(pic, 0x10 | s_.below(16));
        for (u32 n = s_.below(5); n--;) out(pic + 1, value());
      }
      out(pic + 1, s_.one_in(2) ? 0 : value()), out(0x4d0 + s_.below(2), value());
      out(pic, s_.one_in(2) ? 0x20 | s_.below(256) : s_.pick<u8>({0x0a, 0x0b, 0x0c, 0x68, 0x48, 0xc0, 0xa0}));
      return in(pic + s_.below(2)), get(space_internal, 0xc34, 4);  // interrupt acknowledge
    }
    case 1:
      out(0x43, value());
      for (u32 n = s_.below(6); n--;)
        one(s_.one_in(2), space_io, 0x40 + s_.below(3), 1, s_.one_in(2) ? s_.below(3) : value());
      return one(s_.one_in(2), space_io, 0x61, 1, value());
    default:
      for (u32 n = s_.below(6); n--;) {
        out(0x70, s_.one_in(8) ? value() : s_.below(16));
        one(!s_.one_in(3), space_io, 0x71, 1, s_.one_in(3) ? s_.below(0x60) : value());
      }
      return pass_time();
  }
}
void MaltaPrograms::keyboard() {
  for (u32 n = 1 + s_.below(6); n--;) {
    out(0x64, s_.one_in(4) ? value()
                           : s_.pick<u8>({0x20, 0x60, 0xa7, 0xa8, 0xa9, 0xaa, 0xab, 0xad, 0xae, 0xd0, 0xd1, 0xd2, 0xd3,
                                          0xd4, 0xd4, 0xd4}));
    if (!s_.one_in(4))
      out(0x60, s_.one_in(4) ? value() : s_.pick<u8>({0xf4, 0xf2, 0xff, 0xed, 0xf0, 0xf3, 0xe8, 0xe6, 0xe7, 0xe9, 0xea,
                                                      0xeb, 0xec, 0xee, 0xf5, 0xf6, 0x43, 0x03, 200,  100,  80}));
    for (u32 i = s_.below(5); i--;) in(0x60), in(0x64);
  }
}
void MaltaPrograms::flash() {
  const u64 at = 0x1e00'0000 + (s_.one_in(2) ? s_.below(4 * MiB) : s_.below(0x40000)) / 4 * 4;
  for (u32 n = 1 + s_.below(8); n--;) {
    const u32 command =
        s_.one_in(6)
            ? u32(value())
            : s_.pick({0x20u, 0xd0u, 0x40u, 0x10u, 0xe8u, 0x70u, 0x90u, 0x98u, 0xffu, 0x50u, 0x60u, 0x01u, 0x0fu});
    put(space_cpu, at, s_.pick({4u, 4u, 2u, 1u}), command | (s_.one_in(4) ? 0 : command << 16));
    if (s_.one_in(3)) put(space_cpu, at + 4 * s_.below(40), 4, value());
    if (s_.one_in(3)) get(space_cpu, at + s_.below(256), s_.pick({1u, 2u, 4u, 8u}));
  }
}

// A script as drivers write it: select, send a command, move data, take status and message; one word in some is any.
void MaltaPrograms::lsi(const pci::Function& f) {
  const u32 registers = u32(region(f, 0)), own = u32(region(f, 2)),
            at = s_.one_in(2) ? own + 16 * s_.below(64) : in_ram(0x4000, 16);
  if (s_.one_in(4)) {
    for (u32 n = s_.below(8); n--;) one(s_.one_in(2), space_io, registers + s_.below(256), 1, value());
    if (s_.one_in(2)) return;
  }
  const u32 end = script(at, in_ram(0x4000, 16));
  if (s_.one_in(4)) put(space_io, registers + 0x14, 1, s_.one_in(2) ? 1 : value());  // ISTAT
  if (s_.one_in(8)) put(space_io, registers + 0x10, 4, in_ram());                    // DSA
  put(space_io, registers + 0x2c, 4, s_.one_in(16) ? address() : s_.one_in(8) ? end : at);
  for (u32 n = s_.below(4); n--;) {
    answer_disks();
    in(registers + 0x14), in(registers + 0x0c), in(registers + 0x42, 2);
    if (s_.one_in(3)) pass_time();
    if (s_.one_in(4)) put(space_io, registers + 0x3b, 1, 4);  // DCNTL: start
  }
}
u32 MaltaPrograms::script(u32 at, u32 data) {
  const u32 begin = at, own_end = data + 0x4000;
  const auto word = [&](u32 v) {
    if (s_.one_in(60)) v = u32(value());
    // The chip's own memory is a PCI region; the rest is RAM.
    if (at >= ram_size_) put(space_pci_memory, at, 4, v);
    else poke<u32>(at, v);
    at += 4;
  };
  const auto pair = [&](u32 first, u32 second) { word(first), word(second); };
  const u32 target = s_.below(s_.one_in(4) ? 16 : 4), length = s_.pick({512u, 36u, 8u, 4096u, s_.below(0x3000)});
  const u8 code = s_.one_in(8) ? u8(s_.word(1)) : s_.pick<u8>({0x00, 0x03, 0x12, 0x1a, 0x1b, 0x25, 0x28, 0x2a, 0x08,
                                                               0x0a, 0x35, 0x4d, 0x5a, 0x15, 0x55, 0x9e, 0xa0, 0x41,
                                                               0x93, 0x42, 0x2f, 0x8a, 0x88, 0x16, 0x37, 0xa8});
  const u32 cdb = data + 16, message = data;
  for (u32 n = 0; n < 16; n += 4) poke<u32>(cdb + n, s_.one_in(3) ? u32(value()) : s_.below(4) << 24);
  poke<u8>(cdb, code);
  if (s_.one_in(2)) poke<u16>(cdb + 7, u16(s_.below(3) << 8));
  poke<u32>(message, s_.one_in(4) ? u32(value()) : 0x80u | s_.below(2) << 6 | 0x20 << 8 | s_.below(256) << 16);
  for (u32 count = 1 + s_.below(2); count--;) {
    pair(0x4100'0000 | target << 16, s_.one_in(4) ? at : begin);
    pair(0x0e00'0000 | s_.pick({1u, 3u, s_.below(8)}), message);
    pair(0x0a00'0000 | s_.pick({6u, 10u, 12u, 16u}), cdb);
    if (s_.one_in(3)) pair(0x1000'0000 | s_.below(2) << 24, s_.below(0x4000));  // table indirect
    for (u32 moves = s_.below(3); moves--;)
      pair(0x0800'0000 | (s_.one_in(2) ? 1u << 24 : 0) | length, s_.one_in(12) ? address() : data + 64);
    if (s_.one_in(4))
      pair(0xc000'0000 | s_.below(4096), data),
          word(s_.one_in(4) ? address() : own_end - s_.below(0x1000));          // memory move
    if (s_.one_in(4)) pair(0x4000'0000 | s_.below(0x4000'0000), u32(value()));  // registers, I/O, transfer control
    if (s_.one_in(4))
      pair(0x8000'0000 | s_.below(32) << 16 | s_.below(256), s_.one_in(3) ? u32(value()) : begin + 8 * s_.below(16));
    if (s_.one_in(6)) pair(0xe000'0000 | s_.below(0x200'0000), data + s_.below(0x1000));  // load and store
    pair(0x0b00'0001, data + 8), pair(0x0f00'0001, data + 9), pair(0x4800'0000, 0);
  }
  pair(s_.pick({0x9808'0000u, 0x8008'0000u, 0x5000'0000u}), s_.one_in(2) ? begin : 0);
  return at - 8;
}
}  // namespace fuzz
