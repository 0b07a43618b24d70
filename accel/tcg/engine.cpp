// The executor of one vCPU: finds, translates and runs blocks, by host code or by interpreting their IR.

#include "accel/engine.hpp"

#include "accel/tcg/block_store.hpp"
#include "accel/tcg/code_buffer.hpp"
#include "accel/tcg/front_end.hpp"
#include "accel/tcg/interp.hpp"
#include "accel/tcg/region.hpp"
#include "accel/tcg/register_image.hpp"

#include "core/log.hpp"

#if PINSTRAP_HOST_X86_64
#include "accel/tcg/x86_64/backend.hpp"
#endif

#include <algorithm>
#include <chrono>
#include <cstring>
#include <ctime>
#include <optional>
#include <pthread.h>

namespace accel {
VcpuMemory::VcpuMemory() {
  base_ = map_zeros(vcpu_mapping_size);
  u8* const pairs = static_cast<u8*>(base_) + fp_pair_offset;
  std::memcpy(pairs, fp_pairs, sizeof fp_pairs);
  std::memcpy(pairs + sizeof fp_pairs, &fp_pair_wrong, sizeof fp_pair_wrong);
  static_assert(probe_empty(1) == 0 && probe_empty(probe_count - 1) == 0);  // as the mapping is
  for (unsigned p = 0; p < 2; ++p) reinterpret_cast<ProbeEntry*>(static_cast<u8*>(base_) + probe_offset)[p * probe_count].tag = probe_empty(0);
}
VcpuMemory::~VcpuMemory() { unmap_zeros(base_, vcpu_mapping_size); }
}  // namespace accel

namespace tcg {
namespace {
using accel::Engine;
using accel::EngineOptions;
using accel::EngineStats;
using accel::Layer;

// A block ends before a breakpoint and none begins at one, so all are flushed when the set of breakpoints changes.
class TcgEngine final : public Engine {
 public:
  TcgEngine(VcpuHeader& c, const FrontEnd& front, const accel::Port& port, const EngineOptions& options, std::optional<CodeBuffer> buffer)
      : c_(c), front_(front), options_(settled(options)), buffer_(std::move(buffer)), blocks_(c, buffer_ ? &*buffer_ : nullptr, front.layout().fixed_at, front.layout().fixed_size, options.layers),
        interpreter_(c, front, port), port_(port) {
    blocks_.port = &port_;
    c.blocks = &blocks_;
    c.engine = this;
#if PINSTRAP_HOST_X86_64
    if (buffer_) {
      const u8* begin = buffer_->next();
      host_ = make_x86_64_backend(*buffer_, front.layout(), port, {on_jump, on_chain, on_state, on_hot}, options.layers);
      for (accel::CodeListener* l : options.listeners) l->begin({begin, buffer_->size()}, {begin, buffer_->next()});
    }
    std::fill_n(accel::hot_table(&c), accel::hot_count, s32(options_.region_after));
#else
    (void)port;
#endif
  }
  ~TcgEngine() override { c_.blocks = c_.engine = nullptr; }

  Stop run() override {
    if (clockid_t id; !clock_ && pthread_getcpuclockid(pthread_self(), &id) == 0) clock_ = id;
    for (;;) {
      if (std::exchange(breakpoint_hit_, false)) return Stop::breakpoint;
      if (c_.exit_request.load(std::memory_order_acquire)) return Stop::request;
      if (c_.halted) return Stop::halted;
      if (blocks_.step_wanted) {
        step();
        continue;
      }
#if PINSTRAP_HOST_X86_64
      if (host_) {
        host_->enter(c_, next_code());
        continue;
      }
#endif
      const u32 b = next_block();
      if (b == no_block) continue;
      interpreter_.run(interpreted_[b]);
    }
  }

  // Over a breakpoint too.  Not cached: the one instruction is translated and interpreted.
  void step() override {
    blocks_.step_wanted = false;
    ++stats_.single_steps;
    const u32 pc = front_.pc(c_);
    const CodePlace place = front_.fetch_address(c_, pc);
    if (!place.extent) return;
    blocks_.stepping = true;
    Block block;
    translate(pc, place, 1, nullptr, block);
    interpreter_.run(block);
    blocks_.stepping = false;
  }

  // Not where somebody looks at every instruction: under breakpoints and execution logs.
  bool run_round(unsigned most) override {
    if (!breakpoints_.empty() || !chain() || blocks_.step_wanted) return false;
    const RegisterImage before(c_, front_.layout());
    interpreter_.changed = false;
    for (unsigned n = 0; n < most && !c_.halted && !interpreter_.changed; ++n) {
      step();
      if (c_.pc == before.pc && !interpreter_.changed && before == RegisterImage(c_, front_.layout())) return true;
    }
    return false;
  }

  void flush_code() override {
    for (accel::CodeListener* l : options_.listeners) l->dropping();
    ++stats_.flushes;
    stats_.invalidated += std::exchange(blocks_.invalidated, 0);
    blocks_.clear();
    interpreted_.clear();
#if PINSTRAP_HOST_X86_64
    if (host_) host_->flush();
#endif
  }

  void set_breakpoint(u32 address, bool on) override {
    if (on) breakpoints_.insert(address);
    else breakpoints_.erase(address);
    flush_code();
  }

  EngineStats stats() const override {
    EngineStats s = stats_;
    s.invalidated += blocks_.invalidated;
    s.tlb_flushes = blocks_.tlb_flushes;
    s.tlb_page_flushes = blocks_.tlb_page_flushes;
    s.tlb_fills = blocks_.tlb_fills;
    s.host_bytes = buffer_ ? buffer_->used() : 0;
    s.memory = (buffer_ ? buffer_->used() : 0) + blocks_.memory() + core::resident_bytes(&c_, accel::vcpu_mapping_size);
    timespec t;
    if (clock_ && clock_gettime(*clock_, &t) == 0) s.cpu_ns = u64(t.tv_sec) * 1'000'000'000 + u64(t.tv_nsec);
    return s;
  }

 private:
  // The second tier is made for what the first does with all of its layers.
  static EngineOptions settled(EngineOptions o) {
    if (!o.layers.all()) o.region_after = 0;
    return o;
  }
  static TcgEngine& of(VcpuHeader* c) { return *static_cast<TcgEngine*>(c->engine); }
#if PINSTRAP_HOST_X86_64
  static const void* on_jump(VcpuHeader* c, u32 pc) noexcept {
    TcgEngine& e = of(c);
    e.front_.set_pc(*c, pc);
    return e.next_code();
  }
  static const void* on_chain(VcpuHeader* c, u32 slot) noexcept {
    TcgEngine& e = of(c);
    const u32 pc = e.blocks_.target_of(slot);
    const u64 generation = e.stats_.flushes;
    e.front_.set_pc(*c, pc);
    const void* code = e.next_code();
    if (e.current_ != no_block && e.stats_.flushes == generation && e.blocks_[e.current_].pc == pc) {
      e.blocks_.link(slot, e.current_);
      ++e.stats_.chained;
    }
    return code;
  }
  // Exceptions and returns from them mostly go where they went before.
  static const void* on_state(VcpuHeader* c) noexcept {
    TcgEngine& e = of(c);
    const u32 unusual = c->exit_request.load(std::memory_order_relaxed) | c->halted | c->slot | e.blocks_.step_wanted | !e.probes_;
    if (!unusual) [[likely]] {
      u32 pc = c->pc;
      if (e.mode_bits_at_) pc |= *reinterpret_cast<const u32*>(reinterpret_cast<const u8*>(c) + e.mode_bits_at_);
      const accel::ProbeEntry& probe = accel::probe_table(c, c->privilege)[accel::probe_index(pc)];
      if (probe.tag == pc) [[likely]] return probe.code;
    }
    return e.next_code();
  }

  // A loop has come round often: from here on as a region, if it can be one.
  static const void* on_hot(VcpuHeader* c, u32 pc) noexcept {
    TcgEngine& e = of(c);
    e.front_.set_pc(*c, pc);
    s32& count = accel::hot_table(c)[accel::hot_index(pc)];
    const bool hot = count < 0;
    if (hot) count = s32(e.options_.region_after);
    if (hot && !c->exit_request.load(std::memory_order_relaxed)) e.look_at_loop(pc, count);
    return e.next_code();
  }

  // A region begins there, unless the loop waits for something by doing nothing.
  void look_at_loop(u32 pc, s32& count) {
    constexpr u32 soon = 256;
    u32& works = works_[accel::hot_index(pc)];
    if (works == pc) return make_region_at(pc);
    if (spins()) return void(c_.exit_request.fetch_or(request_spin, std::memory_order_relaxed));
    works = pc;  // but we are somewhere else now
    count = s32(std::min(soon, options_.region_after));
  }
  // A few instructions on, is all as it was, with no device asked?
  bool spins() {
    constexpr unsigned longest = 16;
    const u64 before = c_.machine->polls.accesses();
    return run_round(longest) && c_.machine->polls.accesses() == before;
  }

  void make_region_at(u32 pc) {
    const u32 mode = front_.mode(c_);
    const CodePlace place = front_.fetch_address(c_, pc);
    const u64 phys = raw(place.at);
    const u8* page = place.extent ? blocks_.page_host(place.at) : nullptr;
    if (!page || place.alone || (mode & mode_transient) || (phys & 0xfff) + place.extent < 0x1000) return;
    const u32 plain = blocks_.find(phys, pc, mode);
    if (plain == no_block || blocks_[plain].tier != TranslatedBlock::Tier::block) return;
    blocks_[plain].tier = TranslatedBlock::Tier::unlikely;
    const accel::Doing what(c_, accel::Activity::translation);
    const auto begin = std::chrono::steady_clock::now();
    const auto has_run = [&](u32 other) { return blocks_.find(phys - pc + other, other, mode) != no_block; };
    RegionRequest request{.pc = pc, .mode = mode, .page = page, .breakpoints = &breakpoints_, .has_run = has_run};
    if (!make_region(front_, request, region_)) return;
    optimise(region_.code);
    const bool listed = logged(pc, Log::out_asm);
    if (listed || logged(pc, Log::op_opt)) core::log_text(region_.title(pc));
    if (logged(pc, Log::op_opt)) core::log_text("OP after optimization:\n" + to_text(region_.code, front_.layout()) + "\n");
    std::string listing;
    CompileRequest compile{.block = &region_.code, .pc = pc, .mode = mode, .chain = true, .listing = listed ? &listing : nullptr,
                           .region = true, .entry = region_.entry, .guards = region_.guards, .plain = blocks_[plain].code};
    const u8* code = blocks_.slots() < max_slots ? host_->compile(compile, blocks_) : nullptr;
    if (!code) return flush_code();
    if (listed) core::log_text("OUT:\n" + listing + "\n");
    stats_.host_bytes_made += u64(buffer_->next() - code);
    for (accel::CodeListener* l : options_.listeners)
      l->made({region_.first | (pc & front_.layout().mode_bits), {code, buffer_->next()},
               {page + (region_.first & 0xfff), page + (region_.last & 0xfff) + 1}, region_.instructions});
    const u32 at = pc & ~front_.layout().mode_bits;
    const u32 region = blocks_.add({.phys = phys, .pc = pc, .mode = mode, .code = code, .bytes = u16(region_.last - at + 1), .before = u16(at - region_.first),
                                    .tier = TranslatedBlock::Tier::region});
    blocks_.relink(plain, region);
    ++stats_.regions;
    stats_.region_blocks += region_.blocks;
    stats_.region_ns += u64(std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - begin).count());
  }

  // Host code for where the state stands, or the way out to run().
  const void* next_code() {
    current_ = no_block;
    if (c_.exit_request.load(std::memory_order_relaxed) || c_.halted || blocks_.step_wanted) return host_->exit_code();
    current_ = next_block();
    if (current_ == no_block) return host_->exit_code();
    const TranslatedBlock& b = blocks_[current_];
    if (chain() && (probes_ || chains_) && !(b.mode & mode_transient)) blocks_.fill_probe(b.pc, b.mode & 1, b.code, b.phys);
    return b.code;
  }
#endif
  bool chain() const { return !core::log_on(Log(u32(Log::exec) | u32(Log::cpu) | u32(Log::nochain))); }

  // The block for where the state stands; translates it when it is new.  no_block: a fault was taken, a breakpoint
  // was reached, or the code cannot be cached (it was then stepped).
  u32 next_block() {
    ++stats_.lookups;
    const u32 pc = front_.pc(c_), address = pc & ~front_.layout().mode_bits;
    if (!breakpoints_.empty() && breakpoints_.contains(address)) {
      breakpoint_hit_ = true;
      return no_block;
    }
    const CodePlace place = front_.fetch_address(c_, pc);
    const GuestPhys at = place.at;
    if (!place.extent) return no_block;
    const u32 mode = front_.mode(c_);
    if (place.alone || !blocks_.page_host(at) || (raw(at) & 0xfff) + place.extent < 0x1000) {
      blocks_.step_wanted = true;
      return no_block;
    }
    u32 b = blocks_.find(raw(at), pc, mode);
    if (b == no_block) b = make_block(pc, mode, place);
    if (!chain()) log_execution(pc);
    return b;
  }

  u32 make_block(u32 pc, u32 mode, const CodePlace& place) {
    const accel::Doing what(c_, accel::Activity::translation);
    // Reading the clock takes as long as translating an instruction: one block of eight stands for all.
    constexpr u64 timed_of = 8;
    const bool timed = stats_.blocks % timed_of == 0;
    const auto begin = timed ? std::chrono::steady_clock::now() : std::chrono::steady_clock::time_point();
    Block& block = scratch_;
    const Request request = translate(pc, place, options_.block_limit, &breakpoints_, block);
    TranslatedBlock t{.phys = raw(place.at), .pc = pc, .mode = mode, .code = nullptr, .bytes = u16(std::max(1u, request.used))};
#if PINSTRAP_HOST_X86_64
    if (host_) {
      std::string listing;
      CompileRequest compile{.block = &block, .pc = pc, .mode = mode, .chain = chain(), .listing = logged(pc, Log::out_asm) ? &listing : nullptr,
                             .count = chain() && options_.region_after && options_.block_limit > 1 && !(mode & mode_transient)};
      // A slot number is part of the code, so the block's slots come after its compilation succeeded.
      t.code = blocks_.slots() < max_slots ? host_->compile(compile, blocks_) : nullptr;
      if (!t.code) {
        flush_code();
        t.code = host_->compile(compile, blocks_);
        check(t.code != nullptr);
      }
      if (compile.listing) core::log_text("OUT:\n" + listing + "\n");
      stats_.host_bytes_made += u64(buffer_->next() - t.code);
      for (accel::CodeListener* l : options_.listeners)
        l->made({pc, {t.code, buffer_->next()}, guest_bytes(place, request.used), request.instructions});
    }
#endif
    ++stats_.blocks;
    stats_.guest_instructions += request.instructions;
    stats_.guest_bytes += request.used;
    stats_.ir_operations += block.code.size();
    if (!buffer_) {
      if (interpreted_.size() >= max_interpreted) flush_code();
      interpreted_.push_back(block);
    }
    const u32 b = blocks_.add(std::move(t));
    if (timed) {
      // A millisecond and more is not ours: the host ran something else meanwhile.
      const u64 ns = u64(std::chrono::nanoseconds(std::chrono::steady_clock::now() - begin).count());
      stats_.translate_ns += ns < 1'000'000 ? timed_of * ns : timed_of * stats_.translate_ns / stats_.blocks;
    }
    return b;
  }

  // As long as the page is one of memory, where code is when it is kept.
  std::span<const u8> guest_bytes(const CodePlace& place, unsigned bytes) const {
    const u8* page = blocks_.page_host(place.at);
    return page ? std::span(page + (raw(place.at) & 0xfff), bytes) : std::span<const u8>();
  }

  Request translate(u32 pc, const CodePlace& place, unsigned limit, const std::set<u32>* breakpoints, Block& block) {
    const GuestPhys at = place.at;
    const unsigned offset = unsigned(raw(at) & 0xfff);
    u8 fetched[8] = {};
    const u8* code = fetched;
    unsigned bytes = std::min(0x1000 - offset, place.extent);
    if (const u8* page = blocks_.page_host(at)) {
      code = page + offset;
    } else {  // code in a device: what the bus answers
      bytes = std::min<unsigned>(bytes, sizeof fetched);
      fetch_from_device(at, {fetched, bytes});
    }
    block.clear();
    Request request{.pc = pc, .mode = front_.mode(c_), .code = code, .bytes = bytes, .limit = limit, .breakpoints = breakpoints, .out = &block};
    front_.translate(request);
    if (logged(pc, Log::in_asm)) log_guest_code(pc, {code, request.used});
    if (logged(pc, Log::op)) core::log_text("OP:\n" + to_text(block, front_.layout()) + "\n");
    optimise(block, options_.layers);
    if (logged(pc, Log::op_opt)) core::log_text("OP after optimization:\n" + to_text(block, front_.layout()) + "\n");
    return request;
  }

  void fetch_from_device(GuestPhys at, std::span<u8> out) {
    if (!c_.machine->fetch_device) return;
    u32 word = 0;  // aligned, which the first instruction of 16 bits need not be
    for (std::size_t i = 0; i < out.size(); ++i) {
      const u64 byte = raw(at) + i;
      if (i == 0 || byte % 4 == 0) word = u32(c_.machine->fetch_device(c_.machine, GuestPhys{byte & ~u64(3)}));
      out[i] = u8(word >> byte % 4 * 8);
    }
  }

  bool logged(u32 pc, Log item) const {
    if (!core::log_on(item)) return false;
    for (const auto& range : options_.filter)
      if (pc >= range.first && pc <= range.last) return true;
    return options_.filter.empty();
  }
  void log_guest_code(u32 pc, std::span<const u8> code) const {
    std::string text = "----------------\nIN:\n";
    for (std::size_t at = 0; at < code.size();) {
      unsigned length = 1;
      char line[64];
      const std::string insn = front_.disassemble(pc + u32(at), code.subspan(at), length);
      std::snprintf(line, sizeof line, "0x%08x:  ", (pc & ~front_.layout().mode_bits) + u32(at));
      text += line;
      for (unsigned i = 0; i < length && at + i < code.size(); ++i) {
        std::snprintf(line, sizeof line, "%02x", code[at + length - 1 - i]);
        text += line;
      }
      text += "  " + insn + "\n";
      at += length;
    }
    core::log_text(text + "\n");
  }
  void log_execution(u32 pc) const {
    if (logged(pc, Log::exec)) core::log_printf(Log::exec, "Trace 0: [%08x/%08x]\n", pc & ~front_.layout().mode_bits, front_.mode(c_));
    if (logged(pc, Log::cpu)) core::log_text(front_.dump(c_));
  }

  static constexpr std::size_t max_slots = std::size_t(1) << 24;
  static constexpr std::size_t max_interpreted = std::size_t(1) << 17;  // blocks kept as IR
  VcpuHeader& c_;
  const FrontEnd& front_;
  const u16 mode_bits_at_ = front_.layout().mode_bits_at;
  EngineOptions options_;
  const bool probes_ = options_.layers.has(Layer::probe), chains_ = options_.layers.has(Layer::chain);
  std::optional<CodeBuffer> buffer_;
  BlockStore blocks_;
#if PINSTRAP_HOST_X86_64
  std::unique_ptr<HostBackend> host_;
#endif
  Interpreter interpreter_;
  const accel::Port port_;
  Block scratch_;
  Region region_;
  std::vector<Block> interpreted_;  // -accel interp: the IR, by block number
  std::vector<u32> works_ = std::vector<u32>(accel::hot_count);  // by hot_index(): the loop there that does more than wait
  std::set<u32> breakpoints_;
  EngineStats stats_;
  u32 current_ = no_block;
  bool breakpoint_hit_ = false;
  std::optional<clockid_t> clock_;  // CPU time of the thread that runs us
};
}  // namespace
}  // namespace tcg

namespace accel {
Result<std::unique_ptr<Engine>> Engine::create(VcpuHeader& c, const tcg::FrontEnd& front, const Port& port, const EngineOptions& options) {
  std::optional<tcg::CodeBuffer> buffer;
  if (!options.interpret) {
#if PINSTRAP_HOST_X86_64
    buffer.emplace(TRY(tcg::CodeBuffer::create(options.buffer_mib * MiB)));
#else
    return Error{Kind::unsupported, "-accel jit: this build has no translator for this host; use -accel interp"};
#endif
  }
  return std::unique_ptr<Engine>(new tcg::TcgEngine(c, front, port, options, std::move(buffer)));
}

std::string Engine::stats_text() const {
  const EngineStats s = stats();
  char text[1024];
  const auto n = [](u64 v) { return static_cast<unsigned long long>(v); };
  std::snprintf(text, sizeof text,
                "blocks translated     %llu\n"
                "guest instructions    %llu (%.1f per block)\n"
                "IR operations         %llu (%.1f per guest instruction)\n"
                "host code             %llu bytes in use (%.1f made per guest instruction)\n"
                "translation time      %.1f ms (%.0f ns per guest instruction, %.1f %% of the vCPU's %.1f ms)\n"
                "memory                %llu KiB for code and tables\n"
                "blocks invalidated    %llu\n"
                "code flushes          %llu\n"
                "direct jumps chained  %llu\n"
                "block lookups         %llu\n"
                "regions               %llu, of %llu blocks, in %.1f ms\n"
                "single steps          %llu\n"
                "TLB flushes           %llu, of one page %llu\n"
                "TLB fills             %llu\n",
                n(s.blocks), n(s.guest_instructions), double(s.guest_instructions) / double(std::max<u64>(1, s.blocks)), n(s.ir_operations),
                double(s.ir_operations) / double(std::max<u64>(1, s.guest_instructions)), n(s.host_bytes),
                double(s.host_bytes_made) / double(std::max<u64>(1, s.guest_instructions)), double(s.translate_ns) / 1e6,
                double(s.translate_ns) / double(std::max<u64>(1, s.guest_instructions)),
                100 * double(s.translate_ns + s.region_ns) / double(std::max<u64>(1, s.cpu_ns)),
                double(s.cpu_ns) / 1e6, n(s.memory / KiB), n(s.invalidated), n(s.flushes), n(s.chained),
                n(s.lookups), n(s.regions), n(s.region_blocks), double(s.region_ns) / 1e6, n(s.single_steps), n(s.tlb_flushes), n(s.tlb_page_flushes), n(s.tlb_fills));
  return text;
}
}  // namespace accel
