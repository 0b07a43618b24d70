#include "cpus/mips/front_end.hpp"

#include "cpus/mips/cp0.hpp"
#include "cpus/mips/helpers.hpp"
#include "cpus/mips/mips16.hpp"
#include "cpus/mips/mmu.hpp"
#include "cpus/mips/models.hpp"
#include "cpus/mips/print.hpp"
#include "cpus/mips/translator.hpp"
#include "cpus/mips/watch.hpp"

#include "accel/softmmu.hpp"

#include "dsp_decode.hpp"
#include "fpu_decode.hpp"
#include "mips16_decode.hpp"
#include "mips16_extended_decode.hpp"
#include "mips32_decode.hpp"

#include <array>
#include <cstdio>

namespace mips {
namespace {
using tcg::VcpuHeader;

constexpr u32 mode_user = 1, mode_fr = 2, mode_reversed = 4;

CpuState& state(VcpuHeader& c) { return static_cast<CpuState&>(c); }
const CpuState& state(const VcpuHeader& c) { return static_cast<const CpuState&>(c); }

u16 in_order(u16 w, bool big_endian) { return big_endian ? __builtin_bswap16(w) : w; }

// As the engine fetches code: from memory, or by words from a device.
u16 fetch_halfword(CpuState& s, GuestPhys at) {
  const u64 phys = raw(at) ^ (reversed(s) ? reverse_bits(2) : 0), in_page = phys & 0xfff;
  if (const u8* const page = accel::ram_page(s, GuestPhys{phys - in_page}, false)) return in_order(load_le<u16>(page + in_page), s.big_endian);
  if (!s.machine->fetch_device) return 0;
  return in_order(u16(s.machine->fetch_device(s.machine, GuestPhys{phys & ~u64(3)}) >> (phys & 2) * 8), s.big_endian);
}

// MIPS16e: code that may cross into another page, and is where that page is mapped now, or is watched, or has its halfwords
// the other way round, runs one instruction at a time.
tcg::CodePlace fetch_halfwords(CpuState& s, u32 pc, GuestPhys at, bool watched) {
  constexpr u32 last_of_page = 0xffe;
  const u32 offset = pc & last_of_page;
  const bool alone = watched || reversed(s);
  if (offset != last_of_page && !alone) return {at, 4096 - offset};
  const u16 first = fetch_halfword(s, at);
  if (mips16e::length(first) == 2) {
    if (alone) s.aside = {first, 2};
    return {at, 2, alone};
  }
  const Fetch second = resolve_fetch(s, pc + 2);
  if (second.fault) return {at, 0};
  s.aside = {u32(first) << 16 | fetch_halfword(s, second.phys), 4};
  return {at, 2, true};
}

// Offsets are measured on an object: offsetof is not for derived classes.
struct Layout {
  CpuState sample;
  std::array<std::string, slot::count> names;
  std::array<tcg::GuestSlot, slot::count> slots{};
  // v0 v1 a0 sp a1 a2 s0 a3 s1 ra: by how often compiled code names them.
  std::array<u8, 10> pins{2, 3, 4, 29, 5, 6, 16, 7, 17, 31};
  tcg::GuestLayout layout;

  u16 at(const void* member) const { return u16(static_cast<const u8*>(member) - reinterpret_cast<const u8*>(&sample)); }
  void put(unsigned n, std::string name, const void* member) {
    names[n] = std::move(name);
    slots[n] = {names[n].c_str(), at(member)};
  }
  Layout() {
    for (unsigned n = 0; n < 32; ++n) put(n, print::reg(n), &sample.r[n]);
    for (unsigned n = 0; n < 4; ++n) {
      put(slot::lo + n, "lo" + std::to_string(n), &sample.lo[n]);
      put(slot::hi + n, "hi" + std::to_string(n), &sample.hi[n]);
    }
    for (unsigned n = 0; n < 64; ++n) put(slot::f + n, (n % 2 ? "fh" : "f") + std::to_string(n / 2), &sample.f[n]);
    put(slot::pc, "pc", &sample.pc);
    put(slot::delay_slot, "delay_slot", &sample.slot);
    put(slot::isa16, "isa16", &sample.isa16);
    put(slot::branch_target, "branch_target", &sample.branch_target);
    put(slot::branch_taken, "branch_taken", &sample.branch_taken);
    put(slot::llbit, "llbit", &sample.llbit);
    put(slot::ll_address, "ll_address", &sample.ll_address);
    put(slot::fpu_mode, "fpu_mode", &sample.fpu_mode);
    for (unsigned n = 0; n < 8; ++n) put(slot::fcc + n, "fcc" + std::to_string(n), &sample.fcc[n]);
    put(slot::dsp_mode, "dsp_mode", &sample.dsp_mode);
    put(slot::dsp_control, "dsp_control", &sample.dsp_control);
    put(slot::status, "status", &sample.cp0.status);
    put(slot::cause, "cause", &sample.cp0.cause);
    put(slot::exit_request, "exit_request", &sample.exit_request);
    put(slot::epc, "epc", &sample.cp0.epc);
    put(slot::bad_vaddr, "bad_vaddr", &sample.cp0.bad_vaddr);
    put(slot::context, "context", &sample.cp0.context);
    // kseg0 and kseg1
    layout = {slots, pins, at(&sample.n), at(&sample.z), at(&sample.c), at(&sample.v), helpers(), at(&sample.fp_fast),
              0, helper_fp, 1, 0x8000'0000, 0x4000'0000, at(&sample.fp_last)};
    layout.fp_first = slot::f;
    layout.fp_count = 64;
    layout.pinnable = 32;
    layout.mode_bits_at = at(&sample.isa16);
  }
};
}  // namespace

const tcg::GuestLayout& MipsFrontEnd::layout() const {
  static const Layout made;
  return made.layout;
}

u32 MipsFrontEnd::pc(const VcpuHeader& c) const { return c.pc | state(c).isa16; }
void MipsFrontEnd::set_pc(VcpuHeader& c, u32 pc) const {
  c.pc = pc & ~1u;
  c.slot = 0;
  state(c).isa16 = pc & 1;
}
u32 MipsFrontEnd::mode(const VcpuHeader& c) const {
  const CpuState& s = state(c);
  const u32 mode = c.privilege | (s.cp0.status & status_fr ? mode_fr : 0) | (reversed(s) ? mode_reversed : 0);
  return c.slot ? mode | tcg::mode_transient | c.slot << 8 : mode;
}

tcg::CodePlace MipsFrontEnd::fetch_address(VcpuHeader& c, u32 pc) const {
  CpuState& s = state(c);
  s.aside = {};
  const Fetch f = resolve_fetch(s, pc);
  if (f.fault) return {f.phys, 0};
  const bool watched = s.watches && is_watched(s, pc, Reference::fetch);
  if (pc & 1) return fetch_halfwords(s, pc, f.phys, watched);
  return watched ? tcg::CodePlace{f.phys, 4, true} : tcg::CodePlace{f.phys, 4096 - (pc & 0xffc)};
}

void MipsFrontEnd::translate(tcg::Request& r) const {
  const CpuModel& m = *s_.model;
  Translator t(r, {.user = (r.mode & mode_user) != 0,
                   .big_endian = s_.big_endian,
                   .release2 = m.release2,
                   .mips16 = m.mips16,
                   .fpu = m.has_fpu(),
                   .dsp = m.dsp,
                   .status_writable = m.status_writable,
                   .fr = (r.mode & mode_fr) != 0,
                   .reversed = (r.mode & mode_reversed) != 0,
                   .aside = s_.aside});
  t.run();
}

void MipsFrontEnd::deliver_interrupt(VcpuHeader& c) const {
  if (wakes(c)) c.halted = 0;
  mips::deliver_interrupt(state(c));
}
bool MipsFrontEnd::wakes(const VcpuHeader& c) const { return unmasked_interrupts(state(c)) != 0; }
void MipsFrontEnd::reset(VcpuHeader& c) const { mips::reset(state(c)); }

std::string MipsFrontEnd::disassemble(u32 pc, std::span<const u8> code, unsigned& length) const {
  const auto halfword = [&](unsigned n) { return in_order(load_le<u16>(code.data() + 2 * n), s_.big_endian); };
  length = !(pc & 1) ? 4 : code.size() < 2 ? 2 : mips16e::length(halfword(0));
  if (code.size() < length) return length = unsigned(code.size()), "?";
  if (pc & 1) {
    if (length == 2) return mips16::disassemble(halfword(0), pc & ~1u);
    return mips16_extended::disassemble(u32(halfword(0)) << 16 | halfword(1), pc & ~1u);
  }
  const u32 w = load_le<u32>(code.data());
  const u32 word = s_.big_endian ? __builtin_bswap32(w) : w;
  if (is_fpu_word(word)) return fpu::disassemble(word, pc & ~1u);
  return is_dsp_word(word) ? dsp::disassemble(word, pc & ~1u) : mips32::disassemble(word, pc & ~1u);
}

std::string MipsFrontEnd::dump(const VcpuHeader& c) const { return dump_registers(state(c)); }
}  // namespace mips
