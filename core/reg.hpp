#pragma once
// A register is declared once, as a member of a Regs aggregate:
//     Reg<struct UARTCR, 0x030, R | W, 0x300, Bits<struct UARTEN, 0>, Bits<struct TXE, 8>> cr;
// Decode, access rules, reset, snapshot, trace, monitor dump and docs are derived from it.
//
// A register that declares fields takes writes only in them; one that declares none takes all bits.
// Handlers: on_read(At<X>) returns the value, on_write(At<X>, v) gets the written value; registers of
// an array get the index too: on_read(At<X>, i), on_write(At<X>, i, v).

#include "core/base.hpp"
#include "core/members.hpp"

#include <array>
#include <bit>
#include <type_traits>
#include <utility>

namespace core {

enum class Access : u8 {};
inline namespace access {
inline constexpr Access R{1}, W{2}, W1C{4}, W1S{8}, RC{16}, Rfn{32}, Wfn{64};  // …fn: has a handler
}
constexpr Access operator|(Access a, Access b) { return Access(u8(a) | u8(b)); }
constexpr bool has(Access a, Access b) { return (u8(a) & u8(b)) != 0; }

struct FieldInfo {
  std::string_view name;
  u8 lsb, width;
};

// A named bit range.  `Bits<struct TXE, 8>` declares the tag TXE on the spot.
template <class Name, unsigned Lsb, unsigned Width = 1>
struct Bits {
  using name = Name;
  static constexpr u64 mask = ((u64(1) << (Width - 1)) * 2 - 1) << Lsb;
  static constexpr FieldInfo info{type_name<Name>(), Lsb, Width};
};

// `T` is the register's width: u8, u16, u32 or u64.
template <class T, class Name, u32 Offset, Access A, u64 Reset, class... Fs>
struct BasicReg {
  using tag = At<Name>;
  using value_type = T;
  static constexpr u32 offset = Offset, count = 1, stride = sizeof(T);
  static constexpr Access access = A;
  static constexpr u64 reset = Reset;
  static constexpr T writable = sizeof...(Fs) ? T((u64(0) | ... | Fs::mask)) : T(~T{0});
  T v = T(Reset);

  // Mask of a field; a name this register does not declare does not compile.
  template <class F>
  static constexpr T mask() {
    constexpr T m = T(((std::is_same_v<F, typename Fs::name> ? Fs::mask : 0u) | ... | u64(0)));
    static_assert(m != 0, "this register declares no field of that name");
    return m;
  }
  template <class F>
  constexpr bool is() const {
    return (v & mask<F>()) != 0;
  }
  template <class F>
  constexpr T get() const {
    return T((v & mask<F>()) >> std::countr_zero(mask<F>()));
  }
  template <class F>
  constexpr void set(bool on = true) {
    v = T(on ? v | mask<F>() : v & ~mask<F>());
  }
  template <class F>
  constexpr void put(T field) {
    v = T((v & ~mask<F>()) | ((field << std::countr_zero(mask<F>())) & mask<F>()));
  }
  // What a plain write of `value` does: only declared fields change.
  constexpr void write(u64 value) { v = T((v & ~writable) | (value & writable)); }
};
template <class Name, u32 Offset, Access A, u64 Reset = 0, class... Fs>
struct Reg : BasicReg<u32, Name, Offset, A, Reset, Fs...> {};
template <class Name, u32 Offset, Access A, u64 Reset = 0, class... Fs>
struct Reg8 : BasicReg<u8, Name, Offset, A, Reset, Fs...> {};
template <class Name, u32 Offset, Access A, u64 Reset = 0, class... Fs>
struct Reg16 : BasicReg<u16, Name, Offset, A, Reset, Fs...> {};
template <class Name, u32 Offset, Access A, u64 Reset = 0, class... Fs>
struct Reg64 : BasicReg<u64, Name, Offset, A, Reset, Fs...> {};

// `Count` registers `Stride` bytes apart; v[i] is the i-th.
template <class T, class Name, u32 Offset, unsigned Count, u32 Stride, Access A, u64 Reset, class... Fs>
struct BasicRegArray {
  using tag = At<Name>;
  using value_type = T;
  static constexpr u32 offset = Offset, count = Count, stride = Stride;
  static constexpr Access access = A;
  static constexpr u64 reset = Reset;
  static constexpr T writable = sizeof...(Fs) ? T((u64(0) | ... | Fs::mask)) : T(~T{0});
  std::array<T, Count> v = filled();
  static constexpr std::array<T, Count> filled() {
    std::array<T, Count> a{};
    for (auto& x : a) x = T(Reset);
    return a;
  }
  constexpr T& operator[](std::size_t i) { return v[i]; }
  constexpr T operator[](std::size_t i) const { return v[i]; }
  // Field F of the i-th register.
  template <class F>
  constexpr T get(std::size_t i) const {
    constexpr T m = T(((std::is_same_v<F, typename Fs::name> ? Fs::mask : 0u) | ... | u64(0)));
    static_assert(m != 0, "this register declares no field of that name");
    return T((v[i] & m) >> std::countr_zero(m));
  }
  template <class F>
  constexpr bool is(std::size_t i) const {
    return get<F>(i) != 0;
  }
  constexpr void write(std::size_t i, u64 value) { v[i] = T((v[i] & ~writable) | (value & writable)); }
};
template <class Name, u32 Offset, unsigned Count, u32 Stride, Access A, u64 Reset = 0, class... Fs>
struct RegArray : BasicRegArray<u32, Name, Offset, Count, Stride, A, Reset, Fs...> {};
template <class Name, u32 Offset, unsigned Count, u32 Stride, Access A, u64 Reset = 0, class... Fs>
struct Reg8Array : BasicRegArray<u8, Name, Offset, Count, Stride, A, Reset, Fs...> {};

// Read-only constants `Stride` bytes apart, identification registers for instance.
template <class Name, u32 Offset, u32 Stride, u32... Values>
struct RegRom {
  using tag = At<Name>;
  using value_type = u32;
  static constexpr u32 offset = Offset, count = sizeof...(Values), stride = Stride;
  static constexpr Access access = R;
  static constexpr u64 reset = 0;
  static constexpr u32 writable = 0;
  static constexpr std::array<u32, sizeof...(Values)> rom{Values...};
};

// The eight identification words of every Arm PrimeCell at 0xFE0…0xFFC; `Id` is PeriphID3..0.
template <u32 Id>
struct PrimecellId
    : RegRom<struct PeriphID, 0xfe0, 4, (Id & 0xff), (Id >> 8 & 0xff), (Id >> 16 & 0xff), (Id >> 24), 0x0d, 0xf0, 0x05, 0xb1> {};

// One register as data.  `pos` is its byte position in the Regs aggregate; `rom` is set for constants.
struct RegInfo {
  std::string_view name;
  u32 at, count, stride;
  u32 pos;
  u8 width;  // bytes
  Access access;
  u64 reset, writable;
  std::span<const FieldInfo> fields;
  const u32* rom;

  constexpr bool covers(u32 off) const { return off - at < (count - 1) * stride + width && (off - at) % stride < width; }
};

namespace detail {
template <class T, class Name, u32 O, Access A, u64 V, class... Fs>
consteval std::string_view reg_name(const BasicReg<T, Name, O, A, V, Fs...>*) {
  return type_name<Name>();
}
template <class T, class Name, u32 O, unsigned N, u32 S, Access A, u64 V, class... Fs>
consteval std::string_view reg_name(const BasicRegArray<T, Name, O, N, S, A, V, Fs...>*) {
  return type_name<Name>();
}
template <class Name, u32 O, u32 S, u32... Vs>
consteval std::string_view reg_name(const RegRom<Name, O, S, Vs...>*) {
  return type_name<Name>();
}
template <class... Fs>
struct FieldTable {
  static constexpr std::array<FieldInfo, sizeof...(Fs)> fields{Fs::info...};
};
template <class T, class Name, u32 O, Access A, u64 V, class... Fs>
FieldTable<Fs...> field_table(const BasicReg<T, Name, O, A, V, Fs...>*);
template <class T, class Name, u32 O, unsigned N, u32 S, Access A, u64 V, class... Fs>
FieldTable<Fs...> field_table(const BasicRegArray<T, Name, O, N, S, A, V, Fs...>*);
template <class Name, u32 O, u32 S, u32... Vs>
FieldTable<> field_table(const RegRom<Name, O, S, Vs...>*);

template <class X>
constexpr const u32* rom_of() {
  if constexpr (requires { X::rom; }) return X::rom.data();
  else return nullptr;
}
template <class X>
constexpr RegInfo info_at(u32 pos) {
  constexpr const X* null = nullptr;
  return {reg_name(null), X::offset, X::count, X::stride, pos, sizeof(typename X::value_type), X::access, X::reset,
          X::writable, decltype(field_table(null))::fields, rom_of<X>()};
}
}  // namespace detail

// Everything generic about a register block, as data.  Built once per Regs type.
template <class Regs>
inline constexpr auto reg_info = [] {
  std::array<RegInfo, member_count<Regs>()> table{};
  std::size_t i = 0;
  u32 pos = 0;
  each_member_type<Regs>([&]<class X>(Type<X>) {
    pos = (pos + alignof(X) - 1) / alignof(X) * alignof(X);
    table[i++] = detail::info_at<X>(pos);
    pos += sizeof(X);
  });
  return table;
}();

// The part of an access that falls into one register, or between two (no register).
struct Lane {
  const RegInfo* reg;
  u32 at;              // where the register begins
  unsigned shift;      // the part's place in it, bits
  unsigned size;       // bytes
};

// Not templates: compiled once, in core/reg.cpp.
const RegInfo* find_reg(std::span<const RegInfo> info, u32 off);
Lane lane_at(std::span<const RegInfo> info, u32 off, unsigned size);
u64 plain_read(const RegInfo& info, void* regs, u32 off);
void plain_write(const RegInfo& info, void* regs, u32 off, u64 value);
void reset_regs(std::span<const RegInfo> info, void* regs);
// Set by `-d trace` or the monitor; every register access is then logged by name.
inline bool trace_registers = false;
void trace_access(const char* device, std::span<const RegInfo> info, u32 off, unsigned size, u64 value, bool write);

namespace detail {
// Kept apart so that `d.on_read` is looked up only for registers that have a handler (clang is strict here).
template <class X, class Dev>
u64 handle_read(Dev& d, u32 index) {
  if constexpr (X::count > 1) return d.on_read(typename X::tag{}, index);
  else return d.on_read(typename X::tag{});
}
template <class X, class Dev>
void handle_write(Dev& d, u32 index, u64 v) {
  using T = typename X::value_type;
  if constexpr (X::count > 1) d.on_write(typename X::tag{}, index, T(v));
  else d.on_write(typename X::tag{}, T(v));
}
// True when `off` is the address of a register of X; `index` is its number.
template <class X>
constexpr bool is_at(u32 off, u32& index) {
  if constexpr (X::count == 1) return off == X::offset;
  index = (off - X::offset) / X::stride;
  return off - X::offset < X::count * X::stride && (off - X::offset) % X::stride == 0;
}

// Guests ask one register again and again.
inline const RegInfo* find_again(std::span<const RegInfo> info, u32 off, const RegInfo*& last) {
  if (last && last->at == off) return last;
  return last = find_reg(info, off);
}

// Where it is hot: in its place.
template <class Dev>
[[gnu::always_inline]] inline u64 read_here(Dev& d, u32 off) {
  u64 out = 0;
  const bool handled = until_member(d.r, [&](auto& r) __attribute__((always_inline)) {
    using X = std::remove_reference_t<decltype(r)>;
    if constexpr (has(X::access, Rfn)) {
      if (u32 i = 0; is_at<X>(off, i)) {
        out = handle_read<X>(d, i);
        return true;
      }
    }
    return false;
  });
  if (handled) return out;
  static const RegInfo* last = nullptr;
  const RegInfo* i = find_again(reg_info<decltype(d.r)>, off, last);
  if (!i) [[unlikely]] {
    d.wires.stray(off);
    return 0;
  }
  return plain_read(*i, &d.r, off);
}
template <class Dev>
[[gnu::always_inline]] inline void write_here(Dev& d, u32 off, u64 v) {
  const bool handled = until_member(d.r, [&](auto& r) __attribute__((always_inline)) {
    using X = std::remove_reference_t<decltype(r)>;
    if constexpr (has(X::access, Wfn)) {
      if (u32 i = 0; is_at<X>(off, i)) {
        handle_write<X>(d, i, v);
        return true;
      }
    }
    return false;
  });
  if (handled) return;
  static const RegInfo* last = nullptr;
  const RegInfo* i = find_again(reg_info<decltype(d.r)>, off, last);
  if (!i) [[unlikely]] return d.wires.stray(off);
  plain_write(*i, &d.r, off, v);
}
template <class Dev>
[[gnu::noinline]] u64 read_at(Dev& d, u32 off) {
  return read_here(d, off);
}
template <class Dev>
[[gnu::noinline]] void write_at(Dev& d, u32 off, u64 v) {
  write_here(d, off, v);
}
constexpr u64 size_mask(unsigned size) { return size >= 8 ? ~u64(0) : (u64(1) << size * 8) - 1; }

// The width all registers have, 0 when they differ.
template <class Regs>
inline constexpr unsigned common_width = [] {
  unsigned width = reg_info<Regs>[0].width;
  for (const RegInfo& i : reg_info<Regs>)
    if (i.width != width) width = 0;
  return width;
}();
template <class Dev>
constexpr bool is_whole(u32 off, unsigned size) {
  constexpr unsigned width = common_width<decltype(Dev::r)>;
  return size == width && off % size == 0;
}
// Register by register, lowest address first.
template <class Dev>
u64 read_lanes(Dev& d, u32 off, unsigned size) {
  if (is_whole<Dev>(off, size)) return read_here(d, off);
  u64 v = 0;
  for (unsigned done = 0; done < size;) {
    const Lane l = lane_at(reg_info<decltype(d.r)>, off + done, size - done);
    v |= (read_at(d, l.at) >> l.shift & size_mask(l.size)) << done * 8;
    done += l.size;
  }
  return v;
}
// The bytes of a register that are not addressed stay; where ones act (W1C, W1S) they are zeros.
template <class Dev>
void write_lanes(Dev& d, u32 off, unsigned size, u64 v) {
  if (is_whole<Dev>(off, size)) return write_here(d, off, v);
  for (unsigned done = 0; done < size;) {
    const Lane l = lane_at(reg_info<decltype(d.r)>, off + done, size - done);
    const u64 mask = size_mask(l.size) << l.shift;
    u64 all = v >> done * 8 << l.shift & mask;
    if (l.reg && l.size < l.reg->width && !has(l.reg->access, W1C | W1S)) all |= read_at(d, l.at) & ~mask;
    write_at(d, l.at, all);
    done += l.size;
  }
}
}  // namespace detail

namespace detail {
// A value as the register has it, or as the bus does.
template <class Dev>
u64 in_register_order([[maybe_unused]] const Dev& d, [[maybe_unused]] unsigned size, u64 v) {
  if constexpr (Dev::ports.order == ByteOrder::processor)
    if (d.wires.big_endian) return __builtin_bswap64(v) >> (64 - 8 * size);
  return v;
}
}  // namespace detail

// One guest read of `size` bytes (1, 2, 4, 8) at byte offset `off` of the device window.  An offset
// without a register reads as 0 and is reported as a guest error.
//
// A device may add three things to its registers:
//   bool claims(u32 off) with u64 read_window(off, size), void write_window(off, size, v): memory-like ranges;
//   u32 map_offset(u32 off): where in the register map a bus offset lands now (banked chips).
template <class Dev>
[[gnu::noinline]] u64 reg_read(Dev& d, u32 off, unsigned size) noexcept {
  constexpr Ports ports = Dev::ports;
  u64 v;
  if constexpr (requires { d.claims(off); }) {
    if (d.claims(off)) return d.read_window(off, size) & detail::size_mask(size);
  }
  if (!(ports.widths & size)) [[unlikely]] {
    d.wires.stray(off);
    return 0;
  }
  if constexpr (requires { d.map_offset(off); }) off = d.map_offset(off);
  if constexpr (ports.narrow == Narrow::lanes) v = detail::read_lanes(d, off, size);
  else v = detail::read_here(d, off);
  v &= detail::size_mask(size);
  if (trace_registers) [[unlikely]] trace_access(d.wires.name, reg_info<decltype(d.r)>, off, size, v, false);
  return detail::in_register_order(d, size, v);
}

template <class Dev>
[[gnu::noinline]] void reg_write(Dev& d, u32 off, unsigned size, u64 v) noexcept {
  constexpr Ports ports = Dev::ports;
  v &= detail::size_mask(size);
  if constexpr (requires { d.claims(off); }) {
    if (d.claims(off)) return d.write_window(off, size, v);
  }
  if (!(ports.widths & size)) [[unlikely]] return d.wires.stray(off);
  if constexpr (requires { d.map_offset(off); }) off = d.map_offset(off);
  v = detail::in_register_order(d, size, v);
  if (trace_registers) [[unlikely]] trace_access(d.wires.name, reg_info<decltype(d.r)>, off, size, v, true);
  if constexpr (ports.narrow == Narrow::lanes) detail::write_lanes(d, off, size, v);
  else detail::write_here(d, off, v);
}

// A device as the generic algorithms see it: reset, save, load, dump and docs loop over these.
struct Block {
  std::string_view name, kind;
  std::span<const RegInfo> info;
  void* regs;
  void* hidden;  // state the guest cannot address (member x), saved as is; may be null
  std::size_t hidden_size;
};
template <class Dev>
Block block_of(std::string_view name, Dev& d) {
  Block b{name, Dev::kind, reg_info<decltype(d.r)>, &d.r, nullptr, 0};
  if constexpr (requires { d.x; }) {
    static_assert(std::is_trivially_copyable_v<decltype(d.x)>, "hidden state (member x) is saved as bytes");
    b.hidden = &d.x;
    b.hidden_size = sizeof d.x;
  }
  return b;
}

// The two halves of a reset.  First the power-on state: registers, and hidden state, which becomes {} unless it has
// a reset() of its own that keeps what outlives a reset (input levels, a battery-backed count).
template <class Dev>
void clear_device(Dev& d) {
  reset_regs(reg_info<decltype(d.r)>, &d.r);
  if constexpr (requires { d.x.reset(); }) d.x.reset();
  else if constexpr (requires { d.x; }) d.x = {};
}
// Then the device's own on_reset(), which recomputes its outputs.
template <class Dev>
void settle_device(Dev& d) {
  if constexpr (requires { d.on_reset(); }) d.on_reset();
}
template <class Dev>
void reset_device(Dev& d) {
  clear_device(d);
  settle_device(d);
}

namespace detail {
// A template of its own, so that `d.expire` is looked up only for devices with timers.
template <unsigned N, class D>
bool expire_if(D& d, unsigned n) {
  if (n != N) return false;
  d.expire(Timer<N>{});
  return true;
}
}  // namespace detail

// Runs d.expire(Timer<n>{}).
template <class D>
void expire_timer(D& d, unsigned n) {
  [&]<unsigned... I>(std::integer_sequence<unsigned, I...>) {
    (void)(detail::expire_if<I>(d, n) || ...);
  }(std::make_integer_sequence<unsigned, D::ports.timers>{});
}
}  // namespace core
