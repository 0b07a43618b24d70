#pragma once
#include "accel/tcg/x86_64/backend.hpp"
#include "accel/tcg/x86_64/registers.hpp"

namespace tcg::x86_64 {
// Writes all thunks to the start of the buffer.
Thunks make_thunks(CodeBuffer& buffer, const GuestLayout& layout, const accel::Port& port, const DispatchCalls& calls);
}  // namespace tcg::x86_64
