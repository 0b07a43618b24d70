#pragma once
#include "core/base.hpp"

#include <array>

namespace peripherals::cfi_flash {
using namespace core;

// One NOR flash part with the Intel command set — Common Flash Interface (JESD68.01), Intel basic/extended
// command set 0001; timing and buffer figures as in CFI tables.  Operations finish at once, so the status
// is always ready.

// What the part says of itself.
struct Geometry {
  u64 size;      // bytes of this part, a power of two
  u32 sector;    // bytes of an erase block of this part
  u16 id;        // manufacturer << 8 | device
  u8 width;      // bytes of its data bus: 1 or 2
};

// Its storage inside the bank's memory: word `w` is at first + w * stride.
struct Array {
  std::span<u8> bank;
  u32 first, stride;
  u8 width;
  u64 words() const { return bank.size() / stride; }
  u16 get(u64 word) const;
  void put(u64 word, u16 v) const;
};

class Part {
 public:
  bool reads_array() const { return state_ == State::array; }
  // `word` counts bus words of the part and wraps at its size.
  u16 read(const Geometry& g, const Array& a, u64 word) const;
  // `writable` false: nothing changes and the status says so.
  void write(const Geometry& g, const Array& a, u64 word, u16 v, bool writable);

  static constexpr u32 buffer_words = 1024;

 private:
  enum class State : u8 { array, status, id, query, erase, program, lock, count, fill, confirm };
  void command(u8 c);
  void erase(const Geometry& g, const Array& a, u64 word, bool writable);
  void program(const Array& a, u64 word, u16 v, bool writable);
  void begin_buffer(u16 v);
  void fill(u64 word, u16 v);
  void program_buffer(const Array& a, bool writable);
  void fail(u8 bits);

  State state_ = State::array;
  u8 status_ = 0x80;
  u32 left_ = 0;       // data words still to come
  u64 base_ = 0;       // word address of buffer_[0]
  bool based_ = false;
  std::array<u16, buffer_words> buffer_{};
};

// A byte of the query table (JESD68.01 tables 3 to 6, Intel extended table at 0x31).
u8 query_byte(const Geometry& g, u64 index);
}  // namespace peripherals::cfi_flash
