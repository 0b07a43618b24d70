#include "host/gdbstub/packet.hpp"

#include <algorithm>

namespace host {
using core::u64, core::u8;

void PacketReader::take(u8 c) {
  if (data_.size() < gdb_packet_size)
    data_ += char(c);
  else
    overflow_ = true;
}

PacketReader::Found PacketReader::feed(u8 c) {
  switch (state_) {
    case State::outside:
      if (c == '+') return Found::ack;
      if (c == '-') return Found::nak;
      if (c == 3) return Found::interrupt;
      if (c == '$') {
        data_.clear();
        sum_ = 0;
        overflow_ = false;
        state_ = State::data;
      }
      return Found::nothing;
    case State::data:
      if (c == '#') {
        state_ = State::sum_high;
        return Found::nothing;
      }
      if (c == '$') {  // the last packet never ended
        data_.clear();
        sum_ = 0;
        overflow_ = false;
        return Found::nothing;
      }
      sum_ = u8(sum_ + c);
      if (c == '}')
        state_ = State::escape;
      else
        take(c);
      return Found::nothing;
    case State::escape:
      sum_ = u8(sum_ + c);
      take(c ^ 0x20);
      state_ = State::data;
      return Found::nothing;
    case State::sum_high:
      high_ = hex_digit(char(c));
      state_ = State::sum_low;
      return Found::nothing;
    case State::sum_low:
      state_ = State::outside;
      const int low = hex_digit(char(c));
      if (high_ < 0 || low < 0 || high_ * 16 + low != sum_) return Found::bad_checksum;
      return overflow_ ? Found::too_long : Found::packet;
  }
  return Found::nothing;
}

std::string frame_packet(std::string_view data) {
  u8 sum = 0;
  for (char c : data) sum = u8(sum + u8(c));
  std::string out = "$";
  out += data;
  out += '#';
  out += to_hex(std::span(&sum, 1));
  return out;
}

std::string escape_binary(std::string_view data) {
  std::string out;
  out.reserve(data.size());
  for (char c : data) {
    if (c == '#' || c == '$' || c == '}' || c == '*') {
      out += '}';
      c ^= 0x20;
    }
    out += c;
  }
  return out;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string to_hex(std::span<const u8> bytes) {
  constexpr char digits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (u8 b : bytes) {
    out += digits[b >> 4];
    out += digits[b & 15];
  }
  return out;
}

std::string to_hex(std::string_view text) {
  return to_hex(std::span(reinterpret_cast<const u8*>(text.data()), text.size()));
}

bool from_hex(std::string_view text, std::span<u8> out) {
  if (text.size() != out.size() * 2) return false;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    out[i] = u8(high * 16 + low);
  }
  return true;
}

std::optional<std::string> from_hex(std::string_view text) {
  std::string out(text.size() / 2, '\0');
  if (text.size() % 2 || !from_hex(text, std::span(reinterpret_cast<u8*>(out.data()), out.size()))) return std::nullopt;
  return out;
}

std::optional<u64> take_hex(std::string_view& text) {
  u64 v = 0;
  std::size_t n = 0;
  for (; n < text.size() && hex_digit(text[n]) >= 0; ++n) {
    if (n == 16) return std::nullopt;
    v = v << 4 | u64(hex_digit(text[n]));
  }
  if (n == 0) return std::nullopt;
  text.remove_prefix(n);
  return v;
}

bool take_char(std::string_view& text, char c) {
  if (text.empty() || text[0] != c) return false;
  text.remove_prefix(1);
  return true;
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

std::optional<GdbRange> parse_range(std::string_view text) {
  const auto address = take_hex(text);
  if (!address || !take_char(text, ',')) return std::nullopt;
  const auto length = take_hex(text);
  if (!length || !text.empty()) return std::nullopt;
  return GdbRange{*address, *length};
}
}  // namespace host
