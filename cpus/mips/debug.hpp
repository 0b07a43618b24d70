#pragma once
// The CPU as gdb and the monitor see it.  Thread: vCPU.

#include "cpus/cpu_debug.hpp"
#include "cpus/mips/state.hpp"

namespace mips {

class MipsDebug : public CpuDebug {
 public:
  explicit MipsDebug(CpuState& s) : CpuDebug(s), s_(s) {}

  const char* architecture() const override { return "mips"; }
  bool big_endian() const override { return s_.big_endian; }
  // gdb's numbers: r0…r31 0…31, status lo hi badvaddr cause pc 32…37; f0…f31 fcsr fir 38…71, each of f0…f31 the
  // 32 bits Status.FR = 0 has there; with a DSP hi1 lo1 hi2 lo2 hi3 lo3 dspctl 72…78.
  std::span<const RegisterDesc> registers() const override;
  void read_register(unsigned index, std::span<u8> out) const override;
  void write_register(unsigned index, std::span<const u8> in) override;
  std::string dump() const override;
  std::string disassemble(u64 address, unsigned& length) override;

  // One instruction as text, from its bytes.
  std::function<std::string(u32 pc, std::span<const u8> bytes, unsigned& length)> disassembler;

 protected:
  bool translate(u32 va, u64& phys) const override;

 private:
  u32* place(unsigned index);
  CpuState& s_;
};
}  // namespace mips
