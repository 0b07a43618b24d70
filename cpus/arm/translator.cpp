#include "cpus/arm/translator.hpp"

namespace arm {

void Translator::begin(u32 at, unsigned length, u32 condition) {
  if (condition_ != always && condition_ != condition) close_skip();
  pc_ = at & ~1u;
  thumb_ = at & 1;
  left_ = false;
  out.insn(at, length);
  if (condition != always && condition_ == always) {
    skip_ = out.label();
    out.br_cond(inverse(Cond(condition)), skip_);
  }
  condition_ = condition;
  first_op_ = out.code.size();
}

bool Translator::end() {
  if (condition_ == always) return !left_;
  if (left_ || may_have_changed_flags()) close_skip();
  return true;
}

void Translator::stop(u32 next) {
  if (condition_ != always) close_skip();
  out.exit_jump(next, false);
}

void Translator::close_skip() {
  out.place(skip_);
  condition_ = always;
}

bool Translator::may_have_changed_flags() const {
  for (std::size_t i = first_op_; i < out.code.size(); ++i)
    if (out.code[i].flags || out.code[i].op == Op::call) return true;
  return false;
}

void Translator::call(Ref d, HelperIndex helper, Operand a, Operand b) {
  const Ref first = in(a), second = in(b);
  out.call(d, helper, first, second);
}

void Translator::write(u32 n, Ref v) {
  if (n == pc_number)
    branch(v);
  else if (v != guest(n))
    out.mov(guest(n), v);
}

// With FPEXC.EN clear every VFP instruction but the accesses to some system registers is Undefined (§C2.7).
void Translator::require_vfp() {
  constexpr u32 enabled = 1u << 30;
  if (vfp_checked_) return;
  const unsigned yes = out.label();
  out.br_nonzero(out.value(Op::and_, guest(slot::fpexc), enabled), yes);
  out.call({}, helper_undefined);
  out.exit_state();
  out.place(yes);
  if (condition_ == always) vfp_checked_ = true;
}
}  // namespace arm
