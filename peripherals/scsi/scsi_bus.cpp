#include "peripherals/scsi/scsi_bus.hpp"

#include <algorithm>

namespace peripherals::scsi {

void Bus::attach(unsigned target, BlockPort* port) {
  if (target >= target_count) return;
  auto& unit = units_[target];
  if (port ? unit && &unit->port() == port : !unit) return;
  reset_target(target, sense::power_on);
  unit.reset();
  if (!port) return;
  unit = std::make_unique<Disk>(*port, [this, target](Command& c) {
    if (changed) changed(c);  // `c` may be gone after it
    start_queued(target);
  });
}

Command& Bus::begin(const Command& from) {
  const auto at_unit = [&](const Command& c) { return c.target == from.target; };
  const bool twice =
      std::any_of(commands_.begin(), commands_.end(), [&](const Command& c) { return c.same_nexus(from); });
  if (twice) abort_unit(from.target, from.lun);  // overlapped commands end each other (SAM-3 §5.9.3)
  const bool full = std::count_if(commands_.begin(), commands_.end(), at_unit) >= long(queue_depth);
  Command& c = commands_.emplace_back();
  c.target = from.target, c.lun = from.lun, c.tag = from.tag, c.queue = from.queue, c.cdb = from.cdb;
  if (twice) Disk::fail(c, sense::overlapped);
  else if (full) c.status = status_task_set_full, c.stage = Stage::done;
  else if (may_start(c)) start(c);
  return c;
}

// An ordered command waits for all before it, and none passes it (SAM-3 §8.6).
bool Bus::may_start(const Command& c) const {
  if (c.queue == Queue::head) return true;
  for (const Command& before : commands_) {
    if (&before == &c) return true;
    if (before.target != c.target || before.stage == Stage::done) continue;
    if (c.queue == Queue::ordered || before.queue == Queue::ordered || before.queue == Queue::head) return false;
  }
  return true;
}

void Bus::start(Command& c) {
  if (!units_[c.target]) return Disk::fail(c, sense::no_such_unit);
  if (c.lun) Disk::start_absent(c);
  else units_[c.target]->start(c);
}

// `changed` may end commands, so the search begins anew after each start.
void Bus::start_queued(unsigned target) {
  const auto startable = [&](const Command& c) {
    return c.target == target && c.stage == Stage::queued && may_start(c);
  };
  for (;;) {
    const auto at = std::find_if(commands_.begin(), commands_.end(), startable);
    if (at == commands_.end()) return;
    start(*at);
    if (!at->waits() && changed) changed(*at);
  }
}

void Bus::moved(Command& c, std::size_t bytes) {
  c.moved += u32(bytes);
  c.moving = c.moving || bytes;
  if (c.moved < c.data.size()) return;
  if (c.lun) Disk::finish(c);
  else units_[c.target]->moved(c);
  if (c.stage == Stage::done) start_queued(c.target);
}

std::size_t Bus::take(Command& c, std::span<u8> to) {
  if (c.stage != Stage::data_in) return 0;
  const std::size_t n = std::min<std::size_t>(to.size(), c.data.size() - c.moved);
  std::copy_n(c.data.begin() + long(c.moved), n, to.begin());
  moved(c, n);
  return n;
}
std::size_t Bus::put(Command& c, std::span<const u8> from) {
  if (c.stage != Stage::data_out) return 0;
  const std::size_t n = std::min<std::size_t>(from.size(), c.data.size() - c.moved);
  std::copy_n(from.begin(), n, c.data.begin() + long(c.moved));
  moved(c, n);
  return n;
}

void Bus::finish(Command& c) {
  const unsigned target = c.target;
  if (c.status == status_check && !c.lun && units_[target]) units_[target]->keep_sense(c.sense);
  forget(std::find_if(commands_.begin(), commands_.end(), [&](const Command& o) { return &o == &c; }));
  start_queued(target);
}

void Bus::forget(std::list<Command>::iterator at) {
  if (units_[at->target]) units_[at->target]->abort(*at);
  commands_.erase(at);
}

template <class Which>
void Bus::abort_if(Which which) {
  for (auto at = commands_.begin(); at != commands_.end();) {
    const auto here = at++;
    if (which(*here)) forget(here);
  }
}
void Bus::abort(const Command& nexus) {
  const unsigned target = nexus.target;
  abort_if([&](const Command& c) { return &c != &nexus && c.same_nexus(nexus); });
  start_queued(target);
}
void Bus::abort_unit(unsigned target, unsigned lun) {
  abort_if([&](const Command& c) { return c.target == target && c.lun == lun; });
}
void Bus::reset_target(unsigned target, Sense why) {
  abort_if([&](const Command& c) { return c.target == target; });
  if (present(target)) units_[target]->reset(why);
}
void Bus::reset(Sense why) {
  for (unsigned n = 0; n < target_count; ++n) reset_target(n, why);
}

Command* Bus::ready() const {
  for (const Command& c : commands_)
    if (c.disconnected && !c.waits()) return const_cast<Command*>(&c);
  return nullptr;
}
}  // namespace peripherals::scsi
