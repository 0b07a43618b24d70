// CP0 instructions in line, for what operating systems do all the time; the rest is in helpers.cpp.

#include "cpus/mips/translator.hpp"

namespace mips {
namespace {
constexpr u32 status_register = cp0_register(12, 0), cause_register = cp0_register(13, 0), epc_register = cp0_register(14, 0);

Ref as_stored(u32 which, bool release2) {
  switch (which) {
    case cp0_register(4, 0): return guest(slot::context);
    case cp0_register(8, 0): return guest(slot::bad_vaddr);
    case status_register: return guest(slot::status);
    case cause_register: return release2 ? guest(slot::cause) : Ref();
    case epc_register: return guest(slot::epc);
    default: return {};
  }
}
}  // namespace

void Translator::read_cp0(u32 t, u32 which) {
  require_cp0();
  if (const Ref r = as_stored(which, facts.release2); !r.is_none()) return move(t, r);
  call(target(t), helper_mfc0, which);
}

void Translator::write_cp0(u32 which, u32 t) {
  require_cp0();
  if (which == epc_register) return out.mov(guest(slot::epc), reg(t));
  if (which == status_register && !facts.user) return write_status(t);
  call({}, helper_mtc0, which, reg(t));
}

// settle_status() has nothing to do where the mode stays kernel mode, nothing but that mode and the interrupts' masks change,
// no interrupt is let through, no watch exception waits and nobody asks for the run loop.
void Translator::write_status(u32 t) {
  constexpr u32 exl_to_ksu = 2;  // from EXL's place to that of KSU's lower bit
  const u32 may_change = (status_ie | status_exl | status_ksu | status_im) & facts.status_writable;
  const unsigned slow = out.label(), done = out.label();
  const Ref v = value(t), pending = out.value(Op::and_, out.value(Op::and_, v, guest(slot::cause)), status_im);
  const Ref others = out.value(Op::and_, out.value(Op::xor_, v, guest(slot::status)), ~may_change);
  const Ref not_exl = out.value(Op::shl, out.value(Op::andn, in(Operand(u32(status_exl))), v), exl_to_ksu);
  const Ref leaves_kernel = out.value(Op::and_, v, out.value(Op::or_, not_exl, out.value(Op::shl, not_exl, 1u)));
  const Ref watch = out.value(Op::and_, guest(slot::cause), cause_wp);
  const Ref any = out.value(Op::or_, out.value(Op::or_, pending, others), out.value(Op::or_, leaves_kernel, watch));
  out.br_nonzero(out.value(Op::or_, any, guest(slot::exit_request)), slow);
  out.mov(guest(slot::status), reg(t));
  out.br(done);
  out.place(slow);
  call({}, helper_mtc0, status_register, reg(t));
  out.place(done);
}

void Translator::enable_interrupts(bool on, u32 t) {
  require_cp0();
  const unsigned slow = out.label(), done = out.label();
  Ref any = guest(slot::exit_request);
  if (on) any = out.value(Op::or_, any, out.value(Op::and_, out.value(Op::and_, guest(slot::status), guest(slot::cause)), status_im));
  out.br_nonzero(any, slow);
  move(t, guest(slot::status));
  out.emit(on ? Op::or_ : Op::and_, guest(slot::status), guest(slot::status), on ? status_ie : ~status_ie);
  out.br(done);
  out.place(slow);
  call({}, on ? helper_ei : helper_di, t);
  out.place(done);
}
}  // namespace mips
