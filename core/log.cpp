#include "core/log.hpp"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <set>
#include <string>

namespace core {
namespace {
constexpr LogItem items[] = {
    {"in_asm", Log::in_asm, "guest instructions of each block translated"},
    {"op", Log::op, "intermediate code of each block translated"},
    {"op_opt", Log::op_opt, "intermediate code after optimisation"},
    {"out_asm", Log::out_asm, "host instructions of each block translated"},
    {"int", Log::interrupts, "interrupts and exceptions taken"},
    {"exec", Log::exec, "each block before it runs (no chaining)"},
    {"cpu", Log::cpu, "registers before each block (no chaining)"},
    {"mmu", Log::mmu, "page faults and TLB maintenance"},
    {"cpu_reset", Log::cpu_reset, "registers at each CPU reset"},
    {"guest_errors", Log::guest_errors, "what the guest does wrong, such as touching unmapped addresses"},
    {"unimp", Log::unimp, "what the guest uses and this board does not model"},
    {"nochain", Log::nochain, "do not chain blocks, so that exec and cpu show all of them"},
    {"stats", Log::stats, "translator statistics at exit"},
    {"trace", Log::trace, "every access to a device register, by name"},
};
std::mutex lock;
std::FILE* out = nullptr;  // null: stderr

std::FILE* target() { return out ? out : stderr; }
}  // namespace

std::span<const LogItem> log_items() { return items; }

void log_printf(Log, const char* format, ...) {
  std::lock_guard hold(lock);
  std::va_list args;
  va_start(args, format);
  std::vfprintf(target(), format, args);
  va_end(args);
}

void log_text(std::string_view text) {
  std::lock_guard hold(lock);
  std::fwrite(text.data(), 1, text.size(), target());
}

bool log_to_file(const char* path) {
  std::FILE* f = std::fopen(path, "w");
  if (!f) return false;
  std::lock_guard hold(lock);
  if (out) std::fclose(out);
  out = f;
  return true;
}

void log_flush() {
  std::lock_guard hold(lock);
  std::fflush(target());
}

void log_guest(const char* who, const char* what, u64 address) {
  if (!log_on(Log::guest_errors)) return;
  log_printf(Log::guest_errors, "%s: %s 0x%llx\n", who, what, static_cast<unsigned long long>(address));
}

void log_unimp(const char* who, const char* what, u64 address) {
  if (!log_on(Log::unimp)) return;
  constexpr std::size_t most_told = 1 << 14;
  static std::set<std::pair<std::string, u64>> told;
  {
    std::lock_guard hold(lock);
    if (told.size() == most_told) told.clear();  // a guest can touch any number of places
    if (!told.emplace(std::string(who) + what, address).second) return;
  }
  log_printf(Log::unimp, "%s: %s 0x%llx is not modelled\n", who, what, static_cast<unsigned long long>(address));
}

void check_failed(const char* file, unsigned line) {
  std::fprintf(stderr, "%s:%u: internal error: a condition that must hold does not\n", file, line);
  std::abort();
}
}  // namespace core
