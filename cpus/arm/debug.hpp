#pragma once
// The CPU as gdb and the monitor see it.  Thread: vCPU.

#include "cpus/arm/state.hpp"
#include "cpus/cpu_debug.hpp"

namespace arm {

class ArmDebug : public CpuDebug {
 public:
  explicit ArmDebug(CpuState& s) : CpuDebug(s), s_(s) {}

  const char* architecture() const override { return "arm"; }
  // r0…r12 sp lr pc cpsr have gdb's traditional numbers 0…15 and 25; with VFP, d0…d15 fpscr follow from 26, then
  // fpsid and fpexc.
  std::span<const RegisterDesc> registers() const override;
  void read_register(unsigned index, std::span<u8> out) const override;
  void write_register(unsigned index, std::span<const u8> in) override;
  std::string dump() const override;
  std::string disassemble(u64 address, unsigned& length) override;

  // One instruction as text: `word` holds 4 bytes from `address`; answers its length in bytes too.
  std::function<std::string(u32 address, u32 word, bool thumb, unsigned& length)> disassembler;

 protected:
  bool translate(u32 va, u64& phys) const override;

 private:
  bool has_vfp() const;
  CpuState& s_;
};
}  // namespace arm
