#pragma once
// Which guest memory has been translated: blocks by physical address, pages that hold code, what is mapped for
// stores.  Shared by both executors and by the soft MMU.
//
// Thread: the vCPU thread.

#include "accel/engine.hpp"
#include "accel/softmmu.hpp"
#include "accel/tcg/code_buffer.hpp"
#include "accel/tcg/front_end.hpp"
#include "core/sparse_array.hpp"

#include <vector>

namespace tcg {
inline constexpr u32 no_block = ~u32(0);

// A translated block, or a region of several.  Keyed by (physical address, pc with mode bits, mode); never crosses a 4 KiB
// page.  Small, because lookups walk chains of them: one cache line.
struct TranslatedBlock {
  u64 phys;              // of its entry
  u32 pc, mode;
  const u8* code;        // host code; null for the interpreter
  u32 next_in_bucket = no_block, next_in_page = no_block;
  u32 first_incoming = no_block;  // jump slots that lead here
  u16 bytes;             // of guest code from the entry on; at least 1
  u16 before = 0;        // … and before the entry
  enum class Tier : u8 { block, unlikely, region } tier = Tier::block;  // unlikely: it was tried, and no region begins here
  bool valid = true;

  u64 first() const { return phys - before; }
  u64 last() const { return phys + bytes - 1; }
};
static_assert(sizeof(TranslatedBlock) <= 48);

// A patchable direct jump in host code.  One without condition is a call while it is not chained.
struct JumpSlot {
  u32 displacement;  // of its 32-bit operand in the code buffer
  u32 unlinked;      // the operand's value while not chained
  u32 pc;            // where it goes
  u32 next_incoming = no_block;
};

// One 4 KiB page of guest memory.  All zeros: nothing is known of it; so what may be ~0 is kept inverted.
struct MemoryPage {
  u64 lines;                    // 64-byte lines that hold translated code
  u32 inverted_first_block;
  u32 inverted_writer[2];       // va >> 12 it was last opened for stores at, by privilege
  bool many_writers;            // … and at others too
  bool watched;                 // part of the first-level table: not opened for stores either
  u32 first_block() const { return ~inverted_first_block; }
  void set_first_block(u32 b) { inverted_first_block = ~b; }
  u32 writer(unsigned privilege) const { return ~inverted_writer[privilege]; }
  void set_writer(unsigned privilege, u32 page) { inverted_writer[privilege] = ~page; }
};
static_assert(no_block == ~u32(0));

class BlockStore {
 public:
  // Mappings of [fixed_at, fixed_at + fixed_size) stay when the others are flushed.
  BlockStore(VcpuHeader& c, CodeBuffer* buffer, u32 fixed_at = 0, u32 fixed_size = 0, accel::Layers layers = {});
  ~BlockStore();

  u32 find(u64 phys, u32 pc, u32 mode) const;
  // Adds a block; its page stops being writable directly.
  u32 add(TranslatedBlock block);
  TranslatedBlock& operator[](u32 i) { return blocks_[i]; }
  std::size_t count() const { return blocks_.size(); }
  void clear();

  u32 add_slot(const u8* displacement, u32 unlinked, u32 pc);
  u32 target_of(u32 slot) const { return slots_[slot].pc; }
  void link(u32 slot, u32 block);
  // Leads the jumps to `from` to `to`, a block at the same pc.
  void relink(u32 from, u32 to);
  void begin_guess(u32 n);  // of accel::guess_table()
  std::size_t slots() const { return slots_.size(); }
  u64 memory() const;  // bytes of what is kept here

  // The page's index when `at` is memory, or -1; its host address when it can be read directly, or null.
  s64 page_index(GuestPhys at) const;
  u8* page_host(GuestPhys at) const;

  // `phys`: where that code lies.
  void fill_probe(u32 pc, u32 privilege, const void* code, u64 phys);
  void clear_probes();

  u8* ram_page(GuestPhys page, bool store) const;
  u8* map_page(u32 va, GuestPhys page, unsigned privilege, bool store, bool single_page);
  void map_device(u32 va, GuestPhys page, unsigned privilege, bool store);
  void forget_devices();
  void flush_tlb();
  void flush_tlb_mapped();
  void flush_tlb_page(u32 va);
  void remap_page(u32 va, GuestPhys page, bool writable);
  void flush_tlb_but_sections(GuestPhys table);
  void note_section(u32 va, u32 descriptor, GuestPhys table);
  void code_written(GuestPhys at, u64 size);
  bool hits_own_block(GuestPhys at, u64 size) const;

  // Who finds out whom map_device leads to; null where no device is ever accessed.
  const accel::Port* port = nullptr;
  // Set while one instruction is stepped: then no block is being executed.
  bool stepping = false;
  // A slow path asked for the current instruction to be run again by itself.
  bool step_wanted = false;
  u64 invalidated = 0, tlb_flushes = 0, tlb_page_flushes = 0, tlb_fills = 0;

 private:
  struct Region {
    u64 at, size;
    u8* host;
    std::size_t block;  // index in MachineBase::ram
    std::size_t first_page;
  };
  const Region* region_of(u64 phys) const;
  bool readable(const Region& r) const { return c_.machine->ram[r.block].direct; }
  static std::size_t page_count(const MachineBase& machine);
  void invalidate(u32 block);
  void lead(const JumpSlot& slot, bool chained, u32 operand);
  void close_page_for_stores(std::size_t index, const u8* host);
  void refresh_lines(std::size_t index);
  template <class F> void each_block_in(GuestPhys at, u64 size, F f) const;

  VcpuHeader& c_;
  CodeBuffer* buffer_;
  std::vector<Region> regions_;
  SparseArray<MemoryPage> pages_;
  std::vector<TranslatedBlock> blocks_;
  std::vector<JumpSlot> slots_;
  std::vector<u32> buckets_;
  // What was set since the last flush, of mappings that come and go, and of fixed ones.
  enum Kind : unsigned { mapped, fixed };
  struct Filled {
    std::vector<u32> pages;       // va >> 12 << 2 | table number
    std::vector<u32> probes;      // probe index << 1 | privilege
    std::vector<u32> code_pages;  // va >> 12 that probes name
  };
  bool has_devices_[2] = {};         // VcpuHeader::devices has some of that kind
  Kind kind_of(u32 va) const { return va - fixed_at_ < fixed_size_ || section_[va >> 20] ? fixed : mapped; }
  void clear_devices(Kind kind);
  void clear_pages(Kind kind);
  void clear_probes(Kind kind);
  void clear_range(u32 first, u32 count);  // pages of one kind, by va >> 12
  void drop_section(u32 mib);
  void drop_changed_sections(u32 first, u32 last);
  void watch_table(GuestPhys table);

  u32 fixed_at_, fixed_size_;
  bool opens_pages_, keeps_;  // to translated code; what may stay on a flush
  // Sections of Arm's first-level table: by MiB the descriptor, 0 where nothing is kept, and which those are.
  // Each descriptor is what the table at table_at_ has: stores there are watched.  Null: no table, no sections.
  std::vector<u32> section_, sections_;
  const u8* table_ = nullptr;
  u64 table_at_ = 0;
  std::size_t table_page_ = 0;
  Filled filled_[2];
  std::vector<bool> large_;          // per MiB of guest virtual space: part of a mapping larger than 4 KiB
  // Per 4 KiB of guest virtual space: 0 when no probe names it, else 1 + the number of the physical page they lead to.
  SparseArray<u32> code_page_{accel::page_table_entries};
};
}  // namespace tcg
