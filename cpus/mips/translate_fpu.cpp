// What each instruction of fpu.isa does.

#include "cpus/mips/translator.hpp"

namespace mips {
void translate_fpu(Translator& t, u32) {
  if (t.require_fpu()) t.reserved();
}
}  // namespace mips
