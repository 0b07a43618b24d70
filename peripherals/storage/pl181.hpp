#pragma once
#include "core/clock.hpp"
#include "core/reg.hpp"

#include <algorithm>
#include <array>

namespace peripherals::pl181 {
using namespace core;

// Arm PrimeCell multimedia card interface PL181 (MCI) — DDI 0205B, chapter 3 — with an empty socket.
// Pins: out irq0 (MCIINTR0), irq1 (MCIINTR1), levels.  Clock: MCLK, Hz.
// An empty socket answers no command (CmdTimeOut at once) and no data (DataTimeOut after MCIDataTimer
// periods of MCICLK).  Card detection and write protection are board signals, not in this block.
// Not modelled: the power-up ramp and bus clock gate commands on hardware, here they do not.
struct Regs {  // table 3-1
  Reg<struct MCIPower,      0x00, R | W, 0, Bits<struct Ctrl, 0, 2>, Bits<struct Voltage, 2, 4>, Bits<struct OpenDrain, 6>, Bits<struct Rod, 7>> power;
  Reg<struct MCIClock,      0x04, R | W, 0, Bits<struct ClkDiv, 0, 8>, Bits<struct ClkEnable, 8>, Bits<struct PwrSave, 9>, Bits<struct Bypass, 10>, Bits<struct WideBus, 11>> clock;
  Reg<struct MCIArgument,   0x08, R | W> argument;
  Reg<struct MCICommand,    0x0c, R | Wfn, 0, Bits<struct CmdIndex, 0, 6>, Bits<struct Response, 6>, Bits<struct LongRsp, 7>, Bits<struct Interrupt, 8>, Bits<struct Pending, 9>, Bits<struct CmdEnable, 10>> command;
  Reg<struct MCIRespCmd,    0x10, R> resp_cmd;
  RegArray<struct MCIResponse, 0x14, 4, 4, R> response;
  Reg<struct MCIDataTimer,  0x24, R | W> data_timer;
  Reg<struct MCIDataLength, 0x28, R | W, 0, Bits<struct DataLength, 0, 16>> data_length;
  Reg<struct MCIDataCtrl,   0x2c, R | Wfn, 0, Bits<struct DataEnable, 0>, Bits<struct Direction, 1>, Bits<struct Mode, 2>, Bits<struct DMAEnable, 3>, Bits<struct BlockSize, 4, 4>> data_ctrl;
  Reg<struct MCIDataCnt,    0x30, R> data_cnt;
  Reg<struct MCIStatus,     0x34, Rfn, 0, Bits<struct CmdCrcFail, 0>, Bits<struct DataCrcFail, 1>, Bits<struct CmdTimeOut, 2>, Bits<struct DataTimeOut, 3>, Bits<struct TxUnderrun, 4>, Bits<struct RxOverrun, 5>, Bits<struct CmdRespEnd, 6>, Bits<struct CmdSent, 7>, Bits<struct DataEnd, 8>, Bits<struct StartBitErr, 9>, Bits<struct DataBlockEnd, 10>, Bits<struct CmdActive, 11>, Bits<struct TxActive, 12>, Bits<struct RxActive, 13>, Bits<struct TxFifoHalfEmpty, 14>, Bits<struct RxFifoHalfFull, 15>, Bits<struct TxFifoFull, 16>, Bits<struct RxFifoFull, 17>, Bits<struct TxFifoEmpty, 18>, Bits<struct RxFifoEmpty, 19>, Bits<struct TxDataAvlbl, 20>, Bits<struct RxDataAvlbl, 21>> status;
  Reg<struct MCIClear,      0x38, Wfn> clear;
  Reg<struct MCIMask0,      0x3c, R | Wfn> mask0;
  Reg<struct MCIMask1,      0x40, R | Wfn> mask1;
  Reg<struct MCISelect,     0x44, R | W, 0, Bits<struct SDCard, 0, 4>> select;
  Reg<struct MCIFifoCnt,    0x48, R> fifo_cnt;
  RegArray<struct MCIFIFO,  0x80, 16, 4, Rfn | Wfn> fifo;
  PrimecellId<0x00041181> id;
};

template <class Wires>
struct Pl181 {
  static constexpr std::string_view kind = "pl181";
  static constexpr Ports ports{.clock = true, .outputs = {"irq0", "irq1"}, .timers = 1};
  static constexpr u32 static_bits = 0x7ff, status_bits = 0x3f'ffff;
  static constexpr unsigned depth = 16;
  Wires wires;
  Regs r;
  struct Hidden {
    std::array<u32, depth> fifo{};
    u8 head = 0, count = 0;    // head < depth; count ≤ depth
    bool data_active = false;  // the data path waits for the card
    bool cmd_active = false;   // the command path waits: for an interrupt or for the end of data
  } x;

  bool sending() const { return x.data_active && !r.data_ctrl.is<Direction>(); }
  bool reading() const { return x.data_active && r.data_ctrl.is<Direction>(); }

  // Bits 10:0 stay until cleared, the rest follow the paths; those of the other direction read 0 (§3.3.11).
  u32 status() const {
    u32 s = r.status.v & static_bits;
    const auto set = [&](u32 mask, bool on) { s |= on ? mask : 0; };
    set(r.status.mask<CmdActive>(), x.cmd_active);
    if (sending()) {
      s |= r.status.mask<TxActive>();
      set(r.status.mask<TxFifoHalfEmpty>(), x.count <= depth / 2);
      set(r.status.mask<TxFifoFull>(), x.count == depth);
      set(r.status.mask<TxFifoEmpty>(), x.count == 0);
      set(r.status.mask<TxDataAvlbl>(), x.count != 0);
    }
    if (reading()) {
      s |= r.status.mask<RxActive>();
      set(r.status.mask<RxFifoHalfFull>(), x.count >= depth / 2);
      set(r.status.mask<RxFifoFull>(), x.count == depth);
      set(r.status.mask<RxFifoEmpty>(), x.count == 0);
      set(r.status.mask<RxDataAvlbl>(), x.count != 0);
    }
    return s;
  }
  u32 on_read(At<MCIStatus>) { return status(); }

  // CmdEnable starts the command path (§2.2.3); it reads back as 0.
  void on_write(At<MCICommand>, u32 v) {
    r.command.write(v);
    const bool start = r.command.is<CmdEnable>();
    r.command.set<CmdEnable>(false);
    x.cmd_active = start && (r.command.is<Interrupt>() || (r.command.is<Pending>() && x.data_active));
    if (start && !x.cmd_active) send_command();
    update();
  }
  // Nobody answers.
  void send_command() {
    if (r.command.is<Response>()) r.status.set<CmdTimeOut>();
    else r.status.set<CmdSent>();
  }

  // DataEnable starts the data path (§2.2.5).
  void on_write(At<MCIDataCtrl>, u32 v) {
    const bool was_active = x.data_active;
    r.data_ctrl.write(v);
    x.data_active = r.data_ctrl.is<DataEnable>() && (was_active || r.data_length.v);
    if (!x.data_active) {
      wires.disarm(0);
      x.head = x.count = 0;
    } else if (!was_active) {
      r.data_cnt.v = r.data_length.v;
      r.fifo_cnt.v = (r.data_length.v + 3) / 4;
      wires.arm(0, ticks_to_ns(u64(r.data_timer.v) + 1, card_clock_hz()));
    }
    update();
  }
  // MCICLK (§3.3.2).
  u64 card_clock_hz() const {
    const u64 divided = wires.clock_hz / (2 * (r.clock.get<ClkDiv>() + 1));
    return std::max<u64>(1, r.clock.is<Bypass>() ? wires.clock_hz : divided);
  }
  // The card neither sent data nor took any.
  void expire(Timer<0>) {
    x.data_active = false;
    x.head = x.count = 0;
    r.data_ctrl.set<DataEnable>(false);
    r.status.set<DataTimeOut>();
    if (x.cmd_active && r.command.is<Pending>() && !r.command.is<Interrupt>()) {
      x.cmd_active = false;
      send_command();
    }
    update();
  }

  void on_write(At<MCIClear>, u32 v) {
    r.status.v &= ~(v & static_bits);
    update();
  }
  void on_write(At<MCIMask0>, u32 v) {
    r.mask0.v = v & status_bits;
    update();
  }
  void on_write(At<MCIMask1>, u32 v) {
    r.mask1.v = v & status_bits;
    update();
  }

  // The window is one queue at any of its addresses (§3.3.16).
  u32 on_read(At<MCIFIFO>, u32) {
    if (!reading() || !x.count) return 0;
    const u32 word = x.fifo[x.head];
    x.head = (x.head + 1) % depth;
    --x.count;
    r.fifo_cnt.v -= r.fifo_cnt.v ? 1 : 0;
    update();
    return word;
  }
  void on_write(At<MCIFIFO>, u32, u32 v) {
    if (!sending() || x.count == depth) return wires.guest_error("FIFO written while it takes no data");
    x.fifo[(x.head + x.count++) % depth] = v;
    r.fifo_cnt.v -= r.fifo_cnt.v ? 1 : 0;
    update();
  }

  void on_reset() {
    wires.disarm(0);
    update();
  }
  void update() {
    wires.irq0((status() & r.mask0.v) != 0);
    wires.irq1((status() & r.mask1.v) != 0);
  }
};
}  // namespace peripherals::pl181
