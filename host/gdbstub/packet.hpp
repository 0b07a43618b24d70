#pragma once
// The framing of gdb's remote serial protocol: `$data#checksum`, acknowledgements, hexadecimal and escapes
// (GDB manual, appendix E.1).  Nothing here knows about targets; every length is checked.

#include "core/base.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace host {
inline constexpr std::size_t gdb_packet_size = 0x4000;  // characters between `$` and `#`, both ways

// Takes a stream apart.  An unfinished packet longer than gdb_packet_size is dropped.
class PacketReader {
 public:
  enum class Found { nothing, packet, bad_checksum, too_long, ack, nak, interrupt };
  // Takes one byte and says what it completed.
  Found feed(core::u8 c);
  // The data of the last packet, with escapes undone.
  const std::string& packet() const { return data_; }
  void reset() { state_ = State::outside; }

 private:
  enum class State { outside, data, escape, sum_high, sum_low };
  void take(core::u8 c);
  State state_ = State::outside;
  std::string data_;
  core::u8 sum_ = 0;
  int high_ = 0;
  bool overflow_ = false;
};

// `$data#checksum`; `data` must be escaped already.
std::string frame_packet(std::string_view data);
// Binary data as qXfer and X carry it: `#`, `$`, `}` and `*` are escaped.
std::string escape_binary(std::string_view data);

int hex_digit(char c);  // -1 when it is none
std::string to_hex(std::span<const core::u8> bytes);
std::string to_hex(std::string_view text);
// Pairs of digits into `out`; false unless `text` has exactly 2 * out.size() digits.
bool from_hex(std::string_view text, std::span<core::u8> out);
std::optional<std::string> from_hex(std::string_view text);

// Takes a hexadecimal number of at most 16 digits off the front; nothing when there is none.
std::optional<core::u64> take_hex(std::string_view& text);
// Takes `c` off the front; false when it is not there.
bool take_char(std::string_view& text, char c);
bool take_prefix(std::string_view& text, std::string_view prefix);

// `addr,length`, all of the text.
struct GdbRange {
  core::u64 address = 0, length = 0;
};
std::optional<GdbRange> parse_range(std::string_view text);
}  // namespace host
