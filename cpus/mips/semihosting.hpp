#pragma once
// Semihosting: the guest asks the host for console and files (MIPS Unified Hosting Interface, MD01069).  Off unless the
// user asks for it: it gives the guest the user's files.

#include "cpus/mips/state.hpp"

#include <string>
#include <vector>

namespace mips {
inline constexpr u32 uhi_code = 1;  // of SDBBP

// Does what SDBBP 1 at s.pc asks: $25 operation, $4 to $7 arguments; the result goes to $2, an error to $3.  False when
// there is no such operation, and then nothing changed.  The caller goes on behind the instruction.
// Thread: vCPU, which waits while the guest reads from the console.
bool semihosting_call(CpuState& s) noexcept;

// What argc, argnlen and argn give.  Set before the guest runs.
void semihosting_arguments(std::vector<std::string> arguments);

// Closes what the guest left open; for a reset.
void semihosting_close_files() noexcept;
}  // namespace mips
