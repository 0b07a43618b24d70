#include "host/ranges.hpp"

#include <fmt/format.h>

#include <charconv>

namespace host {
using namespace core;
namespace {
// Takes a number off the front; hexadecimal with 0x.
bool take_number(std::string_view& text, u64& value) {
  const bool hex = text.starts_with("0x") || text.starts_with("0X");
  const char* from = text.data() + (hex ? 2 : 0);
  const auto [end, error] = std::from_chars(from, text.data() + text.size(), value, hex ? 16 : 10);
  if (error != std::errc() || end == from) return false;
  text.remove_prefix(std::size_t(end - text.data()));
  return true;
}
}  // namespace

Result<std::vector<accel::EngineOptions::Range>> parse_ranges(std::string_view text) {
  std::vector<accel::EngineOptions::Range> out;
  const auto wrong = [&](std::string_view part) {
    return Error{Kind::usage, fmt::format("'{}' is no address range; write 0x8000..0x8fff or 0x8000+0x1000", part)};
  };
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    std::string_view rest = part;
    u64 a, b;
    if (!take_number(rest, a)) return wrong(part);
    const bool to = rest.starts_with("..");
    const char sign = rest.empty() ? '\0' : rest[0];
    rest.remove_prefix(std::min<std::size_t>(rest.size(), to ? 2 : 1));
    if (!(to || sign == '+' || sign == '-') || !take_number(rest, b) || !rest.empty()) return wrong(part);
    if (to) out.push_back({a, b});
    else if (b == 0) return wrong(part);
    else if (sign == '+') out.push_back({a, a + b - 1});
    else out.push_back({a - b + 1, a});
    if (out.back().first > out.back().last) return wrong(part);
  }
  return out;
}
}  // namespace host
