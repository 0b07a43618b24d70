#pragma once
// The small grammar inside option arguments: `first,key=value,flag,noflag`, with `,,` for a comma.

#include "core/base.hpp"
#include "core/result.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace host {
struct KeyValue {
  std::string key, value;
  bool bare = false;  // written without `=`: `value` is "on", or "off" for `nokey`
};

// Pairs in the order written; of two with the same key the last one counts.
class KeyValues {
 public:
  // `implied` names the key of a first item without `=`; empty when there is none.
  static core::Result<KeyValues> parse(std::string_view text, std::string_view implied = {});

  std::optional<std::string> get(std::string_view key) const;
  bool has(std::string_view key) const { return get(key).has_value(); }
  // The value of `key`, or `otherwise` when it is absent; a sentence when it is of the wrong type.
  core::Result<bool> flag(std::string_view key, bool otherwise) const;
  core::Result<core::u64> number(std::string_view key, core::u64 otherwise) const;
  // A sentence for the first key that is not in `allowed`, with the nearest that is.
  core::Status only(std::initializer_list<std::string_view> allowed) const;

  std::vector<KeyValue> items;
};

// on/off/yes/no/true/false/y/n.
std::optional<bool> parse_bool(std::string_view text);
// Decimal or 0x hexadecimal, the whole text.
std::optional<core::u64> parse_number(std::string_view text);
// Bytes: a number, possibly with a fraction, and b, k, M, G or T; without a letter it counts in `unit` bytes.
std::optional<core::u64> parse_size(std::string_view text, core::u64 unit = 1);

// The candidate with the fewest wrong letters; empty when none is close.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates);
// ` (did you mean 'x'?)`, or nothing.
std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& candidates,
                         std::string_view prefix = {});
}  // namespace host
