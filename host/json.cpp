#include "host/json.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace host {
using core::Error, core::Kind;

namespace {
constexpr unsigned deepest = 16;

// False when it is nested deeper than any option is.
bool flatten(const nlohmann::json& value, const std::string& key, unsigned depth, KeyValues& out) {
  if (depth > deepest) return false;
  const std::string prefix = key.empty() ? key : key + ".";
  if (value.is_object()) {
    for (const auto& [name, v] : value.items())
      if (!flatten(v, prefix + name, depth + 1, out)) return false;
  } else if (value.is_array()) {
    for (std::size_t i = 0; i < value.size(); ++i)
      if (!flatten(value[i], prefix + std::to_string(i), depth + 1, out)) return false;
  } else if (value.is_boolean()) {
    out.items.push_back({key, value.get<bool>() ? "on" : "off", false});
  } else if (value.is_string()) {
    out.items.push_back({key, value.get<std::string>(), false});
  } else if (!value.is_null()) {
    out.items.push_back({key, value.dump(), false});
  }
  return true;
}

// Objects and arrays open in `text`, so that the parser is never led deep.
unsigned nesting(std::string_view text) {
  unsigned open = 0, most = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && quoted) ++i;
    else if (text[i] == '"') quoted = !quoted;
    else if (!quoted && (text[i] == '{' || text[i] == '[')) most = std::max(most, ++open);
    else if (!quoted && (text[i] == '}' || text[i] == ']') && open) --open;
  }
  return most;
}
}  // namespace

core::Result<KeyValues> parse_json_keys(std::string_view text) {
  if (nesting(text) > deepest) return Error{Kind::usage, fmt::format("JSON nested deeper than {} levels", deepest)};
  nlohmann::json value;
  try {
    value = nlohmann::json::parse(text);
  } catch (const nlohmann::json::parse_error& e) {
    return Error{Kind::usage, fmt::format("not JSON from character {} on: '{}'", e.byte,
                                          text.substr(e.byte ? std::min(e.byte - 1, text.size()) : 0, 20))};
  } catch (const nlohmann::json::exception&) {
    return Error{Kind::usage, "not JSON that can be read"};
  }
  if (!value.is_object()) return Error{Kind::usage, "the JSON must be an object: {\"driver\": …}"};
  KeyValues out;
  if (!flatten(value, {}, 0, out)) return Error{Kind::usage, fmt::format("JSON nested deeper than {} levels", deepest)};
  return out;
}
}  // namespace host
