// Loads, stores, helper calls and block exits: everything of a block that meets a thunk.

#include "accel/tcg/x86_64/emitter.hpp"

#include "core/log.hpp"

namespace tcg::x86_64 {
using accel::Layer;
using asmjit::imm;

namespace {
std::size_t routine_index(u64 key) { return std::size_t(key * 0x9e3779b97f4a7c15ull >> 55); }
}  // namespace

// The guest address of a load or store, in a register.
x86::Gp Emitter::effective_address(const Insn& i) {
  if (i.a.is_imm()) return in_register(i.a, i.imm);
  const Gp base = in_register(i.a, 0);
  if (!i.imm) return base;
  const Gp sum = scratch();
  a_.lea(sum, x86::ptr(base.r64(), s32(i.imm)));
  return sum;
}

// Offset of the flat page table it goes by.
s32 Emitter::page_table_of(const Insn& i) const {
  const unsigned user = i.aux & mem_user ? 1 : request_->mode & 1, store = i.op == Op::store;
  return from_env(accel::page_table_offset + (2 * user + store) * accel::page_table_stride * sizeof(u64));
}

// The page's table entry, where rotated_entry() does not load it: the alignment is still to be tested.
void Emitter::load_page(const Gp& page, const Gp& address, s32 table) {
  a_.mov(page, address);
  a_.shr(page, accel::page_bits);
  a_.mov(page.r64(), x86::qword_ptr(env, page.r64(), 3, table));
}

// Fast path: one flat page table entry, checked for alignment and presence.  A guest register that is loaded is not
// touched before the access is known to succeed.
void Emitter::memory(const Insn& i) {
  const bool is_load = i.op == Op::load;
  const u32 size = 1u << (i.aux & mem_size);
  host_flags_ = HostFlags::none;

  const bool constant = i.a.is_imm();
  const Gp address = effective_address(i);
  SlowMemory slow{a_.newLabel(), 0, address, {}, {}, pc_, slot_, i.aux, is_load, deferred_};
  const Gp page = scratch();
  // Before the branches to the slow path: taking a register may spill another, on both paths.
  slow.carrier = page;
  if (size == 8) {
    slow.pair = is_load ? i.d : i.b;
    if (!is_load) slow.data = scratch();
  } else if (moves_single(i)) {
    slow.single = is_load ? i.d : i.b;
  } else slow.data = is_load ? destination(i.d, Insn{Op::load}) : in_register(i.b, 0);
  const bool big = (i.aux & mem_big) && size > 1;
  const s32 table = page_table_of(i);
  const unsigned log_size = i.aux & mem_size;
  const bool tests = !constant && tests_alignment(log_size);
  if (constant) a_.mov(page.r64(), x86::qword_ptr(env, s32(table + (i.imm >> accel::page_bits) * sizeof(u64))));
  else if (tests) a_.rotated_entry(page, address, accel::page_bits, u32(accel::page_table_entries << log_size) - 1, env, table);
  else load_page(page, address, table);
  if (constant ? i.imm & (size - 1) : !tests && log_size) {
    a_.test(address.r8(), size - 1);
    a_.jnz(slow.entry);
  }
  x86::Mem at = x86::ptr(page.r64(), address.r64(), 0, 0, size);
  if (request_->region && in_chain_[position_] && !constant && slow.single.is_none()) {
    slow.wrong = a_.newLabel();
    slow.guess = take_guess();
    slow.at = at;
    const auto guessed = guess(slow.guess, offsetof(accel::PageGuess, page), 8);
    a_.cmp(page.r64(), guessed);
    a_.jne(slow.wrong);
    a_.mov(page.r64(), guessed);
  } else {
    if (!tests) a_.test(page.r64(), page.r64());
    a_.jz(slow.entry);
  }
  if (big && !has_movbe_ && !is_load) {  // the value is swapped in its register, which may be the address's
    a_.add(page.r64(), address.r64());
    at = x86::ptr(page.r64(), 0, size);
  }
  const Gp& d = slow.data;
  if (!slow.single.is_none()) {
    const x86::Xmm& x = fp_pin(u32(fp_pin_of(slow.single)));
    is_load ? a_.movd(x, at) : a_.movd(at, x);
  } else if (const int pin = size == 8 && !big ? fp_pin_of(slow.pair) : -1; pin >= 0) {
    is_load ? a_.movq(fp_pin(u32(pin)), at) : a_.movq(at, fp_pin(u32(pin)));
  } else if (size == 8) {  // the page register carries the value
    if (is_load) {
      a_.mov(page.r64(), at);
      if (big) a_.bswap(page.r64());
      fp_put(slow.pair, page, true);
    } else {
      fp_get(d, slow.pair, true);
      if (big) a_.bswap(d.r64());
      a_.mov(at, d.r64());
    }
  } else if (is_load) {
    load_value(d, at, i.aux);
  } else if (big) {
    store_swapped(at, d, size);
  } else {
    a_.mov(at, size == 4 ? d : size == 2 ? Gp(d.r16()) : Gp(d.r8()));
  }
  slow.back = a_.here();
  if (is_load && size < 8 && slow.single.is_none()) finish(i.d, d);
  slow_.push_back(slow);
}

// One to four bytes.
void Emitter::load_value(const Gp& d, const x86::Mem& at, u8 aux) {
  const u32 log_size = aux & mem_size;
  if ((aux & mem_big) && log_size) load_swapped(d, at, aux);
  else if (log_size == 2) a_.mov(d, at);
  else if (aux & mem_signed) a_.movsx(d, at);
  else a_.movzx(d, at);
}

u32 Emitter::take_guess() {
  guesses_.push_back(next_guess_);
  return std::exchange(next_guess_, (next_guess_ + 1) % accel::guess_count);
}

// Between memory and the xmm register that a single has.
bool Emitter::moves_single(const Insn& i) const {
  const Ref r = i.op == Op::load ? i.d : i.b;
  if ((i.aux & (mem_size | mem_big)) != 2 || !r.is_guest()) return false;
  const int pin = fp_pin_of(r);
  return pin >= 0 && (i.op == Op::load ? !(fp_paired_ >> pin & 1) : !fp_is_upper(r));
}

void Emitter::swap_bytes(const Gp& d, u32 size) {
  if (size == 4) a_.bswap(d);
  else a_.rol(d.r16(), 8);
}

void Emitter::load_swapped(const Gp& d, const x86::Mem& at, u8 aux) {
  if ((aux & mem_size) == 2 && has_movbe_) {
    a_.movbe(d, at);
    return;
  }
  (aux & mem_size) == 2 ? a_.mov(d, at) : a_.movzx(d, at);
  swap_bytes(d, 1u << (aux & mem_size));
  if (aux & mem_signed) a_.movsx(d, d.r16());
}

// Where the host has no movbe the register is swapped and swapped back; `at` does not depend on it.
void Emitter::store_swapped(const x86::Mem& at, const Gp& d, u32 size) {
  const Gp part = size == 4 ? d : Gp(d.r16());
  if (has_movbe_) {
    a_.movbe(at, part);
    return;
  }
  swap_bytes(d, size);
  a_.mov(at, part);
  swap_bytes(d, size);
}

// The word accesses from here on, of this instruction and those behind it, at the same pinned base: at most one of them through
// a temporary; a load of the base itself, or an access in a delay slot, only as the last.
void Emitter::find_run() {
  constexpr u32 most = 16, reach = 0x100;
  const auto& code = request_->block->code;
  const Insn& first = code[position_];
  run_.clear();
  if (!layers_.has(Layer::runs)) return;
  if ((first.aux & mem_size) != 2 || !first.a.is_guest() || pin_of_slot_[first.a.index()] < 0) return;
  unsigned temporaries = 0;
  u32 lowest = 0, highest = 0, pc = pc_;
  u16 delay_slot = slot_;
  for (u32 n = position_; n < code.size() && run_.size() < most; ++n) {
    const Insn& i = code[n];
    if (i.op == Op::insn) {
      pc = i.imm & ~layout_.mode_bits;
      delay_slot = i.c.bits;
      continue;
    }
    if (i.op != first.op || i.aux != first.aux || i.a != first.a || pc - pc_ > 0xff || delay_slot > 0xff) break;
    const u32 from_first = i.imm - first.imm + reach;
    if (from_first % 4 || from_first > 2 * reach) break;
    const Ref moved = i.op == Op::load ? i.d : i.b;
    if (moved.is_none() || moved.is_imm() || (moved.is_temp() && ++temporaries > 1)) break;
    const u32 low = run_.empty() ? from_first : std::min(lowest, from_first), high = std::max(highest, from_first);
    if (high - low > reach) break;
    lowest = low, highest = high;
    run_.push_back({n, pc, delay_slot, moved});
    if (delay_slot || (i.op == Op::load && i.d == i.a)) break;
  }
  run_lowest_ = first.imm + lowest - reach;
  run_bytes_ = highest - lowest + 4;
}

// One check for all words: aligned, in one page, and that page open.
void Emitter::memory_run() {
  const auto& code = request_->block->code;
  const Insn& first = code[position_];
  const bool is_load = first.op == Op::load, big = first.aux & mem_big;
  for (const RunPart& p : run_) keep_flags(code[p.position]);
  host_flags_ = HostFlags::none;

  Insn lowest = first;
  lowest.imm = run_lowest_;
  const Gp address = effective_address(lowest);
  const Gp page = scratch(), carrier = scratch();
  SlowRun slow{a_.newLabel(), 0, address, {}, deferred_, u32(slow_parts_.size()), u32(run_.size()), first.aux, is_load};
  std::array<Gp, 16> registers;
  for (unsigned n = 0; n < run_.size(); ++n) {
    const Ref moved = run_[n].moved;
    if (moved.is_guest() && pin_of_slot_[moved.index()] < 0) continue;
    registers[n] = is_load ? destination(moved, Insn{Op::load}) : in_register(moved, 0);
    if (moved.is_temp()) slow.temporary = registers[n];
  }
  const s32 table = page_table_of(first);
  const bool tests = tests_alignment(2);
  if (!tests) load_page(page, address, table);
  a_.mov(carrier, address);
  a_.and_(carrier, 0xfff);
  a_.cmp(carrier, 0x1000 - run_bytes_);
  a_.ja(slow.entry);
  if (!tests) {
    a_.test(address.r8(), 3);
    a_.jnz(slow.entry);
    a_.test(page.r64(), page.r64());
  } else {
    a_.rotated_entry(page, address, accel::page_bits, u32(accel::page_table_entries << 2) - 1, env, table);
  }
  a_.jz(slow.entry);
  a_.add(page.r64(), address.r64());  // the base may be loaded below
  for (unsigned n = 0; n < run_.size(); ++n) {
    const auto at = x86::dword_ptr(page.r64(), s32(code[run_[n].position].imm - run_lowest_));
    const Gp& r = registers[n].isValid() ? registers[n] : carrier;
    const Ref moved = run_[n].moved;
    if (is_load) {
      big ? load_swapped(r, at, first.aux) : void(a_.mov(r, at));
      finish(moved, r);
    } else {
      if (!registers[n].isValid()) fp_get(carrier, moved, false);
      big ? store_swapped(at, r, 4) : void(a_.mov(at, r));
    }
    slow_parts_.push_back({.pc = run_[n].pc, .delay_slot = run_[n].delay_slot, .moved = moved, .offset = code[run_[n].position].imm - run_lowest_});
  }
  slow.back = a_.here();
  slow_runs_.push_back(slow);
  position_ = run_.back().position;
  pc_ = run_.back().pc;
  slot_ = run_.back().delay_slot;
}

// What the state says about the current instruction, for whoever may leave from here; and what it says after.
void Emitter::put_pc(u32 pc, u16 delay_slot) {
  a_.mov(header32(at_pc), imm(s32(pc)));
  if (delay_slot) a_.mov(header32(at_slot), imm(delay_slot));
}
void Emitter::leave_slot(u16 delay_slot) {
  if (delay_slot) a_.mov(header32(at_slot), imm(0));
}

void Emitter::call(const Insn& i) {
  const Helper& h = layout_.helpers[i.imm];
  host_flags_ = HostFlags::none;
  unsigned n = 0;
  for (const Ref r : {i.a, i.b, i.c}) {
    if (!r.is_none()) a_.mov(header32(at_argument + 4 * n), in_register(r, 0));
    ++n;
  }
  if (h.state) put_pc(pc_, slot_);
  spill();
  a_.call(imm(u64(thunks_.helper[i.imm])));
  fill();
  if (h.state) leave_slot(slot_);
  if (i.d.is_none()) return;
  const Gp d = destination(i.d, Insn{Op::call});
  a_.mov(d, header32(at_result));
  finish(i.d, d);
}

// In the same page: a jump that chain() patches to the target.  To another page the mapping may change, so the probe
// table decides each time.
void Emitter::exit_jump(const Insn& i) {
  const u32 target = i.imm;
  const bool same_page = (target ^ request_->pc) >> accel::page_bits == 0, probes = !same_page && request_->chain && layers_.has(Layer::chain);
  spill();
  if (probes) a_.mov(x86::eax, imm(s32(target)));
  if (probes && (i.aux & poll_aux)) {
    test_requests();
    a_.jne(imm(u64(thunks_.jump)));
  } else if (i.aux & poll_aux) {
    exits_.push_back({a_.newLabel(), target, ExitStub::jump});
    test_requests();
    a_.jne(exits_.back().entry);
    if (same_page && request_->count) {
      exits_.back().slot = ExitStub::hot;
      a_.sub(header32(accel::hot_offset + accel::hot_index(target) * sizeof(u32)), 1);
      a_.js(exits_.back().entry);
    }
  }
  if (!request_->chain || !layers_.has(Layer::chain)) {
    a_.mov(x86::eax, target);
    a_.jmp(imm(u64(thunks_.jump)));
    return;
  }
  if (same_page) {
    a_.call(imm(u64(thunks_.chain)));
    slots_.push_back({u32(a_.offset() - 4), 0, target, 0});
    link_behind(u32(slots_.size() - 1), u32(a_.offset() - 5));
    return;
  }
  const std::size_t entry = accel::probe_offset + (request_->mode & 1) * accel::probe_count * sizeof(accel::ProbeEntry) +
                            accel::probe_index(target) * sizeof(accel::ProbeEntry);
  a_.cmp(header32(entry + offsetof(accel::ProbeEntry, tag)), x86::eax);
  a_.jne(imm(u64(thunks_.jump)));
  a_.jmp(x86::qword_ptr(env, from_env(entry + offsetof(accel::ProbeEntry, code))));
}

// Behind the call of the chain thunk at `from`: the slot's number.
void Emitter::link_behind(u32 slot, u32 from) {
  Slot& s = slots_[slot];
  s.unlinked = u32(reinterpret_cast<std::uintptr_t>(thunks_.chain) - reinterpret_cast<std::uintptr_t>(base_ + s.displacement + 4));
  if (s.displacement != from + 1) s.unlinked = from - (s.displacement + 4);
  s.number_at = u32(a_.offset());
  a_.data32(0);
}

// The exit that this branch leads around, when it can be a jump to be chained: in the same page, polling nothing.
const Insn* Emitter::exit_behind(const Insn& i) const {
  const auto& code = request_->block->code;
  if (request_->region || !request_->chain || !layers_.has(Layer::chain) || position_ + 2 >= code.size()) return nullptr;
  const Insn& exit = code[position_ + 1];
  const Insn& over = code[position_ + 2];
  if (exit.op != Op::exit_jump || (exit.aux & poll_aux) || (exit.imm ^ request_->pc) >> accel::page_bits) return nullptr;
  return over.op == Op::label && over.c == i.c ? &exit : nullptr;
}

void Emitter::exit_indirect(const Insn& i) {
  const Gp target = in_register(i.a, 0);
  if (target.id() != x86::eax.id()) a_.mov(x86::eax, target);
  spill();
  if (!request_->chain || !layers_.has(Layer::probe)) {
    a_.jmp(imm(u64(thunks_.jump)));
    return;
  }
  static_assert(sizeof(accel::ProbeEntry) == 16);
  const s32 table = from_env(accel::probe_offset + (request_->mode & 1) * accel::probe_count * sizeof(accel::ProbeEntry));
  test_requests();
  a_.jne(imm(u64(thunks_.jump)));
  a_.mov(x86::ecx, x86::eax);
  a_.and_(x86::ecx, s32((accel::probe_count - 1) << 2));
  a_.cmp(x86::dword_ptr(env, x86::rcx, 2, table + s32(offsetof(accel::ProbeEntry, tag))), x86::eax);
  a_.jne(imm(u64(thunks_.jump)));
  a_.jmp(x86::qword_ptr(env, x86::rcx, 2, table + s32(offsetof(accel::ProbeEntry, code))));
}

// The thunk takes the address and the value from the state, puts what it loaded there, and keeps every register.
void Emitter::slow_access(bool is_load, u8 aux) {
  const u8* thunk = is_load ? thunks_.load[aux & 63] : thunks_.store[aux & 63];
  check(thunk != nullptr);
  a_.call(imm(u64(thunk)));
}

// In a region a device is asked before anything is put where others look for it: it does not look.
void Emitter::slow_word(const SlowMemory& s) {
  const unsigned aux = (s.aux | (request_->mode & 1 ? mem_user : 0)) & 63;
  const auto done = a_.newLabel();
  put_pc(s.pc, s.delay_slot);
  a_.mov(header32(at_argument), s.address);
  if (!s.is_load) a_.mov(header32(at_argument + 4), s.data);
  a_.call(imm(u64((s.is_load ? thunks_.device_load : thunks_.device_store)[aux])));
  a_.jae(done);
  store_deferred(s.flags, true);
  spill();
  slow_access(s.is_load, s.aux);
  fill();
  a_.bind(done);
  if (s.is_load) a_.mov(s.data, header32(at_result));
  leave_slot(s.delay_slot);
  a_.jmp_back(s.back);
}

// `test` is there to be read: by the routine, whose return address it is at.
void Emitter::slow_call(const SlowMemory& s) {
  const u8 aux = u8((s.aux | (request_->mode & 1 ? mem_user : 0)) & 63);
  const u64 key = u64(1) << 63 | u64(s.delay_slot) << 32 | u64(s.is_load) << 24 | u64(aux) << 16 | u64(s.address.id()) << 8 | s.data.id();
  const Routine& known = routines_[routine_index(key)];
  if (known.key == key && known.at) {
    a_.call(imm(u64(known.at)));
  } else {
    auto same = std::ranges::find(new_routines_, key, &NewRoutine::key);
    if (same == new_routines_.end()) same = new_routines_.insert(same, {a_.newLabel(), key, s.address, s.data, s.delay_slot, aux, s.is_load});
    a_.call(same->label);
  }
  a_.test(x86::eax, imm(s32(s.pc)));
  a_.jmp_back(s.back);
}

// What is the same in all slow paths with this kind of access and these registers.
void Emitter::place_routines() {
  for (const NewRoutine& r : new_routines_) {
    a_.bind(r.label);
    routines_[routine_index(r.key)] = {r.key, base_ + a_.offset()};
    a_.push(x86::rax);
    a_.mov(x86::rax, x86::qword_ptr(x86::rsp, 8));
    a_.mov(x86::eax, x86::dword_ptr(x86::rax, 1));
    a_.mov(header32(at_pc), x86::eax);
    a_.mov(x86::rax, x86::qword_ptr(x86::rsp));
    if (r.delay_slot) a_.mov(header32(at_slot), imm(r.delay_slot));
    a_.mov(header32(at_argument), r.address);
    if (!r.is_load) a_.mov(header32(at_argument + 4), r.data);
    a_.call(imm(u64((r.is_load ? thunks_.any_load : thunks_.any_store)[r.aux])));
    a_.pop(x86::rax);
    if (r.is_load) a_.mov(r.data, header32(at_result));
    leave_slot(r.delay_slot);
    a_.ret();
  }
  new_routines_.clear();
}

void Emitter::slow_memory(const SlowMemory& s) {
  if (s.wrong.isValid()) {
    using accel::PageGuess;
    const auto left = guess(s.guess, offsetof(PageGuess, left), 4), page = guess(s.guess, offsetof(PageGuess, page), 8);
    const auto use = a_.newLabel();
    a_.bind(s.wrong);
    a_.test(s.carrier.r64(), s.carrier.r64());
    a_.jz(s.entry);
    a_.cmp(left, 0);
    a_.je(use);
    a_.mov(page, s.carrier.r64());
    a_.sub(left, 1);
    a_.jne(use);
    a_.mov(page, imm(accel::guess_nothing));
    a_.bind(use);
    load_value(s.data, s.at, s.aux);
    a_.jmp_back(s.back);
  }
  a_.bind(s.entry);
  if (s.pair.is_none() && has_own_pins() && !fp_pinned_) return slow_word(s);
  store_deferred(s.flags, true);
  if (s.pair.is_none() && !has_own_pins()) return slow_call(s);
  put_pc(s.pc, s.delay_slot);
  a_.mov(header32(at_argument), s.address);
  if (s.pair.is_none()) {
    const bool single = !s.single.is_none();
    if (!s.is_load && single) a_.movd(header32(at_argument + 4), fp_pin(u32(fp_pin_of(s.single))));
    else if (!s.is_load) a_.mov(header32(at_argument + 4), s.data);
    spill();
    slow_access(s.is_load, s.aux);
    fill();
    if (s.is_load && single) a_.movd(fp_pin(u32(fp_pin_of(s.single))), header32(at_result));
    else if (s.is_load) a_.mov(s.data, header32(at_result));
  } else {  // as two words; the slots are memory, so a register that is free on this path stands between
    spill();
    if ((s.is_load ? thunks_.load : thunks_.store)[s.aux & 63]) slow_access(s.is_load, s.aux);
    const u8 word = u8((s.aux & ~mem_size) | 2);
    for (unsigned n = 0; n < 2; ++n) {
      const auto slot = slot_memory(layout_, s.pair.index() + (s.aux & mem_big ? 1 - n : n));
      if (n) a_.add(header32(at_argument), 4);
      if (!s.is_load) {
        a_.mov(s.carrier, slot);
        a_.mov(header32(at_argument + 4), s.carrier);
      }
      slow_access(s.is_load, word);
      if (!s.is_load) continue;
      a_.mov(s.carrier, header32(at_result));
      a_.mov(slot, s.carrier);
    }
    fill();
  }
  leave_slot(s.delay_slot);
  a_.jmp_back(s.back);
}

// A word at a time, between where blocks have their registers, as the bytes behind the call say; a temporary's register is its own.
void Emitter::slow_run(const SlowRun& s) {
  const std::span parts(&slow_parts_[s.first], s.count);
  a_.bind(s.entry);
  store_deferred(s.flags, true);
  a_.mov(header32(at_argument), s.address);
  if (!s.is_load && s.temporary.isValid()) a_.mov(header32(at_argument + 4), s.temporary);
  spill();
  a_.call(imm(u64(thunks_.run)));
  const RunWords words{.pc = parts[0].pc, .delay_slot = u8(parts.back().delay_slot), .count = u8(s.count), .aux = u8(s.aux & 63), .is_load = s.is_load};
  a_.bytes(&words, sizeof words);
  for (const SlowPart& p : parts) {
    const RunWord word{.place = p.moved.is_temp() ? u16(0) : layout_.slots[p.moved.index()].offset, .offset = u8(p.offset / 4), .instruction = u8(p.pc - parts[0].pc)};
    a_.bytes(&word, sizeof word);
  }
  fill();
  if (s.is_load && s.temporary.isValid()) a_.mov(s.temporary, header32(at_result));
  a_.jmp_back(s.back);
}

void Emitter::stubs() {
  for (const SlowMemory& s : slow_) slow_memory(s);
  for (const SlowRun& s : slow_runs_) slow_run(s);
  for (const SlowZero& s : slow_zeros_) fp_zero_path(s);
  for (const SlowFp& s : slow_fp_) fp_slow_path(s);
  for (const ExitStub& e : exits_) {
    a_.bind(e.entry);
    if (e.slot >= 0) {
      a_.call(imm(u64(thunks_.chain)));
      link_behind(u32(e.slot), u32(a_.offset() - 5));
      continue;
    }
    store_deferred(e.flags, true);
    if (e.slot == ExitStub::inside) spill();
    a_.mov(x86::eax, imm(s32(e.pc)));
    a_.jmp(imm(u64(e.slot == ExitStub::hot ? thunks_.hot : thunks_.jump)));
  }
  place_routines();
}
}  // namespace tcg::x86_64
