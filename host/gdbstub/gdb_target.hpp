#pragma once
// What gdb's packets ask of the CPU: registers, memory, breakpoints, and the target description.
// Thread: the vCPU's, except feature_xml().

#include "core/run_control.hpp"

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace host {
class GdbTarget {
 public:
  explicit GdbTarget(core::DebugTarget& target);

  // Whether answer() knows the packet.
  static bool knows(std::string_view packet);
  // Answers `g G p P m M X Z z`; empty means "not supported", as the protocol says.
  std::string answer(std::string_view packet);
  void remove_breakpoints();
  // The stop reply for a stop of that kind.
  std::string stop_reply(core::StopReason reason);

  // target.xml: the registers by feature.
  const std::string& feature_xml() const { return xml_; }
  bool physical = false;           // memory packets take physical addresses (Qqemu.PhyMemMode)
  bool tells_breakpoints = false;  // gdb asked for swbreak in stop replies
  std::string thread = "01";       // "p01.01" for a multiprocess gdb

 private:
  std::string read_all();
  std::string write_all(std::string_view hex);
  std::string read_one(std::string_view text);
  std::string write_one(std::string_view text);
  std::string read_memory(std::string_view text);
  std::string write_memory(std::string_view text, bool binary);
  std::string breakpoint(std::string_view packet);
  const unsigned* find(core::u64 number) const;
  std::string hex_of(unsigned index) const;
  void write(unsigned index, std::span<core::u8> bytes);

  core::DebugTarget& target_;
  std::vector<unsigned> order_;  // register indices by gdb's number
  std::string xml_;
  std::set<core::u64> soft_, hard_;  // Z0 and Z1
};
}  // namespace host
