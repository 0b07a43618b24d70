// The SCRIPTS processor (chapter 5).
#include "peripherals/scsi/lsi53c895a_core.hpp"

#include <algorithm>

namespace peripherals::lsi53c895a {
using scsi::Phase;
namespace {
constexpr s32 run_budget = 2000;            // instructions until the guest has its turn
constexpr u64 rest_ns = 100'000;            // about what the chip takes for them
constexpr u32 bytes_per_instruction = 256;  // of data moved, counted against the budget
constexpr u32 piece = 4096;

s32 sign24(u32 v) { return s32(v << 8) >> 8; }
}  // namespace

// An instruction that moves into the chip's own registers can stop SCRIPTS and start them anew: the loop it is in goes
// on from there.
void Chip::run() {
  if (is_in_run_) return;
  is_in_run_ = true;
  budget_ = run_budget;
  while (x.state == State::running) {
    if (budget_-- <= 0) {
      x.state = State::resting;
      out.arm(timer_rest, rest_ns);
      break;
    }
    step();
  }
  is_in_run_ = false;
}

void Chip::wait(State s) {
  x.state = s;
  const unsigned n = r.stime0.get<HTHTO>();
  if (s == State::wait_phase && n && bus.connected()) out.arm(timer_handshake, u64(125'000) << (n - 1));
}

// The chip's own memory and registers are reached without the bus.
bool Chip::memory_read(u64 at, std::span<u8> to) {
  u64 base;
  if (out.own_memory(2, base) && at - base < script_ram_size && to.size() <= script_ram_size - (at - base)) {
    std::copy_n(x.ram.begin() + long(at - base), to.size(), to.begin());
    return true;
  }
  if (out.own_memory(1, base) && at - base < 0x400 && to.size() <= 0x400 - (at - base)) {
    for (std::size_t n = 0; n < to.size(); ++n) to[n] = read_byte(u32(at - base + n));
    return true;
  }
  return out.read(at, to);
}
bool Chip::memory_write(u64 at, std::span<const u8> from) {
  u64 base;
  if (out.own_memory(2, base) && at - base < script_ram_size && from.size() <= script_ram_size - (at - base)) {
    std::copy(from.begin(), from.end(), x.ram.begin() + long(at - base));
    return true;
  }
  if (out.own_memory(1, base) && at - base < 0x400 && from.size() <= 0x400 - (at - base)) {
    for (std::size_t n = 0; n < from.size(); ++n) write_byte(u32(at - base + n), from[n]);
    return true;
  }
  return out.write(at, from);
}
bool Chip::fetch_word(u64 at, u32& v) {
  u8 b[4];
  if (!memory_read(at, b)) return false;
  v = load_le<u32>(b);
  return true;
}

void Chip::step() {
  u8 b[8];
  x.at = r.dsp.v;
  if (!x.resuming) x.moved = 0;
  x.resuming = false;
  if (!memory_read(u64(r.selector[SFS]) << 32 | r.dsp.v, b)) return dma_interrupt(r.dstat.mask<BF>());
  const u32 insn = load_le<u32>(b), operand = load_le<u32>(b + 4);
  r.dsp.v += 8;
  r.command.v = insn;
  r.dsps.v = operand;
  switch (insn >> 30) {
    case 0: block_move(insn, operand); break;
    case 1: (insn >> 27 & 7) < 5 ? io(insn, operand) : read_write(insn); break;
    case 2: transfer_control(insn, operand); break;
    default: insn & 1 << 29 ? load_store(insn, operand) : memory_move(insn, operand); break;
  }
  if (r.dcntl.is<SSM>() && x.state == State::running) dma_interrupt(r.dstat.mask<SSI>());
}

void Chip::jump(u32 insn, u32 operand, unsigned relative_bit) {
  r.dsp.v = insn >> relative_bit & 1 ? r.dsp.v + u32(sign24(operand)) : operand;
}

// Waits until the target asks for something.  ACK still held is released: a real bus would stand still for ever.
bool Chip::phase_ready() {
  if (x.selecting) return wait(State::wait_selection), false;
  if (bus.held()) {
    r.scntl2.set<SDU>(false);
    release_ack();
  }
  if (!bus.request()) return wait(State::wait_phase), false;
  x.phase = bus.phase();
  return true;
}

// Block move (§5.3): direct, indirect (bit 29), table indirect (28).  CHMOV (27 = 0) is the same: whole bytes move, so
// no odd byte stays in SWIDE.
void Chip::block_move(u32 insn, u32 operand) {
  Move m{Phase(insn >> 24 & 7), operand, insn & 0xff'ffff, insn, false};
  u64 upper = r.selector[SBMS];
  const u64 table = u64(r.selector[DRS]) << 32;
  const auto fault = [&] { dma_interrupt(r.dstat.mask<BF>()); };
  if (x.target_mode) return dma_interrupt(r.dstat.mask<IID>());
  if (insn & 1 << 28) {
    u32 address;
    const u32 entry = r.dsa.v + u32(sign24(operand));
    if (!fetch_word(table | entry, m.entry) || !fetch_word(table | u32(entry + 4), address)) return fault();
    m.count = m.entry & 0xff'ffff, m.at = address, m.table = true;
    r.jump[ESA] = entry;
    if (r.ccntl1.is<EN64TIBMV>()) {
      const u32 select = m.entry >> 24 & 0x1f;
      if (r.ccntl1.is<TIMOD64>()) upper = m.entry >> 24;
      else if (select < 16) upper = r.scratch[1 + select];
      else if (select < 22) upper = r.selector[select - 16];
      else return dma_interrupt(r.dstat.mask<IID>());
    }
  } else if (insn & 1 << 29) {
    u32 address;
    if (!fetch_word(table | operand, address)) return fault();
    m.at = address;
  } else if (r.ccntl1.is<EN64DBMV>()) {
    if (!fetch_word(u64(r.selector[SFS]) << 32 | r.dsp.v, r.selector[DBMS])) return fault();
    r.dsp.v += 4;
    upper = r.selector[DBMS];
  }
  r.selector[DNAD64] = u32(upper);
  m.at |= upper << 32;
  if (!m.count) return dma_interrupt(r.dstat.mask<IID>());
  move_bytes(m);
}

void Chip::move_bytes(Move m) {
  std::array<u8, piece> buffer;
  x.moved = std::min(x.moved, m.count);
  while (x.moved < m.count) {
    if (!phase_ready()) return;
    if (bus.phase() != m.phase) return phase_mismatch(m);
    const auto part = std::span(buffer).first(std::min(m.count - x.moved, piece));
    std::size_t n;
    if (is_in(m.phase)) {
      n = bus.take(part);
      if (n && !x.moved) r.sfbr.v = part[0];
      if (n) r.sidl.v = part[n - 1];
      if (!memory_write(m.at + x.moved, part.first(n))) return dma_interrupt(r.dstat.mask<BF>());
    } else {
      if (!memory_read(m.at + x.moved, part)) return dma_interrupt(r.dstat.mask<BF>());
      n = bus.put(part);
      if (n && !x.moved) r.sfbr.v = part[0];
    }
    x.moved += u32(n);
    budget_ -= s32(1 + n / bytes_per_instruction);
    if (is_data(m.phase)) r.jump[CSBC] += u32(n);
  }
  r.command.v &= 0xff00'0000;
  r.dnad.v = u32(m.at) + m.count;
  r.jump[SBC] = m.count;
  if (m.phase == Phase::message_out) {  // ATN falls with the last byte
    r.socl.v &= ~8;
    set_attention(false);
  }
}

// The target wants another phase: an interrupt, or with CCNTL0.ENPMJ a jump to code that saves where the data
// stands (§4.2, CCNTL0; §5.3).
void Chip::phase_mismatch(const Move& m) {
  const u32 left = m.count - x.moved;
  r.command.v = (r.command.v & 0xff00'0000) | left;
  r.dnad.v = u32(m.at) + x.moved;
  r.jump[RBC] = (m.entry & 0xff00'0000) | left;
  r.jump[UA] = r.dnad.v;
  r.jump[IA] = x.at;
  r.jump[SBC] = x.moved;
  if (!r.ccntl0.is<ENPMJ>() || !(is_data(m.phase) || r.ccntl0.is<ENNDJ>())) return scsi_interrupt(r.sist.mask<MA>());
  const bool second = r.ccntl0.is<PMJCTL>() ? is_in(m.phase) : r.scntl2.is<WSR>();
  r.dsp.v = r.jump[second ? PMJAD2 : PMJAD1];
}

// I/O instructions (§5.4), as initiator.
void Chip::io(u32 insn, u32 operand) {
  const u32 opcode = insn >> 27 & 7;
  if (opcode == 3 || opcode == 4) return set_clear(insn, opcode == 3);
  if (x.target_mode) return dma_interrupt(r.dstat.mask<IID>());
  if (opcode == 0) return select(insn, operand);
  if (x.selecting) return wait(State::wait_selection);
  if (bus.held()) {
    r.scntl2.set<SDU>(false);
    release_ack();
  }
  if (opcode == 1) {
    if (bus.connected()) wait(State::wait_disconnect);
    return;
  }
  if (x.reselected) {
    x.reselected = false;
  } else if (r.istat0.is<SIGP>()) {
    jump(insn, operand, 26);
  } else if (bus.reselection()) {
    reselected();
  } else {
    wait(State::wait_reselect);
  }
}

void Chip::reselected() {
  bus.reselect();
  r.ssid.v = u8(0x80 | bus.target());
  r.scntl2.set<SDU>();
  x.phase = bus.phase();
  if (r.sien.v & r.sist.mask<RSL>()) scsi_interrupt(r.sist.mask<RSL>());
}

void Chip::set_clear(u32 insn, bool set) {
  if (insn & 1 << 10) x.carry = set;
  if (insn & 1 << 9) {
    x.target_mode = set;
    if (set) out.guest_error("target mode is not modelled");
  }
  if (insn & 1 << 3) {
    r.socl.v = u8((r.socl.v & ~8) | (set ? 8 : 0));
    set_attention(set);
  }
  if (insn & 1 << 6 && !set) release_ack();
}

// Read-modify-write (§5.5): 5 from SFBR to a register, 6 from a register to SFBR, 7 within a register.
void Chip::read_write(u32 insn) {
  const u32 opcode = insn >> 27 & 7, op = insn >> 24 & 7;
  const u32 address = (insn >> 16 & 0x7f) | (insn & 0x80);
  const u8 data = insn & 1 << 23 ? r.sfbr.v : u8(insn >> 8);
  const u8 source = opcode == 5 ? r.sfbr.v : op ? read_byte(address) : u8(0);
  u32 v = 0;
  switch (op) {
    case 0: v = data; break;
    case 1:
      v = u32(source) << 1 | (x.carry ? 1 : 0);
      x.carry = source & 0x80;
      break;
    case 2: v = source | data; break;
    case 3: v = source ^ data; break;
    case 4: v = source & data; break;
    case 5:
      v = source >> 1 | (x.carry ? 0x80 : 0);
      x.carry = source & 1;
      break;
    default: v = source + data + (op == 7 && x.carry ? 1 : 0); x.carry = v > 0xff;
  }
  if (opcode == 6) r.sfbr.v = u8(v);
  else write_byte(address, u8(v));
}

// JUMP, CALL, RETURN, INT (§5.6).
void Chip::transfer_control(u32 insn, u32 operand) {
  const bool wanted = insn & 1 << 19, on_carry = insn & 1 << 21, on_phase = insn & 1 << 17, on_data = insn & 1 << 18;
  if (!wanted && !on_carry && !on_phase && !on_data) return;
  if (on_phase && insn & 1 << 16 && !phase_ready()) return;
  if (x.selecting && on_phase) return wait(State::wait_selection);
  if (on_carry && x.carry != wanted) return;
  if (on_phase) {
    if (bus.request()) x.phase = bus.phase();
    if ((u32(x.phase) == (insn >> 24 & 7)) != wanted) return;
  }
  if (on_data) {
    const u32 compared = ~(insn >> 8) & 0xff;
    if (((r.sfbr.v & compared) == (insn & compared)) != wanted) return;
  }
  switch (insn >> 27 & 7) {
    case 0: return jump(insn, operand, 23);
    case 1: r.temp.v = r.dsp.v; return jump(insn, operand, 23);
    case 2: r.dsp.v = r.temp.v; return;
    case 3:
      if (insn & 1 << 20) {  // INTFLY
        r.istat0.set<INTF>();
        return update();
      }
      return dma_interrupt(r.dstat.mask<SIR>());
    default: return dma_interrupt(r.dstat.mask<IID>());
  }
}

// Memory move (§5.7): the destination is the third word; both must be aligned alike.
void Chip::memory_move(u32 insn, u32 operand) {
  u32 target, count = insn & 0xff'ffff;
  if (!fetch_word(u64(r.selector[SFS]) << 32 | r.dsp.v, target)) return dma_interrupt(r.dstat.mask<BF>());
  r.dsp.v += 4;
  r.temp.v = target;
  if (!count || (operand ^ target) & 3 || insn & 0x1e00'0000) return dma_interrupt(r.dstat.mask<IID>());
  const u64 from = u64(r.selector[MMRS]) << 32 | operand, to = u64(r.selector[MMWS]) << 32 | target;
  std::array<u8, piece> buffer;
  for (u32 done = 0; done < count;) {
    const auto part = std::span(buffer).first(std::min(count - done, piece));
    if (!memory_read(from + done, part) || !memory_write(to + done, part)) return dma_interrupt(r.dstat.mask<BF>());
    done += u32(part.size());
    budget_ -= s32(part.size() / bytes_per_instruction);
  }
}

// Load and store (§5.8): 1 to 4 bytes within one register word, aligned alike in memory.
void Chip::load_store(u32 insn, u32 operand) {
  const bool load = insn & 1 << 24, relative = insn & 1 << 28;
  const u32 reg = insn >> 16 & 0xff, n = insn & 7;
  const u32 low = relative ? r.dsa.v + u32(sign24(operand)) : operand;
  const u64 at = u64(r.selector[relative ? DRS : load ? MMRS : MMWS]) << 32 | low;
  u64 own;
  if (!n || n > 4 || (reg & 3) + n > 4 || (reg ^ low) & 3 || (out.own_memory(1, own) && at - own < 0x400))
    return dma_interrupt(r.dstat.mask<IID>());
  u8 b[4];
  const auto bytes = std::span(b).first(n);
  if (load) {
    if (!memory_read(at, bytes)) return dma_interrupt(r.dstat.mask<BF>());
    for (u32 i = 0; i < n; ++i) write_byte(reg + i, b[i]);
  } else {
    for (u32 i = 0; i < n; ++i) b[i] = read_byte(reg + i);
    if (!memory_write(at, bytes)) dma_interrupt(r.dstat.mask<BF>());
  }
}
}  // namespace peripherals::lsi53c895a
