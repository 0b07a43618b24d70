#pragma once
// One block of intermediate code to host code, in one forward pass over the operations.

#include "accel/tcg/x86_64/backend.hpp"
#include "accel/tcg/x86_64/quick_assembler.hpp"
#include "accel/tcg/x86_64/registers.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace tcg::x86_64 {

class Emitter final {
 public:
  Emitter(const GuestLayout& layout, const Thunks& thunks, accel::Layers layers);
  // Emits the block for address `base` and returns its bytes, valid until the next call.
  std::span<const u8> emit(const CompileRequest& request, const u8* base);
  // After emit(): where each chainable jump's displacement lies in the code, and its value while not chained.
  struct Slot {
    u32 displacement, unlinked;
    u32 pc;         // where it goes
    u32 number_at;  // position of the slot's number, to be filled in
  };
  // The code of all blocks is gone, or that of the last one was not kept.
  void forget_routines() { routines_ = {}; }
  std::span<const Slot> slots() const { return slots_; }
  // The guesses its loads begin with.
  std::span<const u32> guesses() const { return guesses_; }
  std::string listing(std::span<const u8> code, const u8* base) const;

 private:
  using Gp = x86::Gp;
  // Where a temporary is now.
  struct TempHome {
    s8 reg = -1;    // index in temps[]
    s16 spill = -1;  // home on the stack
  };
  // What the host flags say, while they still do; fp: nothing, but a note can be of that kind.
  enum class HostFlags : u8 { none, add, sub, logic, fp };

  // Flags that are not in their bytes: `mask` of those of a comparison of a + a_add with b + b_add, to be repeated when
  // wanted; or what fp_flags would set.
  struct Deferred {
    u8 mask = 0;
    HostFlags kind = HostFlags::none;  // sub, logic or fp
    Ref a, b;
    u32 a_add = 0, b_add = 0, imm = 0;
    friend bool operator==(const Deferred& x, const Deferred& y) {
      return x.mask == y.mask && (!x.mask || (x.kind == y.kind && x.a == y.a && x.b == y.b && x.a_add == y.a_add && x.b_add == y.b_add && x.imm == y.imm));
    }
  };
  // A way to a label not placed yet, for all jumps with the same flags deferred; host_flags: what they are there, for certain.
  struct Way {
    asmjit::Label label;
    Deferred deferred;
    HostFlags host_flags;
    u8 host_flag_mask;
  };
  // A block of a region, for one state of the flags at its beginning.
  struct Version {
    unsigned piece;
    Deferred deferred;
    asmjit::Label label;
    bool emitted = false;
  };
  struct Piece {
    u32 begin, end;  // of its code
    u32 pc = 0;
    bool head = false;  // a jump back goes here: it polls
  };

  void prepare(const Block& block);
  // Regions.
  static bool is_double(const Insn& i, unsigned k);
  void choose_pins(const Block& block);
  void find_chains(const Block& block);
  void choose_fp_pins(const Block& block);
  bool has_own_pins() const { return fp_pinned_ || !moved_.empty(); }
  int fp_pin_of(Ref r) const;
  bool fp_is_upper(Ref r) const;
  void fp_get(const Gp& g, Ref r, bool wide);
  void fp_put(Ref r, const Gp& g, bool wide);
  void load_region_pins();
  void find_pieces(const Block& block);
  void emit_region();
  void emit_version(unsigned v);
  s32 find_version(unsigned piece) const;
  void make_version_possible(unsigned label);
  asmjit::Label version_for(unsigned label, bool may_follow);
  const Insn* jump_behind(const Insn& i) const;
  u32 piece_end() const;
  void begin_region();
  void end_region();
  void spill();
  void fill();
  void jump_inside(const Insn& i);
  void emit_range(u32 begin, u32 end);
  void one(const Insn& i);
  asmjit::Label branch(const Insn& i, x86::CondCode cc);
  // Registers.
  Gp scratch();
  unsigned take_register();
  Gp in_register(Ref r, u32 imm);
  asmjit::Operand operand(Ref r, u32 imm);  // register, memory or immediate
  Gp destination(Ref d, const Insn& i);
  // Makes the scratch register `g` the place of `d`.
  void adopt(Ref d, const Gp& g);
  // Temporaries are dead at labels and branches: two paths may have put them in different places.
  void check_no_temps_live() const;
  void finish(Ref d, const Gp& g);
  void end_of_instruction();

  // Operations.
  void move(const Insn& i);
  void binary(const Insn& i, bool commutative);
  void compare(const Insn& i, bool subtract);
  void carry_in(const Insn& i, bool inverted);
  bool scaled_sum(const Insn& i);
  void shift_immediate(const Insn& i);
  void shift_variable(const Insn& i);
  void shift_by_cl(const Insn& i, const Gp& d, const Gp& value, const Gp& amount);
  void shift_saturating(const Insn& i);
  void multiply_long(const Insn& i);
  void divide(const Insn& i);
  x86::CondCode compare_values(const Insn& i);
  x86::CondCode through_register(x86::CondCode cc);
  void unary(const Insn& i);
  void store_flags(u8 flags, HostFlags kind);
  void save_flags(u8 flags, HostFlags kind, const Deferred& from);
  void save_flags(u8 flags, HostFlags kind) { save_flags(flags, kind, Deferred()); }
  void test_nz(u8 flags, const Gp& value, Ref d);
  bool lasts(Ref r) const;
  bool is_pinned(Ref r) const;
  Deferred of_result(Ref d) const;
  Deferred of_operands(const Insn& i) const;
  void repeat_comparison(const Deferred& d, bool slow_path);
  void store_deferred(const Deferred& d, bool slow_path);
  void flush_flags(u8 flags);
  void keep_flags(const Insn& i);
  bool has_carry() const;
  void bring_carry();
  void bring_deferred();
  bool can_add() const;
  bool flags_are_lost() const;
  static unsigned index_of_temp(const Gp& g) { return unsigned(std::find(std::begin(temps), std::end(temps), g) - temps); }
  asmjit::Label way_to(unsigned l);
  bool version_is_possible(unsigned label) const;
  void place_label(unsigned l, bool falls_in);
  // Leaves the condition in the host flags and returns the x86 condition that holds exactly when it does.
  x86::CondCode condition(Cond c);
  x86::Mem flag_byte(u8 flag) const;

  void memory(const Insn& i);
  Gp effective_address(const Insn& i);
  s32 page_table_of(const Insn& i) const;
  bool tests_alignment(unsigned log_size) const { return has_bmi_ && log_size >= 1; }
  void load_page(const Gp& page, const Gp& address, s32 table);
  bool moves_single(const Insn& i) const;
  void find_run();
  void swap_bytes(const Gp& d, u32 size);
  void load_value(const Gp& d, const x86::Mem& at, u8 aux);
  u32 take_guess();
  static x86::Mem guess(u32 n, std::size_t member, u32 size) {
    return x86::ptr(env, from_env(accel::guess_offset + n * sizeof(accel::PageGuess) + member), size);
  }
  void load_swapped(const Gp& d, const x86::Mem& at, u8 aux);
  void store_swapped(const x86::Mem& at, const Gp& d, u32 size);
  void memory_run();
  void call(const Insn& i);
  void floating_point(const Insn& i);
  void fp_call(u32 instruction, u32 pc, u16 delay_slot, const Deferred& flags);
  x86::Xmm fp_register(const x86::Xmm& x, Ref r, bool wide);
  void fp_compute(Fp op, bool wide, const x86::Xmm& d, const x86::Xmm& a, const asmjit::Operand& b);
  void fp_arithmetic(const Insn& i, Fp op, bool wide, const asmjit::Label& slow);
  void fp_convert(const Insn& i, Fp op, bool wide, const asmjit::Label& slow);
  void fp_test(const Insn& i, Fp op, bool wide, const asmjit::Label& slow);
  void fp_move(const Insn& i, Fp op, bool wide, const asmjit::Label& slow);
  bool fp_is_overwritten() const;
  void fp_note(u32 instruction);
  void fp_note_operand(unsigned n, const x86::Xmm& x, bool wide);
  struct SlowFp;
  void fp_compare(const Insn& i, bool with_zero, bool wide, SlowFp& slow);
  const Insn* operation_behind(u32& position) const;
  static bool writes_fp_flags(const Insn& i);
  void fp_branch(SlowFp& slow);
  x86::CondCode test_fp_flags(Cond c, const Gp& nzcv, const Gp& when);
  void store_fp_flags(u8 flags, bool slow_path);
  void fp_slow_path(const SlowFp& s);
  struct SlowZero;
  void fp_zero_path(const SlowZero& s);
  void fp_load(const x86::Xmm& x, Ref r, bool wide);
  void fp_store(Ref r, const x86::Xmm& x, bool wide);
  asmjit::Operand fp_operand(Ref r, bool wide);
  enum class Range : u8 { finite, not_tiny, ordinary };  // ordinary is both
  void fp_require(const x86::Xmm& x, bool wide, Range range, const asmjit::Label& slow);
  void fp_require_or_zero(const x86::Xmm& x, bool wide, Range range, const asmjit::Label& slow, Ref a, Ref b, bool wide_operands);
  void fp_require_sum(const x86::Xmm& sum, const x86::Xmm& product, const Insn& i, bool wide, const asmjit::Label& slow);
  x86::Xmm fp_destination(const Insn& i, bool wide) const;
  bool fp_is_whole(Ref r, bool wide) const;
  struct SlowMemory;
  struct SlowRun;
  void slow_access(bool is_load, u8 aux);
  void slow_memory(const SlowMemory& s);
  void slow_word(const SlowMemory& s);
  void slow_call(const SlowMemory& s);
  void place_routines();
  void link_behind(u32 slot, u32 from);
  const Insn* exit_behind(const Insn& i) const;
  void slow_run(const SlowRun& s);
  void put_pc(u32 pc, u16 delay_slot);
  void leave_slot(u16 delay_slot);
  void test_requests() { a_.test(header32(at_request), env.r32()); }
  void exit_jump(const Insn& i);
  void exit_indirect(const Insn& i);
  void stubs();

  const GuestLayout& layout_;
  const Thunks& thunks_;
  const accel::Layers layers_;
  std::array<int, max_slots> pin_of_slot_;        // in the code that is being emitted
  std::array<int, max_slots> block_pin_of_slot_;  // in blocks, thunks and C++ calls
  bool has_bmi_, has_lzcnt_, has_movbe_, has_sse41_, has_avx_;

  // Every operation of ours has an encoding.
  struct NoErrors : asmjit::ErrorHandler {
    void handleError(asmjit::Error, const char* message, asmjit::BaseEmitter*) override;
  } no_errors_;
  asmjit::CodeHolder code_;
  QuickAssembler a_;
  const CompileRequest* request_ = nullptr;
  const u8* base_ = nullptr;
  std::vector<std::vector<Way>> ways_;  // by label
  std::vector<bool> in_chain_;   // by operation: a load whose address depends on what it loaded before
  std::vector<u32> guesses_;
  u32 next_guess_ = 0;
  std::vector<Piece> pieces_;
  std::vector<s32> piece_of_label_;     // or -1
  std::vector<Version> versions_;
  s32 follows_ = -1;                    // the version whose code must come next
  std::vector<TempHome> homes_;
  std::vector<u32> last_use_;
  std::array<s32, temp_count> holder_{};  // the temporary in each register, -1 free, -2 scratch of this instruction
  u8 locked_ = 0;  // registers in use by the current operation, which must not be spilled
  u64 free_spills_ = 0;
  u32 position_ = 0;   // index of the operation being emitted
  u32 pc_ = 0;         // guest address of the current instruction
  u16 slot_ = 0;       // … and its VcpuHeader::slot
  HostFlags host_flags_ = HostFlags::none;
  u8 host_flag_mask_ = 0;
  Deferred deferred_;
  bool left_ = false;  // nothing falls through to here

  struct SlowMemory {
    asmjit::Label entry;
    u32 back;
    Gp address, data;
    Gp carrier;  // free for the slow path's own use
    u32 pc;
    u16 delay_slot;
    u8 aux;
    bool is_load;
    Deferred flags = {};
    Ref pair = {};  // of an 8-byte access: the first of two slots; none otherwise
    asmjit::Label wrong = {};  // the guess was
    u32 guess = 0;
    x86::Mem at = {};
    Ref single = {};  // of moves_single(): that slot, and `data` is not used
  };
  struct ExitStub {
    asmjit::Label entry;
    u32 pc;
    s32 slot = jump;  // index in slots_, or one of these
    Deferred flags = {};
    static constexpr s32 jump = -1, inside = -2, hot = -3;
  };
  // Words moved after one check, such as those of a push.
  struct RunPart {
    u32 position, pc;
    u16 delay_slot;
    Ref moved;
  };
  struct SlowPart {
    u32 pc;
    u16 delay_slot;
    Ref moved;
    u32 offset;
  };
  struct SlowRun {
    asmjit::Label entry;
    u32 back;
    Gp address, temporary;
    Deferred flags;
    u32 first, count;  // of slow_parts_
    u8 aux;
    bool is_load;
  };
  struct SlowFp {
    asmjit::Label entry;
    u32 back;
    u32 instruction, pc;
    u16 delay_slot;
    Deferred flags;
    // A comparison with the branch on its flags behind it: when that jumps, and where to.
    asmjit::Label taken = {};
    Cond when = {};
  };
  // A result that is no ordinary number: 0 if one of the operands is.
  struct SlowZero {
    asmjit::Label entry, back, slow;
    x86::Xmm x, sum;  // sum: what x went on into, not tested yet
    bool wide, wide_operands;
    Ref a, b;
  };
  // Of a region: where each floating-point slot is, or -1; which xmm registers hold pairs and which are written; whether
  // fp_fast was seen to hold.
  std::array<s8, max_slots> fp_pin_of_slot_;
  std::array<u8, fp_pin_count> fp_slot_of_pin_;  // the first, of a pair
  bool has_region_pins_ = true;  // the arrays are not those of blocks
  u32 fp_paired_ = 0, fp_written_ = 0;
  unsigned fp_pinned_ = 0;
  bool fp_known_ = false;
  // Pins that hold another slot in the region than elsewhere.
  struct MovedPin {
    u8 pin, slot, outside;
  };
  std::vector<MovedPin> moved_;
  asmjit::Label spill_, fill_;
  std::vector<SlowMemory> slow_;
  std::vector<SlowFp> slow_fp_;
  std::vector<SlowZero> slow_zeros_;
  std::vector<SlowRun> slow_runs_;
  std::vector<SlowPart> slow_parts_;
  std::vector<RunPart> run_;  // see find_run()
  u32 run_lowest_ = 0, run_bytes_ = 0;
  std::vector<ExitStub> exits_;
  std::vector<Slot> slots_;
  // Slow paths of blocks call a routine for their kind of access and registers, which is part of the block that was the first
  // to need it; a cache, since another copy does no harm.
  struct Routine {
    u64 key = 0;  // 0: none
    const u8* at = nullptr;
  };
  struct NewRoutine {
    asmjit::Label label;
    u64 key;
    Gp address, data;
    u16 delay_slot;
    u8 aux;
    bool is_load;
  };
  std::array<Routine, 512> routines_;
  std::vector<NewRoutine> new_routines_;
};
}  // namespace tcg::x86_64
