#pragma once
// Instantiated once per board: the slow path of a guest access, with the board's devices compiled in.
// The CPU shell of the board provides resolve(): translation, faults, alignment (see cpus/arm/arm926.hpp).

#include "accel/engine.hpp"
#include "accel/softmmu.hpp"
#include "accel/tcg/ir.hpp"

#include <bit>
#include <utility>

namespace accel {

template <class Machine>
class BoardPort {
 public:
  static Port make() {
    Port port;
    fill(port, std::make_integer_sequence<unsigned, 64>{});
    port.reader = reader;
    port.writer = writer;
    return port;
  }

 private:
  using Cpu = decltype(Machine::cpu);
  // Those of the byte order the CPU has, so that nobody compiles the others.
  static constexpr bool big = [] {
    if constexpr (requires { Cpu::big_endian; }) return Cpu::big_endian;
    else return false;
  }();
  // Doublewords are two words; where they must be aligned all the same, their own entry only makes sure of that.
  static constexpr bool checks_doubles = requires { Cpu::aligned_doublewords; };
  static constexpr bool is_valid(unsigned aux, bool load) {
    const unsigned size = aux & tcg::mem_size;
    if (size == 3 && (!checks_doubles || (aux & tcg::mem_plain))) return false;
    return ((aux & tcg::mem_big) != 0) == big && !((aux & tcg::mem_signed) && (size >= 2 || !load));
  }
  template <unsigned... Aux>
  static void fill(Port& port, std::integer_sequence<unsigned, Aux...>) {
    ((is_valid(Aux, true) ? void(port.load[Aux] = load<Aux>) : void()), ...);
    ((is_valid(Aux, false) ? void(port.store[Aux] = store<Aux>) : void()), ...);
  }
  // The value of the bytes in the CPU's order; the bus and memory have the least significant first.
  template <unsigned size>
  static u32 ordered(u32 v) {
    if constexpr (!big || size == 1) return v;
    else return size == 4 ? __builtin_bswap32(v) : __builtin_bswap16(u16(v));
  }
  // Kept out of the 36 accesses below: one copy of the board's address decoder.
  [[gnu::noinline]] static u64 bus_read(MachineBase* m, u64 at, unsigned size) noexcept {
    m->polls.accessed();
    return static_cast<Machine*>(m)->read(GuestPhys{at}, size);
  }
  [[gnu::noinline]] static void bus_write(MachineBase* m, u64 at, unsigned size, u64 v) noexcept {
    m->polls.accessed();
    static_cast<Machine*>(m)->write(GuestPhys{at}, size, v);
  }
  static core::DeviceReader reader(VcpuHeader* c, GuestPhys page) noexcept {
    if constexpr (requires(Machine& m) { m.reader(page); }) return static_cast<Machine*>(c->machine)->reader(page);
    else return {raw(page), bus_read};
  }
  static core::DeviceWriter writer(VcpuHeader* c, GuestPhys page) noexcept {
    if constexpr (requires(Machine& m) { m.writer(page); }) return static_cast<Machine*>(c->machine)->writer(page);
    else return {raw(page), bus_write};
  }

  // Of an aligned access to a page that is open to translated code: words moved together come here when they cross into another.
  template <unsigned size>
  static u8* open_memory(VcpuHeader& c, u32 va, bool user, bool is_store) {
    const u64 page = page_table(&c, user, is_store)[va >> page_bits];
    return page && !(va & (size - 1)) ? reinterpret_cast<u8*>(page + va) : nullptr;
  }
  template <unsigned size>
  static u32 load_memory(const u8* host) {
    if constexpr (size == 4) return load_le<u32>(host);
    else if constexpr (size == 2) return load_le<u16>(host);
    else return *host;
  }

  // What the register gets of what memory or the bus has.
  template <unsigned Aux>
  static u32 loaded(u32 v) {
    constexpr unsigned size = 1u << (Aux & tcg::mem_size);
    if constexpr (size < 4) v &= (1u << 8 * size) - 1;  // a bridge may drive all lanes
    v = ordered<size>(v);
    if constexpr ((Aux & tcg::mem_signed) && size == 1) v = u32(s32(s8(v)));
    if constexpr ((Aux & tcg::mem_signed) && size == 2) v = u32(s32(s16(v)));
    return v;
  }

  template <unsigned Aux>
  static u64 load(VcpuHeader* c, u32 va) noexcept {
    constexpr unsigned size = 1u << (Aux & tcg::mem_size);
    const bool user = (Aux & tcg::mem_user) || c->privilege;
    if (const u8* host = open_memory<size>(*c, va, user, false)) return size == 8 ? 0 : loaded<Aux>(load_memory<size>(host));
    if (const DevicePage* page = device_page(*c, va, user, false); page && size < 8 && !(va & (size - 1))) {
      const Doing what(*c, Activity::device);
      return loaded<Aux>(u32(page->reader.read(c->machine, page->reader.at + (va & 0xfff), size)));
    }
    const Doing what(*c, Activity::memory);
    const auto at = Cpu::resolve(*c, va, size, false, user, Aux & tcg::mem_plain);
    if (at.fault) return outcome_leave;
    if constexpr (size == 8) return 0;
    u32 v;
    if (!at.host) {
      const Doing device(*c, Activity::device);
      v = u32(bus_read(c->machine, raw(at.phys), size));
    } else v = load_memory<size>(at.host);
    return std::rotr(loaded<Aux>(v), at.rotate);
  }

  template <unsigned Aux>
  static u64 store(VcpuHeader* c, u32 va, u32 value) noexcept {
    constexpr unsigned size = 1u << (Aux & tcg::mem_size);
    const bool user = (Aux & tcg::mem_user) || c->privilege;
    if (u8* host = open_memory<size>(*c, va, user, true)) {
      if constexpr (size < 8) write_memory(host, size, ordered<size>(value));
      return 0;
    }
    if (const DevicePage* page = device_page(*c, va, user, true); page && size < 8 && !(va & (size - 1))) {
      const Doing what(*c, Activity::device);
      page->writer.write(c->machine, page->writer.at + (va & 0xfff), size, ordered<size>(value));
      return 0;
    }
    const Doing what(*c, Activity::memory);
    const auto at = Cpu::resolve(*c, va, size, true, user, Aux & tcg::mem_plain);
    if (at.fault) return outcome_leave;
    if constexpr (size == 8) return 0;
    value = ordered<size>(value);
    if (at.host) return store_memory(*c, at.phys, at.host, size, value);
    const Doing device(*c, Activity::device);
    bus_write(c->machine, raw(at.phys), size, value);
    return 0;
  }
};
}  // namespace accel
