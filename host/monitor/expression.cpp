// `p`, `x` and `xp`: expressions and memory.

#include "host/keyvalue.hpp"
#include "host/monitor/commands.hpp"

#include <fmt/format.h>

#include <cctype>

namespace host {
using core::Error, core::Kind, core::u64, core::u8;

namespace {
class Parser {
 public:
  Parser(core::DebugTarget* target, std::string_view text) : target_(target), text_(text) {}
  core::Result<u64> whole() {
    const u64 v = TRY(binary(0));
    if (peek()) return Error{Kind::usage, fmt::format("'{}' is left over", text_)};
    return v;
  }

 private:
  static constexpr unsigned deepest = 64;
  static constexpr std::string_view levels[] = {"|", "^", "&", "+-", "*/%"};

  char peek() {
    while (!text_.empty() && std::isspace(static_cast<unsigned char>(text_[0]))) text_.remove_prefix(1);
    return text_.empty() ? '\0' : text_[0];
  }
  core::Result<u64> binary(unsigned level) {
    if (level == std::size(levels)) return unary();
    u64 left = TRY(binary(level + 1));
    while (peek() && levels[level].find(peek()) != std::string_view::npos) {
      const char op = peek();
      text_.remove_prefix(1);
      const u64 right = TRY(binary(level + 1));
      if ((op == '/' || op == '%') && right == 0) return Error{Kind::usage, "division by zero"};
      left = apply(op, left, right);
    }
    return left;
  }
  static u64 apply(char op, u64 a, u64 b) {
    switch (op) {
      case '|': return a | b;
      case '^': return a ^ b;
      case '&': return a & b;
      case '+': return a + b;
      case '-': return a - b;
      case '*': return a * b;
      case '/': return a / b;
      default: return a % b;
    }
  }
  core::Result<u64> unary() {
    if (depth_ == deepest) return Error{Kind::usage, "too many brackets"};
    ++depth_;
    auto v = operand();
    --depth_;
    return v;
  }
  core::Result<u64> operand() {
    const char c = peek();
    if (c == '-' || c == '~' || c == '+') {
      text_.remove_prefix(1);
      const u64 v = TRY(unary());
      return c == '-' ? 0 - v : c == '~' ? ~v : v;
    }
    if (c == '(') {
      text_.remove_prefix(1);
      const u64 v = TRY(binary(0));
      if (peek() != ')') return Error{Kind::usage, "')' is missing"};
      text_.remove_prefix(1);
      return v;
    }
    if (c == '$') return reg();
    return literal();
  }
  std::string_view take_word() {
    std::size_t n = 0;
    while (n < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[n])) || text_[n] == '_')) ++n;
    const std::string_view w = text_.substr(0, n);
    text_.remove_prefix(n);
    return w;
  }
  core::Result<u64> literal() {
    const std::string_view word = take_word();
    if (word.empty())
      return Error{Kind::usage, text_.empty() ? "a number is missing" : fmt::format("'{}' is not a number", text_)};
    if (const auto v = parse_number(word)) return *v;
    return Error{Kind::usage, fmt::format("'{}' is not a number", word)};
  }
  core::Result<u64> reg() {
    text_.remove_prefix(1);
    const std::string_view name = take_word();
    const auto all = target_ ? target_->registers() : std::span<const core::RegisterDesc>();
    for (unsigned i = 0; i < all.size(); ++i) {
      if (name != all[i].name || all[i].bits > 64) continue;
      u8 bytes[8] = {};
      target_->read_register(i, std::span(bytes, (all[i].bits + 7) / 8));
      return core::load_le<u64>(bytes);
    }
    if (target_ && (name == "pc" || name == "eip" || name == "rip")) return target_->pc();
    return Error{Kind::usage, fmt::format("there is no register '{}'", name)};
  }

  core::DebugTarget* target_;
  std::string_view text_;
  unsigned depth_ = 0;
};

// `/8xw`: how many, how shown, how wide.
struct Format {
  unsigned count = 1;
  char how = 'x';
  unsigned size = 4;
};
constexpr unsigned most_items = 65536;

core::Result<Format> parse_format(std::string_view text, Format f) {
  text.remove_prefix(1);
  std::size_t digits = 0;
  while (digits < text.size() && std::isdigit(static_cast<unsigned char>(text[digits]))) ++digits;
  if (digits) {
    const auto n = parse_number(text.substr(0, digits));
    if (!n || *n == 0 || *n > most_items)
      return Error{Kind::usage, fmt::format("count '{}' must be 1 to {}", text.substr(0, digits), most_items)};
    f.count = unsigned(*n);
  }
  for (char c : text.substr(digits)) {
    constexpr std::string_view sizes = "bhwg";
    if (const auto s = sizes.find(c); s != sizes.npos)
      f.size = 1u << s;
    else if (std::string_view("xduoci").find(c) != std::string_view::npos)
      f.how = c;
    else
      return Error{Kind::usage, fmt::format("format letter '{}' is none of x d u o c i b h w g", c)};
  }
  return f;
}

std::string show_value(u64 v, const Format& f) {
  const unsigned bits = f.size * 8;
  if (bits < 64) v &= (u64(1) << bits) - 1;
  switch (f.how) {
    case 'd': return fmt::format("{}", core::s64(v << (64 - bits)) >> (64 - bits));
    case 'u': return fmt::format("{}", v);
    case 'o': return fmt::format("{:#o}", v);
    case 'c': return v >= 0x20 && v < 0x7f ? fmt::format("'{}'", char(v)) : fmt::format("'\\x{:02x}'", v);
    default: return fmt::format("0x{:0{}x}", v, f.size * 2);
  }
}

std::string show_code(core::DebugTarget& t, u64& at, unsigned count) {
  std::string out;
  for (unsigned i = 0; i < count; ++i) {
    unsigned length = 0;
    const std::string text = t.disassemble(at, length);
    out += fmt::format("0x{:08x}:  {}\n", at, text);
    if (length == 0) break;
    at += length;
  }
  return out;
}

std::string no_memory(const MonitorContext& c, u64 at, bool physical) {
  const std::string device = physical ? device_at(c, at) : std::string();
  if (device.empty()) return fmt::format("cannot access memory at 0x{:x}\n", at);
  return fmt::format("0x{:x} belongs to a device, which looking might change; 'info device {}' shows its registers\n",
                     at, device);
}

std::string show_memory(const MonitorContext& c, u64& at, const Format& f, bool physical) {
  core::DebugTarget& t = *c.target;
  std::string out;
  const unsigned per_line = f.how == 'c' ? 8 : 16 / f.size;
  for (unsigned i = 0; i < f.count; ++i, at += f.size) {
    u8 bytes[8] = {};
    const std::span<u8> item(bytes, f.size);
    if (!(physical ? t.read_physical(at, item) : t.read_memory(at, item)))
      return out + (i ? "\n" : "") + no_memory(c, at, physical);
    if (i % per_line == 0) out += fmt::format("{}{:08x}:", i ? "\n" : "", at);
    out += " " + show_value(core::load_le<u64>(bytes), f);
  }
  return out + "\n";
}

std::string examine(Monitor& m, Arguments arguments, bool physical) {
  core::DebugTarget* target = m.context().target;
  if (!target) return "there is no CPU to look through\n";
  Format format;
  std::string_view rest = arguments.rest();
  if (rest.starts_with('/')) {
    const std::string_view word = arguments.word();
    auto f = parse_format(word, format);
    if (!f) return f.error().text + "\n";
    format = *f;
    rest = arguments.rest();
  }
  if (physical && format.how == 'i')
    return fmt::format("xp shows no instructions; x/{}i does, at a virtual address\n", format.count);
  return on_guest(m, [&]() -> std::string {
    u64 at = m.next_address;
    if (!rest.empty()) {
      auto v = evaluate(target, rest);
      if (!v) return v.error().text + "\n";
      at = *v;
    }
    const std::string text =
        format.how == 'i' ? show_code(*target, at, format.count) : show_memory(m.context(), at, format, physical);
    m.next_address = at;
    return text;
  });
}
}  // namespace

core::Result<u64> evaluate(core::DebugTarget* target, std::string_view text) { return Parser(target, text).whole(); }

std::string hmp_x(Monitor& m, Arguments a) { return examine(m, a, false); }
std::string hmp_xp(Monitor& m, Arguments a) { return examine(m, a, true); }

std::string hmp_print(Monitor& m, Arguments arguments) {
  Format format{1, 'x', 8};
  if (arguments.rest().starts_with('/')) {
    auto f = parse_format(arguments.word(), format);
    if (!f) return f.error().text + "\n";
    format = *f;
  }
  return on_guest(m, [&]() -> std::string {
    auto v = evaluate(m.context().target, arguments.rest());
    if (!v) return v.error().text + "\n";
    return (format.how == 'x' ? fmt::format("{:#x}", *v) : show_value(*v, format)) + "\n";
  });
}
}  // namespace host
