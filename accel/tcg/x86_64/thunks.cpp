#include "accel/tcg/x86_64/thunks.hpp"

#include "core/log.hpp"

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
  }
  for (const Helper& h : layout.helpers) t.helper.push_back(m.helper(h, t.leave));
  return t;
}
}  // namespace tcg::x86_64
