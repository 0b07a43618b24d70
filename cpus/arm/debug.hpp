#pragma once
// The CPU as gdb and the monitor see it.  Thread: vCPU.

#include "cpus/arm/state.hpp"

#include "core/run_control.hpp"

#include <set>

namespace arm {

class ArmDebug : public DebugTarget {
 public:
  explicit ArmDebug(CpuState& s) : s_(s) {}

  const char* architecture() const override { return "arm"; }
  // r0…r12 sp lr pc cpsr have gdb's traditional numbers 0…15 and 25; with VFP, d0…d15 fpscr follow from 26, then
  // fpsid and fpexc.
  std::span<const RegisterDesc> registers() const override;
  void read_register(unsigned index, std::span<u8> out) const override;
  void write_register(unsigned index, std::span<const u8> in) override;
  u64 pc() const override { return s_.pc; }
  // Memory as a privileged access that ignores write protection sees it; rom and flash can be written.
  bool read_memory(u64 address, std::span<u8> out) override;
  bool write_memory(u64 address, std::span<const u8> in) override;
  bool read_physical(u64 address, std::span<u8> out) override;
  bool write_physical(u64 address, std::span<const u8> in) override;
  void set_breakpoint(u64 address, bool on) override;
  std::string dump() const override;
  std::string disassemble(u64 address, unsigned& length) override;

  // Guest virtual addresses where the engine stops.
  const std::set<u32>& breakpoints() const { return breakpoints_; }
  // Told when breakpoints change, so that the code at the address is translated anew.
  std::function<void(u32 address, bool on)> on_code_change;
  // One instruction as text: `word` holds 4 bytes from `address`; answers its length in bytes too.
  std::function<std::string(u32 address, u32 word, bool thumb, unsigned& length)> disassembler;

 private:
  bool has_vfp() const;
  CpuState& s_;
  std::set<u32> breakpoints_;
};
}  // namespace arm
