#pragma once
#include "core/net_port.hpp"
#include "core/reg.hpp"
#include "peripherals/net/smc91c111_core.hpp"

namespace peripherals::smc91c111 {

// SMSC LAN91C111 10/100 Ethernet controller — LAN91C111 data sheet rev. 1.91 (2005).
// Pins: out irq (INTR0, level).  Sixteen bytes on the bus, four banks of registers behind them.
// The station address, in a serial EEPROM on most boards, is that of the network plug.
// A frame is sent the moment it is queued.  One that comes while all packets are taken waits in the plug; RX_OVRN tells
// of those that come back by loopback.
// Not modelled: EEPROM, external PHY, collisions, early receive and transmit, statistics counters.

// Here a register's offset is bank * 0x10 + bus offset.
struct Regs {  // §8, table 8.1
  Reg16<struct TCR,    0x00, R | Wfn, 0, Bits<struct TXENA, 0>, Bits<struct LOOP, 1>, Bits<struct FORCOL, 2>, Bits<struct PAD_EN, 7>, Bits<struct NOCRC, 8>, Bits<struct MON_CSN, 10>, Bits<struct FDUPLX, 11>, Bits<struct STP_SQET, 12>, Bits<struct EPH_LOOP, 13>, Bits<struct SWFDUP, 15>> tcr;
  Reg16<struct EPHSR,  0x02, R, 0x4000, Bits<struct TX_SUC, 0>, Bits<struct LINK_OK, 14>> ephsr;
  Reg16<struct RCR,    0x04, R | Wfn, 0, Bits<struct RX_ABORT, 0>, Bits<struct PRMS, 1>, Bits<struct ALMUL, 2>, Bits<struct RXEN, 8>, Bits<struct STRIP_CRC, 9>, Bits<struct ABORT_ENB, 13>, Bits<struct FILT_CAR, 14>, Bits<struct SOFT_RST, 15>> rcr;
  Reg16<struct ECR,    0x06, R> ecr;
  Reg16<struct MIR,    0x08, Rfn> mir;
  Reg16<struct RPCR,   0x0a, R | W, 0, Bits<struct LED_SEL, 2, 6>, Bits<struct ANEG, 11>, Bits<struct DPLX, 12>, Bits<struct SPEED, 13>> rpcr;
  Reg16<struct BANK,   0x0e, Rfn | Wfn, 0, Bits<struct BS, 0, 3>> bank;  // in every bank
  Reg16<struct CONFIG, 0x10, R | W, 0xa0b1, Bits<struct EXT_PHY, 9>, Bits<struct GPCNTRL, 10>, Bits<struct NO_WAIT, 12>, Bits<struct EPH_POWER_EN, 15>> config;
  Reg16<struct BASE,   0x12, R | W, 0x1801> base;
  Reg8<struct IA0, 0x14, R | W> ia0;
  Reg8<struct IA1, 0x15, R | W> ia1;
  Reg8<struct IA2, 0x16, R | W> ia2;
  Reg8<struct IA3, 0x17, R | W> ia3;
  Reg8<struct IA4, 0x18, R | W> ia4;
  Reg8<struct IA5, 0x19, R | W> ia5;
  Reg16<struct GPR,    0x1a, R | W> gpr;
  Reg16<struct CTR,    0x1c, R | Wfn, 0x1210, Bits<struct STORE, 0>, Bits<struct RELOAD, 1>, Bits<struct EEPROM_SEL, 2>, Bits<struct TE_EN, 5>, Bits<struct CR_EN, 6>, Bits<struct LE_EN, 7>, Bits<struct AUTO_RELEASE, 11>, Bits<struct RCV_BAD, 14>> ctr;
  Reg16<struct MMUCR,  0x20, Wfn> mmucr;
  Reg8<struct PNR,     0x22, R | W, 0, Bits<struct PACKET, 0, 6>> pnr;
  Reg8<struct ARR,     0x23, Rfn> arr;
  Reg8<struct TXFIFO,  0x24, Rfn> txfifo;
  Reg8<struct RXFIFO,  0x25, Rfn> rxfifo;
  Reg16<struct PTR,    0x26, R | W, 0, Bits<struct POINTER, 0, 11>, Bits<struct READ, 13>, Bits<struct AUTO_INCR, 14>, Bits<struct RCV, 15>> ptr;
  Reg<struct DATA,     0x28, Access{}> data;  // decoded by size, see read_data()
  Reg8<struct IST,     0x2c, Rfn | Wfn> ist;
  Reg8<struct MSK,     0x2d, R | Wfn> msk;
  Reg8<struct MT0, 0x30, R | W> mt0;
  Reg8<struct MT1, 0x31, R | W> mt1;
  Reg8<struct MT2, 0x32, R | W> mt2;
  Reg8<struct MT3, 0x33, R | W> mt3;
  Reg8<struct MT4, 0x34, R | W> mt4;
  Reg8<struct MT5, 0x35, R | W> mt5;
  Reg8<struct MT6, 0x36, R | W> mt6;
  Reg8<struct MT7, 0x37, R | W> mt7;
  Reg16<struct MGMT,   0x38, Rfn | Wfn, 0, Bits<struct MDO, 0>, Bits<struct MDI, 1>, Bits<struct MCLK, 2>, Bits<struct MDOE, 3>, Bits<struct MSK_CRS100, 14>> mgmt;
  Reg16<struct REV,    0x3a, R, 0x3391> rev;
  Reg16<struct ERCV,   0x3c, R | W, 0x001f, Bits<struct ERCV_THRESHOLD, 0, 5>, Bits<struct RCV_DISCRD, 7>> ercv;
};

// Interrupt bits of IST and MSK (§8.20).
enum : u8 { int_rcv = 1, int_tx = 2, int_tx_empty = 4, int_alloc = 8, int_rx_ovrn = 16, int_eph = 32, int_md = 128 };

template <class Wires>
struct Smc91c111 {
  static constexpr std::string_view kind = "smc91c111";
  static constexpr Ports ports{.window = 0x10000, .outputs = {"irq"}};
  Wires wires;
  Regs r;
  struct Hidden {
    PacketMemory mmu;
    Phy phy;
    bool overrun = false;  // RX_OVRN INT
    bool link_moved = false;  // LINK_OK changed since LE_EN was last off
  } x;

  // The whole window: registers of 8 and 16 bits sit side by side and answer any access size.
  bool claims(u32) const { return true; }
  u32 bank_offset(u32 off) const { return off >= 0xe ? off : r.bank.v << 4 | off; }
  static constexpr bool is_data(u32 at) { return at >= 0x28 && at < 0x2c; }
  static bool is_byte_register(u32 at) {
    const RegInfo* info = find_reg(reg_info<Regs>, at);
    return info && info->width == 1;
  }

  u64 read_window(u32 off, unsigned size) {
    if (off + size > 0x10) return wires.stray(off), 0;
    if (is_data(bank_offset(off))) return read_data(off & 3, size);
    u64 v = 0;
    for (u32 n = 0; n < size;) {
      const u32 at = bank_offset(off + n);
      const bool whole = at % 2 == 0 && size - n >= 2 && !is_byte_register(at);
      v |= u64(whole ? core::detail::read_at(*this, at) : read_byte(at)) << 8 * n;
      n += whole ? 2 : 1;
    }
    if (trace_registers) trace_access(wires.name, reg_info<Regs>, bank_offset(off), size, v, false);
    return v;
  }
  void write_window(u32 off, unsigned size, u64 v) {
    if (off + size > 0x10) return wires.stray(off);
    if (is_data(bank_offset(off))) return write_data(off & 3, size, v);
    if (trace_registers) trace_access(wires.name, reg_info<Regs>, bank_offset(off), size, v, true);
    // Drivers of 32-bit buses select the bank with a doubleword write at 0xC; the low half is void (§8.2).
    if (off == 0xc && size == 4) return core::detail::write_at(*this, 0xe, v >> 16 & 0xffff);
    for (u32 n = 0; n < size;) {
      const u32 at = bank_offset(off + n);
      const bool whole = at % 2 == 0 && size - n >= 2 && !is_byte_register(at);
      if (whole) core::detail::write_at(*this, at, v >> 8 * n & 0xffff);
      else write_byte(at, u8(v >> 8 * n));
      n += whole ? 2 : 1;
    }
  }
  u8 read_byte(u32 at) {
    if (is_byte_register(at)) return u8(core::detail::read_at(*this, at));
    return u8(core::detail::read_at(*this, at & ~1u) >> at % 2 * 8);
  }
  void write_byte(u32 at, u8 v) {
    if (is_byte_register(at)) return core::detail::write_at(*this, at, v);
    const u32 shift = at % 2 * 8;
    const u64 rest = core::detail::read_at(*this, at & ~1u) & ~(u64(0xff) << shift);
    core::detail::write_at(*this, at & ~1u, rest | u64(v) << shift);
  }

  // Packet memory through the data register: PTR says where and which packet (§8.19).
  u8* data_packet() { return x.mmu.packet(r.ptr.is<RCV>() ? x.mmu.rx.top() : r.pnr.v); }
  // The address of an access at byte `lane` of the register; AUTO_INCR moves PTR past it.
  u32 data_address(u32 lane, unsigned size) {
    const u32 at = r.ptr.get<POINTER>();
    if (!r.ptr.is<AUTO_INCR>()) return at + lane;
    r.ptr.put<POINTER>(u16(at + size));
    return at;
  }
  u64 read_data(u32 lane, unsigned size) {
    const u32 at = data_address(lane, size);
    const u8* packet = data_packet();
    if (!packet) return wires.guest_error("data read without a packet"), 0;
    u64 v = 0;
    for (u32 i = 0; i < size; ++i) v |= u64(packet[(at + i) % page_size]) << 8 * i;
    return v;
  }
  void write_data(u32 lane, unsigned size, u64 v) {
    const u32 at = data_address(lane, size);
    u8* packet = data_packet();
    if (!packet) return wires.guest_error("data written without a packet");
    for (u32 i = 0; i < size; ++i) packet[(at + i) % page_size] = u8(v >> 8 * i);
  }

  u32 on_read(At<BANK>) { return 0x3300 | r.bank.v; }
  void on_write(At<BANK>, u32 v) { r.bank.write(v); }

  void on_write(At<TCR>, u32 v) {
    r.tcr.write(v);
    send_queue();
    update();
  }
  void on_write(At<RCR>, u32 v) {
    r.rcr.write(v);
    if (r.rcr.is<SOFT_RST>()) soft_reset();
    take_frames();
    update();
  }
  u32 on_read(At<MIR>) { return x.mmu.free_pages() << 8 | pages; }
  // There is no EEPROM to load from or store to: both finish at once.
  void on_write(At<CTR>, u32 v) {
    r.ctr.write(v);
    r.ctr.set<STORE>(false);
    r.ctr.set<RELOAD>(false);
    x.link_moved &= r.ctr.is<LE_EN>();
    update();
  }

  void on_write(At<MMUCR>, u32 v) {  // §8.16
    switch (v >> 5 & 7) {
      case 1: x.mmu.allocate_tx(); break;
      case 2: x.mmu.reset(); break;
      case 3: x.mmu.rx.pop(); break;
      case 4: x.mmu.release(x.mmu.rx.pop()); break;
      case 5: x.mmu.release(r.pnr.v); break;
      case 6: enqueue(r.pnr.v); break;
      case 7: x.mmu.tx = x.mmu.tx_done = {}; break;
    }
    take_frames();
    update();
  }
  u32 on_read(At<ARR>) { return x.mmu.allocated; }
  u32 on_read(At<TXFIFO>) { return x.mmu.tx_done.top(); }
  u32 on_read(At<RXFIFO>) { return x.mmu.rx.top(); }

  u8 interrupts() const {
    const PacketMemory& m = x.mmu;
    return u8((m.rx.empty() ? 0 : int_rcv) | (m.tx_done.empty() ? 0 : int_tx) | (m.tx.empty() ? int_tx_empty : 0) |
              (m.allocated == no_packet ? 0 : int_alloc) | (x.overrun ? int_rx_ovrn : 0) |
              (x.link_moved && r.ctr.is<LE_EN>() ? int_eph : 0) | (x.phy.interrupt() ? int_md : 0));
  }
  u32 on_read(At<IST>) { return interrupts(); }
  // Acknowledging TX drops the finished packet's number from its FIFO (§8.20).
  void on_write(At<IST>, u32 v) {
    if (v & int_tx) x.mmu.tx_done.pop();
    if (v & int_rx_ovrn) x.overrun = false;
    update();
  }
  void on_write(At<MSK>, u32 v) {
    r.msk.v = u8(v);
    update();
  }

  u32 on_read(At<MGMT>) { return 0x3330 | r.mgmt.v | u32(x.phy.mdi()) << 1; }
  void on_write(At<MGMT>, u32 v) {
    r.mgmt.write(v & ~u32(r.mgmt.mask<MDI>()));
    x.phy.pins(r.mgmt.is<MCLK>(), r.mgmt.is<MDOE>(), r.mgmt.is<MDO>());
    update();
  }

  void enqueue(u8 packet) {
    if (packet >= pages || !x.mmu.tx.push(packet)) wires.guest_error("packet number cannot be queued");
    send_queue();
  }
  void send_queue() {
    while (r.tcr.is<TXENA>() && !x.mmu.tx.empty()) send(x.mmu.tx.pop());
  }
  void send(u8 number) {
    const Frame frame = frame_of(x.mmu.page[number], r.tcr.is<PAD_EN>());
    r.ephsr.set<TX_SUC>();
    store_le(x.mmu.packet(number), u16(r.ephsr.v));
    if (r.ctr.is<AUTO_RELEASE>()) x.mmu.release(number);
    else if (!x.mmu.tx_done.push(number)) wires.guest_error("finished packets are not acknowledged");
    if (frame.size == 0) return wires.guest_error("packet without a frame");
    if (r.tcr.is<LOOP>() || r.tcr.is<EPH_LOOP>()) receive_frame(frame.span());
    else if (NetPort* plug = wires.nic()) plug->send(frame.span());
  }

  // Frames wait in the plug, or its link changed.
  void network_arrived() {
    follow_link(true);
    take_frames();
    update();
  }
  // A receiver that is off loses what comes.
  void take_frames() {
    NetPort* plug = wires.nic();
    EthernetFrame frame;
    while (plug && (!r.rcr.is<RXEN>() || x.mmu.free_pages()) && plug->receive(frame)) receive_frame(frame);
  }
  void follow_link(bool tell) {
    const NetPort* plug = wires.nic();
    const bool up = plug && plug->link_up.load();
    x.link_moved |= tell && up != r.ephsr.is<LINK_OK>() && r.ctr.is<LE_EN>();
    r.ephsr.set<LINK_OK>(up);
    x.phy.set_link(up, tell);
  }

  // A frame without FCS.  False when it was not taken.
  bool receive_frame(std::span<const u8> frame) {
    if (!r.rcr.is<RXEN>() || frame.size() < 14 || frame.size() > largest_frame || !filter().accepts(frame)) return false;
    const u8 number = x.mmu.take();
    const bool taken = number != no_packet && x.mmu.rx.push(number);
    if (taken) store_frame(x.mmu.page[number], frame, !r.rcr.is<STRIP_CRC>());
    else if (number != no_packet) x.mmu.release(number);
    x.overrun |= !taken;
    update();
    return taken;
  }
  Filter filter() const {
    return {{r.ia0.v, r.ia1.v, r.ia2.v, r.ia3.v, r.ia4.v, r.ia5.v},
            {r.mt0.v, r.mt1.v, r.mt2.v, r.mt3.v, r.mt4.v, r.mt5.v, r.mt6.v, r.mt7.v},
            r.rcr.is<PRMS>(),
            r.rcr.is<ALMUL>()};
  }

  // SOFT_RST leaves the configuration and the station address alone (§8.8); it ends by itself.
  void soft_reset() {
    const Regs before = r;
    r = Regs{};
    r.bank = before.bank;
    r.config = before.config;
    r.base = before.base;
    load_station({before.ia0.v, before.ia1.v, before.ia2.v, before.ia3.v, before.ia4.v, before.ia5.v});
    x.mmu.reset();
    x.overrun = x.link_moved = false;
    follow_link(false);
  }
  void load_station(std::array<u8, 6> a) {
    r.ia0.v = a[0];
    r.ia1.v = a[1];
    r.ia2.v = a[2];
    r.ia3.v = a[3];
    r.ia4.v = a[4];
    r.ia5.v = a[5];
  }
  void on_reset() {
    if (NetPort* plug = wires.nic()) {
      load_station(plug->mac);
      plug->arrived = [this] { network_arrived(); };
    }
    follow_link(false);
    update();
  }

  void update() { wires.irq((interrupts() & r.msk.v) != 0); }
};
}  // namespace peripherals::smc91c111
