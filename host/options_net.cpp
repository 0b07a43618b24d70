// The network's options: checked when read, opened by net/nets.hpp.

#include "host/net/specs.hpp"
#include "host/options_table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace host {
using core::Error, core::Kind, core::Status;

namespace {
// A board without a card takes only the word that there is none.
Status check_cards(Context c, bool none) {
  if (none || !c.facts.nics.empty()) return {};
  return Error{Kind::unsupported, "this board has no network card and no place for one; use -nic none"};
}
bool show_models(Context c, const NicSpec& nic) {
  if (nic.model != "help" && nic.model != "?") return false;
  c.options.show = fmt::format("{}\n", fmt::join(c.facts.nics, "\n"));
  return true;
}
Status take_card(Context c, const NicSpec& nic, std::vector<std::string>& list, std::string_view text) {
  if (show_models(c, nic)) return {};
  TRY(check_cards(c, nic.none));
  list.emplace_back(text);
  return {};
}
}  // namespace

Status take_netdev(Context c, std::string_view text) {
  if (text == "help" || text == "?") {
    c.options.show = "user\ntap\nsocket\nstream\ndgram\nhubport\n";
    return {};
  }
  TRY(parse_netdev(text));
  TRY(check_cards(c, false));
  c.options.netdev.emplace_back(text);
  return {};
}
Status take_nic(Context c, std::string_view text) { return take_card(c, TRY(parse_nic(text)), c.options.nic, text); }
Status take_net(Context c, std::string_view text) { return take_card(c, TRY(parse_net(text)), c.options.net, text); }

Status take_object(Context c, std::string_view text) {
  const KeyValues keys = TRY(KeyValues::parse(text, "qom-type"));
  const std::string type = keys.get("qom-type").value_or("");
  if (type != "filter-dump")
    return Error{Kind::unsupported, fmt::format("'{}' is not built; there is filter-dump", type)};
  TRY(parse_dump(text));
  c.options.object.emplace_back(text);
  return {};
}
}  // namespace host
