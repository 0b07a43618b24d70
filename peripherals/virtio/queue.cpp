#include "peripherals/virtio/queue.hpp"

#include "peripherals/virtio/device.hpp"

#include <algorithm>

namespace peripherals::virtio {
namespace {
constexpr u16 flag_next = 1, flag_write = 2, flag_indirect = 4;  // descriptor (§2.6.5)
constexpr u16 flag_no_interrupt = 1;                             // available ring (§2.6.6)
constexpr u64 descriptor_size = 16, used_element = 8;
// Both rings: u16 flags, u16 index, then the elements, then one u16 of the event index (§2.6.6, §2.6.8).
constexpr u64 ring_index = 2, ring_elements = 4;
}  // namespace

u64 total_length(const std::vector<Segment>& segments) {
  u64 n = 0;
  for (const Segment& s : segments) n += s.length;
  return n;
}

template <class T>
bool Queue::load(u64 at, T& value) noexcept {
  u8 bytes[sizeof(T)];
  if (!device_.transport().dma_read(GuestPhys{at}, bytes)) return fail("a ring is not in memory");
  value = device_.order().get<T>(bytes);
  return true;
}
template <class T>
bool Queue::store(u64 at, T value) noexcept {
  u8 bytes[sizeof(T)];
  device_.order().put(bytes, value);
  return device_.transport().dma_write(GuestPhys{at}, bytes) || fail("a ring is not in memory");
}

bool Queue::fail(const char* why) noexcept {
  device_.fail(why);
  return false;
}

void Queue::set_legacy_page(u32 page) {
  const u16 vector = x.vector;
  reset();
  x.vector = vector;
  if (page == 0) return;
  x.descriptors = page * legacy_page;
  x.available = x.descriptors + x.size * descriptor_size;
  // The available ring ends with the event index, which is part of the layout whether negotiated or not.
  const u64 end = x.available + ring_elements + 2 * x.size + 2;
  x.used = (end + legacy_page - 1) & ~(legacy_page - 1);
  x.enabled = true;
}

u16 Queue::waiting() noexcept {
  if (!x.enabled || device_.broken()) return 0;
  u16 index;
  if (!load(x.available + ring_index, index)) return 0;
  const u16 n = u16(index - x.next_available);
  if (n <= x.size) return n;
  fail("the available index jumps by more than the queue holds");
  return 0;
}

bool Queue::pop(Chain& chain) noexcept {
  if (waiting() == 0) return false;
  if (x.taken >= x.size) return fail("more chains are available than the queue has descriptors");
  if (!load(x.available + ring_elements + 2 * (x.next_available & (x.size - 1)), chain.head)) return false;
  if (chain.head >= x.size) return fail("the available ring names a descriptor that does not exist");
  chain.readable.clear();
  chain.writable.clear();
  if (!walk({x.descriptors, x.size}, chain.head, chain)) return false;
  ++x.next_available;
  ++x.taken;
  // Tell the driver to say so when it adds the next one (§2.6.10).
  if (device_.has(feature_event_idx)) return store(x.used + ring_elements + used_element * x.size, x.next_available);
  return true;
}

bool Queue::read_descriptor(const Table& table, u32 index, Descriptor& d) noexcept {
  u8 bytes[descriptor_size];
  if (!device_.transport().dma_read(GuestPhys{table.at + index * descriptor_size}, bytes))
    return fail("a descriptor table is not in memory");
  const ByteOrder order = device_.order();
  d = {order.get<u64>(bytes), order.get<u32>(bytes + 8), order.get<u16>(bytes + 12), order.get<u16>(bytes + 14)};
  return true;
}

// A chain may end in one indirect table, which is a chain of its own (§2.6.5.3).
bool Queue::walk(Table table, u32 index, Chain& chain) noexcept {
  bool indirect = false;
  for (u32 seen = 0;;) {
    if (++seen > table.count) return fail("a descriptor chain has no end");
    Descriptor d;
    if (!read_descriptor(table, index, d)) return false;
    if (d.flags & flag_indirect) {
      if (indirect || !device_.has(feature_indirect_desc) || (d.flags & flag_next))
        return fail("an indirect descriptor where none may be");
      const u32 count = d.length / descriptor_size;
      if (d.length % descriptor_size || count == 0 || count > largest_queue)
        return fail("an indirect table of a wrong length");
      table = {d.address, count};
      indirect = true;
      index = seen = 0;
      continue;
    }
    if (d.flags & flag_write) chain.writable.push_back({GuestPhys{d.address}, d.length});
    else if (!chain.writable.empty()) return fail("a readable descriptor after a writable one");
    else chain.readable.push_back({GuestPhys{d.address}, d.length});
    if (!(d.flags & flag_next)) return true;
    index = d.next;
    if (index >= table.count) return fail("a descriptor names a next one that does not exist");
  }
}

void Queue::push(u16 head, u32 written) noexcept {
  if (!x.enabled || device_.broken()) return;
  const u64 element = x.used + ring_elements + used_element * (x.next_used & (x.size - 1));
  if (!store(element, u32(head)) || !store(element + 4, written)) return;
  if (!store(x.used + ring_index, u16(x.next_used + 1))) return;
  ++x.next_used;
  if (x.taken > 0) --x.taken;
}

// §2.6.7: with an event index, when it is among those pushed since the last time; else unless the driver said no.
void Queue::notify() noexcept {
  if (!x.enabled || device_.broken()) return;
  const u16 pushed = u16(x.next_used - x.signalled);
  if (pushed == 0) return;
  x.signalled = x.next_used;
  if (device_.has(feature_event_idx)) {
    u16 event;
    if (!load(x.available + ring_elements + 2 * x.size, event)) return;
    if (u16(x.next_used - event - 1) >= pushed) return;
  } else {
    u16 flags;
    if (!load(x.available, flags) || (flags & flag_no_interrupt)) return;
  }
  device_.transport().queue_interrupt(x.vector);
}
}  // namespace peripherals::virtio
