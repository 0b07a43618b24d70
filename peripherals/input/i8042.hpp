#pragma once
#include "core/reg.hpp"
#include "peripherals/input/ps2.hpp"

namespace peripherals::i8042 {
using namespace core;

// Keyboard and auxiliary device controller i8042 of a PC, with the keyboard and mouse at its ports — IBM PS/2 Hardware
// Interface Technical Reference (1990), "Keyboard and Auxiliary Device Controller".
// Pins: out irq1, irq12 (level, high while a byte of that device waits), a20 (output port bit 1).  Output port bit 0
// and the pulse commands reset the system. Windows: 0x60 data, 0x64 status and command. Bytes move at once: IBF always
// reads 0.  Not modelled: password commands, test inputs.
struct Regs {
  Reg8<struct DATA, 0x000, Rfn | Wfn> data;
  Reg8<struct STATUS, 0x100, Rfn | Wfn, 0x18, Bits<struct OBF, 0>, Bits<struct IBF, 1>, Bits<struct SYS, 2>,
       Bits<struct CMD, 3>, Bits<struct UNLOCKED, 4>, Bits<struct AUXB, 5>, Bits<struct TIMEOUT, 6>,
       Bits<struct PARITY, 7>>
      status;  // write: command
  // The command byte, byte 0 of the controller's RAM: no address of its own.
  Reg8<struct COMMAND_BYTE, 0x180, R, 0x03, Bits<struct INT1, 0>, Bits<struct INT12, 1>, Bits<struct SYSF, 2>,
       Bits<struct KBD_OFF, 4>, Bits<struct AUX_OFF, 5>, Bits<struct XLATE, 6>>
      command_byte;
};

template <class Wires>
struct I8042 {
  static constexpr std::string_view kind = "i8042";
  static constexpr Ports ports{
      .window = 1, .outputs = {"irq1", "irq12", "a20"}, .narrow = Narrow::lanes, .more_windows = {1}};
  Wires wires;
  Regs r;
  struct Hidden {
    ps2::Keyboard keyboard;
    ps2::Mouse mouse;
    ps2::ByteQueue<8> answers;  // the controller's own bytes; they go first
    u8 answers_aux = 0;         // bit n: the n-th next of them goes out as the mouse's
    u8 ram[32] = {};
    u8 output_port = 0x03;
    u8 waiting = 0;         // command that the next data byte belongs to
    bool released = false;  // translation: F0 came, the next code is a release
  } x;

  u8 on_read(At<DATA>) {
    const u8 v = r.data.v;
    r.status.set<OBF>(false);
    update();  // the line falls between two bytes
    fill();
    return v;
  }
  void on_write(At<DATA>, u8 v) {
    r.status.set<CMD>(false);
    const u8 command = x.waiting;
    x.waiting = 0;
    if (command) argument(command, v);
    else r.command_byte.set<KBD_OFF>(false), x.keyboard.write(v);
    fill();
  }
  u8 on_read(At<STATUS>) { return r.status.v; }
  void on_write(At<STATUS>, u8 v) {
    r.status.set<CMD>();
    x.waiting = 0;
    command(v);
    fill();
  }

  void on_reset() {
    wires.a20(x.output_port & 2);
    update();
  }

  // Host side: see ps2::Keyboard::key and ps2::Mouse::move.
  void key(u16 scancode_set1, bool down) {
    x.keyboard.key(scancode_set1, down);
    fill();
  }
  void mouse(int dx, int dy, int dz, u8 buttons) {
    x.mouse.move(dx, dy, dz, buttons);
    fill();
  }

 private:
  void command(u8 v) {
    if (v >= 0xf0) return pulse(v);
    if (v >= 0x20 && v < 0x40) return answer(v == 0x20 ? r.command_byte.v : x.ram[v & 0x1f]);
    if (v >= 0x60 && v < 0x80) return wait(v);
    switch (v) {
      case 0xa7: return r.command_byte.set<AUX_OFF>(true);
      case 0xa8: return r.command_byte.set<AUX_OFF>(false);
      case 0xa9:
      case 0xab: return answer(0x00);  // interface tests: no error
      case 0xaa: r.status.set<SYS>(), r.command_byte.set<SYSF>(); return answer(0x55);
      case 0xad: return r.command_byte.set<KBD_OFF>(true);
      case 0xae: return r.command_byte.set<KBD_OFF>(false);
      case 0xc0: return answer(0x80);
      case 0xd0: return answer(u8(x.output_port | (waits_for(false) << 4) | (waits_for(true) << 5)));
      case 0xd1:
      case 0xd2:
      case 0xd3:
      case 0xd4: return wait(v);
      case 0xdd: return set_output_port(x.output_port & ~2);
      case 0xdf: return set_output_port(x.output_port | 2);
      default: return wires.guest_error("unknown controller command");
    }
  }
  void argument(u8 command, u8 v) {
    switch (command) {
      case 0x60: return set_command_byte(v);
      case 0xd1: return set_output_port(v);
      case 0xd2: return answer(v);
      case 0xd3: return answer(v, true);
      case 0xd4: r.command_byte.set<AUX_OFF>(false); return x.mouse.write(v);
      default: x.ram[command & 0x1f] = v;
    }
  }
  void wait(u8 command) { x.waiting = command; }
  void answer(u8 v, bool as_mouse = false) {
    if (as_mouse && x.answers.room()) x.answers_aux |= u8(1 << x.answers.count);
    x.answers.push(v);
  }
  void set_command_byte(u8 v) {
    r.command_byte.v = v;
    r.status.set<SYS>(r.command_byte.is<SYSF>());
  }
  void set_output_port(u8 v) {
    x.output_port = v & 0xcf;
    wires.a20(v & 2);
    if (!(v & 1)) wires.system_reset();
  }
  // Low bits of F0 to FF pull down the output port's bits for 6 us; only bit 0 is connected to something.
  void pulse(u8 v) {
    if (!(v & 1)) wires.system_reset();
  }

  bool waits_for(bool aux) const { return r.status.is<OBF>() && r.status.is<AUXB>() == aux; }
  // Moves the next byte to the output buffer.
  void fill() {
    if (r.status.is<OBF>()) return update();
    if (!x.answers.empty()) {
      put(x.answers.pop(), x.answers_aux & 1);
      x.answers_aux >>= 1;
    } else if (!r.command_byte.is<KBD_OFF>() && next_key()) {
    } else if (!r.command_byte.is<AUX_OFF>() && x.mouse.has_data()) {
      put(x.mouse.read(), true);
    }
    update();
  }
  bool next_key() {
    while (x.keyboard.has_data()) {
      const u8 c = x.keyboard.read();
      if (!r.command_byte.is<XLATE>()) return put(c, false), true;
      if (c == 0xf0) {
        x.released = true;
        continue;
      }
      put(u8(ps2::set1_of(c) | (x.released ? 0x80 : 0)), false);
      x.released = false;
      return true;
    }
    return false;
  }
  void put(u8 c, bool aux) {
    r.data.v = c;
    r.status.set<OBF>();
    r.status.set<AUXB>(aux);
  }
  void update() {
    wires.irq1(waits_for(false) && r.command_byte.is<INT1>() && !r.command_byte.is<KBD_OFF>());
    wires.irq12(waits_for(true) && r.command_byte.is<INT12>());
  }
};
}  // namespace peripherals::i8042
