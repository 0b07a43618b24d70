#include "cpus/arm/front_end.hpp"

#include "cpus/arm/helpers.hpp"
#include "cpus/arm/mmu.hpp"
#include "cpus/arm/translator.hpp"

#include "a32_decode.hpp"
#include "t16_decode.hpp"
#include "vfp_decode.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace arm {
namespace {
using tcg::VcpuHeader;

constexpr u32 unconditional_space = 15;

CpuState& state(VcpuHeader& c) { return static_cast<CpuState&>(c); }
const CpuState& state(const VcpuHeader& c) { return static_cast<const CpuState&>(c); }

// Offsets are measured on an object: offsetof is not for derived classes.
struct Layout {
  CpuState sample;
  std::array<tcg::GuestSlot, slot::count> slots{};
  std::array<u8, 15> pins{0, 1, 2, 3, 4, 5, 6, 7, slot::sp, slot::lr, 12, 11, 8, 9, 10};
  tcg::GuestLayout layout;

  u16 at(const void* member) const {
    return u16(static_cast<const u8*>(member) - reinterpret_cast<const u8*>(&sample));
  }
  Layout() {
    static constexpr const char* core_names[] = {"r0", "r1", "r2",  "r3",  "r4",  "r5", "r6", "r7",
                                                 "r8", "r9", "r10", "r11", "r12", "sp", "lr"};
    static constexpr const char* single_names[] = {
        "s0",  "s1",  "s2",  "s3",  "s4",  "s5",  "s6",  "s7",  "s8",  "s9",  "s10", "s11", "s12", "s13", "s14", "s15",
        "s16", "s17", "s18", "s19", "s20", "s21", "s22", "s23", "s24", "s25", "s26", "s27", "s28", "s29", "s30", "s31"};
    for (unsigned i = 0; i < 15; ++i) slots[i] = {core_names[i], at(&sample.r[i])};
    for (unsigned i = 0; i < 32; ++i) slots[slot::s0 + i] = {single_names[i], at(&sample.vfp.s[i])};
    slots[slot::pc] = {"pc", at(&sample.pc)};
    slots[slot::thumb] = {"thumb", at(&sample.thumb)};
    slots[slot::q] = {"q", at(&sample.q)};
    slots[slot::cpsr_low] = {"cpsr_low", at(&sample.cpsr_low)};
    slots[slot::irq_lines] = {"irq_lines", at(&sample.irq_lines)};
    slots[slot::exit_request] = {"exit_request", at(&sample.exit_request)};
    slots[slot::spsr] = {"spsr", at(&sample.spsr)};
    slots[slot::fpexc] = {"fpexc", at(&sample.vfp.fpexc)};
    slots[slot::fpscr] = {"fpscr", at(&sample.vfp.fpscr)};
    slots[slot::fp_nzcv] = {"fp_nzcv", at(&sample.vfp.nzcv)};
    layout = {slots, pins, at(&sample.n), at(&sample.z), at(&sample.c), at(&sample.v), helpers(),
              at(&sample.fp_fast), at(&sample.vfp.nzcv), helper_vfp_data, 1};
    layout.fp_first = slot::s0;
    layout.fp_count = 32;
    layout.pinnable = 15;
    layout.mode_bits_at = at(&sample.thumb);
  }
};

// The length of the instruction at `at`: both halves of a Thumb long branch are one when they lie together.
struct Fetched {
  u32 word, second;
  unsigned length, condition;
};

Fetched fetch_thumb(const u8* code, unsigned available, bool may_join) {
  const u32 first = load_le<u16>(code), second = available >= 4 && may_join ? load_le<u16>(code + 2) : 0;
  if (is_t16_long_branch(first, second)) return {first, second, 4, always};
  // B(1) is the only conditional instruction (§A6.3.1); conditions 14 and 15 there are undefined and swi.
  const bool b_cond = first >> 12 == 0b1101;
  return {first, 0, 2, b_cond ? std::min(first >> 8 & 15, always) : always};
}

Fetched fetch_arm(const u8* code) {
  const u32 word = load_le<u32>(code), condition = word >> 28;
  return {word, 0, 4, condition == unconditional_space ? always : condition};
}
}  // namespace

const tcg::GuestLayout& ArmFrontEnd::layout() const {
  static const Layout made;
  return made.layout;
}

u32 ArmFrontEnd::pc(const VcpuHeader& c) const { return c.pc | state(c).thumb; }
void ArmFrontEnd::set_pc(VcpuHeader& c, u32 pc) const {
  c.pc = pc & ~1u;
  state(c).thumb = pc & 1;
}
u32 ArmFrontEnd::mode(const VcpuHeader& c) const { return c.privilege; }

tcg::CodePlace ArmFrontEnd::fetch_address(VcpuHeader& c, u32 pc) const {
  const Fetch f = resolve_fetch(state(c), pc & ~1u);
  const u32 granule = f.uniform ? 4096 : 1024;
  return {f.phys, f.fault ? 0 : granule - (pc & ~1u & (granule - 1))};
}

void ArmFrontEnd::translate(tcg::Request& r) const {
  const u32 thumb = r.pc & 1;
  u32 at = r.pc & ~1u;
  r.out->clear();
  r.used = r.instructions = 0;
  Translator t(*r.out, r.mode & 1);
  // BX to an address that is no multiple of 4 is UNPREDICTABLE; bit 1 is ignored.
  if (!thumb && (at & 2)) {
    r.used = 1;
    return t.stop(at & ~3u);
  }
  for (;;) {
    const auto breaks_at = [&](u32 address) { return r.breakpoints && r.breakpoints->contains(address); };
    const u8* code = r.code + r.used;
    const Fetched i = thumb ? fetch_thumb(code, r.bytes - r.used, !breaks_at(at + 2)) : fetch_arm(code);
    t.begin(at | thumb, i.length, i.condition);
    if (!thumb)
      translate_a32(t, i.word);
    else if (i.length == 4)
      translate_t16_long_branch(t, i.word, i.second);
    else
      translate_t16(t, i.word);
    r.used += i.length;
    at += i.length;
    ++r.instructions;
    if (!t.end()) return;
    if (r.used >= r.bytes || r.instructions >= r.limit || breaks_at(at)) return t.stop(at | thumb);
  }
}

void ArmFrontEnd::deliver_interrupt(VcpuHeader& c) const {
  if (wakes(c)) c.halted = 0;
  arm::deliver_interrupt(state(c));
}

// A masked line ends the wait as well (DDI 0198E §2.3.7).
bool ArmFrontEnd::wakes(const VcpuHeader& c) const { return state(c).irq_lines != 0; }

void ArmFrontEnd::reset(VcpuHeader& c) const { arm::reset(state(c)); }

std::string ArmFrontEnd::disassemble(u32 pc, std::span<const u8> code, unsigned& length) const {
  const u32 at = pc & ~1u;
  length = pc & 1 ? 2 : 4;
  if (code.size() < length) return "?";
  if (!(pc & 1)) {
    const u32 w = load_le<u32>(code.data());
    return vfp::claims(w) ? vfp::disassemble(w, at) : a32::disassemble(w, at);
  }
  const Fetched i = fetch_thumb(code.data(), unsigned(code.size()), true);
  length = i.length;
  if (length == 2) return t16::disassemble(i.word, at);
  const bool exchange = !(i.second & 0x1000);
  const u32 target = at + 4 + (u32(s32(i.word << 21) >> 21) << 12) + 2 * (i.second & 0x7ff);
  char text[32];
  std::snprintf(text, sizeof text, exchange ? "blx 0x%x" : "bl 0x%x", exchange ? target & ~3u : target);
  return text;
}

std::string ArmFrontEnd::dump(const VcpuHeader& c) const {
  const CpuState& s = state(c);
  std::string out;
  char text[64];
  for (unsigned i = 0; i < 16; ++i) {
    std::snprintf(text, sizeof text, "R%02u=%08x%c", i, i < 15 ? s.r[i] : s.pc, i % 4 == 3 ? '\n' : ' ');
    out += text;
  }
  const u32 cpsr = read_cpsr(s);
  const char* mode = "usr";
  switch (cpsr & cpsr_mode) {
    case fiq: mode = "fiq"; break;
    case irq: mode = "irq"; break;
    case svc: mode = "svc"; break;
    case abt: mode = "abt"; break;
    case und: mode = "und"; break;
    case sys: mode = "sys"; break;
    default: break;
  }
  std::snprintf(text, sizeof text, "PSR=%08x %c%c%c%c %c %s\n", cpsr, s.n ? 'N' : '-', s.z ? 'Z' : '-', s.c ? 'C' : '-',
                s.v ? 'V' : '-', s.thumb ? 'T' : 'A', mode);
  return out + text;
}
}  // namespace arm
