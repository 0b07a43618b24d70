// `-d out_asm` through capstone; without it the bytes are printed.  It is loaded when first needed: linked, its relocations
// took 3 MB and a millisecond of every start.

#include "accel/tcg/x86_64/registers.hpp"

#include <cstdio>
#include <string>

#if PINSTRAP_CAPSTONE
#include <capstone/capstone.h>
#include <dlfcn.h>
#endif

namespace tcg::x86_64 {
#if PINSTRAP_CAPSTONE
namespace {
struct Capstone {
  decltype(&cs_open) open = nullptr;
  decltype(&cs_disasm) disassemble = nullptr;
  decltype(&cs_free) free = nullptr;
  decltype(&cs_close) close = nullptr;

  Capstone() {
    void* const library = dlopen(("libcapstone.so." + std::to_string(CS_API_MAJOR)).c_str(), RTLD_NOW);
    if (!library) return;
    const auto find = [&](auto& function, const char* name) { function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(library, name)); };
    find(open, "cs_open"), find(disassemble, "cs_disasm"), find(free, "cs_free"), find(close, "cs_close");
  }
  explicit operator bool() const { return open && disassemble && free && close; }
};
}  // namespace
#endif

std::string disassemble_host(std::span<const u8> code, const u8* base) {
  std::string out;
  char text[256];
#if PINSTRAP_CAPSTONE
  static const Capstone capstone;
  csh handle;
  if (capstone && capstone.open(CS_ARCH_X86, CS_MODE_64, &handle) == CS_ERR_OK) {
    cs_insn* insns = nullptr;
    const std::size_t n = capstone.disassemble(handle, code.data(), code.size(), u64(base), 0, &insns);
    for (std::size_t i = 0; i < n; ++i) {
      std::snprintf(text, sizeof text, "0x%llx:  %s %s\n", static_cast<unsigned long long>(insns[i].address), insns[i].mnemonic, insns[i].op_str);
      out += text;
    }
    if (n) capstone.free(insns, n);
    capstone.close(&handle);
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
