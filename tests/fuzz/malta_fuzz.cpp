// The devices of the Malta under random accesses (device_fuzz.hpp).

#include PINSTRAP_BOARD_HEADER

#include "tests/fuzz/malta_programs.hpp"

namespace {
using namespace fuzz;
using Machine = boards::PINSTRAP_BOARD::Machine;

// Made before the Fuzzer that works on it.
struct Made {
  Machine made_;
};

class Malta final : private Made, public MaltaPrograms {
 public:
  Malta(Source& s, std::string_view only) : MaltaPrograms(s, made_, made_.gt.bus, only), usb_{{s, false}, {s, true}} {
    edges_ = {0, ram_size_, 0x1000'0000, 0x1820'0000, 0x1be0'0000, 0x1e00'0000, 0x1f00'0000, 0x1fc0'0000, 0x2000'0000};
    std::string error;
    check(made_.create_memory(ram_size_, error));
    for (unsigned n = 0; n < 3; ++n) {
      if (s_.one_in(2)) made_.serial[n].wake_host = [](void*) {};
      chars_.push_back(&made_.serial[n]);
    }
    for (unsigned port = 0; port < 2; ++port)
      if (s_.one_in(2)) made_.usb.attach(port, &usb_[port]);
    add_targets(made_.info().map, blocks_of(made_), {"memory", "io", "internal"});
    add_program({{"keyboard", "pm"}, 3, [this] { people(); }});
    // The first plug is the soldered card's, wanted or not; so is the graphics card.
    add_nic().wanted = !s_.one_in(8);
    made_.fit_devices(!s_.one_in(8));
    // The board takes no messages; its cards can send them.
    if (s_.one_in(2)) made_.msi = [](u64 at, u32 data) { note("message", at, data); };
    furnish();
  }

 private:
  u64 load(unsigned space, u64 at, unsigned size) override {
    u64 v = 0;
    switch (space) {
      case space_cpu: return made_.read(GuestPhys{at}, size);
      case space_io: return made_.read_io(GuestPhys{at}, size);
      case space_internal: return made_.read_internal(GuestPhys{at}, size);
      default: return made_.gt.bus.read(false, at, size, v) ? v : 0;
    }
  }
  void store(unsigned space, u64 at, unsigned size, u64 v) override {
    switch (space) {
      case space_cpu: return made_.write(GuestPhys{at}, size, v);
      case space_io: return made_.write_io(GuestPhys{at}, size, v);
      case space_internal: return made_.write_internal(GuestPhys{at}, size, v);
      default: (void)made_.gt.bus.write(false, at, size, v);
    }
  }
  void expire_device(unsigned timer) override { made_.expire(timer); }
  void reset_devices() override {
    made_.reset_devices();
    for (const FirmwareStore& f : made_.info().firmware) made_.write(f.at, 4, f.value);
  }
  void pump_characters() override {  // boards/main.cpp, pump()
    each_serial(made_, [&](unsigned n, auto& device) {
      CharPort& from = made_.serial[n];
      if (from.break_pending.exchange(false)) device.receive_break();
      for (u8 c; device.can_receive() && from.to_guest.pop(c);) device.receive(c);
      device.host_drained();
    });
  }
  void look() override {
    const peripherals::cirrus_gd5446::View v = made_.vga.view();
    note("look", v.start, v.pitch);
    if (v.start >= v.memory.size()) fail("a screen that begins outside the video memory", v.start);
    if (v.cursor.pattern + v.cursor.size * v.cursor.size / 4 > v.memory.size())
      fail("a cursor outside the video memory", v.cursor.pattern);
  }
  void people() {
    const u32 what = s_.below(8);
    note("people", what);
    if (what == 0) made_.pm.press_power_button();
    else if (what < 5)
      made_.keyboard.key(s_.one_in(8) ? u16(s_.word(2)) : u16((s_.one_in(3) ? 0xe000 : 0) | s_.below(128)),
                         s_.one_in(2));
    else {
      const auto count = [&] { return s_.one_in(8) ? int(s_.word(4)) : int(s_.below(600)) - 300; };
      const int dx = count(), dy = count(), dz = count();
      made_.keyboard.mouse(dx, dy, dz, u8(s_.word(1)));
    }
  }

  AnyUsbDevice usb_[2];
};
}  // namespace

const fuzz::Board fuzz::board{
    boards::PINSTRAP_BOARD::info.name,
    [](Source& s, std::string_view only) -> std::unique_ptr<Fuzzer> { return std::make_unique<Malta>(s, only); }};
