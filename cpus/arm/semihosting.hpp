#pragma once
// Semihosting: the guest asks the host for console and files (Semihosting for AArch32 and AArch64, ARM 100863,
// chapters 3 and 4).  Off unless the user asks for it: it gives the guest the user's files and shell.

#include "cpus/arm/state.hpp"

#include <string>

namespace arm {

// Does what SVC 0x123456 (Thumb: 0xAB) at s.pc asks: r0 operation, r1 argument; the result goes to r0.  False when
// there is no such operation, and then nothing changed.  The caller goes on behind the instruction.
// Thread: vCPU, which waits while the guest reads from the console.
bool semihosting_call(CpuState& s) noexcept;

// What SYS_GET_CMDLINE gives.  Set before the guest runs.
void semihosting_command_line(std::string text);

// Closes what the guest left open; for a reset.
void semihosting_close_files() noexcept;
}  // namespace arm
