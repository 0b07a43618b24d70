#include "host/keyvalue.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

namespace host {
using core::Error, core::Kind, core::u64;

namespace {
// Takes one item up to a single comma off the front; `,,` becomes a comma of the item.
std::string take_item(std::string_view& text) {
  std::string item;
  std::size_t i = 0;
  for (; i < text.size(); ++i) {
    if (text[i] == ',') {
      if (i + 1 < text.size() && text[i + 1] == ',')
        ++i;
      else
        break;
    }
    item += text[i];
  }
  text.remove_prefix(std::min(text.size(), i + 1));
  return item;
}
}  // namespace

core::Result<KeyValues> KeyValues::parse(std::string_view text, std::string_view implied) {
  KeyValues out;
  bool first = true;
  while (!text.empty()) {
    const std::string item = take_item(text);
    const auto equals = item.find('=');
    if (equals == 0) return Error{Kind::usage, fmt::format("'{}' has no name before '='", item)};
    if (equals != item.npos)
      out.items.push_back({item.substr(0, equals), item.substr(equals + 1), false});
    else if (first && !implied.empty())
      out.items.push_back({std::string(implied), item, false});
    else if (item.empty())
      return Error{Kind::usage, "there is nothing between two commas; write ',,' for a comma in a value"};
    else if (item.size() > 2 && item.starts_with("no"))
      out.items.push_back({item.substr(2), "off", true});
    else
      out.items.push_back({item, "on", true});
    first = false;
  }
  return out;
}

std::optional<std::string> KeyValues::get(std::string_view key) const {
  for (auto i = items.rbegin(); i != items.rend(); ++i)
    if (i->key == key) return i->value;
  return std::nullopt;
}

core::Result<bool> KeyValues::flag(std::string_view key, bool otherwise) const {
  const auto value = get(key);
  if (!value) return otherwise;
  if (const auto b = parse_bool(*value)) return *b;
  return Error{Kind::usage, fmt::format("{}='{}' must be on or off", key, *value)};
}

core::Result<u64> KeyValues::number(std::string_view key, u64 otherwise) const {
  const auto value = get(key);
  if (!value) return otherwise;
  if (const auto n = parse_number(*value)) return *n;
  return Error{Kind::usage, fmt::format("{}='{}' must be a whole number", key, *value)};
}

core::Status KeyValues::only(std::initializer_list<std::string_view> allowed) const {
  for (const KeyValue& i : items) {
    if (std::find(allowed.begin(), allowed.end(), i.key) != allowed.end()) continue;
    // A bare word may have been meant whole: `node` is not `no` + `de`.
    const std::string word = i.bare && i.value == "off" ? "no" + i.key : i.key;
    std::string way_out = did_you_mean(word, {allowed.begin(), allowed.end()});
    if (way_out.empty()) way_out = fmt::format("; there {} {}", allowed.size() == 1 ? "is" : "are", fmt::join(allowed, ", "));
    return Error{Kind::usage, fmt::format("there is no property '{}'{}", word, way_out)};
  }
  return {};
}

std::optional<bool> parse_bool(std::string_view t) {
  if (t == "on" || t == "yes" || t == "true" || t == "y") return true;
  if (t == "off" || t == "no" || t == "false" || t == "n") return false;
  return std::nullopt;
}

std::optional<u64> parse_number(std::string_view t) {
  const int base = t.starts_with("0x") || t.starts_with("0X") ? 16 : 10;
  if (base == 16) t.remove_prefix(2);
  u64 v = 0;
  const auto [end, error] = std::from_chars(t.data(), t.data() + t.size(), v, base);
  if (t.empty() || error != std::errc{} || end != t.data() + t.size()) return std::nullopt;
  return v;
}

std::optional<u64> parse_size(std::string_view t, u64 unit) {
  if (t.empty()) return std::nullopt;
  constexpr std::string_view letters = "bkmgtp";
  const auto at = letters.find(char(t.back() | 0x20));
  const bool hex = t.starts_with("0x") || t.starts_with("0X");
  if (at != letters.npos && !(hex && t.back() != 'k' && t.back() != 'K')) {
    unit = u64(1) << 10 * at;
    t.remove_suffix(1);
  }
  if (const auto whole = parse_number(t)) {
    if (*whole > ~u64(0) / unit) return std::nullopt;
    return *whole * unit;
  }
  double v = 0;
  const auto [end, error] = std::from_chars(t.data(), t.data() + t.size(), v, std::chars_format::fixed);
  if (error != std::errc{} || end != t.data() + t.size() || v < 0 || !(v * double(unit) < 1e18)) return std::nullopt;
  return u64(std::llround(v * double(unit)));
}

namespace {
// Letters added, left out, changed, or swapped with their neighbour.
unsigned edit_distance(std::string_view a, std::string_view b) {
  std::vector<unsigned> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), 0u);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = unsigned(i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j - 1] + (a[i - 1] != b[j - 1]), row[j - 1] + 1, last[j] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}
}  // namespace

std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates) {
  std::string_view best;
  unsigned best_distance = unsigned(std::max<std::size_t>(1, word.size() / 3)) + 1;
  for (std::string_view c : candidates)
    if (const unsigned d = edit_distance(word, c); d < best_distance) best = c, best_distance = d;
  return best;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& candidates,
                         std::string_view prefix) {
  const std::string_view n = nearest(word, candidates);
  return n.empty() ? std::string() : fmt::format(" (did you mean '{}{}'?)", prefix, n);
}
}  // namespace host
