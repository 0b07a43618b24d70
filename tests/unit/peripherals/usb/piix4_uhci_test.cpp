#include "peripherals/usb/piix4_uhci.hpp"

#include "tests/unit/bench.hpp"

#include <cstring>

using namespace test;
using namespace peripherals;
using namespace peripherals::piix4_uhci;

namespace {
struct Board : TestWires {
  void inta(bool on) const { drive("inta", on); }
};

// Answers every IN with what it was told to.
struct Gadget final : usb::UsbDevice {
  usb::Packet next{usb::Answer::ack, 0};
  std::vector<u8> sent, got;
  unsigned resets = 0, packets = 0;
  bool low_speed() const override { return true; }
  u8 address() const override { return 5; }
  void reset() override { ++resets; }
  usb::Packet transact(usb::Pid pid, u8, std::span<u8> data) override {
    ++packets;
    if (pid == usb::Pid::in) std::copy_n(sent.begin(), std::min(sent.size(), data.size()), data.begin());
    else got.assign(data.begin(), data.end());
    return next;
  }
};

struct Uhci : Bench<Piix4Uhci, Board> {
  Gadget gadget;
  static constexpr u32 list = 0x1000, qh = 0x3000, td = 0x4000, buffer = 0x5000;
  Uhci() {
    dev.attach(0, &gadget);
    write<PORTSC1>(0x0e);
    write<FLBASEADD>(list);
    write<USBINTR>(0xf);
    for (u32 i = 0; i < 1024; ++i) put(list + 4 * i, qh | 2);
    put(qh, 1), put(qh + 4, td);
  }
  void put(u32 at, u32 v) { store_le(memory.data() + at, v); }
  u32 word(u32 at) { return load_le<u32>(memory.data() + at); }
  void describe(u32 at, u32 link, u32 control, u32 pid, u32 room, u32 where) {
    put(at, link), put(at + 4, control), put(at + 8, (room - 1) << 21 | 5 << 8 | pid), put(at + 12, where);
  }
  void frame() { run_for(1_ms); }
};
constexpr u32 active = 1u << 23, ioc = 1u << 24, spd = 1u << 29;
}  // namespace

TEST_CASE("uhci: a transfer moves data, frees its descriptor and interrupts (§3.2)") {
  Uhci u;
  u.gadget.sent = {1, 2, 3, 4};
  u.gadget.next.length = 4;
  u.describe(u.td, 1, active | ioc, 0x69, 4, u.buffer);
  u.write<USBCMD>(1);
  u.frame();
  CHECK(u.word(u.buffer) == 0x0403'0201);
  CHECK((u.word(u.td + 4) & (active | 0x7ff)) == 3);
  CHECK(u.word(u.qh + 4) == 1);
  CHECK(u.read<USBSTS>() == 1);
  CHECK(u.pin("inta"));
  u.write<USBSTS>(1);
  CHECK_FALSE(u.pin("inta"));
  CHECK(u.read<FRNUM>() == 1);
}

TEST_CASE("uhci: a descriptor that is refused stays for the next frame; a stall ends it (§3.2.2)") {
  Uhci u;
  u.describe(u.td, 1, active | ioc, 0xe1, 4, u.buffer);
  u.gadget.next = {usb::Answer::nak, 0};
  u.write<USBCMD>(1);
  u.frame();
  CHECK((u.word(u.td + 4) & active) != 0);
  CHECK(u.read<USBSTS>() == 0);
  u.gadget.next = {usb::Answer::stall, 0};
  u.frame();
  CHECK((u.word(u.td + 4) & (active | 1u << 22)) == 1u << 22);
  CHECK((u.read<USBSTS>() & 2) != 0);
}

TEST_CASE("uhci: a short packet stops the queue when SPD asks for it (§3.2.2)") {
  Uhci u;
  u.gadget.next.length = 2;
  u.describe(u.td, u.td + 0x10, active | spd, 0x69, 8, u.buffer);
  u.describe(u.td + 0x10, 1, active, 0x69, 8, u.buffer);
  u.write<USBCMD>(1);
  u.frame();
  CHECK(u.word(u.qh + 4) == u.td);
  CHECK(u.pin("inta"));
  CHECK(u.gadget.packets == 1);
}

TEST_CASE("uhci: depth first goes on in the queue, breadth first leaves it (§3.4.2)") {
  Uhci u;
  u.gadget.next.length = 8;
  u.describe(u.td, (u.td + 0x10) | 4, active, 0x69, 8, u.buffer);
  u.describe(u.td + 0x10, u.td + 0x20, active, 0x69, 8, u.buffer);
  u.describe(u.td + 0x20, 1, active, 0x69, 8, u.buffer);
  u.write<USBCMD>(1);
  u.frame();
  CHECK(u.gadget.packets == 2);
  u.frame();
  CHECK(u.gadget.packets == 3);
}

TEST_CASE("uhci: a device that is not there times out") {
  Uhci u;
  u.describe(u.td, 1, active, 0x69, 8, u.buffer);
  u.put(u.td + 8, 7u << 21 | 9 << 8 | 0x69);
  u.write<USBCMD>(1);
  u.frame();
  CHECK((u.word(u.td + 4) & (1u << 22 | 1u << 18)) == (1u << 22 | 1u << 18));
}

TEST_CASE("uhci: schedules outside memory or without sense halt the controller (§2.1.2)") {
  Uhci u;
  u.write<FLBASEADD>(0xffff'f000);
  u.write<USBCMD>(1);
  u.frame();
  CHECK((u.read<USBSTS>() & 0x28) == 0x28);
  CHECK((u.read<USBCMD>() & 1) == 0);
  Uhci v;
  v.describe(v.td, 1, active, 0x12, 8, v.buffer);
  v.write<USBCMD>(1);
  v.frame();
  CHECK((v.read<USBSTS>() & 0x30) == 0x30);
}

TEST_CASE("uhci: queues that loop end with the frame") {
  Uhci u;
  u.put(u.qh, u.qh | 2);
  u.describe(u.td, u.td, active, 0x69, 8, u.buffer);
  u.gadget.next = {usb::Answer::nak, 0};
  u.write<USBCMD>(1);
  u.frame();
  CHECK(u.gadget.packets < 600);
  u.put(u.qh + 4, 1);
  u.frame();
  CHECK(u.read<FRNUM>() == 2);
}

TEST_CASE("uhci: ports tell what is plugged in; enabling needs a device; a port reset resets it (§2.1.7)") {
  Uhci u;
  CHECK((u.read<PORTSC1>() & 0x105) == 0x105);
  u.write<PORTSC2>(4);
  CHECK(u.read<PORTSC2>() == 0x80);
  u.write<PORTSC1>(0x200);
  u.write<PORTSC1>(0);
  CHECK(u.gadget.resets > 0);
  CHECK(u.read_at(0x14, 2) == 0);
  u.dev.attach(0, nullptr);
  CHECK((u.read<PORTSC1>() & 3) == 2);
}
