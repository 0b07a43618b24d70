// MFC0 and MTC0 of registers that are as the state has them, without a call.

#include "cpus/mips/translator.hpp"

namespace mips {
namespace {
Ref as_stored(u32 which) {
  switch (which) {
    case cp0_register(4, 0): return guest(slot::context);
    case cp0_register(8, 0): return guest(slot::bad_vaddr);
    case cp0_register(12, 0): return guest(slot::status);
    case cp0_register(14, 0): return guest(slot::epc);
    default: return {};
  }
}
}  // namespace

void Translator::read_cp0(u32 t, u32 which) {
  if (const Ref r = as_stored(which); !r.is_none()) return move(t, r);
  if (which != cp0_register(13, 0)) return call(target(t), helper_mfc0, which);
  // read_cause()
  constexpr u32 ti_to_ip7 = 15, line_to_ip2 = 10;
  const Ref pins = out.value(Op::shl, out.value(Op::and_, guest(slot::lines), 0x3fu), line_to_ip2);
  const Ref timer = out.value(Op::and_, out.value(Op::shr, guest(slot::cause), ti_to_ip7), cause_ti >> ti_to_ip7);
  const Ref pending = out.value(Op::or_, pins, timer);
  const Ref stored = facts.release2 ? guest(slot::cause) : out.value(Op::and_, guest(slot::cause), ~cause_ti);
  compute(Op::or_, t, stored, pending);
}

void Translator::write_cp0(u32 which, u32 t) {
  if (which == cp0_register(14, 0)) return out.mov(guest(slot::epc), reg(t));
  call({}, helper_mtc0, which, reg(t));
}
}  // namespace mips
