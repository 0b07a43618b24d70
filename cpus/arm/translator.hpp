#pragma once
// From decoded ARM, Thumb and VFP instructions to intermediate code.
//
// Translator knows what instructions do; the visitors in translate_a32.cpp, translate_t16.cpp and translate_vfp.cpp
// say which instruction does what, with one operator() for each structure of the generated decoders.
// Sections are those of DDI 0100I.

#include "cpus/arm/helpers.hpp"

#include "accel/tcg/ir.hpp"

namespace arm {
using tcg::Cond, tcg::Op, tcg::Operand, tcg::Ref;

// Guest registers of the intermediate code, in the order of the front end's layout; R0 to R14 are 0 to 14.
namespace slot {
enum : unsigned { sp = 13, lr = 14, pc = 15, thumb, q, cpsr_low, irq_lines, exit_request, spsr, fpexc, fpscr, fp_nzcv, s0, count = s0 + 32 };
}
constexpr Ref guest(unsigned n) { return Ref::guest(n); }

inline constexpr u32 always = 14;
inline constexpr u32 pc_number = 15;

// Data processing operations by opcode (§A3.4.1).
enum class Alu : u8 { and_, eor, sub, rsb, add, adc, sbc, rsc, tst, teq, cmp, cmn, orr, mov, bic, mvn };

// A shift by a constant as encoded: lsr #0 and asr #0 mean 32, ror #0 is rrx (§A5.1).
struct Shift {
  u32 type, amount;
};
enum : u32 { lsl = 0, lsr = 1, asr = 2, ror = 3 };

// Base register and offset of a load or store (§A5.2 to §A5.5).
struct Address {
  u32 n;
  bool pre, up, writeback;  // post-indexed addresses always write back
  Operand offset;
};

struct BlockTransfer {
  bool load, pre, up, writeback;
  u32 n, list;
  bool user_bank = false;         // ^ without the pc
  bool exception_return = false;  // ^ with the pc
};

struct CoprocessorTransfer {
  u32 coprocessor, opc1, crn, crm, opc2, t;
};

class Translator {
 public:
  // `user`: the code runs in user mode.
  Translator(tcg::Block& block, bool user) : out(block), user_(user) {}

  // Around each instruction.  `at` has the mode bit.  Consecutive instructions under one condition share a branch.
  void begin(u32 at, unsigned length, u32 condition);
  // False when control never reaches the next instruction.
  bool end();
  // Ends the block in front of the instruction at `next`.
  void stop(u32 next);

  // Operands
  Operand reg(u32 n) const { return n == pc_number ? Operand(pc_ + (thumb_ ? 4 : 8)) : Operand(guest(n)); }
  Ref in(Operand v) { return v.ref.is_imm() ? out.value(Op::mov, v) : v.ref; }
  Ref value(u32 n) { return in(reg(n)); }
  // Where to compute a result for register n, to be followed by write(n, …).
  Ref target(u32 n) { return n == pc_number ? out.temp() : guest(n); }
  // A result for register n; for the pc a branch that keeps the instruction set.
  void write(u32 n, Ref v);
  Operand rotated_immediate(u32 x, bool carry);
  // Into `d` if there is one.  `carry`: the shifter carry-out goes to C.
  Operand shifted(u32 m, Shift by, bool carry, Ref d = {});
  Operand shifted_by_register(u32 m, u32 type, u32 by, bool carry, Ref d = {});

  // Data processing: translate_data.cpp
  void data(Alu op, bool s, u32 d, Operand n, Operand m);
  void multiply(u32 d, u32 m, u32 h, bool s);
  void multiply_add(u32 d, u32 m, u32 h, u32 n, bool s);
  void multiply_long(bool is_signed, bool accumulate, u32 low, u32 high, u32 m, u32 h, bool s);
  Ref half(u32 n, bool top);
  Ref multiply_halves(u32 m, bool m_top, u32 h, bool h_top);
  Ref multiply_word_half(u32 m, u32 h, bool top);
  void add_setting_q(u32 d, Ref product, u32 n);
  void add_long(u32 low, u32 high, Ref by_low, Ref by_high);
  void saturating(u32 d, u32 m, u32 n, bool subtract, bool twice);

  // Loads and stores: translate_memory.cpp
  void load(u32 t, u8 mem, const Address& a);
  void store(u32 t, u8 mem, const Address& a);
  void load_double(u32 t, const Address& a);
  void store_double(u32 t, const Address& a);
  void swap(u32 t, u32 m, u32 n, u8 mem);
  void block_transfer(const BlockTransfer& x);

  // Branches, exceptions, status registers, coprocessors: translate_system.cpp
  void jump(u32 target);  // target with mode bit
  void change_state_and_jump(u32 target);
  void branch(Ref target);           // keeps the instruction set
  void branch_exchange(Ref target);  // bit 0 of the target selects it
  void branch_exchange_link(u32 m);
  void raise(HelperIndex exception, Operand argument = Ref::none());
  void undefined() { raise(helper_undefined); }
  void exception_return(Ref target);
  void read_status(u32 d, bool spsr);
  void write_status(Operand v, u32 fields, bool spsr);
  void set_nzcv(Ref v);  // from bits 31 to 28
  void write_control(Operand operand, u32 written);
  void write_flags(Ref v);
  void coprocessor_read(const CoprocessorTransfer& x);
  void coprocessor_write(const CoprocessorTransfer& x);

  // VFP: a block checks FPEXC.EN once
  void require_vfp();

  void call(Ref d, HelperIndex helper, Operand a = Ref::none(), Operand b = Ref::none());

  u32 pc() const { return pc_; }
  bool user() const { return user_; }

  tcg::Block& out;

 private:
  struct Place {
    Ref at;
    u32 offset;
    Operand after;  // of the base register: what to add, or its new value
    bool moves;
  };
  Place locate(const Address& a);
  void write_back(const Address& a, const Place& p);
  void close_skip();
  bool may_have_changed_flags() const;

  u32 pc_ = 0;
  bool thumb_ = false, user_;
  bool left_ = false;         // the path through the current instruction has left the block
  bool vfp_checked_ = false;  // FPEXC.EN, on every path to here
  u32 condition_ = always;    // not always: a branch around this instruction is open
  unsigned skip_ = 0;         // … and leads to this label
  std::size_t first_op_ = 0;  // of the current instruction
};

void translate_a32(Translator& t, u32 word);
void translate_t16(Translator& t, u32 half);
void translate_vfp(Translator& t, u32 word);
// Both halves of a Thumb BL or BLX (§A7.1.12); `second` is a suffix.
void translate_t16_long_branch(Translator& t, u32 first, u32 second);
bool is_t16_long_branch(u32 first, u32 second);
}  // namespace arm
