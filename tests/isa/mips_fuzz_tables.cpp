// The generated instruction tables as the fuzzer sees them, and what is known about the other side.

#include "tests/isa/mips_fuzz.hpp"

#include "cpus/host_fp.hpp"
#include "cpus/mips/dsp.hpp"
#include "cpus/mips/fpu.hpp"
#include "cpus/mips/translator.hpp"

#include "dsp_decode.hpp"
#include "fpu_decode.hpp"
#include "mips32_decode.hpp"

namespace mips_fuzz {
namespace {
Isa table_of(u32 w) { return mips::is_fpu_word(w) ? Isa::fpu : mips::is_dsp_word(w) ? Isa::dsp : Isa::mips32; }
unsigned mips32_op(u32 w) { return table_of(w) == Isa::mips32 ? unsigned(mips::mips32::op_of(w)) : 0; }
unsigned fpu_op(u32 w) { return table_of(w) == Isa::fpu ? unsigned(mips::fpu::op_of(w)) : 0; }
unsigned dsp_op(u32 w) { return table_of(w) == Isa::dsp ? unsigned(mips::dsp::op_of(w)) : 0; }
void mips32_read(u32 w, OperandBytes& to) { mips::mips32::decode(w, ReadOperands{to}); }
void fpu_read(u32 w, OperandBytes& to) { mips::fpu::decode(w, ReadOperands{to}); }
void dsp_read(u32 w, OperandBytes& to) { mips::dsp::decode(w, ReadOperands{to}); }

bool is(s32 encoding, std::string_view names) {
  return encoding >= 0 && named(names, tables().all[std::size_t(encoding)].name);
}

// ---- operands of a floating-point instruction in the state
bool is_cop1x(u32 w) { return w >> 26 == 0x13; }
bool is_wide(u32 w) { return w >> (is_cop1x(w) ? 0 : 21) & 1; }
u64 operand(const CpuState& s, u32 n, bool wide) {
  const bool fr = s.cp0.status & mips::status_fr;
  return wide ? load_le<u64>(&s.f[mips::double_slot(n, fr)]) : s.f[mips::single_slot(n, fr)];
}
u64 fs(const CpuState& s, u32 w) { return operand(s, w >> 11 & 31, is_wide(w)); }
bool is_arithmetic(s32 e) {
  return e >= 0 && tables().all[std::size_t(e)].isa == Isa::fpu &&
         is(e,
            "add_* sub_* mul_* div_* sqrt_* recip_* rsqrt_* round_* trunc_* ceil_* floor_* cvt_* c_* abs_* neg_* "
            "madd_* msub_* nm*");
}
// ---- the general register that a DSP instruction writes
bool is_dsp(s32 e) { return e >= 0 && tables().all[std::size_t(e)].isa == Isa::dsp; }
bool in_rt(s32 e) { return is(e, "ext* insv precr_sra* append prepend balign"); }
bool has_destination(s32 e) {
  return in_rt(e) || (!is(e, "wrdsp bposge32") && !(tables().all[std::size_t(e)].mask >> 11 & 31));
}
u32 destination(u32 w, s32 e) { return w >> (in_rt(e) ? 16 : 11) & 31; }

bool is_nan(u64 v, bool wide) { return wide ? host_fp::is_nan<double>(v) : host_fp::is_nan<float>(u32(v)); }
}  // namespace

Tables::Tables() {
  add_lines(all, of[0], Isa::mips32, std::span<const mips::mips32::OpInfo>(mips::mips32::op_info),
            {mips32_op, mips32_read, 32});
  add_lines(all, of[1], Isa::fpu, std::span<const mips::fpu::OpInfo>(mips::fpu::op_info), {fpu_op, fpu_read, 32});
  add_lines(all, of[2], Isa::dsp, std::span<const mips::dsp::OpInfo>(mips::dsp::op_info), {dsp_op, dsp_read, 32});
}

s32 Tables::find(u32 w) const {
  const Isa table = table_of(w);
  const unsigned op = table == Isa::fpu ? fpu_op(w) : table == Isa::dsp ? dsp_op(w) : mips32_op(w);
  return op ? s32(of[unsigned(table)][op - 1]) : -1;
}

const Tables& tables() {
  static const Tables made;
  return made;
}

bool Case::contains(std::string_view names) const {
  for (const Placed& p : code)
    if (is(p.encoding, names)) return true;
  return false;
}

std::string disassemble(u32 w, u32 pc) {
  switch (table_of(w)) {
    case Isa::fpu: return mips::fpu::disassemble(w, pc);
    case Isa::dsp: return mips::dsp::disassemble(w, pc);
    default: return mips::mips32::disassemble(w, pc);
  }
}

std::span<const Explanation> explanations() {
  static constexpr Explanation table[] = {
      {"madd", "the product of MADD.fmt and its kin is rounded (MD00086, MADD.fmt); Unicorn computes it exactly",
       [](CpuState&, u32, s32 e) { return is(e, "madd_s madd_d msub_s msub_d nmadd_* nmsub_*"); }},
      {"sign-of-nan",
       "ABS.fmt and NEG.fmt are arithmetic, and clear Cause; a signalling NaN is invalid (MD00086, ABS.fmt); Unicorn "
       "changes the sign and nothing else",
       [](CpuState&, u32, s32 e) { return is(e, "abs_s abs_d neg_s neg_d"); }},
      {"narrow-nan",
       "a NaN of which nothing is left in single precision becomes the default NaN; an infinity in Unicorn",
       [](CpuState& s, u32 w, s32 e) { return is(e, "cvt_s_d") && is_nan(fs(s, w), true); }},
      {"flush",
       "with FCSR.FS denormal operands count as zero, tiny results raise U and I and round away from zero where RM "
       "says so "
       "(MD00343, FCSR); Unicorn flushes results only, to zero, silently",
       [](CpuState& s, u32, s32 e) { return (s.fcsr & mips::fcsr_fs) && is_arithmetic(e); }},
      {"exact-underflow",
       "with its trap enabled tininess alone is underflow (MD00082 §5.8.1.4); Unicorn wants it inexact too",
       [](CpuState& s, u32, s32 e) { return (s.fcsr & mips::fp_underflow << 7) && is_arithmetic(e); }},
      {"tlbp", "where no entry matches, Index below P is UNPREDICTABLE (MD00086, TLBP)",
       [](CpuState&, u32, s32 e) { return is(e, "tlbp"); }},
      {"odd-double",
       "with FR = 0 a double has an even number, and another is reserved (MD00082 §5.4); Unicorn lets moves, loads and "
       "stores have it",
       [](CpuState& s, u32, s32 e) {
         return !(s.cp0.status & mips::status_fr) && is(e, "movf_d movt_d movz_d movn_d ldc1 sdc1 ldxc1 sdxc1");
       }},
      {"userlocal", "RDHWR of UserLocal is reserved, Config3.ULRI being 0 (MD00090); Unicorn has it in kernel mode",
       [](CpuState&, u32, s32 e) { return is(e, "rdhwr"); }},
      {"control-views",
       "reserved bits of FCCR, FEXR and FENR are ignored (MD00082 §5.6); Unicorn ignores the write that sets one",
       [](CpuState&, u32 w, s32 e) { return is(e, "ctc1") && (w >> 11 & 31) != mips::fp_fcsr; }},
      {"shadow",
       "RDPGPR and WRPGPR move to the same set (SRSCtl.HSS = 0); Unicorn 2.0.1 takes the register as it was when the "
       "block began",
       [](CpuState&, u32, s32 e) { return is(e, "rdpgpr wrpgpr"); }},
      {"pending-jump",
       "BadVAddr is of the access that raised the exception, here in the slot of a jump to a misaligned address (MD00090, "
       "BadVAddr); Unicorn, stopped there, then takes the jump, whose address error replaces it",
       [](CpuState& s, u32 w, s32 e) { return is(e, "jr jr_hb jalr jalr_hb") && (s.r[w >> 21 & 31] & 3) == 2; }},
      {"random", "which entry TLBWR replaces", [](CpuState&, u32, s32 e) { return is(e, "tlbwr"); }},
      {"remap",
       "code that changes its own mapping: what was fetched already is run or not (MD00090, instruction hazards)",
       [](CpuState& s, u32, s32 e) { return is(e, "tlbwi tlbwr") && s.pc < 0x8000'0000; }},
      {"index",
       "Index beyond the TLB is UNDEFINED (MD00090, Index): its low bits count here; Unicorn ignores the write",
       [](CpuState& s, u32 w, s32 e) {
         return is(e, "mtc0") && (w >> 11 & 31) == 0 && (s.r[w >> 16 & 31] & 0x7fff'ffff) > 15;
       }},
      {"dsp-zero",
       "what an instruction does to DSPControl, and that it is disabled, has nothing to do with its destination "
       "(MD00374 "
       "chapter 6); Unicorn leaves out those whose result goes to register 0",
       [](CpuState&, u32 w, s32 e) { return is_dsp(e) && has_destination(e) && !destination(w, e); }},
      {"insv", "a field that does not fit in the word is UNPREDICTABLE (MD00374, INSV)",
       [](CpuState& s, u32, s32 e) {
         const u32 pos = s.dsp_control & mips::dsp_pos, size = (s.dsp_control & mips::dsp_scount) >> 7;
         return is_dsp(e) && is(e, "insv") && (!size || pos + size > 32);
       }},
      {"interrupt", "EI lets an interrupt through; Unicorn takes none",
       [](CpuState&, u32, s32 e) { return is(e, "ei"); }},
      {"wait", "WAIT ends the case, and Unicorn goes on behind it; at PAUSE it is the other way round",
       [](CpuState&, u32, s32 e) { return is(e, "wait pause"); }},
      {"reserved", "words with bits that must be zero are reserved; Unicorn ignores most of those",
       [](CpuState&, u32, s32 e) { return e < 0; }},
  };
  return table;
}
}  // namespace mips_fuzz
