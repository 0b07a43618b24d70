#include "host/net/nets.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

namespace host {
using core::Error, core::Kind, core::Result, core::Status, core::u64, core::u8;

Nets::Nets(const Options& options, const NetFacts& facts, core::MachineBase& machine, Loop& loop)
    : options_(options), facts_(facts), machine_(machine), loop_(loop), used_(facts.soldered.size()) {}

// Cables first: no end may hear of a peer that is gone.
Nets::~Nets() {
  for (auto& n : nics_) n->unplug();
  for (auto& b : backends_) b->unplug();
}

Result<std::unique_ptr<Nets>> Nets::create(const Options& options, const NetFacts& facts, core::MachineBase& machine,
                                           Loop& loop) {
  std::unique_ptr<Nets> nets(new Nets(options, facts, machine, loop));
  TRY(nets->build());
  return nets;
}

Status Nets::build() {
  // Every soldered card has its plug, whether a cable is in it or not.
  machine_.nics.clear();
  for (std::string_view model : facts_.soldered) add_plug(machine_.nics.emplace_back(), model, free_name(model));
  for (const std::string& text : options_.netdev) {
    const NetdevSpec spec = TRY(parse_netdev(text).context("-netdev"));
    if (find(spec.id)) return Error{Kind::usage, fmt::format("-netdev: id={} is given twice", spec.id)};
    TRY(open(spec).context("-netdev " + spec.id));
  }
  for (const std::string& text : options_.nic) TRY(add_nic(TRY(parse_nic(text).context("-nic"))).context("-nic"));
  for (const std::string& text : options_.net) TRY(add_nic(TRY(parse_net(text).context("-net"))).context("-net"));
  // Without a word about networks, the first card reaches out.
  if (options_.netdev.empty() && options_.nic.empty() && options_.net.empty() && !options_.nodefaults &&
      !nics_.empty()) {
    NicSpec nic;
    nic.backend = TRY(parse_nic("user")).backend;
    const auto done = add_nic(nic);
    if (!done && done.error().kind != Kind::unsupported) return done;
  }
  for (std::size_t i = 0; i < used_.size(); ++i) machine_.nics[i].wanted = used_[i];
  for (core::NetPort& port : machine_.nics)
    if (port.mac == core::MacAddress{}) port.mac = free_mac();
  for (const std::string& text : options_.object)
    if (text.starts_with("filter-dump")) TRY(add_dump(TRY(parse_dump(text).context("-object"))).context("-object"));
  return {};
}

Status Nets::check_model(const std::string& model) const {
  std::vector<std::string_view> all = facts_.soldered;
  for (std::string_view model : facts_.pluggable)
    if (std::find(all.begin(), all.end(), model) == all.end()) all.push_back(model);
  if (all.empty()) return Error{Kind::usage, "this board has no network card and no place for one; use -nic none"};
  if (model.empty() || std::find(all.begin(), all.end(), model) != all.end()) return {};
  return Error{Kind::usage,
               fmt::format("model={}: this board knows no such card, but {}", model, fmt::join(all, ", "))};
}

Status Nets::add_nic(const NicSpec& spec) {
  if (spec.none) return {};
  NetEnd* cable = nullptr;
  if (spec.card) TRY(check_model(spec.model));
  if (!spec.netdev.empty()) cable = TRY(free_netdev(spec.netdev));
  if (spec.backend) {
    NetdevSpec backend = *spec.backend;
    if (backend.id.empty()) backend.id = fmt::format("#net{}", backends_.size());
    else if (find(backend.id)) return Error{Kind::usage, fmt::format("id={} is given twice", backend.id)};
    cable = TRY(open(backend));
  }
  if (!spec.card) return join(*cable, *spec.hub);

  NicEnd* nic = nullptr;
  for (std::size_t i = 0; i < used_.size() && !nic; ++i) {
    if (used_[i] || (!spec.model.empty() && spec.model != facts_.soldered[i])) continue;
    used_[i] = true;
    nic = nics_[i].get();
    core::NetPort& port = machine_.nics[i];
    if (spec.mac) port.mac = *spec.mac;
    if (!spec.id.empty()) port.id = nic->name = spec.id;
  }
  if (!nic) {
    const std::string model =
        !spec.model.empty() || facts_.pluggable.empty() ? spec.model : std::string(facts_.pluggable[0]);
    if (std::find(facts_.pluggable.begin(), facts_.pluggable.end(), model) == facts_.pluggable.end())
      return Error{Kind::usage, fmt::format("this board has {} network card{}, and no place for another", used_.size(),
                                            used_.size() == 1 ? "" : "s")};
    core::NetPort& port = machine_.nics.emplace_back();
    nic = &add_plug(port, model, spec.id.empty() ? free_name(model) : spec.id);
    if (spec.mac) port.mac = *spec.mac;
    to_plug_.push_back({model, port.id, &port});
  }
  if (spec.hub) return join(*nic, *spec.hub);
  if (cable) nic->plug(*cable);
  return {};
}

Result<NetEnd*> Nets::open(const NetdevSpec& spec) {
  std::unique_ptr<NetEnd> end;
  switch (spec.kind) {
    case NetdevSpec::Kind::user: {
      auto user = TRY(open_user_net(loop_, spec.user));
      users_.push_back(user.get());
      end = std::move(user);
      break;
    }
    case NetdevSpec::Kind::tap: end = TRY(open_tap(loop_, spec.tap)); break;
    case NetdevSpec::Kind::stream: end = TRY(open_stream(loop_, spec.stream, spec.type)); break;
    case NetdevSpec::Kind::dgram: end = TRY(open_dgram(loop_, spec.dgram, spec.type)); break;
    case NetdevSpec::Kind::hubport: {
      NetEnd& port = hub(spec.hub).add_port(spec.id);
      if (!spec.hub_netdev.empty()) port.plug(*TRY(free_netdev(spec.hub_netdev)));
      return &port;
    }
  }
  end->name = spec.id;
  backends_.push_back(std::move(end));
  return backends_.back().get();
}

Status Nets::join(NetEnd& end, unsigned number) {
  end.plug(hub(number).add_port());
  return {};
}

Status Nets::add_dump(const DumpSpec& spec) {
  NetEnd* end = find(spec.netdev);
  if (!end) return Error{Kind::usage, fmt::format("filter-dump: there is no netdev '{}'", spec.netdev)};
  // The records carry the guest's time, counted from the calendar at power-on.
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const u64 start = u64(std::chrono::duration_cast<std::chrono::microseconds>(now).count());
  const core::Clock* clock = machine_.clock;
  dumps_.push_back(TRY(
      PcapFile::create(spec.file, spec.longest, [start, clock] { return start + (clock ? clock->now() / 1000 : 0); })));
  end->listeners.push_back([file = dumps_.back().get()](std::span<const u8> frame) { file->write(frame); });
  return {};
}

// 52:54:00:12:34:56 and on, but for those given to a card by hand.
core::MacAddress Nets::free_mac() const {
  for (core::MacAddress mac{0x52, 0x54, 0x00, 0x12, 0x34, 0x56};; ++mac[5]) {
    const auto taken = [&](const core::NetPort& p) { return p.mac == mac; };
    if (std::none_of(machine_.nics.begin(), machine_.nics.end(), taken) || mac[5] == 0x55) return mac;
  }
}
std::string Nets::free_name(std::string_view model) const {
  for (unsigned n = 0;; ++n)
    if (std::string name = fmt::format("{}.{}", model, n); !find(name)) return name;
}

NicEnd& Nets::add_plug(core::NetPort& port, std::string_view model, std::string id) {
  port.model = model;
  port.id = std::move(id);
  nics_.push_back(std::make_unique<NicEnd>(loop_, machine_, port));
  return *nics_.back();
}

Result<core::NetPort*> Nets::plug(std::string_view netdev, std::string_view model, std::string_view id,
                                  std::optional<core::MacAddress> mac) {
  NetEnd* cable = netdev.empty() ? nullptr : TRY(free_netdev(netdev));
  core::NetPort& port = machine_.nics.emplace_back();
  NicEnd& nic = add_plug(port, model, id.empty() ? free_name(model) : std::string(id));
  port.mac = mac ? *mac : free_mac();
  if (cable) nic.plug(*cable);
  return &port;
}

Hub& Nets::hub(unsigned number) {
  for (Hub& h : hubs_)
    if (h.number == number) return h;
  return hubs_.emplace_back(number);
}

NetEnd* Nets::find(std::string_view name) const {
  for (const auto& n : nics_)
    if (n->name == name) return n.get();
  for (const auto& b : backends_)
    if (b->name == name) return b.get();
  for (const Hub& h : hubs_)
    for (const auto& p : h.ports())
      if (p->name == name) return p.get();
  return nullptr;
}

Result<NetEnd*> Nets::free_netdev(std::string_view id) const {
  NetEnd* end = find(id);
  if (!end || end->is_nic())
    return Error{Kind::usage, fmt::format("there is no netdev '{}'; make it with -netdev", id)};
  if (end->peer())
    return Error{Kind::usage,
                 fmt::format("netdev '{}' is in use by {}; join several with -netdev hubport", id, end->peer()->name)};
  return end;
}

void Nets::warn_of_loose_ends() const {
  for (const auto& b : backends_)
    if (!b->peer())
      std::fprintf(stderr, "warning: netdev %s has no card; tie it with -device MODEL,netdev=%s\n", b->name.c_str(),
                   b->name.c_str());
}
}  // namespace host
