#include "host/gdbstub/gdb_target.hpp"

#include "host/gdbstub/packet.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace host {
using core::u64, core::u8;

namespace {
// Our own error numbers, as errno would be on the target (gdb shows them as digits).
constexpr std::string_view bad_packet = "E22", no_memory = "E14", no_register = "E45";
constexpr std::string_view ok = "OK";
constexpr std::size_t most_breakpoints = 4096;

std::size_t width(const core::RegisterDesc& r) { return (r.bits + 7) / 8; }
using Value = std::array<u8, 64>;

std::string describe(const core::DebugTarget& target, const std::vector<unsigned>& order) {
  std::string xml = fmt::format(
      "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n<target>\n<architecture>{}</architecture>\n",
      target.architecture());
  const auto registers = target.registers();
  std::vector<std::string_view> features;
  for (unsigned i : order)
    if (std::find(features.begin(), features.end(), registers[i].feature) == features.end())
      features.push_back(registers[i].feature);
  for (std::string_view f : features) {
    xml += fmt::format("<feature name=\"{}\">\n", f);
    for (unsigned i : order) {
      const core::RegisterDesc& r = registers[i];
      if (f == r.feature)
        xml += fmt::format("<reg name=\"{}\" bitsize=\"{}\" type=\"{}\" regnum=\"{}\"/>\n", r.name, r.bits, r.type,
                           r.number);
    }
    xml += "</feature>\n";
  }
  return xml + "</target>\n";
}
}  // namespace

GdbTarget::GdbTarget(core::DebugTarget& target) : target_(target) {
  const auto registers = target.registers();
  for (unsigned i = 0; i < registers.size(); ++i)
    if (width(registers[i]) <= sizeof(Value) && registers[i].number >= 0) order_.push_back(i);
  std::stable_sort(order_.begin(), order_.end(),
                   [&](unsigned a, unsigned b) { return registers[a].number < registers[b].number; });
  xml_ = describe(target, order_);
}

bool GdbTarget::knows(std::string_view p) {
  return !p.empty() && std::string_view("gGpPmMXZz").find(p[0]) != std::string_view::npos;
}

std::string GdbTarget::answer(std::string_view p) {
  const std::string_view rest = p.substr(1);
  switch (p[0]) {
    case 'g': return read_all();
    case 'G': return write_all(rest);
    case 'p': return read_one(rest);
    case 'P': return write_one(rest);
    case 'm': return read_memory(rest);
    case 'M': return write_memory(rest, false);
    case 'X': return write_memory(rest, true);
    default: return breakpoint(p);
  }
}

std::string GdbTarget::hex_of(unsigned index) const {
  Value v{};
  const std::span<u8> bytes(v.data(), width(target_.registers()[index]));
  target_.read_register(index, bytes);
  if (target_.big_endian()) std::ranges::reverse(bytes);
  return to_hex(bytes);
}

void GdbTarget::write(unsigned index, std::span<u8> bytes) {
  if (target_.big_endian()) std::ranges::reverse(bytes);
  target_.write_register(index, bytes);
}

const unsigned* GdbTarget::find(u64 number) const {
  for (const unsigned& i : order_)
    if (u64(target_.registers()[i].number) == number) return &i;
  return nullptr;
}

std::string GdbTarget::read_all() {
  std::string out;
  for (unsigned i : order_) out += hex_of(i);
  return out;
}

// A shorter packet sets the first registers.
std::string GdbTarget::write_all(std::string_view hex) {
  for (unsigned i : order_) {
    const std::size_t n = width(target_.registers()[i]);
    if (hex.size() < 2 * n) break;
    Value v{};
    if (!from_hex(hex.substr(0, 2 * n), std::span(v.data(), n))) return std::string(bad_packet);
    write(i, std::span(v.data(), n));
    hex.remove_prefix(2 * n);
  }
  return std::string(hex.empty() ? ok : bad_packet);
}

std::string GdbTarget::read_one(std::string_view text) {
  const auto number = take_hex(text);
  if (!number || !text.empty()) return std::string(bad_packet);
  const unsigned* i = find(*number);
  return i ? hex_of(*i) : std::string(no_register);
}

std::string GdbTarget::write_one(std::string_view text) {
  const auto number = take_hex(text);
  if (!number || !take_char(text, '=')) return std::string(bad_packet);
  const unsigned* i = find(*number);
  if (!i) return std::string(no_register);
  Value v{};
  const std::span<u8> bytes(v.data(), width(target_.registers()[*i]));
  if (!from_hex(text, bytes)) return std::string(bad_packet);
  write(*i, bytes);
  return std::string(ok);
}

std::string GdbTarget::read_memory(std::string_view text) {
  const auto range = parse_range(text);
  if (!range || range->length > gdb_packet_size / 2) return std::string(bad_packet);
  u8 buffer[gdb_packet_size / 2];
  const std::span<u8> bytes(buffer, range->length);
  const bool there = bytes.empty() || (physical ? target_.read_physical(range->address, bytes)
                                                : target_.read_memory(range->address, bytes));
  return there ? to_hex(bytes) : std::string(no_memory);
}

// `addr,length:data`.
std::string GdbTarget::write_memory(std::string_view text, bool binary) {
  const auto colon = text.find(':');
  if (colon == text.npos) return std::string(bad_packet);
  const auto range = parse_range(text.substr(0, colon));
  const std::string_view data = text.substr(colon + 1);
  if (!range || range->length > gdb_packet_size) return std::string(bad_packet);
  std::vector<u8> bytes(range->length);
  if (binary) {
    if (data.size() != bytes.size()) return std::string(bad_packet);
    std::copy(data.begin(), data.end(), bytes.begin());
  } else if (!from_hex(data, bytes)) {
    return std::string(bad_packet);
  }
  const bool there = bytes.empty() || (physical ? target_.write_physical(range->address, bytes)
                                                : target_.write_memory(range->address, bytes));
  return std::string(there ? ok : no_memory);
}

// `Z0,addr,kind` and `Z1,…`: software and hardware breakpoints are the same here; watchpoints are not supported.
std::string GdbTarget::breakpoint(std::string_view p) {
  const bool on = p[0] == 'Z';
  p.remove_prefix(1);
  const auto type = take_hex(p);
  if (!type || !take_char(p, ',')) return std::string(bad_packet);
  if (*type > 1) return {};
  const auto range = parse_range(p.substr(0, p.find(';')));
  if (!range) return std::string(bad_packet);
  auto& set = *type == 0 ? soft_ : hard_;
  const auto& other = *type == 0 ? hard_ : soft_;
  if (on && set.size() >= most_breakpoints) return std::string("E28");
  const bool changed = on ? set.insert(range->address).second : set.erase(range->address) != 0;
  if (changed && !other.count(range->address)) target_.set_breakpoint(range->address, on);
  return std::string(ok);
}

void GdbTarget::remove_breakpoints() {
  soft_.insert(hard_.begin(), hard_.end());
  for (u64 at : soft_) target_.set_breakpoint(at, false);
  soft_.clear();
  hard_.clear();
}

std::string GdbTarget::stop_reply(core::StopReason reason) {
  if (reason == core::StopReason::shutdown) return "W00";
  const int signal = reason == core::StopReason::paused ? 2 : reason == core::StopReason::fault ? 11 : 5;
  std::string why;
  if (reason == core::StopReason::breakpoint && tells_breakpoints) {
    if (soft_.count(target_.pc()))
      why = "swbreak:;";
    else if (hard_.count(target_.pc()))
      why = "hwbreak:;";
  }
  return fmt::format("T{:02x}{}thread:{};", signal, why, thread);
}
}  // namespace host
