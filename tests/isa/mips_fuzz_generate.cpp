// Makes cases: up to twelve instructions in a row, and a jump to the end.  Some registers keep their roles through a
// case, so that addresses hit the window and jumps lead forward; loops have a counter.

#include "tests/isa/mips_fuzz.hpp"

#include "cpus/mips/dsp.hpp"
#include "cpus/mips/fpu.hpp"

#include <bitset>

namespace mips_fuzz {
namespace {
constexpr u32 longest = 12;

// Registers whose values are known: never written in a case.
struct Roles {
  u32 pointers[4], indices[2], jumps[2], counter;
  std::bitset<32> kept;
};

class Maker {
 public:
  Maker(u64 seed, const Wanted& wanted) : wanted_(wanted) {
    rng_.seed(seed * 0x9e37'79b9'7f4a'7c15 + 1);
    c_.seed = seed;
  }
  Case make();

 private:
  u32 below(u32 n) { return u32(rng_() % n); }
  bool chance(u32 percent) { return below(100) < percent; }
  template <class T, std::size_t n>
  T pick(const T (&from)[n]) {
    return from[below(n)];
  }

  void start();
  u32 free_register();
  u32 value();
  u32 float_word(bool high);
  s32 choose();
  u32 compose(const Encoding& e);
  u32 at_index(u32 n) const { return start_ + 4 * n; }
  u32 forward(u32 from) { return from + 1 + below(count_ > from ? count_ - from : 1); }
  void put(u32& w, u32 v, unsigned at, u32 bits) const {
    w = (w & ~(((1u << bits) - 1) << at)) | (v & ((1u << bits) - 1)) << at;
  }
  void memory_operand(const Encoding& e, u32& w);
  void fpu_operands(const Encoding& e, u32& w);
  void dsp_operands(const Encoding& e, u32& w);
  u32 vector();
  void branch(u32& w);
  void cp0_operands(const Encoding& e, u32& w);

  const Wanted& wanted_;
  Random rng_;
  Case c_;
  Roles roles_{};
  u32 start_ = 0, base_ = 0, count_ = 0, now_ = 0, loop_to_ = 0;
  bool unaligned_ = false, exceptions_ = false, fr_ = false, in_slot_ = false;
};

u32 Maker::free_register() {
  for (;;)
    if (const u32 r = below(32); !roles_.kept[r]) return r;
}

u32 Maker::value() {
  switch (below(5)) {
    case 0: return special_words[below(std::size(special_words))];
    case 1: return below(64);
    case 2: return base_ + window_at + 8 * below(window_size / 8);
    default: return u32(rng_());
  }
}
// Halfwords and bytes at the limits of their formats.
u32 Maker::vector() {
  constexpr u32 halves[] = {0x8000, 0x8001, 0x7fff, 0x7f80, 0x7f81, 0xffff, 0, 1, 0x80ff, 0xff80, 0x0100, 0x4000};
  const u32 v = u32(rng_());
  switch (below(4)) {
    case 0: return pick(halves) << 16 | pick(halves);
    case 1: return chance(50) ? (v & 0xffff) | pick(halves) << 16 : (v & 0xffff'0000) | pick(halves);
    case 2: return value();
    default: return v;
  }
}
// Values of moderate size too, so that results are not all infinite.
u32 Maker::float_word(bool high) {
  const u32 v = chance(45) ? special_floats[below(std::size(special_floats))] : u32(rng_());
  if (chance(50)) return v;
  return high ? (v & 0x800f'ffff) | (1023 - 40 + below(80)) << 20 : (v & 0x807f'ffff) | (127 - 20 + below(40)) << 23;
}

void Maker::start() {
  constexpr u32 bases[] = {0x8000'0000, 0xa000'0000, 0};
  Registers& r = c_.in;
  base_ = pick(bases);
  count_ = 1 + below(longest);
  unaligned_ = chance(12);
  exceptions_ = chance(25);
  fr_ = chance(40);
  c_.data_seed = rng_();
  start_ = base_ + code_at + 4 * below(64);
  r[at::pc] = start_;
  for (unsigned n = 1; n < 32; ++n) r[n] = c_.isa == Isa::dsp ? vector() : value();
  const auto keep = [&] {
    for (;;)
      if (const u32 n = 1 + below(30); !roles_.kept[n]) return roles_.kept.set(n), n;
  };
  for (u32& p : roles_.pointers) {
    p = keep();
    constexpr u32 segments[] = {0x8000'0000, 0xa000'0000, 0, 0, 0x2'0000, 0x3'0000};
    u32 segment = chance(70) ? base_ : pick(segments);
    if (segment == 0x3'0000 && !exceptions_) segment = 0;
    r[p] = segment + window_at + 0x400 + 8 * below(0x300) + (unaligned_ ? below(8) : 0);
  }
  for (u32& x : roles_.indices) r[x = keep()] = (8 * below(64) + (unaligned_ ? below(8) : 0)) * (chance(50) ? 1 : ~0u);
  for (u32& j : roles_.jumps) r[j = keep()] = at_index(1 + below(count_)) | (exceptions_ && chance(8) ? 2 : 0);
  r[roles_.counter = keep()] = 1 + below(4);
  // Kernel mode through ERL, EXL or neither; user mode where the code is mapped.
  constexpr u32 modes[] = {mips::status_erl, mips::status_erl, 0, mips::status_exl, 2 << 3};
  u32 mode = pick(modes);
  if (mode == 2 << 3 && base_) mode = 0;
  r[at::status] = mips::status_bev | mode | (chance(92) ? mips::status_cu1 : 0) | (fr_ ? u32(mips::status_fr) : 0) |
                  (chance(10) ? u32(mips::status_cu0) : 0) | below(256) << 8;
  const bool tests_modes = chance(40);
  u32 fcsr = (u32(rng_()) & 0xfe80'007c) | (chance(50) ? u32(mips::fp_inexact) << 2 : 0);
  if (tests_modes) fcsr |= below(4) | (chance(15) ? u32(mips::fcsr_fs) : 0) | (chance(30) ? below(32) << 7 : 0);
  r[at::fcsr] = fcsr;
  for (unsigned n = 0; n < 64; ++n) r[at::f + n] = float_word(n & 1);
  // With FR = 0 odd singles are the high halves of doubles, so both kinds of values belong there.
  for (unsigned n = 1; n < 64; n += 2) {
    if (!fr_ && chance(50)) r[at::f + n] = float_word(false);
    if (!fr_ && n % 4 == 3) r[at::f + n] = r[at::f + n - 1] = 0;
  }
  r[at::lo] = value();
  r[at::hi] = value();
  if (c_.isa == Isa::dsp) {
    for (const unsigned p : {at::lo, at::hi, at::hi1, at::lo1, at::hi2, at::lo2, at::hi3, at::lo3}) r[p] = vector();
    // Accumulators near the limits of a word, too.
    for (const auto& [hi, lo] : {std::pair{at::hi, at::lo}, {at::hi1, at::lo1}, {at::hi2, at::lo2}, {at::hi3, at::lo3}})
      if (chance(50)) r[hi] = chance(50) ? u32(s32(r[lo]) >> 31) : below(4) - 2;
    r[at::dsp_control] = u32(rng_()) & mips::dsp_all_fields;
    if (chance(50)) {  // a field of a word (INSV)
      const u32 pos = below(32), size = 1 + below(32 - pos);
      r[at::dsp_control] = (r[at::dsp_control] & ~(mips::dsp_pos | mips::dsp_scount)) | size << 7 | pos;
    }
    if (chance(92)) r[at::status] |= mips::status_mx;
  }
  r[at::cause] = u32(rng_()) & (mips::cause_iv | mips::cause_ip_soft);
  r[at::index] = below(4);
  r[at::context] = u32(rng_()) & 0xff80'0000;
  r[at::entry_lo0] = u32(rng_()) & 0x03ff'ffff;
  r[at::entry_lo1] = u32(rng_()) & 0x03ff'ffff;
  r[at::entry_hi] = u32(rng_()) & 0xffff'e0ff;
  r[at::hwrena] = below(16);
  r[at::epc] = at_index(1 + below(count_));
  r[at::error_epc] = at_index(1 + below(count_));
  r[at::desave] = u32(rng_());
}

s32 Maker::choose() {
  if (wanted_.only >= 0 && chance(40)) return wanted_.only;
  Isa isa = c_.isa;
  if (isa != Isa::mips32 && chance(20)) isa = Isa::mips32;
  const auto& lines = tables().of[unsigned(isa)];
  return s32(lines[below(u32(lines.size()))]);
}

constexpr const char* jumps = "j jal jalx jr jr_hb jalr jalr_hb";
constexpr const char* stores = "sb sh sw swl swr sc swc1 sdc1";
constexpr const char* loads = "lb lh lw lbu lhu lwl lwr ll lwc1 ldc1";
// General registers that are read only, or not there, in the places of rt and rd.
constexpr const char* reads_t =
    "sb sh sw swl swr beq* bne* t* mult* div* madd* msub* mt* mthi mtlo ctc1 mtc1 mthc1 mtc0 wrpgpr";

void Maker::memory_operand(const Encoding& e, u32& w) {
  const bool aligned = !unaligned_ || chance(50);
  const u32 size = named("lb lbu sb", e.name)   ? 1
                   : named("lh lhu sh", e.name) ? 2
                   : named("ldc1 sdc1", e.name) ? 8
                   : named("*wl *wr", e.name)   ? 1
                                                : 4;
  const u32 p = pick(roles_.pointers);
  put(w, chance(98) ? p : below(32), 21, 5);
  u32 offset = below(0x400) * (chance(50) ? 1 : ~0u);
  if (aligned) offset = ((c_.in[p] + offset) & ~(size - 1)) - c_.in[p];
  put(w, offset, 0, 16);
}

void Maker::fpu_operands(const Encoding& e, u32& w) {
  if (named("lwxc1 ldxc1 luxc1 swxc1 sdxc1 suxc1 prefx", e.name)) {
    put(w, pick(roles_.pointers), 21, 5);
    put(w, pick(roles_.indices), 16, 5);
  }
  // Registers that are doubles are even without FR, mostly.  Few registers, so that results are operands again.
  const bool cop1x = w >> 26 == 0x13, memory = named("lwc1 ldc1 swc1 sdc1", e.name);
  const bool move = named("mfc1 mtc1 mfhc1 mthc1 cfc1 ctc1 movf movt bc1*", e.name);
  const auto tame = [&](unsigned at) {
    if (((e.mask >> at) & 31) == 31) return;  // not a field
    u32 n = w >> at & 31;
    if (chance(70)) n &= 7;
    if (!fr_ && chance(95)) n &= ~1u;
    put(w, n, at, 5);
  };
  if (memory) return tame(16);
  if (move) {
    if (!named("cfc1 ctc1 movf movt bc1*", e.name)) put(w, (chance(70) ? below(8) : below(32)), 11, 5);
    if (named("cfc1 ctc1", e.name)) {
      constexpr u32 controls[] = {0, 25, 26, 28, 31, 31};
      put(w, pick(controls), 11, 5);
    }
    return;
  }
  tame(6);
  tame(11);
  if (!named("movz_* movn_* movf_* movt_* lwxc1 ldxc1 luxc1 swxc1 sdxc1 suxc1 prefx", e.name)) tame(16);
  if (cop1x && !named("lwxc1 ldxc1 luxc1 swxc1 sdxc1 suxc1 prefx", e.name)) tame(21);
  if (named("c_s c_d", e.name)) put(w, below(8) << 2 | 0, 6, 5);  // the condition code, and two bits that are zero
}

void Maker::dsp_operands(const Encoding& e, u32& w) {
  if (named("ext* insv precr_sra* append prepend balign", e.name)) put(w, free_register(), 16, 5);
  if (named("lwx lhx lbux", e.name)) {
    put(w, pick(roles_.pointers), 21, 5);
    put(w, pick(roles_.indices), 16, 5);
  }
}

void Maker::branch(u32& w) {
  const u32 target = forward(now_ + 1);
  put(w, target - (now_ + 1), 0, 16);
}

void Maker::cp0_operands(const Encoding& e, u32& w) {
  constexpr u32 read[] = {0, 2, 3, 5, 6, 7, 12, 13, 14, 15, 16, 30, 31},
                written[] = {0, 2, 3, 4, 5, 6, 7, 10, 11, 14, 30, 31};
  put(w, e.name == "mfc0" ? pick(read) : pick(written), 11, 5);
  put(w, 0, 0, 3);
}

u32 Maker::compose(const Encoding& e) {
  u32 w = (u32(rng_()) & ~e.fixed) | e.should_be;
  // Results go to registers without a role.
  const bool has_d = e.isa != Isa::fpu && ((e.fixed >> 11) & 31) == 0 && !named("mtc0 mfc0", e.name);
  if (has_d && e.name != "jalr" && e.name != "jalr_hb" && !(w >> 26 == 1)) put(w, free_register(), 11, 5);
  if (named("jalr jalr_hb", e.name)) put(w, free_register(), 11, 5);
  if (e.isa == Isa::mips32 && !named(reads_t, e.name) && ((e.fixed >> 16) & 31) == 0) put(w, free_register(), 16, 5);
  if (named("mfc1 mfhc1 cfc1", e.name)) put(w, free_register(), 16, 5);
  if (named("movf movt", e.name)) put(w, free_register(), 11, 5);
  if (e.isa == Isa::fpu) fpu_operands(e, w);
  if (e.isa == Isa::dsp) dsp_operands(e, w);
  if (named(loads, e.name) || named(stores, e.name) || named("pref synci cache", e.name)) memory_operand(e, w);
  if (e.name == "break_") return w;
  if (named(branches, e.name)) branch(w);
  if (named("j jal jalx", e.name)) put(w, at_index(forward(now_ + 1)) >> 2, 0, 26);
  if (named("jr jr_hb jalr jalr_hb", e.name)) {
    for (const u32 j : roles_.jumps)
      if (c_.in[j] > at_index(now_)) put(w, j, 21, 5);
  }
  if (named("mfc0 mtc0", e.name)) cp0_operands(e, w);
  if (named("clz clo", e.name)) put(w, w >> 11 & 31, 16, 5);
  if (named("ins", e.name)) {  // lsb must not be above msb
    const u32 lsb = w >> 6 & 31, msb = w >> 11 & 31;
    put(w, std::min(lsb, msb), 6, 5);
    put(w, std::max(lsb, msb), 11, 5);
    if (!(e.fixed >> 16 & 31)) put(w, free_register(), 16, 5);
  }
  if (named("ext", e.name)) {
    const u32 lsb = w >> 6 & 31;
    put(w, below(32 - lsb), 11, 5);
    put(w, free_register(), 16, 5);
  }
  if (named("rdhwr", e.name)) {
    constexpr u32 hardware[] = {3, 3, 29};
    put(w, pick(hardware), 11, 5);
  }
  return w;
}

// A jump to a register must lead forward; traps and their like are for cases that want exceptions.
Case Maker::make() {
  do c_.isa = Isa(below(isa_count));
  while (!wanted_.classes[unsigned(c_.isa)]);
  if (wanted_.only >= 0) c_.isa = tables().all[std::size_t(wanted_.only)].isa;
  start();
  const bool loop = chance(15);
  if (loop) loop_to_ = 1 + below(3);
  bool branched = false;
  for (now_ = 0; now_ < count_ || branched; ++now_) {
    in_slot_ = std::exchange(branched, false);
    if (loop_to_ && !in_slot_ && now_ + 2 >= count_ && now_ >= loop_to_) {
      u32 w = chance(50) ? 0x1c00'0000 : 0x5c00'0000;  // bgtz or bgtzl counter; addiu counter, counter, -1
      put(w, roles_.counter, 21, 5);
      put(w, loop_to_ - 1 - (now_ + 1), 0, 16);
      c_.code.push_back({at_index(now_), w, tables().find(w)});
      ++now_;
      w = 0x2400'ffff | roles_.counter << 21 | roles_.counter << 16;
      c_.code.push_back({at_index(now_), w, tables().find(w)});
      loop_to_ = 0;
      continue;
    }
    if (exceptions_ && chance(4)) {
      u32 w;
      do w = u32(rng_()) & (chance(50) ? ~0u : 0xfc00'07ff);
      while (tables().find(w) >= 0);
      c_.code.push_back({at_index(now_), w, -1});
      continue;
    }
    for (;;) {
      const s32 n = choose();
      const Encoding& e = tables().all[std::size_t(n)];
      const bool jump = named(branches, e.name) || named(jumps, e.name);
      const bool is_break = e.name == "break_";
      if ((is_break || named("syscall sdbbp wait", e.name)) && !chance(exceptions_ ? 50 : 10)) continue;
      if (jump && !is_break && (in_slot_ || now_ + 1 > count_)) continue;
      if (named("eret deret", e.name) &&
          (in_slot_ || (c_.in[at::error_epc] <= at_index(now_) || c_.in[at::epc] <= at_index(now_))))
        continue;
      if (named("jr jr_hb jalr jalr_hb", e.name) && c_.in[roles_.jumps[0]] <= at_index(now_) &&
          c_.in[roles_.jumps[1]] <= at_index(now_))
        continue;
      u32 w = compose(e);
      if (tables().find(w) != n) continue;
      c_.code.push_back({at_index(now_), w, n});
      branched = jump && !is_break;
      break;
    }
  }
  const u32 end = (base_ + end_at) >> 2 & 0x03ff'ffff;
  for (; now_ <= count_ + 2; ++now_)
    c_.code.push_back({at_index(now_), 0x0800'0000 | end, -1}), c_.code.push_back({at_index(++now_), 0, -1});
  return std::move(c_);
}
}  // namespace

Case make_case(u64 seed, const Wanted& wanted) { return Maker(seed, wanted).make(); }

void make_image(const Case& c, bool big_endian, Memory& image) {
  image.fill(0);
  u64 x = c.data_seed | 1;
  for (u32 at = window_at; at < window_at + window_size; at += 4) {
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    u32 v = u32(x >> 16);
    if ((x & 7) < 3) v = special_floats[v % std::size(special_floats)];
    store_le(image.data() + at, v);
  }
  for (const Placed& p : c.code)
    store_le(image.data() + (p.at & 0x1fff'ffff), big_endian ? __builtin_bswap32(p.word) : p.word);
}
}  // namespace mips_fuzz
