#pragma once
// The seam between the precompiled engine and a board: no templates, no device types, no asmjit.

#include "accel/code_listener.hpp"
#include "accel/layers.hpp"
#include "accel/vcpu.hpp"
#include "core/result.hpp"

#include <memory>
#include <set>
#include <string>
#include <vector>

namespace tcg {
class FrontEnd;
}

namespace accel {

// The board's slow paths, instantiated in its own translation unit; translated code reaches them directly.
// Index: the memory access's aux bits (tcg::MemFlag), 0…63.  Values in the low 32 bits, or outcome_leave.
// Those of doublewords, null where there is nothing to check, come before the two words they are.
struct Port {
  using Load = u64 (*)(VcpuHeader*, u32 va) noexcept;
  using Store = u64 (*)(VcpuHeader*, u32 va, u32 value) noexcept;
  Load load[64] = {};
  Store store[64] = {};
  // Who answers in a page of devices.
  core::DeviceReader (*reader)(VcpuHeader*, GuestPhys page) noexcept = nullptr;
  core::DeviceWriter (*writer)(VcpuHeader*, GuestPhys page) noexcept = nullptr;
};

struct EngineOptions {
  bool interpret = false;        // -accel interp
  std::size_t buffer_mib = 16;   // -accel jit,tb-size=N
  unsigned region_after = 8192;  // jumps back that make a loop a region, the second tier; 0: none does.  region-after=N
  unsigned block_limit = 64;     // guest instructions per block; 1 with one-insn-per-tb
  Layers layers;                 // -accel jit,opt=LIST
  struct Range {
    u64 first, last;
  };
  std::vector<CodeListener*> listeners;  // told of host code; they live longer than the engine
  std::vector<Range> filter;     // -dfilter: only blocks whose pc lies in one of these are logged; empty: all
};

struct EngineStats {
  u64 blocks = 0, guest_instructions = 0, guest_bytes = 0, host_bytes = 0 /* in use */, ir_operations = 0;
  u64 flushes = 0, invalidated = 0, chained = 0, lookups = 0, tlb_flushes = 0, tlb_page_flushes = 0, tlb_fills = 0;
  u64 translate_ns = 0, single_steps = 0;
  u64 regions = 0, region_blocks = 0, region_ns = 0;  // the second tier: how many, of how many blocks, …
  u64 host_bytes_made = 0;  // of all blocks, also those dropped
  u64 cpu_ns = 0;           // of the vCPU thread
  u64 memory = 0;           // bytes: code, tables, block store
};

// Runs guest code of one vCPU.  Thread: the vCPU thread.
class Engine {
 public:
  static Result<std::unique_ptr<Engine>> create(VcpuHeader&, const tcg::FrontEnd&, const Port&, const EngineOptions&);
  virtual ~Engine() = default;
  // Runs guest code until exit_request has a bit set, the CPU halts, or a breakpoint is reached.
  enum class Stop { request, halted, breakpoint };
  virtual Stop run() = 0;
  // Runs exactly one guest instruction, breakpoint or not.
  virtual void step() = 0;
  // Runs guest instructions one by one, at most `most`, until the guest is back where it was.  True when that was a round
  // that can only repeat: registers and flags are the same again, memory was not changed, and nothing but plain
  // instructions ran.  What devices answered is for the caller to judge.
  virtual bool run_round(unsigned most) = 0;
  virtual void flush_code() = 0;
  virtual void set_breakpoint(u32 address, bool on) = 0;
  virtual EngineStats stats() const = 0;
  std::string stats_text() const;
};

// The vCPU's mapping, with a CpuState of `State` constructed at its start.
class VcpuMemory {
 public:
  VcpuMemory();
  ~VcpuMemory();
  VcpuMemory(const VcpuMemory&) = delete;
  void* base() const { return base_; }

 private:
  void* base_;
};
}  // namespace accel
