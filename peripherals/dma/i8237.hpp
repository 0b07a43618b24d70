#pragma once
#include "core/reg.hpp"
#include "peripherals/dma/i8237_core.hpp"

namespace peripherals::i8237 {
using namespace core;

// The two DMA controllers 8237A of a PC with their page registers — Intel data sheet 231466, 82371AB (PIIX4) data sheet
// §4.2.1.  Channels 0 to 3 move bytes, 5 to 7 words; channel 4 is the cascade.
// Inputs: DREQ0 to DREQ7.  Pins: out dack0..3, dack5..7, high while a request of that channel would be served.
// Windows: 0x00 the first controller, 0x80 the pages, 0xc0 the second controller (registers 2 bytes apart).
// A device that `uses` it moves its bytes by transfer(); what it raises DREQ for happens in that call.
// Not modelled: memory to memory, timing and priority modes (bytes move at once), that channel 4 must let 0 to 3
// through.
struct Regs {
  Reg8Array<struct CHANNELS, 0x000, 8, 1, Rfn | Wfn> channels;  // address and count of each
  Reg8<struct STATUS, 0x008, Rfn | Wfn> status;                 // write: command
  Reg8<struct REQUEST, 0x009, Wfn> request;
  Reg8<struct SINGLE_MASK, 0x00a, Wfn> single_mask;
  Reg8<struct MODE, 0x00b, Wfn> mode;
  Reg8<struct CLEAR_POINTER, 0x00c, Wfn> clear_pointer;
  Reg8<struct MASTER_CLEAR, 0x00d, R | Wfn> master_clear;  // read: temporary register
  Reg8<struct CLEAR_MASK, 0x00e, Wfn> clear_mask;
  Reg8<struct ALL_MASK, 0x00f, Rfn | Wfn> all_mask;
  Reg8Array<struct PAGE, 0x100, 16, 1, R | W> page;  // those no channel has are plain storage
  Reg8Array<struct CHANNELS2, 0x200, 8, 2, Rfn | Wfn> channels2;
  Reg8<struct STATUS2, 0x210, Rfn | Wfn> status2;
  Reg8<struct REQUEST2, 0x212, Wfn> request2;
  Reg8<struct SINGLE_MASK2, 0x214, Wfn> single_mask2;
  Reg8<struct MODE2, 0x216, Wfn> mode2;
  Reg8<struct CLEAR_POINTER2, 0x218, Wfn> clear_pointer2;
  Reg8<struct MASTER_CLEAR2, 0x21a, R | Wfn> master_clear2;
  Reg8<struct CLEAR_MASK2, 0x21c, Wfn> clear_mask2;
  Reg8<struct ALL_MASK2, 0x21e, Rfn | Wfn> all_mask2;
};

struct Moved {
  u32 bytes = 0;
  bool terminal_count = false;
};

template <class Wires>
struct I8237 {
  static constexpr std::string_view kind = "i8237";
  static constexpr Ports ports{.window = 16,
                               .inputs = 8,
                               .outputs = {"dack0", "dack1", "dack2", "dack3", "dack5", "dack6", "dack7"},
                               .narrow = Narrow::lanes,
                               .more_windows = {16, 32}};
  Wires wires;
  Regs r;
  struct Hidden {
    Controller bytes, words;
  } x;

  // The device side of `channel`: moves at most all of `data` to or from memory, as the channel's mode says; nothing
  // when the channel does not accept.  A verify transfer, and memory that is not there, count but move nothing.
  Moved transfer(unsigned channel, std::span<u8> data) {
    Controller& d = channel < 4 ? x.bytes : x.words;
    const unsigned n = channel % 4, unit = channel < 4 ? 1 : 2;
    Moved moved;
    while (moved.bytes + unit <= data.size() && !moved.terminal_count && d.accepts(n)) {
      const u32 count =
          std::min({u32(data.size() - moved.bytes) / unit, d.channels[n].left(), until_wrap(d.channels[n])});
      move(channel, d.channels[n], data.subspan(moved.bytes, count * unit));
      moved.bytes += count * unit;
      moved.terminal_count = d.advance(n, count);
    }
    update();
    return moved;
  }
  Channel::Type direction(unsigned channel) const {
    return (channel < 4 ? x.bytes : x.words).channels[channel % 4].type();
  }

  void set_line(unsigned n, bool on) {
    Controller& d = n < 4 ? x.bytes : x.words;
    d.dreq = u8(on ? d.dreq | 1 << n % 4 : d.dreq & ~(1 << n % 4));
    update();
  }

  u8 on_read(At<CHANNELS>, u32 i) { return x.bytes.read_channel(i); }
  u8 on_read(At<CHANNELS2>, u32 i) { return x.words.read_channel(i); }
  void on_write(At<CHANNELS>, u32 i, u8 v) { x.bytes.write_channel(i, v); }
  void on_write(At<CHANNELS2>, u32 i, u8 v) { x.words.write_channel(i, v); }
  u8 on_read(At<STATUS>) { return x.bytes.read_status(); }
  u8 on_read(At<STATUS2>) { return x.words.read_status(); }
  u8 on_read(At<ALL_MASK>) { return u8(x.bytes.mask | 0xf0); }
  u8 on_read(At<ALL_MASK2>) { return u8(x.words.mask | 0xf0); }
  void on_write(At<STATUS>, u8 v) { command(x.bytes, v); }
  void on_write(At<STATUS2>, u8 v) { command(x.words, v); }
  void on_write(At<REQUEST>, u8 v) { x.bytes.write_request(v); }
  void on_write(At<REQUEST2>, u8 v) { x.words.write_request(v); }
  void on_write(At<SINGLE_MASK>, u8 v) { x.bytes.write_single_mask(v), update(); }
  void on_write(At<SINGLE_MASK2>, u8 v) { x.words.write_single_mask(v), update(); }
  void on_write(At<MODE>, u8 v) { x.bytes.write_mode(v), update(); }
  void on_write(At<MODE2>, u8 v) { x.words.write_mode(v), update(); }
  void on_write(At<CLEAR_POINTER>, u8) { x.bytes.high_byte = false; }
  void on_write(At<CLEAR_POINTER2>, u8) { x.words.high_byte = false; }
  void on_write(At<MASTER_CLEAR>, u8) { x.bytes.master_clear(), update(); }
  void on_write(At<MASTER_CLEAR2>, u8) { x.words.master_clear(), update(); }
  void on_write(At<CLEAR_MASK>, u8) { x.bytes.mask = 0, update(); }
  void on_write(At<CLEAR_MASK2>, u8) { x.words.mask = 0, update(); }
  void on_write(At<ALL_MASK>, u8 v) { x.bytes.mask = v & 15, update(); }
  void on_write(At<ALL_MASK2>, u8 v) { x.words.mask = v & 15, update(); }

  void on_reset() { update(); }

 private:
  void command(Controller& d, u8 v) {
    if (v & 1) wires.unimp("memory to memory transfers");
    d.command = v;
    update();
  }
  // The page does not count on: addresses wrap in their 16 bits.  Downwards one transfer is taken at a time.
  static u32 until_wrap(const Channel& c) { return c.decrements() ? 1 : 0x10000u - c.address; }
  // The page's bit 0 does not count for words, whose address is shifted up (PC/AT Technical Reference, "DMA").
  GuestPhys address(unsigned channel, const Channel& c) const {
    constexpr u8 page_of[] = {0x7, 0x3, 0x1, 0x2, 0xf, 0xb, 0x9, 0xa};
    const u64 page = r.page[page_of[channel]];
    return GuestPhys{channel < 4 ? page << 16 | c.address : (page & 0xfe) << 16 | u64(c.address) << 1};
  }
  void move(unsigned channel, const Channel& c, std::span<u8> data) {
    if (c.type() == Channel::to_memory) wires.dma_write(address(channel, c), data);
    if (c.type() == Channel::from_memory && !wires.dma_read(address(channel, c), data))
      std::fill(data.begin(), data.end(), 0xff);
  }
  bool dack(unsigned channel) const {
    const Controller& d = channel < 4 ? x.bytes : x.words;
    return d.dreq >> channel % 4 & 1 && d.accepts(channel % 4);
  }
  void update() {
    wires.dack0(dack(0));
    wires.dack1(dack(1));
    wires.dack2(dack(2));
    wires.dack3(dack(3));
    wires.dack5(dack(5));
    wires.dack6(dack(6));
    wires.dack7(dack(7));
  }
};
}  // namespace peripherals::i8237
