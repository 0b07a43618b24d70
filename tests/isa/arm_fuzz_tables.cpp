// The generated instruction tables as the fuzzer sees them.

#include "tests/isa/arm_fuzz.hpp"

#include "a32_decode.hpp"
#include "t16_decode.hpp"
#include "vfp_decode.hpp"

namespace fuzz {
namespace {
unsigned a32_op(u32 w) { return arm::vfp::claims(w) ? 0 : unsigned(arm::a32::op_of(w)); }
unsigned t16_op(u32 w) { return unsigned(arm::t16::op_of(w)); }
unsigned vfp_op(u32 w) { return arm::vfp::claims(w) ? unsigned(arm::vfp::op_of(w)) : 0; }
void a32_read(u32 w, OperandBytes& to) { arm::a32::decode(w, ReadOperands{to}); }
void t16_read(u32 w, OperandBytes& to) { arm::t16::decode(w, ReadOperands{to}); }
void vfp_read(u32 w, OperandBytes& to) { arm::vfp::decode(w, ReadOperands{to}); }
}  // namespace

Tables::Tables() {
  add_lines(all, of[0], Isa::a32, std::span<const arm::a32::OpInfo>(arm::a32::op_info), {a32_op, a32_read, 32});
  add_lines(all, of[1], Isa::t16, std::span<const arm::t16::OpInfo>(arm::t16::op_info), {t16_op, t16_read, 16});
  add_lines(all, of[2], Isa::vfp, std::span<const arm::vfp::OpInfo>(arm::vfp::op_info), {vfp_op, vfp_read, 32});
}

s32 Tables::find(bool thumb, u32 w) const {
  if (thumb) return index(Isa::t16, t16_op(w));
  if (arm::vfp::claims(w)) return index(Isa::vfp, vfp_op(w));
  return index(Isa::a32, a32_op(w));
}

const Tables& tables() {
  static const Tables made;
  return made;
}

std::string disassemble(bool thumb, u32 w, u32 pc) {
  if (thumb) return arm::t16::disassemble(w, pc);
  return arm::vfp::claims(w) ? arm::vfp::disassemble(w, pc) : arm::a32::disassemble(w, pc);
}

std::span<const Explanation> explanations() {
  static constexpr Explanation table[] = {
      {explained_unaligned, "unaligned",
       "before v6 a load rotates the aligned word, LDM, STM and stores ignore the low address bits (DDI 0100I "
       "§A2.8, §A4.1.23); Unicorn accesses the bytes at the address"},
      {explained_stored_pc, "stored-pc", "STR and STM of the pc store 12 ahead here, 8 in Unicorn: implementation "
       "defined (§A2.4.3)"},
      {explained_vector, "vector", "Unicorn 2.0.1 steps stride-2 vectors by 4 registers and does not step a single "
       "operand (§C5.1.2); vfp_unicorn compares those as scalars"},
      {explained_mmu, "mmu", "translation and aborts: Unicorn leaves FSR and FAR to the caller"},
      {explained_cp15, "cp15", "identification and state of the system coprocessor are the model's own (DDI 0198E "
       "chapter 2)"},
      {explained_bus, "bus", "the access leaves memory"},
      {explained_return, "return", "S with the pc as destination returns from an exception in every data operation "
       "(§A3.4.1, §A4.1.3); Unicorn 2.0.1 does so for MOV and SUB, and sets the flags for ADD"},
      {explained_unpredictable, "unpredictable", "one case in ten contains UNPREDICTABLE instructions, for interpreter "
       "and translator only"},
      {explained_thumb2, "thumb2", "undefined words that are CBZ, IT, halves of 32-bit Thumb instructions or LDRHT and its "
       "like from v6T2 on are that in Unicorn 2.0.1, whatever the core"},
      {explained_bkpt, "bkpt", "BKPT under a condition is UNPREDICTABLE (§A4.1.7): undefined here, BKPT in Unicorn"},
      {explained_prefix, "prefix", "BL's first half without its second is UNPREDICTABLE (§A7.1.12), and a 32-bit "
       "instruction in Unicorn"},
  };
  return table;
}
}  // namespace fuzz
