// Makes cases.  Each instruction is chosen for the state its predecessors left (the generator steps them), so that
// addresses hit the window, branches hit free places, and nothing is UNPREDICTABLE.

#include "tests/isa/arm_fuzz.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace fuzz {
namespace {
constexpr u32 modes[] = {arm::usr, arm::fiq, arm::irq, arm::svc, arm::abt, arm::und, arm::sys};

u32 n(u32 w) { return w >> 16 & 15; }
u32 d(u32 w) { return w >> 12 & 15; }
u32 h(u32 w) { return w >> 8 & 15; }
u32 m(u32 w) { return w & 15; }
bool bit(u32 w, unsigned b) { return w >> b & 1; }
bool writes_back(u32 w) { return !bit(w, 24) || bit(w, 21); }
u32 list_bytes(u32 list) { return 4 * u32(std::popcount(list)); }

// What the manual calls UNPREDICTABLE from the word alone.
struct Rule {
  const char* names;  // separated by spaces; * at either end
  bool (*broken)(u32 w);
  const char* reason;
};
constexpr Rule rules[] = {
    {"*_rsr", [](u32 w) { return n(w) == 15 || d(w) == 15 || h(w) == 15 || m(w) == 15; }, "A5.1.6: r15"},
    {"mul mla", [](u32 w) { return n(w) == 15 || h(w) == 15 || m(w) == 15 || d(w) == 15; }, "A4.1.40: r15"},
    {"mul mla", [](u32 w) { return n(w) == m(w); }, "A4.1.40: Rd = Rm before v6"},
    {"umull umlal smull smlal", [](u32 w) { return n(w) == 15 || h(w) == 15 || m(w) == 15 || d(w) == 15; }, "A4.1.76: r15"},
    {"umull umlal smull smlal", [](u32 w) { return n(w) == d(w) || n(w) == m(w) || d(w) == m(w); }, "A4.1.76: same registers"},
    {"smla* smul* ", [](u32 w) { return n(w) == 15 || h(w) == 15 || m(w) == 15 || d(w) == 15; }, "A4.1.74: r15"},
    {"smlal_xy", [](u32 w) { return n(w) == d(w); }, "A4.1.77: RdHi = RdLo"},
    {"q*", [](u32 w) { return n(w) == 15 || d(w) == 15 || m(w) == 15; }, "A4.1.45: r15"},
    {"clz mrs", [](u32 w) { return d(w) == 15; }, "A4.1.13, A4.1.38: r15"},
    {"clz msr_reg blx_reg bxj", [](u32 w) { return m(w) == 15; }, "A4.1.13, A4.1.39, A4.1.9: r15"},
    {"bx", [](u32 w) { return m(w) == 15; }, "A4.1.10: the pc is never a Thumb address, and may be no multiple of 4"},
    {"msr*", [](u32 w) { return n(w) == 0; }, "A4.1.39: no field"},
    {"ldr*_imm str*_imm ldr*_reg str*_reg", [](u32 w) { return writes_back(w) && n(w) == 15; }, "A5.2.5: the pc is written back"},
    {"ldr*_imm ldr*_reg str*_imm str*_reg", [](u32 w) { return writes_back(w) && n(w) == d(w); }, "A4.1.23: Rd is written back"},
    {"ldrb* ldrh* ldrs* ldrt* strb* strh*  ldrd* strd* strt*", [](u32 w) { return d(w) == 15; }, "A4.1.24: r15"},
    {"ldr*_reg str*_reg", [](u32 w) { return m(w) == 15; }, "A5.2.3: Rm = r15"},
    {"ldr*_reg str*_reg", [](u32 w) { return writes_back(w) && n(w) == m(w); }, "A5.2.6: Rm is written back"},
    {"ldrd* strd*", [](u32 w) { return d(w) == 14; }, "A4.1.26: r14"},
    {"ldrd* strd*", [](u32 w) { return writes_back(w) && n(w) == d(w) + 1; }, "A4.1.26: base in the pair"},
    {"ldrd_reg", [](u32 w) { return m(w) == d(w) || m(w) == d(w) + 1; }, "A4.1.26: Rm in the pair"},
    {"swp*", [](u32 w) { return n(w) == 15 || d(w) == 15 || m(w) == 15 || n(w) == d(w) || n(w) == m(w); }, "A4.1.108"},
    {"pld*", [](u32 w) { return (w & 0x0200'0000) && m(w) == 15; }, "A4.1.44: Rm = r15"},
    {"ldm stm ldm_* stm_*", [](u32 w) { return n(w) == 15; }, "A5.4: base r15"},
    {"ldm stm stm_user", [](u32 w) { return !(w & 0xffff); }, "A5.4: empty list"},
    {"ldm_user", [](u32 w) { return !(w & 0x7fff); }, "A5.4: empty list"},
    {"ldm ldm_exception", [](u32 w) { return bit(w, 21) && bit(w, n(w)); }, "A4.1.20: base in the list"},
    {"stm", [](u32 w) { return bit(w, 21) && bit(w, n(w)) && (w & ((1u << n(w)) - 1)); }, "A4.1.97: base in the list, not first"},
    {"ldm_user stm_user", [](u32 w) { return bit(w, 21); }, "A4.1.21: write-back"},
    {"mrc mrc2 mcr mcr2", [](u32 w) { return d(w) == 15; }, "A4.1.32: r15"},
};
constexpr Rule thumb_rules[] = {
    {"add_hi mov_hi cmp_hi", [](u32 w) { return !(w & 0xc0); }, "A7.1.6: both registers low"},
    {"cmp_hi", [](u32 w) { return ((w & 7) | (w >> 4 & 8)) == 15; }, "A7.1.19: r15"},
    {"blx_reg", [](u32 w) { return (w >> 3 & 15) == 15; }, "A7.1.18: r15"},
    {"push pop", [](u32 w) { return !(w & 0x1ff); }, "A7.1.50: empty list"},
    {"stmia ldmia", [](u32 w) { return !(w & 0xff); }, "A7.1.57: empty list"},
    {"stmia", [](u32 w) { return bit(w, w >> 8 & 7) && (w & ((1u << (w >> 8 & 7)) - 1)); }, "A7.1.57: base in the list, not first"},
};
constexpr Rule vfp_rules[] = {
    {"fmsr fmdlr fmdhr fmrs fmrdl fmrdh", [](u32 w) { return d(w) == 15; }, "C4.1: r15"},
    {"fmxr", [](u32 w) { return d(w) == 15; }, "C4.1: r15"},
    {"fmrx", [](u32 w) { return d(w) == 15 && n(w) != 1; }, "C4.1: r15"},
    {"fmsrr fmrrs fmdrr fmrrd", [](u32 w) { return d(w) == 15 || n(w) == 15; }, "C4.1: r15"},
    {"fmrrs fmrrd", [](u32 w) { return d(w) == n(w); }, "C4.1: same register"},
    {"fmsrr fmrrs", [](u32 w) { return m(w) == 15 && bit(w, 5); }, "C4.1: S31 is the last"},
    {"fstm* fldm*", [](u32 w) { return n(w) == 15; }, "C5.2: base r15"},
    {"fstmias fstmdbs fldmias fldmdbs", [](u32 w) { return !(w & 0xff) || (w & 0xff) + (d(w) << 1 | (w >> 22 & 1)) > 32; }, "C4.1: list"},
    {"fstm*d fstm*x fldm*d fldm*x", [](u32 w) { return !(w >> 1 & 0x7f) || (w >> 1 & 0x7f) + d(w) > 16; }, "C4.1: list"},
};

// The rules of each line of the tables.
const std::vector<std::vector<const Rule*>>& rules_of() {
  static const auto made = [] {
    std::vector<std::vector<const Rule*>> all;
    for (const Encoding& e : tables().all) {
      auto& mine = all.emplace_back();
      const std::span<const Rule> from = e.isa == Isa::a32 ? std::span<const Rule>(rules)
                                         : e.isa == Isa::t16 ? std::span<const Rule>(thumb_rules)
                                                             : std::span<const Rule>(vfp_rules);
      for (const Rule& r : from)
        if (named(r.names, e.name)) mine.push_back(&r);
    }
    return all;
  }();
  return made;
}

// What the generator asks again and again about a line.
struct Traits {
  u8 size = 0;          // of a memory access
  bool load = false, store = false, immediate = false, block = false, raises = false, data = false, compare = false;
};
const Traits& traits_of(s32 index) {
  static const auto made = [] {
    std::vector<Traits> all;
    for (const Encoding& e : tables().all) {
      Traits t;
      const std::string& s = e.name;
      if (e.isa == Isa::a32) {
        t.block = named("ldm stm ldm_* stm_*", s);
        t.load = named("ldr* ldm*", s) || named("swp*", s);
        t.store = named("str* stm*", s) || named("swp*", s);
        t.size = named("ldrb* strb* ldrsb* swpb", s) ? 1 : named("ldrh* strh* ldrsh*", s) ? 2 : named("ldrd* strd*", s) ? 8 : 4;
        t.immediate = named("*_imm", s);
        t.raises = named("swi bkpt cdp* ldc* stc* mcrr mrrc mcr2 mrc2", s);
        t.data = named("and_* eor_* sub_* rsb_* add_* adc_* sbc_* rsc_* orr_* mov_* bic_* mvn_*", s);
        t.compare = named("tst_* teq_* cmp_* cmn_*", s);
      } else if (e.isa == Isa::t16) {
        t.block = named("push pop stmia ldmia", s);
        t.load = named("ldr* pop ldmia", s);
        t.store = named("str* push stmia", s);
        t.size = named("ldrb* strb* ldrsb*", s) ? 1 : named("ldrh* strh* ldrsh*", s) ? 2 : 4;
        t.immediate = named("*_imm *_sp *_literal", s);
        t.raises = named("swi bkpt", s);
      } else {
        t.block = named("fldm* fstm*", s);
        t.load = named("fld*", s);
        t.store = named("fst*", s);
        t.size = 4;
      }
      all.push_back(t);
    }
    return all;
  }();
  return made[std::size_t(index)];
}
}  // namespace

// ---- state

u32 Generator::reg(u32 r) const {
  const CpuState& s = cpu_.state();
  return r == 15 ? s.pc + (s.thumb ? 4 : 8) : s.r[r];
}

bool Generator::passes(u32 c) const {
  const CpuState& s = cpu_.state();
  bool yes = true;
  switch (c >> 1) {
    case 0: yes = s.z; break;
    case 1: yes = s.c; break;
    case 2: yes = s.n; break;
    case 3: yes = s.v; break;
    case 4: yes = s.c && !s.z; break;
    case 5: yes = s.n == s.v; break;
    case 6: yes = !s.z && s.n == s.v; break;
    default: return true;
  }
  return yes != bool(c & 1);
}

bool Generator::is_free(u32 at, u32 bytes) const {
  if (at < code_at || at >= code_limit || at + bytes > code_limit) return false;
  for (u32 i = 0; i < bytes; ++i)
    if (taken_[at - code_at + i]) return false;
  return true;
}
bool Generator::is_target(u32 address, bool thumb) const {
  if (!thumb && (address & 2)) return false;
  return is_free(address, 4);
}

u32 Generator::code_target() {
  const u32 at = code_at + 4 * below((code_limit - code_at) / 4);
  return chance(50) ? at | 1 | (below(2) << 1) : at;
}

// ---- the state to begin with

u32 Generator::random_value() {
  const u32 k = below(100);
  if (k < 45) {
    u32 v = window_at + 0x100 + below(window_size - 0x200);
    if (mmu_ && chance(50)) v = (v & 0xfff) | 0x2000 | below(13) << 20 | (chance(10) ? 0x0200'0000 : 0);
    if (mmu_ && chance(10)) v = (v & ~0xfffu) | 0xfe0 | below(0x20);  // across the end of a page
    return unaligned_ ? v : v & ~7u;
  }
  if (k < 62) return code_target();
  if (k < 72) return below(40);
  if (k < 80) return special_words[below(std::size(special_words))];
  return u32(rng_());
}

void Generator::start(Case& c, Isa isa) {
  unaligned_ = chance(15);
  mmu_ = !wanted_.unicorn ? chance(50) : chance(25);
  exceptions_ = chance(25);
  wild_ = chance(10);
  c.mmu = mmu_;
  c.data_seed = rng_();
  c.data_step = isa == Isa::vfp ? 1 + 2 * below(2) : 2 * below(2);
  const bool thumb = isa == Isa::t16;
  Registers& r = c.in;
  for (unsigned i = 0; i < 15; ++i) r[i] = random_value();
  r[13] = (window_at + 0x800 + below(0x1000)) & (unaligned_ ? ~0u : ~3u);
  if (chance(40)) r[14] = code_target();
  const u32 mode = chance(40) ? u32(arm::usr) : modes[below(std::size(modes))];
  if (mode != arm::usr && chance(40)) r[below(13)] = (u32(rng_()) & 0xf800'00c0) | modes[below(std::size(modes))];
  r[at::cpsr] = (u32(rng_()) & 0xf800'00c0) | (thumb ? arm::cpsr_t : 0) | mode;
  const bool in_fiq = mode == arm::fiq;
  for (unsigned i = 0; i < 5; ++i) {
    r[at::usr8 + i] = in_fiq ? random_value() : r[8 + i];
    r[at::fiq8 + i] = in_fiq ? r[8 + i] : random_value();
  }
  const unsigned bank = arm::bank_of(mode);
  for (unsigned b = 0; b < CpuState::bank_count; ++b) {
    r[at::r13 + b] = b == bank ? r[13] : random_value();
    r[at::r14 + b] = b == bank ? r[14] : random_value();
    r[at::spsr + b] = (u32(rng_()) & 0xf800'00c0) | (chance(40) ? arm::cpsr_t : 0) | modes[below(std::size(modes))];
  }
  r[at::spsr] = 0;  // user mode has none
  r[at::control] = 0x0005'0078 | (unaligned_ ? 0 : below(2) << 1) | (chance(10) ? arm::ctl_v : 0);
  if (unaligned_ && chance(30)) r[at::control] |= arm::ctl_a;
  if (mmu_) r[at::control] |= arm::ctl_m | (below(4) << 8);
  r[at::ttbr] = l1_at;
  r[at::dacr] = 0b11'10'00'01 << 0;
  r[at::dacr] = 1 | 0 << 2 | 3 << 4 | 2 << 6;
  if (mmu_ && chance(15)) r[at::dacr] ^= 2;  // domain 0 manager
  if (mmu_ && chance(15)) r[at::fcse] = 0x0200'0000;
  r[at::fpexc] = chance(96) ? 1u << 30 : 0;
  u32 fpscr = u32(rng_()) & 0xf3c0'009f;
  if (isa == Isa::vfp && chance(35)) fpscr |= below(8) << 16 | (chance(40) ? 3u << 20 : 0);
  if (isa != Isa::vfp) fpscr = 0;
  r[at::fpscr] = fpscr;
  const bool doubles = chance(50);
  for (unsigned i = 0; i < 32; ++i) {
    const u32 v = chance(45) ? special_floats[below(std::size(special_floats))] : u32(rng_());
    r[at::s0 + i] = v;
    // Doubles of moderate size, so that results are not all infinite.
    if (isa == Isa::vfp && doubles && (i & 1) && chance(50)) r[at::s0 + i] = (v & 0x800f'ffff) | (1023 - 40 + below(80)) << 20;
    if (isa == Isa::vfp && !doubles && chance(40)) r[at::s0 + i] = (v & 0x807f'ffff) | (127 - 20 + below(40)) << 23;
  }
  r[at::pc] = code_at + 4 * below(thumb ? 0x1b0 : 0x1c0) + (thumb ? 2 * below(2) : 0);
}

// ---- what an instruction needs

Generator::Transfer Generator::transfer_of(const Encoding& e, u32 w) const {
  const Traits& t = traits_of(s32(&e - tables().all.data()));
  Transfer x;
  if (!t.load && !t.store) return x;
  x.is_memory = true;
  x.store = t.store;
  x.size = t.size == 8 ? 4 : t.size;
  x.bytes = t.size;
  const u32 pc_aligned = reg(15) & ~3u;
  if (e.isa == Isa::t16) {
    const u32 low_n = reg(w >> 3 & 7), imm5 = w >> 6 & 31, imm8 = 4 * (w & 0xff);
    if (e.name == "push" || e.name == "pop") {
      x.bytes = list_bytes(w & 0x1ff);
      x.address = e.name == "push" ? reg(13) - x.bytes : reg(13);
    } else if (t.block) {
      x.bytes = list_bytes(w & 0xff);
      x.address = reg(w >> 8 & 7);
    } else if (e.name == "ldr_literal") x.address = pc_aligned + imm8;
    else if (named("*_sp", e.name)) x.address = reg(13) + imm8;
    else x.address = low_n + (t.immediate ? imm5 * t.size : reg(w >> 6 & 7));
    return x;
  }
  const bool up = bit(w, 23), pre = bit(w, 24);
  if (e.isa == Isa::vfp) {
    const u32 bytes = 4 * (w & 0xff);
    if (t.block) {
      x.bytes = bytes & (w & 0x100 ? ~7u : ~0u);
      x.address = up ? reg(n(w)) : reg(n(w)) - bytes;
    } else {
      x.bytes = w & 0x100 ? 8 : 4;
      x.address = reg(n(w)) + (up ? bytes : -bytes);
    }
    return x;
  }
  if (t.block) {
    x.bytes = list_bytes(w & 0xffff);
    x.address = up ? reg(n(w)) + (pre ? 4 : 0) : reg(n(w)) - x.bytes + (pre ? 0 : 4);
    return x;
  }
  u32 offset = 0;
  if (named("swp*", e.name)) {
  } else if (bit(w, 26)) {  // words and bytes
    if (!bit(w, 25)) offset = w & 0xfff;
    else {
      const u32 v = reg(m(w)), k = w >> 7 & 31;
      switch (w >> 5 & 3) {
        case 0: offset = v << k; break;
        case 1: offset = k ? v >> k : 0; break;
        case 2: offset = u32(s32(v) >> (k ? k : 31)); break;
        default: offset = k ? std::rotr(v, int(k)) : v >> 1 | u32(cpu_.state().c) << 31; break;
      }
    }
  } else {
    offset = t.immediate ? (w >> 4 & 0xf0) | (w & 15) : reg(m(w));
  }
  x.address = reg(n(w)) + (pre || named("swp*", e.name) ? (up ? offset : -offset) : 0);
  if (named("swp*", e.name)) x.address = reg(n(w));
  return x;
}

bool Generator::memory_acceptable(const Transfer& t) {
  const u32 low = t.address & 0xf'ffff, mib = t.address >> 20;
  if (!mmu_ && mib) return false;
  if (mmu_ && (mib & ~0x20u) > 13) return false;
  if (low < window_at || low + t.bytes > window_at + window_size) return false;
  return unaligned_ || !(t.address & (t.size - 1));
}

u32 Generator::explained_by(const Encoding& e, u32 w) const {
  u32 why = 0;
  const Transfer t = transfer_of(e, w);
  if (t.is_memory && (t.address & (t.size - 1))) why |= explained_unaligned;
  if (e.isa == Isa::a32) {
    if (named("str_* stm*", e.name) && (named("stm*", e.name) ? bit(w, 15) : d(w) == 15)) why |= explained_stored_pc;
    if (e.name == "add_imm" && d(w) == 15 && bit(w, 20)) why |= explained_return;
    if (named("mrc mcr mrc2 mcr2", e.name) && h(w) >= 14) why |= explained_cp15;
  }
  if (e.isa == Isa::vfp) {
    const u32 fpscr = cpu_.state().vfp.fpscr;
    const bool arithmetic = (w & 0x0f00'0010) == 0x0e00'0000, extension = (w & 0x00b0'0000) == 0x00b0'0000;
    if (arithmetic && (fpscr & arm::cpsr_mode << 16 & 0x0007'0000) && (extension || (fpscr & 0x0030'0000))) why |= explained_vector;
    if (named("fmrx fmxr", e.name) && n(w) != 1) why |= explained_cp15;
  }
  return why;
}

// ---- one instruction

s32 Generator::choose(Isa isa, const std::vector<Encoding>& coverage) {
  if (wanted_.only >= 0 && tables().all[std::size_t(wanted_.only)].isa == isa && chance(60)) return wanted_.only;
  const auto& of = tables().of[unsigned(isa)];
  for (;;) {
    u32 i = of[below(u32(of.size()))];
    const u32 other = of[below(u32(of.size()))];
    if (coverage[other].ran < coverage[i].ran) i = other;
    if (traits_of(s32(i)).raises && !exceptions_) continue;
    return s32(i);
  }
}

u32 Generator::pick_register(u32 purpose) {
  // 0: a base in the window, 1: a code address, 2: a small number.  Any register when there is none.
  u32 found[16], count = 0;
  const unsigned limit = cpu_.state().thumb && purpose != 1 ? 8 : 15;
  for (u32 i = 0; i < limit; ++i) {
    const u32 v = reg(i);
    const bool fits = purpose == 0 ? (v & 0xf'ffff) >= window_at && (v & 0xf'ffff) < window_at + window_size && (mmu_ ? v >> 20 < 0x30 : v < ram_size)
                      : purpose == 1 ? value_is_target(v)
                                     : v < 0x200;
    if (fits) found[count++] = i;
  }
  return count ? found[below(count)] : below(limit);
}

bool Generator::acceptable(const Encoding& e, u32 w) {
  const s32 index = s32(&e - tables().all.data());
  const bool thumb = e.isa == Isa::t16;
  if (tables().find(thumb, w) != index) return false;
  if (!thumb && w >> 28 == 15 && (e.mask >> 28) != 15) return false;
  if (!wild_)
    for (const Rule* r : rules_of()[std::size_t(index)])
      if (r->broken(w)) return false;
  const bool run = thumb || w >> 28 == 15 || passes(w >> 28);
  if (run) {
    const Transfer t = transfer_of(e, w);
    // With EN clear nothing is accessed.
    if (t.is_memory && !memory_acceptable(t)) return false;
  }
  if (wild_ && e.name != "mcr" && chance(50)) return true;
  switch (e.isa) {
    case Isa::a32: return a32(e, w);
    case Isa::t16: return t16(e, w);
    default: return vfp(e, w);
  }
}

bool Generator::a32(const Encoding& e, u32 w) {
  const CpuState& s = cpu_.state();
  const u32 mode = s.cpsr_low & arm::cpsr_mode;
  const bool user = mode == arm::usr, has_spsr = mode != arm::usr && mode != arm::sys;
  const Traits& t = traits_of(s32(&e - tables().all.data()));
  const u32 word_pc = 15;
  const auto word_at = [&](u32 address) { return load_le<u32>(cpu_.memory() + (address & 0xfffc)); };
  const auto exception_target = [&](u32 v) {
    return has_spsr && is_target(v & (s.spsr & arm::cpsr_t ? ~1u : ~3u), s.spsr & arm::cpsr_t);
  };
  if (t.data && !t.compare && d(w) == word_pc) {
    // Forms whose result is easily known: mov pc, rm; add pc, pc, #x; subs pc, rn, #x.
    if (!passes(w >> 28)) return true;
    u32 to;
    const u32 imm = std::rotr(w & 0xff, int(w >> 8 & 15) * 2);
    if (e.name == "mov_reg" && !(w & 0xff0)) to = reg(m(w));
    else if (e.name == "add_imm") to = reg(n(w)) + imm;
    else if (e.name == "sub_imm") to = reg(n(w)) - imm;
    else return false;
    return bit(w, 20) ? exception_target(to) : is_target(to & ~3u, false);
  }
  if (named("b bl blx_imm", e.name)) {
    if (e.name != "blx_imm" && !passes(w >> 28)) return true;
    const u32 to = s.pc + 8 + u32(s32(w << 8) >> 6);
    return e.name == "blx_imm" ? is_target(to + 2 * bit(w, 24), true) : is_target(to, false);
  }
  if (named("bx bxj blx_reg", e.name)) return !passes(w >> 28) || value_is_target(reg(m(w)));
  if (e.name == "ldr_imm" || e.name == "ldr_reg") {
    if (d(w) != 15 || !passes(w >> 28)) return true;
    const Transfer x = transfer_of(e, w);
    return !(x.address & 3) && value_is_target(word_at(x.address));
  }
  if (named("ldrt_* strt_* ldrbt_* strbt_*", e.name)) return true;
  if (e.name == "ldm" && bit(w, 15) && passes(w >> 28)) {
    const Transfer x = transfer_of(e, w);
    return value_is_target(word_at(x.address + x.bytes - 4));
  }
  if (e.name == "ldm_exception") {
    if (!has_spsr) return false;
    const Transfer x = transfer_of(e, w);
    return !passes(w >> 28) || exception_target(word_at(x.address + x.bytes - 4));
  }
  if (e.name == "ldm_user" || e.name == "stm_user") return has_spsr;
  if (named("mrs msr_*", e.name)) {
    const bool spsr = bit(w, 22);
    if (spsr && !has_spsr) return false;
    if (e.name == "mrs") return true;
    const u32 v = e.name == "msr_imm" ? std::rotr(w & 0xff, int(w >> 8 & 15) * 2) : reg(m(w));
    const u32 fields = n(w);
    if (!spsr && user) return true;
    if ((fields & 2) && (v & 0xff00)) return false;
    if ((fields & 4) && (v & 0xff'0000)) return false;
    if ((fields & 8) && (v & 0x0700'0000)) return false;
    if (fields & 1) {
      if (!spsr && (v & arm::cpsr_t)) return false;
      if (std::find(std::begin(modes), std::end(modes), v & 0x1f) == std::end(modes)) return false;
    }
    return true;
  }
  if (e.name == "mrc" || e.name == "mcr") {
    if (h(w) != 15 || user) return h(w) < 14;
    // The registers that change nothing a run depends on.
    const u32 which = n(w) << 8 | m(w) << 4 | (w >> 5 & 7), opc1 = w >> 21 & 7;
    if (opc1) return false;
    constexpr u32 readable[] = {0x000, 0x001, 0x002, 0x100, 0x200, 0x300, 0x500, 0x501, 0x600, 0x7a3, 0x7e3, 0x900, 0xa00, 0xd00, 0xd01};
    constexpr u32 writable[] = {0x500, 0x501, 0x600, 0x750, 0x751, 0x770, 0x7a1, 0x7a4, 0x870, 0x871, 0x850, 0xd01};
    const auto in = [&](const auto& list) { return std::find(std::begin(list), std::end(list), which) != std::end(list); };
    return e.name == "mrc" ? in(readable) : in(writable);
  }
  return true;
}

bool Generator::t16(const Encoding& e, u32 w) {
  const CpuState& s = cpu_.state();
  const u32 hi_d = (w & 7) | (w >> 4 & 8), hi_m = w >> 3 & 15;
  const auto word_at = [&](u32 address) { return load_le<u32>(cpu_.memory() + (address & 0xfffc)); };
  if (e.name == "bx" || e.name == "blx_reg") {
    if (hi_m == 15) return e.name == "bx" && !(s.pc & 2) && is_target(s.pc + 4, false);
    return value_is_target(reg(hi_m));
  }
  if (e.name == "mov_hi" && hi_d == 15) return is_target(reg(hi_m) & ~1u, true);
  if (e.name == "add_hi" && hi_d == 15) return is_target((reg(15) + reg(hi_m)) & ~1u, true);
  if (e.name == "b_cond") return !passes(w >> 8 & 15) || is_target(s.pc + 4 + u32(s32(w << 24) >> 23), true);
  if (e.name == "b") return is_target(s.pc + 4 + u32(s32(w << 21) >> 20), true);
  if (e.name == "bl_prefix") return (w & 0x7ff) == 0 || (w & 0x7ff) == 0x7ff;
  if (e.name == "bl_suffix") return is_target((s.r[14] + 2 * (w & 0x7ff)) & ~1u, true);
  if (e.name == "blx_suffix") return is_target((s.r[14] + 2 * (w & 0x7ff)) & ~3u, false);
  if (e.name == "pop" && bit(w, 8)) {
    const Transfer x = transfer_of(e, w);
    return value_is_target(word_at(x.address + x.bytes - 4));
  }
  return true;
}

// Vectors that overlap without being equal, or are longer than a bank, are UNPREDICTABLE (C5.1.3).
bool Generator::vfp(const Encoding& e, u32 w) {
  const CpuState& s = cpu_.state();
  const u32 fpscr = s.vfp.fpscr, length = 1 + (fpscr >> 16 & 7), stride = fpscr & 3u << 20 ? 2 : 1;
  const bool user = s.privilege;
  if (e.name == "fmxr" && passes(w >> 28)) {
    const u32 v = reg(d(w)), which = n(w);
    if (which == 1) return !(v & ~0xf3f7'009fu);
    if (which == 8) return user || !(v & ~0x4000'0000u);
    return which == 0 && user;  // the rest: reads only
  }
  if (e.name == "fmrx") return n(w) == 1 || n(w) == 0 || n(w) == 8;
  if ((w & 0x0f00'0010) != 0x0e00'0000 || length == 1) return true;
  const bool two = (w & 0x00b0'0000) == 0x00b0'0000;
  if (two && (n(w) >= 4)) return true;  // compares and conversions are scalar
  const bool is_double = bit(w, 8);
  const u32 bank = is_double ? 4 : 8;
  if (length * stride > bank || (fpscr >> 20 & 3) == 1 || (fpscr >> 20 & 3) == 2) return false;
  const auto number = [&](u32 field, u32 low) { return is_double ? field : field << 1 | low; };
  const u32 rd = number(d(w), bit(w, 22)), rn = number(n(w), bit(w, 7)), rm = number(m(w), bit(w, 5));
  const auto overlap = [&](u32 a, u32 b) {
    if (a == b || a / bank != b / bank) return false;
    u32 in_a = 0, in_b = 0;
    for (u32 i = 0; i < length; ++i) {
      in_a |= 1u << ((a + i * stride) % bank);
      in_b |= 1u << ((b + i * stride) % bank);
    }
    return (in_a & in_b) != 0;
  };
  if (rd < bank) return true;
  // A scalar second operand is in bank 0.
  return !(rm >= bank && overlap(rd, rm)) && (two || !overlap(rd, rn));
}

// Makes it likely that a random word is acceptable.
void Generator::bias(const Encoding& e, u32& w) {
  const s32 index = s32(&e - tables().all.data());
  const Traits& t = traits_of(index);
  const auto put = [&](u32 value, unsigned low, unsigned bits) {
    const u32 field = ((1u << bits) - 1) << low & ~e.fixed;
    w = (w & ~field) | (value << low & field);
  };
  const bool memory = t.load || t.store;
  const u32 forward = 4 * below(6);
  if (e.isa == Isa::t16) {
    if (memory && !t.block) {
      if (t.immediate) put(below(8) * (t.size == 1 ? 4 : 1), 6, 5);
      if (named("*_sp *_literal", e.name)) put(e.name == "ldr_literal" ? 255 - below(40) : below(64), 0, 8);
      else {
        put(pick_register(0), 3, 3);
        if (!t.immediate) put(pick_register(2), 6, 3);
      }
    }
    if (e.name == "stmia" || e.name == "ldmia") put(pick_register(0), 8, 3);
    if (named("bx blx_reg", e.name)) put(pick_register(1), 3, 4);
    if (named("mov_hi add_hi", e.name) && chance(20)) {
      w |= 0x87;
      put(pick_register(e.name == "mov_hi" ? 1 : 2), 3, 4);
    }
    if (e.name == "b_cond" || e.name == "b") put(below(16), 0, e.name == "b" ? 11 : 8);
    if (e.name == "bl_prefix") put(chance(70) ? 0 : 0x7ff, 0, 11);
    if (e.name == "bl_suffix" || e.name == "blx_suffix") {
      const u32 to = code_at + 4 * below((code_limit - code_at) / 4);
      put((to - cpu_.state().r[14]) / 2, 0, 11);
    }
    return;
  }
  if (!(e.mask >> 28)) {
    u32 c = chance(60) ? 14 : below(15);
    if (!passes(c) && chance(60)) c ^= 1;
    w = (w & 0x0fff'ffff) | c << 28;
  }
  if (e.isa == Isa::vfp) {
    if (memory) {
      put(pick_register(0), 16, 4);
      const u32 most = t.block ? 1 + below(chance(30) ? 32 : 6) : below(16);
      put(named("*d *x", e.name) && t.block ? most >> 1 | 1 : most, named("*d *x", e.name) && t.block ? 1 : 0, t.block && named("*d *x", e.name) ? 7 : 8);
      if (t.block) put(below(named("*s", e.name) ? 14 : 10), 12, 4);
    }
    if (named("fmrx fmxr", e.name)) put(chance(80) ? 1 : below(2) * 8, 16, 4);
    return;
  }
  if (memory) {
    put(pick_register(0), 16, 4);
    if (!t.block) {
      if (t.immediate && bit(w, 26)) put(below(chance(70) ? 64 : 4096) & (chance(60) ? ~3u : ~0u), 0, 12);
      if (!t.immediate) put(pick_register(2), 0, 4);
      if (bit(w, 25) && bit(w, 26) && chance(60)) put(below(3), 7, 5), put(0, 5, 2);
      if (!bit(w, 26) && t.immediate && !unaligned_) put(m(w) & (t.size == 8 ? 8 : ~(u32(t.size) - 1)), 0, 4);
    } else if (chance(70)) {
      w &= ~(u32(rng_()) & ~e.mask & 0x7fff);
    }
    if (chance(70)) put(chance(12) ? 15 : below(15), 12, 4);
  }
  if (named("bx bxj blx_reg", e.name)) put(pick_register(1), 0, 4);
  if (named("b bl blx_imm", e.name)) put(forward / 4 + 0, 0, 24);
  if (t.data && !t.compare) {
    if (chance(75) || !named("mov_reg add_imm sub_imm", e.name)) put(below(15), 12, 4);
    else {
      put(15, 12, 4);
      if (e.name == "mov_reg") w &= ~0xff0u, put(pick_register(1), 0, 4);
      if (e.name == "add_imm") put(15, 16, 4), put(forward, 0, 12);
      if (e.name == "sub_imm") put(pick_register(1), 16, 4), put(4 * below(3), 0, 12);
    }
  }
  if (e.name == "msr_imm" && chance(50)) put(modes[below(std::size(modes))] | (below(4) << 6), 0, 12);
  if (named("mrc mcr", e.name) && chance(70)) {
    constexpr u32 registers[] = {0x000, 0x001, 0x100, 0x200, 0x300, 0x500, 0x501, 0x600, 0x7a3, 0xd00, 0xd01, 0x751, 0x770, 0x870};
    const u32 r = registers[below(std::size(registers))];
    put(15, 8, 4), put(0, 21, 3), put(r >> 8, 16, 4), put(r >> 4 & 15, 0, 4), put(r & 15, 5, 3);
  }
}

bool Generator::undefined_word(bool thumb, u32& word) {
  for (unsigned tries = 0; tries < 200; ++tries) {
    u32 w = u32(rng_());
    if (thumb) w &= 0xffff;
    else if (chance(70)) w = (w & 0x0fff'ffff) | 0xe000'0000;
    if (!thumb && chance(30)) w = (w & 0xf000'0fff) | 0x0c00'0a00 | (u32(rng_()) & 0x03ff'f000) | (w & 0x100);
    if (tables().find(thumb, w) >= 0) continue;
    word = w;
    return true;
  }
  return false;
}

bool Generator::compose(const Encoding& e, u32& word) {
  const u32 width = e.isa == Isa::t16 ? 0xffff : ~0u;
  for (unsigned tries = 0; tries < 30; ++tries) {
    u32 w = (u32(rng_()) & ~e.fixed & width) | (e.should_be & width);
    bias(e, w);
    if (!acceptable(e, w)) continue;
    word = w;
    return true;
  }
  return false;
}

Case Generator::make(u64 seed, Memory& image, std::vector<Encoding>& coverage) {
  rng_.seed(seed * 0x9e37'79b9'7f4a'7c15 + 1);
  taken_.reset();
  Case c;
  c.seed = seed;
  Isa isa;
  do isa = Isa(below(isa_count));
  while (!wanted_.classes[unsigned(isa)]);
  if (wanted_.only >= 0) isa = tables().all[std::size_t(wanted_.only)].isa;
  start(c, isa);
  make_image(c, image);
  cpu_.load(image, c.in);
  CpuState& s = cpu_.state();
  const unsigned count = 1 + below(8);
  bool prefix = false;
  std::array<u8, code_limit - code_at> code{};
  for (unsigned i = 0;; ++i) {
    const bool thumb = s.thumb;
    const u32 bytes = thumb ? 2 : 4;
    if (!is_free(s.pc, 4)) break;
    Placed p{s.pc, 0, u8(bytes), thumb, -1, true};
    bool found = false;
    const bool undefined = !prefix && i < count && exceptions_ && chance(6) && undefined_word(thumb, p.word);
    if ((i < count || prefix) && !undefined)
      for (unsigned tries = 0; !found && tries < 20; ++tries) {
        Isa from = thumb ? Isa::t16 : isa == Isa::t16 ? Isa::a32 : isa;
        if (!thumb && from == Isa::vfp && chance(25)) from = Isa::a32;
        s32 e = choose(from, coverage);
        const bool suffix = thumb && named("bl_suffix blx_suffix", tables().all[std::size_t(e)].name);
        if (prefix != suffix) {
          if (suffix || tries < 10) {
            --tries;
            if (prefix) {
              for (const u32 k : tables().of[1])
                if (tables().all[k].name == (chance(50) ? "bl_suffix" : "blx_suffix")) e = s32(k);
              if (!named("bl_suffix blx_suffix", tables().all[std::size_t(e)].name)) continue;
              ++tries;
            } else {
              ++tries;
              continue;
            }
          } else {
            continue;
          }
        }
        if (!compose(tables().all[std::size_t(e)], p.word)) continue;
        p.encoding = e;
        found = true;
      }
    const auto place_end = [&] {
      p.encoding = -1;
      p.word = thumb ? 0xe000 | ((end_at - p.at - 4) / 2 & 0x7ff) : 0xea00'0000 | ((end_at - p.at - 8) / 4 & 0xff'ffff);
    };
    if (!found && !undefined) place_end();
    u32 why = 0;
    Transfer loads{};
    u32 expected = 0;
    // LDRHT, STRHT, LDRSBT, LDRSHT
    if (undefined && (thumb || ((p.word & 0x0f20'0090) == 0x0020'0090 && (p.word & 0x60)))) why |= explained_thumb2;
    if (undefined && !thumb && (p.word & 0x0ff0'00f0) == 0x0120'0070) why |= explained_bkpt;
    if (undefined) p.passed = thumb || p.word >> 28 == 15 || passes(p.word >> 28);
    if (found) {
      const Encoding& e = tables().all[std::size_t(p.encoding)];
      p.passed = thumb ? e.name != "b_cond" || passes(p.word >> 8 & 15) : p.word >> 28 == 15 || passes(p.word >> 28);
      if (p.passed) why = explained_by(e, p.word);
      prefix = thumb && e.name == "bl_prefix";
      if (p.passed && (named("ldr_*", e.name) && e.isa != Isa::vfp)) loads = transfer_of(e, p.word);
      if (!(loads.address & 3) || loads.size != 4 || mmu_ || (s.cp15.control & arm::ctl_a)) loads = {};
      if (loads.is_memory) expected = std::rotr(load_le<u32>(cpu_.memory() + (loads.address & 0xfffc)), int(8 * (loads.address & 3)));
    }
    for (u32 b = 0; b < bytes; ++b) taken_.set(p.at - code_at + b);
    cpu_.poke(p.at, p.word, bytes);
    std::memcpy(code.data() + p.at - code_at, &p.word, bytes);
    if (!found && !undefined) {
      c.code.push_back(p);
      break;
    }
    cpu_.engine().step();
    const bool vector = (s.pc & ~0x1cu) == 0 || (s.pc & ~0x1cu) == 0xffff'0000;
    // Anything that left the plan, or wrote to the code, is not done after all.
    const bool intact = std::memcmp(cpu_.memory() + code_at, code.data(), code.size()) == 0;
    if (!intact || s.halted || (!vector && !is_target(s.pc, s.thumb))) {
      place_end();
      c.code.push_back(p);
      break;
    }
    const u32 loaded = thumb && p.word >> 12 == 4 ? p.word >> 8 & 7 : thumb && p.word >> 12 == 9 ? p.word >> 8 & 7 : thumb ? p.word & 7 : d(p.word);
    if (loads.is_memory && loaded != 15 && !vector) c.wrong_rotation |= s.r[loaded] != expected;
    c.explained |= why;
    c.code.push_back(p);
    if (vector) break;
  }
  for (std::size_t i = 0; i + 1 < c.code.size(); ++i) {
    const auto is = [&](const Placed& p, const char* name) { return p.encoding >= 0 && p.thumb && named(name, tables().all[std::size_t(p.encoding)].name); };
    const Placed &p = c.code[i], &next = c.code[i + 1];
    if (is(p, "bl_prefix") && !(is(next, "bl_suffix blx_suffix") && next.at == p.at + 2)) c.explained |= explained_prefix;
  }
  if (c.mmu) c.explained |= explained_mmu;
  if (wild_) c.explained |= explained_unpredictable;
  if (!cpu_.machine.accesses.empty()) c.explained |= explained_bus;
  for (const Placed& p : c.code) std::memcpy(image.data() + p.at, &p.word, p.bytes);
  return c;
}

void make_image(const Case& c, Memory& image) {
  image.fill(0);
  u64 x = c.data_seed | 1;
  for (u32 at = window_at; at < window_at + window_size; at += 4) {
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    u32 v = u32(x >> 16);
    switch (x & 7) {
      case 0: case 1: v = code_at + (v & 0x7ff); break;            // jump tables for ldm and pop
      case 2: case 3: v = (code_at + (v & 0x7fc)) | (x >> 50 & 1); break;
      case 4: if (c.data_step & 1) v = special_floats[v % std::size(special_floats)]; break;
      default: break;
    }
    store_le(image.data() + at, v);
  }
  if (c.mmu) write_page_tables(image);
  for (const Placed& p : c.code) std::memcpy(image.data() + p.at, &p.word, p.bytes);
}
}  // namespace fuzz
