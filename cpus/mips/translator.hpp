#pragma once
// From decoded MIPS instructions to intermediate code.
//
// Translator knows what instructions do; the visitors in translate_mips32.cpp, translate_mips16.cpp, translate_fpu.cpp and
// translate_dsp.cpp say which instruction does what, with one operator() for each structure of the generated decoders.
//
// A branch and its delay slot are translated as one: whatever the slot raises has the branch as its address, and is run
// again from there.  Where that cannot be (the slot is in another page, has a breakpoint, or may end the block), the branch
// leaves its target in the state, and the slot is a block of its own.

#include "cpus/mips/helpers.hpp"
#include "cpus/mips/state.hpp"

#include "accel/tcg/front_end.hpp"

namespace mips {
using tcg::Cond, tcg::Op, tcg::Operand, tcg::Ref;

// Guest registers of the intermediate code, in the order of the front end's layout; general registers are 0 to 31.
namespace slot {
enum : unsigned {
  ra = 31, pc, delay_slot, isa16, branch_target, branch_taken, llbit, ll_address, lo, hi = lo + 4, fpu_mode = hi + 4, dsp_mode, dsp_control,
  status, cause, exit_request, epc, bad_vaddr, context, fcc, f = fcc + 8, count = f + 64
};
}
static_assert(slot::count <= tcg::max_slots);
constexpr Ref guest(unsigned n) { return Ref::guest(n); }

// What code is translated for.
struct CodeFacts {
  bool user;        // user or supervisor mode
  bool big_endian;
  bool release2, mips16, fpu;
  unsigned dsp;
  u32 status_writable;
  bool fr;          // Status.FR
  bool reversed;    // Status.RE in user mode
  Aside aside;      // the instruction, when it is not what the request's bytes say
};

// A jump or branch.  It is taken when `a` & `mask` and b compare as `cond` says, `always` apart.
struct Jump {
  Operand target;            // with the ISA mode in bit 0; a Ref: a register
  u32 link = 0;              // register for the return address, 0: none
  bool always = true;
  Cond cond = Cond::eq;
  Ref a = {};
  Operand b = 0u;
  u32 mask = ~0u;
  bool likely = false;       // the slot is not executed unless the branch is taken
};

class Translator {
 public:
  Translator(tcg::Request& request, const CodeFacts& facts);
  // Fills the request's block.
  void run();

  // Operands.  Register 0 reads as a constant, and what is written to it goes to a temporary.
  Operand reg(u32 n) const { return n ? Operand(guest(n)) : Operand(0u); }
  Ref in(Operand v) { return v.ref.is_imm() ? out.value(Op::mov, v) : v.ref; }
  Ref value(u32 n) { return in(reg(n)); }
  Ref target(u32 n) { return n ? guest(n) : out.temp(); }
  // d = op(a, b); two constants are allowed.
  void compute(Op op, u32 d, Operand a, Operand b = Ref::none());
  // d = the accumulator ± s * m; MADD, MSUB and their unsigned kin.
  void accumulate(u32 ac, bool is_signed, bool subtract, u32 s, u32 m);
  void move(u32 d, Operand a) { out.mov(target(d), a); }
  void compare(Cond c, u32 d, Operand a, Operand b);  // d = 1 where the condition holds, else 0

  // Loads and stores of general registers: translate_memory.cpp
  void load(u32 t, u32 base, u32 offset, u8 mem);
  void store(u32 t, u32 base, u32 offset, u8 mem);
  void load_part(u32 t, u32 base, u32 offset, bool left);   // LWL, LWR
  void store_part(u32 t, u32 base, u32 offset, bool left);  // SWL, SWR
  void load_linked(u32 t, u32 base, u32 offset);
  void store_conditional(u32 t, u32 base, u32 offset);
  // Of any slot.  `mem`: tcg::MemFlag without the byte order.  Size 3 moves slots d and d + 1, the low word in d.
  void load_slot(Ref d, u32 base, Operand offset, u8 mem);
  void store_slot(Ref v, u32 base, Operand offset, u8 mem);

  // Branches and exceptions
  void jump(const Jump& j);    // with a delay slot
  void branch(const Jump& j);  // without
  u32 branch_target(u32 words) const { return p_.pc + 4 + (u32(s32(words << 16) >> 14) & ~3u); }
  void raise(ExcCode code, u32 coprocessor = 0);
  void reserved();
  void debug_break(u32 code);  // SDBBP
  // Skips what follows up to close(label) unless the condition holds: for traps and conditional moves.
  unsigned unless(Cond c, Operand a, Operand b);
  void close(unsigned label);

  // CP0 instructions begin with this; those below do so themselves.
  void require_cp0();
  void read_cp0(u32 t, u32 which);  // which: cp0_register()
  void write_cp0(u32 which, u32 t);
  void enable_interrupts(bool on, u32 t);  // EI, DI
  // Floating-point instructions begin with this: checked once per block.  False: this CPU has no such unit, and the
  // exception is raised.
  bool require_fpu();
  // … instructions of the DSP ASE with this.
  bool require_dsp();

  void call(Ref d, HelperIndex helper, Operand a = Ref::none(), Operand b = Ref::none(), Operand c = Ref::none());
  // After a helper that always leaves.
  void end_block();

  u32 pc() const { return p_.pc; }
  u32 next() const { return p_.pc + p_.length; }
  u32 base_pc() const { return p_.pc - (p_.slot & ~1u); }  // in a delay slot the branch's
  u32 isa16() const { return isa16_; }
  bool cpu_is_big() const { return facts.big_endian != facts.reversed; }  // BigEndianCPU of MD00086
  bool in_slot() const { return p_.slot != 0; }
  const CodeFacts facts;
  tcg::Block& out;

 private:
  // Where the condition and the target wait for the end of the slot: in the registers they are computed from, in
  // temporaries, or in slots of the state; each harder to disturb, and dearer, than the one before.
  enum class Hold { late, temporaries, slots };
  enum class Tried { done, disturbed, must_be_apart };
  Tried unit(const Jump& j, Hold hold);
  void apart(const Jump& j);
  void pending_slot();
  Tried disturbed(std::size_t from, const Jump& j, Hold hold) const;
  void branch_unless(const Jump& j, unsigned label);
  Ref tested(const Jump& j) { return j.mask == ~0u ? j.a : out.value(Op::and_, j.a, j.mask); }
  void write_status(u32 t);
  Ref computed_address(u32 base, Operand offset, u8 mem);
  void one();
  void begin(u32 at, u16 slot);
  bool can_join(u32 at) const;
  u32 word(u32 at) const;
  u16 halfword(u32 at) const;
  u32 length_at(u32 at) const;
  u32 offset(u32 at) const { return at - (request_.pc & ~1u); }
  // Past the slot of the current branch; a MIPS16e slot of two halfwords is UNPREDICTABLE.
  u32 after_slot() const { return next() + (isa16_ ? 2 : 4); }
  void leave(Operand target, u32 from);

  tcg::Request& request_;
  // How far translation is.
  struct Position {
    u32 pc, length;
    u16 slot = 0;              // VcpuHeader::slot of the current instruction
    bool left = false;         // control does not reach the next instruction
    bool fpu_checked = false, dsp_checked = false;  // on every path to here
    u32 after = 0;             // where the next instruction is
    unsigned used = 0, instructions = 0;
  };
  Position p_;
  u32 isa16_;
};

void translate_mips32(Translator& t, u32 word);
void translate_mips16(Translator& t, u32 halfword);
void translate_mips16_extended(Translator& t, u32 both);  // the first halfword in bits 31:16
// Words that fpu.isa decides (MD00086 tables ).
bool is_fpu_word(u32 word);
// COP1, COP1X, the loads and stores and the conditional moves of coprocessor 1.
void translate_fpu(Translator& t, u32 word);
// Words that dsp.isa decides.
bool is_dsp_word(u32 word);
void translate_dsp(Translator& t, u32 word);
}  // namespace mips
