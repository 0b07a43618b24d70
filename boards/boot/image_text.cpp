// Intel HEX (1988 specification, record types 00…05) and Motorola S-records (S0…S9).

#include "boards/boot/loader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace boards {
using core::Error, core::Kind, core::Status, core::u64, core::u8;

namespace {
int digit(u8 c) {
  if (c >= '0' && c <= '9') return c - '0';
  c |= 0x20;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// The pairs of digits of a line after its first `skip` characters.
std::optional<Bytes> pairs(std::string_view line, std::size_t skip) {
  line.remove_prefix(std::min(skip, line.size()));
  if (line.empty() || line.size() % 2) return std::nullopt;
  Bytes out;
  for (std::size_t i = 0; i < line.size(); i += 2) {
    const int high = digit(u8(line[i])), low = digit(u8(line[i + 1]));
    if (high < 0 || low < 0) return std::nullopt;
    out.push_back(u8(high * 16 + low));
  }
  return out;
}
u8 sum_of(const Bytes& b) {
  u8 sum = 0;
  for (u8 c : b) sum = u8(sum + c);
  return sum;
}
u64 big_endian(const Bytes& b, std::size_t at, std::size_t size) {
  u64 v = 0;
  for (std::size_t i = 0; i < size; ++i) v = v << 8 | b[at + i];
  return v;
}

// Joins records that follow each other.
struct Run {
  u64 at;
  Bytes bytes;
};
void append(std::vector<Run>& runs, u64 at, std::span<const u8> data) {
  if (data.empty()) return;
  if (runs.empty() || runs.back().at + runs.back().bytes.size() != at) runs.push_back({at, {}});
  Bytes& to = runs.back().bytes;
  to.insert(to.end(), data.begin(), data.end());
}

struct Reader {
  std::vector<Run> runs;
  u64 entry = 0;
  u64 base = 0;
  bool ended = false;

  // :LLAAAATT data CC; all bytes sum to zero.
  bool intel(std::string_view line) {
    const auto b = pairs(line, 1);
    if (!b || b->size() < 5 || b->size() != std::size_t((*b)[0]) + 5 || sum_of(*b) != 0) return false;
    const u64 offset = big_endian(*b, 1, 2);
    const std::span<const u8> data(b->data() + 4, b->size() - 5);
    switch ((*b)[3]) {
      case 0: append(runs, base + offset, data); return true;
      case 1: ended = true; return true;
      case 2:
        if (data.size() == 2) base = big_endian(*b, 4, 2) << 4;
        return data.size() == 2;
      case 3:
        if (data.size() == 4) entry = (big_endian(*b, 4, 2) << 4) + big_endian(*b, 6, 2);
        return data.size() == 4;
      case 4:
        if (data.size() == 2) base = big_endian(*b, 4, 2) << 16;
        return data.size() == 2;
      case 5:
        if (data.size() == 4) entry = big_endian(*b, 4, 4);
        return data.size() == 4;
      default: return false;
    }
  }
  // StLL address data CC; the bytes after St sum to 0xff.
  bool motorola(std::string_view line) {
    const auto b = pairs(line, 2);
    if (!b || (*b)[0] + std::size_t(1) != b->size() || sum_of(*b) != 0xff) return false;
    constexpr u8 address_size[10] = {2, 2, 3, 4, 0, 2, 3, 4, 3, 2};
    const int type = digit(u8(line[1]));
    if (type < 0 || type > 9 || type == 4) return false;
    const std::size_t n = address_size[type];
    if (b->size() < n + 2) return false;
    if (type >= 1 && type <= 3) append(runs, big_endian(*b, 1, n), std::span(*b).subspan(n + 1, b->size() - n - 2));
    if (type >= 7) {
      entry = big_endian(*b, 1, n);
      ended = true;
    }
    return true;
  }
};
}  // namespace

bool is_hex_text(std::span<const u8> f) {
  if (f.size() < 11) return false;
  const std::string_view start(reinterpret_cast<const char*>(f.data()), 11);
  const bool intel = f[0] == ':', motorola = f[0] == 'S' && f[1] >= '0' && f[1] <= '9';
  return (intel || motorola) &&
         pairs(start.substr(0, 1 + 2 * ((start.size() - 1) / 2)).substr(0, intel ? 11 : 10), intel ? 1 : 2).has_value();
}

core::Result<Image> parse_hex_text(std::span<const u8> f) {
  std::string_view text(reinterpret_cast<const char*>(f.data()), f.size());
  Reader reader;
  const bool intel = f[0] == ':';
  for (unsigned number = 1; !text.empty() && !reader.ended; ++number) {
    const auto end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == text.npos ? std::string_view() : text.substr(end + 1);
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    if (line.empty()) continue;
    const bool good =
        line.size() > 2 && (intel ? line[0] == ':' && reader.intel(line) : line[0] == 'S' && reader.motorola(line));
    if (!good)
      return Error{Kind::corrupt, fmt::format("line {} is not {} or its checksum is wrong", number,
                                              intel ? "an Intel HEX record" : "an S-record")};
  }
  if (!reader.ended) return Error{Kind::corrupt, "the file is cut short: its end record is missing"};
  if (reader.runs.empty()) return Error{Kind::usage, "the file has nothing to load"};
  const auto inside = [&](const Run& r) { return reader.entry - r.at < r.bytes.size(); };
  if (std::none_of(reader.runs.begin(), reader.runs.end(), inside)) {
    if (reader.entry)
      return Error{Kind::usage, fmt::format("it starts at 0x{:x}, where it loads nothing; give the address the program "
                                            "is loaded at",
                                            reader.entry)};
    reader.entry = reader.runs.front().at;  // it says no start
  }
  Image image;
  image.kind = intel ? ImageKind::intel_hex : ImageKind::s_record;
  image.entry = reader.entry;
  for (Run& r : reader.runs) image.segments.push_back({r.at, std::move(r.bytes), 0});
  return image;
}
}  // namespace boards
