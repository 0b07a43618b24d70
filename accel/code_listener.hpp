#pragma once
// Who wants to know which guest code a piece of host code is: perf's files, the profile.

#include "core/base.hpp"

#include <span>
#include <string_view>

namespace accel {
using namespace core;

struct MadeCode {
  u32 pc;  // guest virtual; a mode bit is bit 0
  std::span<const u8> host;
  std::span<const u8> guest;  // valid during the call
  unsigned instructions;
};

// Thread: the vCPU's, or before it runs.
class CodeListener {
 public:
  virtual ~CodeListener() = default;
  // All host code will lie in `buffer`; at its start is the code between translated code and C++.
  virtual void begin(std::span<const u8> buffer, std::span<const u8> thunks) = 0;
  virtual void made(const MadeCode& code) = 0;
  // All that was made is about to go, and its place to be used anew.
  virtual void dropping() = 0;
};
}  // namespace accel
