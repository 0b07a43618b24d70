#include "peripherals/pci/bus.hpp"

#include <algorithm>

namespace peripherals::pci {

bool Bus::attach(Function& f, unsigned slot, unsigned fn) {
  if (slot >= slot_count || fn >= function_count || places_[slot][fn]) return false;
  places_[slot][fn] = &f;
  f.bus = this;
  f.slot = u8(slot);
  f.number = u8(fn);
  addresses_changed();
  return true;
}

bool Bus::attach(std::unique_ptr<Function> f, unsigned slot, unsigned fn) {
  if (!attach(*f, slot, fn)) return false;
  f->soldered = false;
  owned_.push_back(std::move(f));
  return true;
}

unsigned Bus::free_slot(unsigned first) const {
  for (unsigned slot = first; slot < slot_count; ++slot)
    if (std::ranges::none_of(places_[slot], [](Function* f) { return f != nullptr; })) return slot;
  return slot_count;
}

void Bus::each(const std::function<void(Function&)>& f) const {
  for (const auto& slot : places_)
    for (Function* p : slot)
      if (p) f(*p);
}

void Bus::reset() noexcept {
  each([](Function& f) { f.reset(); });
}

Bus* Bus::leading_to(unsigned bus) const noexcept {
  for (const auto& slot : places_)
    for (Function* f : slot)
      if (f && f->leads_to(bus)) return f->behind();
  return nullptr;
}

u32 Bus::config_read(unsigned bus, unsigned devfn, u32 reg, unsigned size) noexcept {
  if (bus != number)
    if (Bus* next = leading_to(bus)) return next->config_read(bus, devfn, reg, size);
  Function* f = bus == number ? at(devfn >> 3, devfn & 7) : nullptr;
  const u32 all = size >= 4 ? ~0u : (1u << 8 * size) - 1;
  return f ? f->config_read(reg, size) & all : all;
}

void Bus::config_write(unsigned bus, unsigned devfn, u32 reg, unsigned size, u32 value) noexcept {
  if (bus != number)
    if (Bus* next = leading_to(bus)) return next->config_write(bus, devfn, reg, size, value);
  if (Function* f = bus == number ? at(devfn >> 3, devfn & 7) : nullptr) f->config_write(reg, size, value);
}

bool Bus::read(bool io, u64 at, unsigned size, u64& value) noexcept {
  const Range* r = find(io, at);
  if (!r) return false;
  if (r->behind) return r->behind->read(io, at, size, value);
  const u64 off = at - r->first;
  if (r->bar == rom_bar && !r->function->rom().empty()) {
    value = 0;
    for (unsigned i = 0; i < size && off + i < r->function->rom().size(); ++i)
      value |= u64(r->function->rom()[off + i]) << 8 * i;
    return true;
  }
  value = r->function->bar_read(r->bar, off, size);
  return true;
}

bool Bus::write(bool io, u64 at, unsigned size, u64 value) noexcept {
  const Range* r = find(io, at);
  if (!r) return false;
  if (r->behind) return r->behind->write(io, at, size, value);
  r->function->bar_write(r->bar, at - r->first, size, value);
  return true;
}

const Bus::Range* Bus::find(bool io, u64 at) noexcept {
  if (stale_) collect();
  for (const Range& r : ranges_[io])
    if (at - r.first <= r.last - r.first) return &r;
  return nullptr;
}

void Bus::collect() {
  stale_ = false;
  for (auto& ranges : ranges_) ranges.clear();
  each([&](Function& f) {
    for (unsigned bar = 0; bar <= rom_bar; ++bar)
      if (u64 at; f.decodes(bar, at)) ranges_[f.is_io(bar)].push_back({at, at + f.bar_size(bar) - 1, &f, bar, nullptr});
  });
  each([&](Function& f) {
    unsigned bar = window_bar;
    f.each_window([&](bool io, u64 first, u64 last) { ranges_[io].push_back({first, last, &f, bar++, f.behind()}); });
  });
}

void Bus::set_pin(const Function& f, bool level) noexcept { set_pin(f.slot, f.identity().interrupt_pin - 1u, level); }

void Bus::set_pin(unsigned slot, unsigned pin, bool level) noexcept {
  const unsigned line = up_.route(slot, pin) & 3;
  u16& pulls = pulls_[line];
  pulls = u16(level ? pulls + 1 : pulls - 1);
  if (pulls == (level ? 1 : 0)) up_.set_line(line, level);
}

void Bus::addresses_changed() noexcept {
  stale_ = true;
  if (up_.addresses_moved) up_.addresses_moved();
}
}  // namespace peripherals::pci
