#pragma once
// Diagnostics with QEMU's `-d` names.  Every line starts with the instance that speaks.
// Thread: any.

#include "core/base.hpp"

#include <string>

namespace core {
enum class Log : u32 {
  in_asm = 1 << 0,
  op = 1 << 1,
  op_opt = 1 << 2,
  out_asm = 1 << 3,
  interrupts = 1 << 4,  // spelled `int` on the command line
  exec = 1 << 5,
  cpu = 1 << 6,
  mmu = 1 << 7,
  guest_errors = 1 << 8,
  unimp = 1 << 9,
  stats = 1 << 10,
  trace = 1 << 11,
  cpu_reset = 1 << 12,
  nochain = 1 << 13,
};
struct LogItem {
  const char* name;
  Log bit;
  const char* help;
};
std::span<const LogItem> log_items();

inline u32 log_mask = 0;
inline bool log_on(Log item) { return (log_mask & u32(item)) != 0; }

// Writes to the `-D` file (stderr without one), whatever the mask says.
[[gnu::format(printf, 2, 3)]] void log_printf(Log item, const char* format, ...);
void log_text(std::string_view text);
// Sends later lines to `path`.  False with errno set when it cannot be opened.
bool log_to_file(const char* path);
void log_flush();

// The guest did something odd (guest_errors) or something we do not model (unimp, once per place).
[[gnu::cold]] void log_guest(const char* who, const char* what, u64 address);
[[gnu::cold]] void log_unimp(const char* who, const char* what, u64 address);

[[noreturn, gnu::cold]] void check_failed(const char* file, unsigned line);

// Stops the program with file and line when `holds` is false: a bug of ours, never of the guest or the user.
// (clang 14 has no std::source_location.)
inline void check(bool holds, const char* file = __builtin_FILE(), unsigned line = __builtin_LINE()) {
  if (!holds) [[unlikely]] check_failed(file, line);
}
}  // namespace core
