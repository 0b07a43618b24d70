#include "accel/tcg/x86_64/thunks.hpp"

#include "core/log.hpp"

#include <bit>

namespace tcg::x86_64 {
namespace {
class ThunkMaker {
 public:
  ThunkMaker(CodeBuffer& buffer, const GuestLayout& layout) : buffer_(buffer), layout_(layout) {}

  // Emits one thunk with `body(a)` and returns its address.
  template <class F>
  const u8* make(F body) {
    asmjit::CodeHolder code;
    code.init(asmjit::Environment::host(), u64(buffer_.next()));
    x86::Assembler a(&code);
    body(a);
    code.flatten();
    code.resolveUnresolvedLinks();
    code.relocateToBase(u64(buffer_.next()));
    const auto& bytes = code.textSection()->buffer();
    return buffer_.append(bytes.data(), bytes.size());
  }

  unsigned pinned() const { return std::min<unsigned>(pin_count, unsigned(layout_.pin_order.size())); }
  void save_pins(x86::Assembler& a, unsigned from = 0) {
    for (unsigned i = from; i < pinned(); ++i) a.mov(slot_memory(layout_, layout_.pin_order[i]), pins[i]);
  }
  void load_pins(x86::Assembler& a, unsigned from = 0) {
    for (unsigned i = from; i < pinned(); ++i) a.mov(pins[i], slot_memory(layout_, layout_.pin_order[i]));
  }
  static void call(x86::Assembler& a, const void* function) {
    a.mov(x86::rax, asmjit::imm(u64(function)));
    a.call(x86::rax);
  }

  const u8* enter() {
    return make([&](x86::Assembler& a) {
      for (auto r : {x86::rbx, x86::rbp, x86::r12, x86::r13, x86::r14, x86::r15}) a.push(r);
      a.sub(x86::rsp, frame_bytes);
      a.mov(env, x86::rdi);
      a.mov(x86::rax, x86::rsi);
      load_pins(a);
      a.jmp(x86::rax);
    });
  }
  const u8* exit() {
    return make([&](x86::Assembler& a) {
      save_pins(a);
      a.add(x86::rsp, frame_bytes);
      for (auto r : {x86::r15, x86::r14, x86::r13, x86::r12, x86::rbp, x86::rbx}) a.pop(r);
      a.ret();
    });
  }
  // eax and edx are the arguments after the state; the answer is where to go.
  const u8* dispatch(const void* function, bool pins_live) {
    return make([&](x86::Assembler& a) {
      if (pins_live) save_pins(a);
      a.mov(x86::rdi, env);
      a.mov(x86::esi, x86::eax);
      call(a, function);
      load_pins(a);
      a.jmp(x86::rax);
    });
  }

  // Slow path of a load or store: address and value in VcpuHeader::argument; keeps every register.
  const u8* memory(const void* function, bool is_load, const u8* leave) {
    return make([&](x86::Assembler& a) {
      save_pins(a);
      for (auto r : {x86::rax, x86::rcx, x86::rdx}) a.push(r);
      a.mov(x86::rdi, env);
      a.mov(x86::esi, header32(at_argument));
      if (!is_load) a.mov(x86::edx, header32(at_argument + 4));
      call(a, function);
      const auto leaving = a.newLabel();
      a.test(x86::rax, x86::rax);
      a.js(leaving);
      if (is_load) a.mov(header32(at_result), x86::eax);
      for (auto r : {x86::rdx, x86::rcx, x86::rax}) a.pop(r);
      load_pins(a, pins_kept_by_calls);
      a.ret();
      a.bind(leaving);
      a.add(x86::rsp, 4 * 8);
      a.jmp(asmjit::imm(u64(leave)));
    });
  }

  static void swap_bytes(x86::Assembler& a, const x86::Gp& r, unsigned log_size) {
    if (log_size == 2) a.bswap(r);
    if (log_size == 1) a.rol(r.r16(), 8);
  }
  // What comes before that: asks the device when one is known at the address, else goes on at `otherwise` or answers carry.
  // Keeps every register, and puts none in the state: a device does not look at it.
  const u8* device(bool is_load, u8 aux, const u8* otherwise) {
    using accel::DevicePage, core::DeviceReader, core::DeviceWriter;
    constexpr unsigned entry_bits = std::countr_zero(sizeof(DevicePage));
    static_assert(sizeof(DevicePage) == 1u << entry_bits && accel::page_bits > entry_bits);
    static_assert(offsetof(DeviceReader, at) == offsetof(DeviceWriter, at) && offsetof(DeviceReader, read) == offsetof(DeviceWriter, write));
    return make([&](x86::Assembler& a) {
      const unsigned log_size = aux & mem_size, size = 1u << log_size;
      const s32 table = s32(at_devices + (2 * ((aux & mem_user) != 0) + !is_load) * accel::device_pages * sizeof(DevicePage));
      const auto entry = [&](std::size_t offset) { return x86::ptr(env, x86::rcx, 0, table + s32(offset)); };
      const auto missed = a.newLabel();
      a.push(x86::rax);
      a.push(x86::rcx);
      a.mov(x86::eax, header32(at_argument));
      a.mov(x86::ecx, x86::eax);
      a.shr(x86::ecx, accel::page_bits - entry_bits);
      a.and_(x86::ecx, (accel::device_pages - 1) << entry_bits);
      a.and_(x86::eax, s32(~0xfffu | (size - 1)));  // a misaligned one is no page's
      a.cmp(x86::eax, entry(offsetof(DevicePage, tag)));
      a.jne(missed);
      std::vector<x86::Gp> kept{x86::rdx};
      for (unsigned i = pins_kept_by_calls; i < pinned(); ++i) kept.push_back(pins[i].r64());
      for (const auto& r : kept) a.push(r);
      const bool pad = kept.size() % 2 == 0;  // a call has the stack aligned
      if (pad) a.sub(x86::rsp, 8);
      a.mov(x86::esi, header32(at_argument));
      a.and_(x86::esi, 0xfff);
      a.add(x86::rsi, entry(offsetof(DevicePage, reader) + offsetof(DeviceReader, at)));
      a.mov(x86::rax, entry(offsetof(DevicePage, reader) + offsetof(DeviceReader, read)));
      a.mov(x86::rdi, x86::qword_ptr(env, s32(at_machine)));
      a.mov(x86::edx, size);
      if (!is_load) {
        a.mov(x86::ecx, header32(at_argument + 4));
        if (aux & mem_big) swap_bytes(a, x86::ecx, log_size);
      }
      a.mov(x86::byte_ptr(env, s32(at_activity)), u8(accel::Activity::device));
      a.call(x86::rax);
      a.mov(x86::byte_ptr(env, s32(at_activity)), u8(accel::Activity::other));
      if (is_load) {
        if (aux & mem_big) swap_bytes(a, x86::eax, log_size);
        const x86::Gp narrow = log_size == 0 ? x86::Gp(x86::al) : x86::Gp(x86::ax);
        if (log_size < 2) aux & mem_signed ? a.movsx(x86::eax, narrow) : a.movzx(x86::eax, narrow);
        a.mov(header32(at_result), x86::eax);
      }
      if (pad) a.add(x86::rsp, 8);
      for (auto r = kept.rbegin(); r != kept.rend(); ++r) a.pop(*r);
      a.pop(x86::rcx);
      a.pop(x86::rax);
      a.clc();
      a.ret();
      a.bind(missed);
      a.pop(x86::rcx);
      a.pop(x86::rax);
      if (otherwise) {
        a.jmp(asmjit::imm(u64(otherwise)));
      } else {
        a.stc();
        a.ret();
      }
    });
  }

  const u8* helper(const Helper& h, const u8* leave) {
    return make([&](x86::Assembler& a) {
      save_pins(a, h.state ? 0 : pins_kept_by_calls);
      for (auto r : {x86::rax, x86::rcx, x86::rdx}) a.push(r);
      if (h.state) {
        a.mov(x86::rdi, env);
        a.mov(x86::esi, header32(at_argument));
        a.mov(x86::edx, header32(at_argument + 4));
        a.mov(x86::ecx, header32(at_argument + 8));
      } else {
        a.mov(x86::edi, header32(at_argument));
        a.mov(x86::esi, header32(at_argument + 4));
        a.mov(x86::edx, header32(at_argument + 8));
      }
      call(a, h.function);
      const auto leaving = a.newLabel();
      if (h.may_leave) {
        a.test(x86::rax, x86::rax);
        a.js(leaving);
      }
      a.mov(header32(at_result), x86::eax);
      for (auto r : {x86::rdx, x86::rcx, x86::rax}) a.pop(r);
      load_pins(a, h.state ? 0 : pins_kept_by_calls);
      a.ret();
      if (!h.may_leave) return;
      a.bind(leaving);
      a.add(x86::rsp, 4 * 8);
      a.jmp(asmjit::imm(u64(leave)));
    });
  }

 private:
  CodeBuffer& buffer_;
  const GuestLayout& layout_;
};
}  // namespace

Thunks make_thunks(CodeBuffer& buffer, const GuestLayout& layout, const accel::Port& port, const DispatchCalls& calls) {
  ThunkMaker m(buffer, layout);
  Thunks t;
  t.enter = m.enter();
  t.exit = m.exit();
  t.jump = m.dispatch(reinterpret_cast<const void*>(calls.jump), true);
  t.chain = m.dispatch(reinterpret_cast<const void*>(calls.chain), true);
  t.hot = m.dispatch(reinterpret_cast<const void*>(calls.hot), true);
  t.state = m.dispatch(reinterpret_cast<const void*>(calls.state), true);
  t.leave = m.dispatch(reinterpret_cast<const void*>(calls.state), false);
  for (unsigned i = 0; i < std::size(port.load); ++i) {
    if (port.load[i]) t.load[i] = m.memory(reinterpret_cast<const void*>(port.load[i]), true, t.leave);
    if (port.store[i]) t.store[i] = m.memory(reinterpret_cast<const void*>(port.store[i]), false, t.leave);
    if ((i & mem_size) == 3) continue;
    if (t.load[i]) t.device_load[i] = m.device(true, u8(i), nullptr), t.any_load[i] = m.device(true, u8(i), t.load[i]);
    if (t.store[i]) t.device_store[i] = m.device(false, u8(i), nullptr), t.any_store[i] = m.device(false, u8(i), t.store[i]);
  }
  for (const Helper& h : layout.helpers) t.helper.push_back(m.helper(h, t.leave));
  return t;
}
}  // namespace tcg::x86_64
