#pragma once
// The vocabulary every folder shares: exact-width integers, address types, and the facts a
// peripheral states about itself.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace core {
using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using s8 = std::int8_t;
using s16 = std::int16_t;
using s32 = std::int32_t;
using s64 = std::int64_t;

// Four kinds of address never mix: guest physical, guest virtual, host pointer, offset in a window.
enum class GuestPhys : u64 {};
enum class GuestVirt : u64 {};
constexpr u64 raw(GuestPhys a) { return static_cast<u64>(a); }
constexpr u64 raw(GuestVirt a) { return static_cast<u64>(a); }
constexpr GuestPhys operator+(GuestPhys a, u64 n) { return GuestPhys{raw(a) + n}; }

inline constexpr u64 KiB = 1024, MiB = 1024 * KiB, GiB = 1024 * MiB;

// A string literal usable as a template argument.
template <std::size_t N>
struct FixedString {
  char s[N]{};
  consteval FixedString(const char (&text)[N]) {
    for (std::size_t i = 0; i < N; ++i) s[i] = text[i];
  }
  constexpr std::string_view view() const { return {s, N - 1}; }
};

// The spelling of a type without its namespace: type_name<pl011::UARTDR>() == "UARTDR".
template <class T>
consteval std::string_view type_name() {
  std::string_view s = __PRETTY_FUNCTION__;
  s.remove_prefix(s.find("T = ") + 4);
  s = s.substr(0, s.find_first_of(";]"));
  const auto colon = s.rfind(':');
  return colon == s.npos ? s : s.substr(colon + 1);
}

// Names a register in a handler: void on_write(At<UARTDR>, u32 v).
template <class Name>
struct At {};

// Names a timer in a handler: void expire(Timer<0>).
template <unsigned N>
struct Timer {};

// What an access means that is not of a register's own size.
enum class Narrow : u8 {
  low,    // only at the register's own address; the value is its low part
  lanes,  // byte lanes: of each register it covers, reads return the addressed bytes and writes replace only them
};

// The order in which a register's bytes lie on the bus.
enum class ByteOrder : u8 {
  little,
  processor,  // that of the processor, whichever the board has (Wires::big_endian)
};

// What a peripheral offers to and asks from a board; checked against the YAML at compile time.
struct Ports {
  u32 window = 0x1000;          // bytes of address space
  bool clock = false;           // needs `clock:`
  unsigned inputs = 0;          // interrupt or pin inputs, numbered from 0
  const char* outputs[16] = {};  // const char*: GCC 12 refuses string_view here
  unsigned timers = 0;          // calls wires.arm(0 … timers-1)
  bool serial = false;          // talks characters: receive(c), wires.put(c)
  u8 widths = 1 | 2 | 4;        // access sizes in bytes the window answers, as a bit set
  Narrow narrow = Narrow::low;
  ByteOrder order = ByteOrder::little;
  u16 more_windows[4] = {};     // sizes of further places it decodes; the registers of the n-th begin at n × window_step
  u32 window_step = 0x100;

  constexpr unsigned windows() const {
    unsigned n = 1;
    for (auto size : more_windows) n += size != 0;
    return n;
  }

  constexpr bool drives(std::string_view pin) const {
    for (auto o : outputs)
      if (o && o == pin) return true;
    return false;
  }
  template <class... S>
  constexpr bool all_wired(S... given) const {
    for (auto o : outputs)
      if (o && !((std::string_view(o) == given) || ...)) return false;
    return true;
  }
};

// Little-endian access to host memory at any alignment.
template <class T>
T load_le(const void* p) {
  T v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
template <class T>
void store_le(void* p, T v) {
  __builtin_memcpy(p, &v, sizeof v);
}
}  // namespace core
