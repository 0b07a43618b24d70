#include "peripherals/scsi/lsi53c895a_core.hpp"

namespace peripherals::lsi53c895a {
namespace {
constexpr u64 timer_unit_ns = 125'000;  // of STIME0 and STIME1: 125 µs << (n - 1) (§4.2)
constexpr u64 selection_ns = 1'000'000;

// Where the byte of each register offset is in Regs; none for offsets without a register.
constexpr u16 none = 0xffff;
constexpr std::array<u16, 256> positions = [] {
  std::array<u16, 256> at{};
  at.fill(none);
  for (const RegInfo& i : reg_info<Regs>)
    for (u32 n = 0; n < i.count * i.width; ++n) at[i.at + n] = u16(i.pos + n);
  return at;
}();
static_assert(std::endian::native == std::endian::little);

// Interrupts that do not stop SCRIPTS (§2.2.13.3): CMP, SEL, RSL, GEN, HTH.
constexpr u16 nonfatal = 0x0370;

enum : u32 {
  at_SCNTL1 = 0x01,
  at_GPREG = 0x07,
  at_SOCL = 0x09,
  at_SBCL = 0x0b,
  at_DSTAT = 0x0c,
  at_SSTAT0 = 0x0d,
  at_SSTAT1 = 0x0e,
  at_SSTAT2 = 0x0f,
  at_ISTAT0 = 0x14,
  at_ISTAT1 = 0x15,
  at_CTEST2 = 0x1a,
  at_DSP3 = 0x2f,
  at_DIEN = 0x39,
  at_DCNTL = 0x3b,
  at_SIEN0 = 0x40,
  at_SIEN1 = 0x41,
  at_SIST0 = 0x42,
  at_SIST1 = 0x43,
  at_STIME1 = 0x49,
};
}  // namespace

u8 Chip::shown(u32 off) {
  const u8 plain = positions[off] == none ? 0xff : reinterpret_cast<const u8*>(&r)[positions[off]];
  const bool connected = bus.connected();
  switch (off) {
    case at_SCNTL1: return u8((plain & ~0x10) | (connected ? 0x10 : 0));
    case at_GPREG: return u8((plain | (r.gpcntl.v & 0x1f)) & 0x7f);  // pins that are inputs are pulled up
    case at_SBCL: {
      if (!connected) return 0;
      const u8 phase = u8(bus.phase());
      return u8((bus.request() ? 0x80 : 0) | (bus.held() ? 0x40 : 0) | 0x20 | (bus.attention() ? 8 : 0) | phase);
    }
    case at_DSTAT: return plain | 0x80;                 // DFE: the FIFO is empty whenever one looks
    case at_SSTAT0: return r.scntl1.is<RST>() ? 2 : 0;  // the bus lines RST and SDP0
    case at_SSTAT1: return u8(bus.request() ? bus.phase() : x.phase);
    case at_SSTAT2: return connected ? 0 : 0x02;
    case at_ISTAT0: return u8((plain & ~8) | (connected ? 8 : 0));
    case at_ISTAT1: return u8(x.state != State::halted ? 2 : 0);
    case at_CTEST2: return u8((plain & 0x3f) | (r.istat0.is<SIGP>() ? 0x40 : 0));
    default: return plain;
  }
}

u8 Chip::read_byte(u32 off) {
  off &= 0xff;
  const u8 v = shown(off);
  switch (off) {
    case at_DSTAT: r.dstat.v = 0, update(); break;
    case at_CTEST2: r.istat0.set<SIGP>(false); break;
    case at_SIST0: r.sist.v &= 0xff00, update(); break;
    case at_SIST1: r.sist.v &= 0x00ff, update(); break;
    default: break;
  }
  return v;
}

void Chip::write_byte(u32 off, u8 v) {
  off &= 0xff;
  if (positions[off] == none) return;
  u8& plain = reinterpret_cast<u8*>(&r)[positions[off]];
  const u8 before = plain;
  switch (off) {
    case at_SCNTL1:
      plain = v & 0xef;
      if (v & ~before & 0x08) scsi_reset();
      return;
    case 0x02: plain = (v & 0x80) | (before & ~v & 0x01) | (v & 0x70); return;  // WSR is cleared by 1
    case 0x0a:
    case at_SBCL:
    case at_DSTAT:
    case at_SSTAT0:
    case at_SSTAT1:
    case at_SSTAT2:
    case 0x19:
    case at_SIST0:
    case at_SIST1:
    case 0x4c:
    case 0x50:
    case 0x51:
    case 0x52:
    case 0x58:
    case 0x59: return;
    case at_SOCL: plain = v; return set_attention(v & 8);
    case at_ISTAT0:
      plain = u8((before & 0x0f & ~(v & 4)) | (v & 0xf0));
      if (v & 0x40 & ~before) software_reset();
      if (v & 0x80) dma_interrupt(r.dstat.mask<ABRT>());
      if (v & 0x20 && x.state == State::wait_reselect) resume();
      return update();
    case at_ISTAT1: plain = v & 1; return;
    case at_CTEST2: plain = u8((before & ~0x08) | (v & 0x08)); return;
    case 0x1b: plain = v & 3; return;  // CLF and FLF: there is nothing to clear or flush
    case at_DSP3:
      plain = v;
      if (!r.dmode.is<MAN>()) start(r.dsp.v);
      return;
    case at_DCNTL:
      plain = u8(v & ~4);
      if (v & 4) start(r.dsp.v);  // STD
      return update();
    case at_STIME1: plain = v; return start_general_timer();
    case at_DIEN:
    case at_SIEN0:
    case at_SIEN1: plain = v; return update();
    default: plain = v;
  }
}

void Chip::start(u32 dsp) {
  r.dsp.v = dsp;
  x.resuming = false;
  if (x.state == State::running) return;  // SCRIPTS wrote it
  if (r.istat0.is<SRST>()) return out.guest_error("SCRIPTS started in reset");
  out.disarm(timer_rest);
  out.disarm(timer_handshake);
  x.state = State::running;
  run();
}
void Chip::resume() {
  out.disarm(timer_handshake);
  r.dsp.v = x.at;
  x.resuming = true;
  x.state = State::running;
  run();
}
void Chip::halt() {
  x.state = State::halted;
  out.disarm(timer_rest);
  out.disarm(timer_handshake);
}

void Chip::dma_interrupt(u8 dstat) {
  halt();
  r.dstat.v |= dstat;
  update();
}
void Chip::scsi_interrupt(u16 sist) {
  if (sist & ~nonfatal) halt();
  r.sist.v |= sist;
  update();
}

// A fatal interrupt shows in ISTAT0 also when it is masked (§2.2.13.4).
void Chip::update() {
  r.istat0.set<DIP>(r.dstat.v != 0);
  r.istat0.set<SIP>((r.sist.v & (~nonfatal | r.sien.v)) != 0);
  const bool level = (r.dstat.v & r.dien.v) || (r.sist.v & r.sien.v) || r.istat0.is<INTF>();
  out.irq(level && !r.dcntl.is<IRQD>());
}

void Chip::scsi_reset() {
  bus.reset();
  x.selecting = x.reselected = false;
  out.disarm(timer_selection);
  r.scntl2.set<SDU>(false);
  r.socl.v = 0;
  r.ssid.v = 0;
  scsi_interrupt(r.sist.mask<RST>());
}

// SRST holds until it is written 0; on-chip memory stays.
void Chip::software_reset() {
  halt();
  for (unsigned n = 0; n < timer_count; ++n) out.disarm(n);
  const u8 istat = r.istat0.v & r.istat0.mask<SRST>();
  reset_regs(reg_info<Regs>, &r);
  r.istat0.v = istat;
  bus.release();
  x.carry = x.target_mode = x.selecting = x.reselected = x.resuming = false;
  update();
}

void Chip::set_attention(bool on) {
  bus.attention(on);
  connection_changed();
}
// CLEAR ACK: the target goes on, and may leave the bus.
void Chip::release_ack() {
  bus.accept();
  connection_changed();
}
// The target left the bus while SCNTL2.SDU says it must not (§4.2).
void Chip::connection_changed() {
  if (bus.connected()) return;
  r.socl.v &= ~8;
  if (!r.scntl2.is<SDU>()) return;
  r.scntl2.set<SDU>(false);
  if (!x.selecting) scsi_interrupt(r.sist.mask<UDC>());
}

void Chip::start_general_timer() {
  const unsigned n = r.stime1.get<GENTO>();
  if (n) out.arm(timer_general, timer_unit_ns << (n - 1) << (r.stime1.is<GENSF>() ? 4 : 0));
  else out.disarm(timer_general);
}

void Chip::expired(unsigned timer) {
  switch (timer) {
    case timer_selection:
      if (!x.selecting) return;
      x.selecting = false;
      r.scntl2.set<SDU>(false);
      return scsi_interrupt(r.sist.mask<STO>());
    case timer_general: return scsi_interrupt(r.sist.mask<GEN>());
    case timer_handshake:
      if (x.state == State::wait_phase) scsi_interrupt(r.sist.mask<HTH>());
      return;
    default:
      if (x.state != State::resting) return;
      x.state = State::running;
      return run();
  }
}

void Chip::bus_changed() {
  if (x.state == State::wait_phase && bus.request()) resume();
  else if (x.state == State::wait_reselect && bus.reselection()) resume();
}

// An absent target does not answer; nobody is made to wait the 250 ms drivers ask for.  Also when the timer is off.
void Chip::select(u32 insn, u32 operand) {
  u8 id = u8(insn >> 16 & 0xf);
  if (bus.held()) r.scntl2.set<SDU>(false), release_ack();
  if (bus.connected()) return dma_interrupt(r.dstat.mask<IID>());
  if (bus.reselection()) {  // arbitration is lost
    reselected();
    x.reselected = true;
    return jump(insn, operand, 26);
  }
  if (insn & 1 << 25) {
    u32 entry;
    const s32 offset = s32(insn << 8) >> 8;
    if (!fetch_word(u64(r.selector[DRS]) << 32 | u32(r.dsa.v + u32(offset)), entry))
      return dma_interrupt(r.dstat.mask<BF>());
    r.scntl3.v = u8(entry >> 24);
    r.sxfer.v = u8(entry >> 8);
    id = u8(entry >> 16 & 0xf);
  }
  const bool with_attention = insn & 1 << 24;
  r.sdid.v = id;
  r.scntl2.set<SDU>();
  r.socl.v = u8((r.socl.v & ~8) | (with_attention ? 8 : 0));
  if (bus.select(id, with_attention)) return;
  const unsigned n = r.stime0.get<SELTO>();
  x.selecting = true;
  out.arm(timer_selection, n ? std::min(timer_unit_ns << (n - 1), selection_ns) : selection_ns);
}
}  // namespace peripherals::lsi53c895a
