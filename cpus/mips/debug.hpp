#pragma once
// The CPU as gdb and the monitor see it.  Thread: vCPU.

#include "cpus/mips/state.hpp"

#include "core/run_control.hpp"

#include <set>

namespace mips {

class MipsDebug : public DebugTarget {
 public:
  explicit MipsDebug(CpuState& s) : s_(s) {}

  const char* architecture() const override { return "mips"; }
  bool big_endian() const override { return s_.big_endian; }
  // gdb's numbers: r0…r31 0…31, status lo hi badvaddr cause pc 32…37; with a floating-point unit f0…f31 fcsr fir follow.
  // A register of the unit is the 32 bits Status.FR = 0 has there.
  std::span<const RegisterDesc> registers() const override;
  void read_register(unsigned index, std::span<u8> out) const override;
  void write_register(unsigned index, std::span<const u8> in) override;
  u64 pc() const override { return s_.pc; }
  // Memory as the kernel sees it; rom and flash can be written.
  bool read_memory(u64 address, std::span<u8> out) override;
  bool write_memory(u64 address, std::span<const u8> in) override;
  bool read_physical(u64 address, std::span<u8> out) override;
  bool write_physical(u64 address, std::span<const u8> in) override;
  void set_breakpoint(u64 address, bool on) override;
  std::string dump() const override;
  std::string disassemble(u64 address, unsigned& length) override;

  const std::set<u32>& breakpoints() const { return breakpoints_; }
  // Told when breakpoints change, so that the code at the address is translated anew.
  std::function<void(u32 address, bool on)> on_code_change;
  // One instruction as text, from its bytes.
  std::function<std::string(u32 pc, std::span<const u8> bytes, unsigned& length)> disassembler;

 private:
  u32* place(unsigned index);
  CpuState& s_;
  std::set<u32> breakpoints_;
};
}  // namespace mips
