// `-d out_asm` through capstone; without it the bytes are printed.

#include "accel/tcg/x86_64/registers.hpp"

#include <cstdio>

#if PINSTRAP_CAPSTONE
#include <capstone/capstone.h>
#endif

namespace tcg::x86_64 {
std::string disassemble_host(std::span<const u8> code, const u8* base) {
  std::string out;
  char text[256];
#if PINSTRAP_CAPSTONE
  csh handle;
  if (cs_open(CS_ARCH_X86, CS_MODE_64, &handle) == CS_ERR_OK) {
    cs_insn* insns = nullptr;
    const std::size_t n = cs_disasm(handle, code.data(), code.size(), u64(base), 0, &insns);
    for (std::size_t i = 0; i < n; ++i) {
      std::snprintf(text, sizeof text, "0x%llx:  %s %s\n", static_cast<unsigned long long>(insns[i].address), insns[i].mnemonic, insns[i].op_str);
      out += text;
    }
    if (n) cs_free(insns, n);
    cs_close(&handle);
    return out;
  }
#endif
  for (std::size_t i = 0; i < code.size(); i += 16) {
    std::snprintf(text, sizeof text, "%p: ", static_cast<const void*>(base + i));
    out += text;
    for (std::size_t j = i; j < i + 16 && j < code.size(); ++j) {
      std::snprintf(text, sizeof text, " %02x", code[j]);
      out += text;
    }
    out += '\n';
  }
  return out;
}
}  // namespace tcg::x86_64
