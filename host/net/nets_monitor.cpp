// The networks as the monitor shows and changes them.

#include "host/net/nets.hpp"

#include <fmt/format.h>

namespace host {
std::string Nets::line(const NetEnd& e) {
  return fmt::format("{}: index=0,{}{}\n", e.name, e.info(), e.link() ? "" : ",link=down");
}

std::string Nets::info_network() const {
  std::string out;
  for (const Hub& h : hubs_) {
    out += fmt::format("hub {}\n", h.number);
    for (const auto& p : h.ports())
      out += p->peer() ? fmt::format(" \\ {}: {}", p->name, line(*p->peer())) : fmt::format(" \\ {}\n", p->name);
  }
  const auto in_hub = [](const NetEnd& e) { return e.peer() && e.peer()->shown_by_hub; };
  for (const auto& b : backends_)
    if (!b->peer()) out += line(*b);
  for (const auto& n : nics_) {
    if (in_hub(*n)) continue;
    out += line(*n);
    if (n->peer()) out += " \\ " + line(*n->peer());
  }
  return out;
}

std::string Nets::info_usernet() const {
  std::string out;
  for (const UserNet* u : users_) {
    int number = -1;
    for (const Hub& h : hubs_)
      for (const auto& p : h.ports())
        if (p->peer() == u) number = int(h.number);
    out += fmt::format("Hub {} ({}):\n{}", number, u->name, u->connections());
  }
  return out;
}

// A back end takes its card's link along; a card's link is its own.
std::string Nets::set_link(std::string_view name, bool up) {
  NetEnd* end = find(name);
  if (!end) return fmt::format("Error: Device '{}' not found\n", name);
  end->set_link(up);
  if (!end->is_nic() && end->peer() && end->peer()->is_nic()) end->peer()->set_link(up);
  return {};
}

UserNet* Nets::user_net(std::string_view network, std::string& error) const {
  if (network.empty() && !users_.empty()) return users_.front();
  for (UserNet* u : users_)
    if (u->name == network) return u;
  if (network.empty()) error = "user mode network stack not in use\n";
  else if (find(network)) error = fmt::format("invalid netdev type: '{}' is no user network\n", network);
  else error = fmt::format("unrecognized netdev id '{}'\n", network);
  return nullptr;
}

std::string Nets::add_forward(std::string_view network, std::string_view rule) {
  std::string error;
  UserNet* user = user_net(network, error);
  if (!user) return error;
  const auto forward = parse_host_forward(rule);
  if (!forward) return forward.error().text + "\n";
  const auto done = user->add_forward(*forward);
  return done ? std::string() : done.error().text + "\n";
}

std::string Nets::remove_forward(std::string_view network, std::string_view rule) {
  std::string error;
  UserNet* user = user_net(network, error);
  if (!user) return error;
  const auto forward = parse_host_side(rule);
  if (!forward) return forward.error().text + "\n";
  return fmt::format("host forwarding rule for {} {}\n", rule,
                     user->remove_forward(*forward) ? "removed" : "not found");
}
}  // namespace host
