// The devices of the Versatile PB under random accesses (device_fuzz.hpp).

#include PINSTRAP_BOARD_HEADER

#include "tests/fuzz/device_fuzz.hpp"

#include "core/log.hpp"

namespace {
using namespace fuzz;
using Machine = boards::versatilepb::Machine;

constexpr u32 ssram_at = 0x3800'0000, flash_at = 0x3400'0000, flash_size = 64 * MiB;

// Made before the Fuzzer that works on it.
struct Made {
  Machine made_;
};

class Versatile final : private Made, public Fuzzer {
 public:
  Versatile(Source& s, std::string_view only) : Fuzzer(s, made_, only) {
    edges_ = {0,          ram_size_, 0x1000'0000, flash_at, flash_at + flash_size, ssram_at, ssram_at + 2 * u32(MiB),
              0x8000'0000};
    std::string error;
    check(made_.create_memory(ram_size_, error));
    if (s_.one_in(4)) check(made_.add_boot_alias(GuestPhys{flash_at}, GuestPhys{0}));
    for (unsigned unit = 0; unit < 3; ++unit)
      if (s_.one_in(2)) add_drive(BlockInterface::scsi, 0, unit, 64 * MiB, s_.one_in(3));
    if (!made_.drives.empty() || s_.one_in(2)) check(made_.pci_host.bus.attach(made_.scsi_pci, 12));
    add_nic();
    for (unsigned n = 0; n < 4; ++n) {
      if (s_.one_in(2)) made_.serial[n].wake_host = [](void*) {};
      chars_.push_back(&made_.serial[n]);
    }
    hana::for_each(devices_of(made_), [&](auto d) {
      auto& device = d.in(made_);
      // Banked registers of the network chip sit at 16 addresses.
      const u64 size = device.wires.size;
      add_target({d.name, 0, raw(d.at), size, block_of(d.name, device).info, size == 0x10000 ? 15u : ~0u});
    });
    add_program({{"kmi0", "kmi1"}, 4, [this] { keys(); }});
    add_program({{"dma"}, 4, [this] { dma(); }});
    add_program({{"net"}, 2, [this] { open_receiver(); }});
    add_program({{"scsi"}, 4, [this] { scsi(); }});
    add_program({{"gpio0", "gpio3", "sysreg"}, 1, [this] { lines(); }});
    add_program({{"charlcd", "clcd"}, 1, [this] { look(); }});
  }

 private:
  u64 load(unsigned, u64 at, unsigned size) override { return made_.read(GuestPhys{at}, size); }
  void store(unsigned, u64 at, unsigned size, u64 v) override { made_.write(GuestPhys{at}, size, v); }
  void expire_device(unsigned timer) override { made_.expire(timer); }
  void reset_devices() override { made_.reset_devices(); }
  void pump_characters() override {  // boards/main.cpp, pump()
    each_serial(made_, [&](unsigned n, auto& device) {
      CharPort& from = made_.serial[n];
      if (from.break_pending.exchange(false)) device.receive_break();
      for (u8 c; device.can_receive() && from.to_guest.pop(c);) device.receive(c);
      device.host_drained();
    });
  }

  void write(u64 at, unsigned size, u64 v) { put(0, at, size, v); }
  void keys() {
    if (s_.one_in(2)) {
      const u16 code = s_.one_in(8) ? u16(s_.word(2)) : u16((s_.one_in(3) ? 0xe000 : 0) | (s_.word(1) & 0x7f));
      note("key", code);
      made_.kmi0.key(code, s_.one_in(2));
    } else {
      const auto count = [&] { return s_.one_in(8) ? int(s_.word(4)) : int(s_.below(600)) - 300; };
      const int dx = count(), dy = count(), dz = count();
      note("mouse", u32(dx), u32(dy));
      made_.kmi1.mouse(dx, dy, dz, u8(s_.word(1)));
    }
  }
  void lines() {
    const u32 n = s_.below(8);
    const bool on = s_.one_in(2);
    note("line", n, on);
    made_.gpio0.set_line(n, on);
    made_.gpio3.set_line(7 - n, on);
    if (n < 4) made_.sysreg.set_line(n, on);
  }
  // The PCI windows: configuration space, then the SCSI card's registers, memory and programs in it.
  void scsi() {
    constexpr u64 configuration = 0x4200'6000, registers = 0x4300'1000, ram = 0x5000'2000;
    if (s_.one_in(8)) return one(s_.one_in(2), 0, 0x4100'0000 + s_.below(0x2f00'0000), 4, value());
    if (s_.one_in(4)) return one(s_.one_in(2), 0, configuration + s_.below(256), 1 << s_.below(3), value());
    write(0x1000'1004, 4, 5);
    write(configuration + 0x10, 4, 0x1000), write(configuration + 0x18, 4, ram);
    write(configuration + 0x04, 4, 7);
    for (u32 n = s_.below(32), at = s_.below(0x1f00); n--; at += 4) {
      const u32 kinds[] = {0x4100'0000, 0x0e00'0001, 0x0a00'0006, 0x0900'0000 | s_.below(600),        0x0800'0000,
                           0x5000'0000, 0x8008'0000, 0xe034'0004, 0xc000'0000 | s_.below(65536) << 2, u32(s_.word(4))};
      write(ram + at, 4, s_.one_in(2) ? kinds[s_.below(10)] : s_.one_in(2) ? ram + s_.below(0x2000) : address());
    }
    for (u32 n = s_.below(8); n--;) one(s_.one_in(2), 0, registers + s_.below(256), 1, value());
    write(registers + 0x2c, 4, s_.one_in(8) ? address() : ram + (s_.below(0x2000) & ~3u));
  }
  // What hosts ask for.
  void look() {
    note("look");
    for (u32 line = 0; line < 2; ++line) seen_ = seen_ + u8(made_.charlcd.text(line)[s_.below(16)]);
    seen_ = seen_ + made_.clcd.frame_bytes() + made_.clcd.bits_per_pixel() + made_.clcd.colour(u8(s_.word(1)));
    trace_registers = s_.one_in(8);
  }

  // A chain of list items, with ends that are not, then a channel that walks it.
  void dma() {
    constexpr u64 at = 0x1013'0000;
    const u32 channel = s_.below(8), list = s_.one_in(3) ? ssram_at + 0x1f'ff00 : in_ram();
    const auto control = [&] {
      const u32 widths = s_.one_in(8) ? s_.below(8) << 18 | s_.below(8) << 21 : s_.below(3) << 18 | s_.below(3) << 21;
      return (s_.one_in(3) ? u32(value()) & 0xfff : s_.below(40)) | widths | s_.below(64) << 12 | s_.below(4) << 26 |
             s_.below(2) << 31;
    };
    const u32 items = s_.below(6);
    note("dma list", list, items);
    for (u32 i = 0; i < items; ++i) {
      const u32 following = s_.one_in(4) ? address() : list + (s_.one_in(3) ? s_.below(items) : i + 1) * 16;
      const u32 words[] = {address(), address(), i + 1 == items && s_.one_in(2) ? 0 : following, control()};
      for (u32 n = 0; n < 4; ++n) poke(list + i * 16 + n * 4, words[n]);
    }
    const u64 base = at + 0x100 + channel * 0x20;
    write(base, 4, address());
    write(base + 4, 4, address());
    write(base + 8, 4, items ? list : u32(value()));
    write(base + 12, 4, control());
    write(at + 0x30, 4, s_.below(16) ? 1 : 0);
    const u32 flow = s_.one_in(2) ? 0 : s_.below(8);
    write(base + 16, 4,
          1 | s_.below(16) << 1 | s_.below(16) << 6 | flow << 11 | s_.below(4) << 14 | u32(s_.one_in(16)) << 18);
    if (flow) write(at + 0x20 + s_.below(4) * 4, 4, s_.one_in(2) ? 0xffff : value());
  }

  // A frame after opening the network chip's receiver.
  void open_receiver() {
    constexpr u64 at = 0x1001'0000;
    write(at + 0xe, 2, 0);
    write(at + 4, 2, 0x102 | s_.below(2) << 9);
    write(at, 2, s_.below(2) | s_.below(2) << 1 | s_.below(2) << 7);
    write(at + 0xe, 2, 2);
    frame();
  }

  volatile u32 seen_ = 0;
};
}  // namespace

const fuzz::Board fuzz::board{"versatile", [](Source& s, std::string_view only) -> std::unique_ptr<Fuzzer> {
                                return std::make_unique<Versatile>(s, only);
                              }};
