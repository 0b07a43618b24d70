#include "accel/tcg/x86_64/thunks.hpp"

#include "core/log.hpp"

#include <bit>
#include <cstring>

namespace tcg::x86_64 {
namespace {
// The length of what is behind the call, or outcome_leave.
u64 run_words(VcpuHeader* c, const u8* at, const accel::Port* port) noexcept {
  RunWords words;
  std::memcpy(&words, at, sizeof words);
  const u32 lowest = c->argument[0];
  const u64* const table = accel::page_table(c, (words.aux & mem_user) || c->privilege, !words.is_load);
  for (unsigned n = 0; n < words.count; ++n) {
    RunWord w;
    std::memcpy(&w, at + sizeof words + n * sizeof w, sizeof w);
    c->pc = words.pc + w.instruction;
    c->slot = n + 1u == words.count ? words.delay_slot : 0;
    u8* place = w.place ? reinterpret_cast<u8*>(c) + w.place : reinterpret_cast<u8*>(words.is_load ? &c->result : &c->argument[1]);
    const u32 address = lowest + 4 * w.offset;
    // Mostly memory that is open, as of a stack that grows across a page's end.
    if (const u64 page = table[address >> accel::page_bits]; page && !(address & 3) && !(words.aux & mem_big)) {
      u8* const memory = reinterpret_cast<u8*>(page + address);
      words.is_load ? store_le(place, load_le<u32>(memory)) : store_le(memory, load_le<u32>(place));
      continue;
    }
    const u64 outcome = words.is_load ? port->load[words.aux](c, address) : port->store[words.aux](c, address, load_le<u32>(place));
    if (outcome & accel::outcome_leave) return accel::outcome_leave;
    if (words.is_load) store_le(place, u32(outcome));
  }
  c->slot = 0;
  return sizeof words + words.count * sizeof(RunWord);
}

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
      a.lea(env, x86::ptr(x86::rdi, env_at));
      a.mov(x86::qword_ptr(env, from_env(at_frame)), x86::rsp);
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
  // From a block: eax is the argument after the state, or the call's return address has it.  From the middle of a slow path:
  // the guest's registers are in the state, and something on the stack.  The function's answer is where to go.
  enum From { block, call_in_block, slow_path };
  const u8* dispatch(const void* function, From from) {
    return make([&](x86::Assembler& a) {
      if (from == slow_path) a.mov(x86::rsp, x86::qword_ptr(env, from_env(at_frame)));
      if (from == call_in_block) a.pop(x86::rax);
      if (from != slow_path) save_pins(a);
      a.lea(x86::rdi, x86::ptr(env, -env_at));
      if (from == call_in_block) a.mov(x86::esi, x86::dword_ptr(x86::rax));
      else a.mov(x86::esi, x86::eax);
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
      a.lea(x86::rdi, x86::ptr(env, -env_at));
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
      a.jmp(asmjit::imm(u64(leave)));
    });
  }

  const u8* store_flags(bool is_sub, u8 flags) {
    return make([&](x86::Assembler& a) {
      const auto at = [&](u16 offset) { return x86::byte_ptr(env, from_env(offset)); };
      if (flags & flag_n) a.sets(at(layout_.flag_n));
      if (flags & flag_z) a.setz(at(layout_.flag_z));
      if (flags & flag_c) is_sub ? a.setnc(at(layout_.flag_c)) : a.setc(at(layout_.flag_c));
      if (flags & flag_v) a.seto(at(layout_.flag_v));
      a.ret();
    });
  }

  // Slow path of a run.  It reads and writes guest registers where they are in the state.
  const u8* run(const accel::Port& port, const u8* leave) {
    return make([&](x86::Assembler& a) {
      save_pins(a);
      for (auto r : {x86::rax, x86::rcx, x86::rdx}) a.push(r);
      a.lea(x86::rdi, x86::ptr(env, -env_at));
      a.mov(x86::rsi, x86::qword_ptr(x86::rsp, 24));
      a.mov(x86::rdx, asmjit::imm(u64(&port)));
      call(a, reinterpret_cast<const void*>(run_words));
      const auto leaving = a.newLabel();
      a.test(x86::rax, x86::rax);
      a.js(leaving);
      a.add(x86::qword_ptr(x86::rsp, 24), x86::rax);
      for (auto r : {x86::rdx, x86::rcx, x86::rax}) a.pop(r);
      load_pins(a);
      a.ret();
      a.bind(leaving);
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
      const s32 table = from_env(at_devices + (2 * ((aux & mem_user) != 0) + !is_load) * accel::device_pages * sizeof(DevicePage));
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
      a.mov(x86::rdi, x86::qword_ptr(env, from_env(at_machine)));
      a.mov(x86::edx, size);
      if (!is_load) {
        a.mov(x86::ecx, header32(at_argument + 4));
        if (aux & mem_big) swap_bytes(a, x86::ecx, log_size);
      }
      a.mov(x86::byte_ptr(env, from_env(at_activity)), u8(accel::Activity::device));
      a.call(x86::rax);
      a.mov(x86::byte_ptr(env, from_env(at_activity)), u8(accel::Activity::other));
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
        a.lea(x86::rdi, x86::ptr(env, -env_at));
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
  t.jump = m.dispatch(reinterpret_cast<const void*>(calls.jump), m.block);
  t.chain = m.dispatch(reinterpret_cast<const void*>(calls.chain), m.call_in_block);
  t.hot = m.dispatch(reinterpret_cast<const void*>(calls.hot), m.block);
  t.state = m.dispatch(reinterpret_cast<const void*>(calls.state), m.block);
  t.leave = m.dispatch(reinterpret_cast<const void*>(calls.state), m.slow_path);
  for (unsigned i = 0; i < std::size(port.load); ++i) {
    if (port.load[i]) t.load[i] = m.memory(reinterpret_cast<const void*>(port.load[i]), true, t.leave);
    if (port.store[i]) t.store[i] = m.memory(reinterpret_cast<const void*>(port.store[i]), false, t.leave);
    if ((i & mem_size) == 3) continue;
    if (t.load[i]) t.device_load[i] = m.device(true, u8(i), nullptr), t.any_load[i] = m.device(true, u8(i), t.load[i]);
    if (t.store[i]) t.device_store[i] = m.device(false, u8(i), nullptr), t.any_store[i] = m.device(false, u8(i), t.store[i]);
  }
  t.run = m.run(port, t.leave);
  for (u8 flags = 1; flags <= flags_all; ++flags)
    for (const bool is_sub : {false, true}) t.store_flags[is_sub][flags] = m.store_flags(is_sub, flags);
  for (const Helper& h : layout.helpers) t.helper.push_back(m.helper(h, t.leave));
  return t;
}
}  // namespace tcg::x86_64
