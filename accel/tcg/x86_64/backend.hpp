#pragma once
// The x86-64 host: turns a block of intermediate code into host code, and holds the thunks through which host code
// and C++ meet.  The only part of the engine that knows asmjit.
//
// Registers in translated code: rbp = VcpuHeader, rax rcx rdx r15 = temporaries, the other ten hold the guest
// registers at the head of GuestLayout::pin_order.  rsp is 16-byte aligned; [rsp…] has homes for spilled temporaries.

#include "accel/engine.hpp"
#include "accel/tcg/block_store.hpp"
#include "accel/tcg/code_buffer.hpp"

#include <memory>

namespace tcg {

// C++ entry points of translated code.  Each returns the host code to go on with.
struct DispatchCalls {
  const void* (*jump)(VcpuHeader*, u32 pc) noexcept;               // to a guest pc with mode bits
  const void* (*chain)(VcpuHeader*, u32 slot) noexcept;            // to where BlockStore's slot goes, which may be linked to it
  const void* (*state)(VcpuHeader*) noexcept;                      // to where the CPU state says
  const void* (*hot)(VcpuHeader*, u32 pc) noexcept;                // as jump, back to a pc whose count may have come to its end
};

struct CompileRequest {
  const Block* block;
  u32 pc, mode;      // the block's key
  bool chain;        // false: every exit goes through DispatchCalls
  std::string* listing = nullptr;  // host instructions as text, when wanted
  // Of a region: the label its paths begin at; what must hold there; and the code of the block at the same pc, for when it does not.
  bool region = false;
  unsigned entry = 0;
  std::span<const Guard> guards = {};
  const u8* plain = nullptr;
  // Blocks count their jumps back in VcpuHeader's table, and go to DispatchCalls::hot when one comes to its end.
  bool count = false;
};

class HostBackend {
 public:
  virtual ~HostBackend() = default;
  // Host code for the block, or null when the buffer has no room (then flush and try again).
  virtual const u8* compile(const CompileRequest& request, BlockStore& blocks) = 0;
  // Runs host code until it goes to exit_code().
  virtual void enter(VcpuHeader& c, const void* code) = 0;
  virtual const void* exit_code() const = 0;
  // Drops all blocks' code.
  virtual void flush() = 0;
};

std::unique_ptr<HostBackend> make_x86_64_backend(CodeBuffer& buffer, const GuestLayout& layout, const accel::Port& port,
                                                 const DispatchCalls& calls, accel::Layers layers = {});
}  // namespace tcg
