// The monitor's network commands.

#include "host/monitor/commands.hpp"
#include "host/net/nets.hpp"

namespace host {
namespace {
// `[NETWORK] RULE` as QEMU takes it.
std::string forward(Monitor& m, Arguments arguments, std::string (Nets::*change)(std::string_view, std::string_view)) {
  if (!m.context().nets) return "there is no network\n";
  const std::string_view first = arguments.word(), second = arguments.word();
  if (first.empty()) return "a rule is missing: tcp:HOST:PORT-GUEST:PORT\n";
  if (!arguments.empty()) return "there is one word too many: [NETWORK] RULE\n";
  const bool named = !second.empty();
  return (m.context().nets->*change)(named ? first : std::string_view(), named ? second : first);
}
}  // namespace

std::string info_network(Monitor& m, Arguments) { return m.context().nets ? m.context().nets->info_network() : ""; }
std::string info_usernet(Monitor& m, Arguments) { return m.context().nets ? m.context().nets->info_usernet() : ""; }

std::string hmp_set_link(Monitor& m, Arguments arguments) {
  const std::string_view name = arguments.word(), state = arguments.word();
  if (state != "on" && state != "off") return "Expected 'on' or 'off'\n";
  return m.context().nets ? m.context().nets->set_link(name, state == "on") : "there is no network\n";
}
std::string hmp_hostfwd_add(Monitor& m, Arguments arguments) { return forward(m, arguments, &Nets::add_forward); }
std::string hmp_hostfwd_remove(Monitor& m, Arguments arguments) { return forward(m, arguments, &Nets::remove_forward); }
}  // namespace host
