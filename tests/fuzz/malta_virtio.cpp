// Virtio devices: rings in memory, legacy and modern (VIRTIO 1.1 §2.6, §4.1).

#include "tests/fuzz/malta_programs.hpp"

#include <algorithm>

namespace fuzz {
namespace {
constexpr u32 most_queues = 8, queue_bytes = 0x8000, buffers_at = 0x40000;
constexpr u16 flag_next = 1, flag_write = 2, flag_indirect = 4;

// The legacy layout serves both (§2.6.2).
struct Ring {
  u32 at;
  u16 size;
  u32 descriptor(u32 n) const { return at + 16 * n; }
  u32 available() const { return at + 16 * size; }
  u32 used() const { return (available() + 6 + 2 * size + 4095) & ~4095u; }
};
}  // namespace

void MaltaPrograms::virtio(VirtioCard& card) {
  if (!card.queues || s_.one_in(24)) return start_virtio(card);
  if (s_.one_in(12)) set_vectors(card);
  const u32 queue = s_.below(card.queues);
  for (u32 n = 1 + s_.below(3); n--;) add_chain(card, queue);
  if (card.modern) put(space_pci_memory, region(*card.function, 4) + 0x3000 + queue * 4, s_.pick({2u, 4u}), queue);
  else out(u32(region(*card.function, 0)) + 0x10, s_.one_in(16) ? s_.below(70) : queue, 2);
  if (s_.one_in(2)) answer_disks();
  if (s_.one_in(4)) frame();
  if (s_.one_in(4)) m_.serve_plugged();
}

void MaltaPrograms::start_virtio(VirtioCard& card) {
  const u64 common = region(*card.function, 4);
  const u32 legacy = u32(region(*card.function, 0));
  card.modern = s_.one_in(2);
  card.memory = in_ram(queue_bytes * most_queues + 2 * buffers_at, 4096);
  const bool odd = s_.one_in(8);
  const auto status = [&](u8 v) { card.modern ? put(space_pci_memory, common + 0x14, 1, v) : out(legacy + 0x12, v); };
  for (u8 v : {0, 1, 3}) status(v);
  const u64 features =
      s_.one_in(4) ? s_.word(8) : ~u64(0) & ~(s_.one_in(2) ? u64(1) << 28 : 0) & ~(s_.one_in(2) ? u64(1) << 29 : 0);
  if (!card.modern) out(legacy + 4, features, 4);
  else {
    for (u32 half : {0u, 1u}) {
      put(space_pci_memory, common + 0x08, 4, half);
      // Those it does not offer cannot be taken.
      put(space_pci_memory, common + 0x00, 4, half);
      const u64 offered = load(space_pci_memory, common + 0x04, 4);
      put(space_pci_memory, common + 0x0c, 4, (odd ? ~u64(0) : offered) & (features >> 32 * half));
    }
    status(11);
  }
  card.queues = u16(1 + s_.below(most_queues));
  for (u32 q = 0; q < card.queues; ++q) {
    Ring ring{card.memory + q * queue_bytes, 0};
    if (card.modern) {
      put(space_pci_memory, common + 0x16, 2, q);
      ring.size = u16(load(space_pci_memory, common + 0x18, 2));
      if (s_.one_in(2) || ring.size > 256)
        ring.size = s_.pick<u16>({4, 8, 64, 256}), put(space_pci_memory, common + 0x18, 2, ring.size);
      const u64 parts[] = {ring.at, ring.available(), ring.used()};
      for (u32 n = 0; n < 3; ++n) {
        put(space_pci_memory, common + 0x20 + 8 * n, 4, odd && s_.one_in(3) ? address() : parts[n]);
        put(space_pci_memory, common + 0x24 + 8 * n, 4, odd ? value() : 0);
      }
      put(space_pci_memory, common + 0x1c, 2, 1);
    } else {
      out(legacy + 0x0e, q, 2);
      ring.size = u16(load(space_io, legacy + 0x0c, 2));
      out(legacy + 0x08, odd ? value() : ring.at / 4096, 4);
    }
    card.sizes[q] = ring.size;
    // Nothing is available yet.
    poke<u32>(ring.available(), 0), poke<u32>(ring.used(), 0);
  }
  if (s_.one_in(2)) set_vectors(card);
  status(card.modern ? 15 : 7);
}

// Messages instead of an interrupt line: the table, who uses which entry, and the switch (PCI 3.0 §6.8.2).
void MaltaPrograms::set_vectors(const VirtioCard& card) {
  pci::Function& f = *card.function;
  const u64 table = region(f, 1), common = region(f, 4);
  const u32 legacy = u32(region(f, 0));
  if (!table) return;
  for (u32 n = s_.below(6); n--;) {
    const u64 entry = table + 16 * s_.below(s_.one_in(8) ? 256 : 4);
    put(space_pci_memory, entry, s_.pick({4u, 4u, 8u}), value());
    put(space_pci_memory, entry + 8, 4, value());
    put(space_pci_memory, entry + 12, 4, s_.one_in(8) ? value() : s_.one_in(4));
  }
  get(space_pci_memory, table + 2048 + s_.below(32), s_.pick({1u, 4u, 8u}));  // what is pending
  for (u32 at = f.get(pci::cfg_capability, 1), n = 0; at && n < 48; at = f.get(at + 1, 1), ++n) {
    if (f.get(at, 1) != 0x11) continue;
    const u32 control = s_.one_in(8) ? u32(value()) : s_.pick({0x8000u, 0x8000u, 0xc000u, 0u});
    note("messages", at, control, 2);
    f.config_write(at + 2, 2, control);
  }
  const auto vector = [&] { return s_.one_in(8) ? value() : s_.below(5); };
  for (u32 q = 0; q < card.queues; ++q) {
    if (card.modern) put(space_pci_memory, common + 0x16, 2, q), put(space_pci_memory, common + 0x1a, 2, vector());
    else out(legacy + 0x0e, q, 2), out(legacy + 0x16, vector(), 2);
  }
  card.modern ? put(space_pci_memory, common + 0x10, 2, vector()) : out(legacy + 0x14, vector(), 2);
}

void MaltaPrograms::add_chain(VirtioCard& card, u32 queue) {
  const Ring ring{card.memory + queue * queue_bytes, card.sizes[queue]};
  if (!ring.size) return;
  const u32 head = s_.below(ring.size), buffers = card.memory + queue_bytes * most_queues;
  const bool indirect = s_.one_in(4);
  const u32 table = indirect ? buffers + buffers_at + s_.below(0x1000) * 16 : ring.at;
  const u32 count = 1 + s_.below(s_.one_in(8) ? 40 : 5), first_writable = s_.below(count + 1);
  for (u32 n = 0; n < count; ++n) {
    const u32 index = indirect ? n : (head + n) % ring.size;
    const u32 at = s_.one_in(24) ? address() : buffers + s_.below(buffers_at - 0x4000);
    fill_buffer(card.function->kind, queue, at, n);
    // Headers and status bytes have lengths of their own.
    const u32 length = n == 0          ? s_.pick({16u, 12u, 10u, 8u, 2u})
                       : s_.one_in(16) ? u32(value())
                                       : s_.pick({1u, 512u, 4u, 1024u, 1514u, 6u, 16u, 0x3000u});
    u16 flags = n + 1 < count ? flag_next : 0;
    if (n >= first_writable) flags |= flag_write;
    if (s_.one_in(40)) flags ^= u16(1 << s_.below(4));
    poke<u64>(table + 16 * index, s_.one_in(60) ? s_.word(8) : at);
    poke<u32>(table + 16 * index + 8, length);
    poke<u16>(table + 16 * index + 12, flags);
    poke<u16>(table + 16 * index + 14, u16(s_.one_in(40) ? value() : indirect ? n + 1 : (index + 1) % ring.size));
  }
  if (indirect) {
    poke<u64>(ring.descriptor(head), table);
    poke<u32>(ring.descriptor(head) + 8, s_.one_in(16) ? u32(value()) : 16 * count);
    poke<u16>(ring.descriptor(head) + 12, s_.one_in(16) ? u16(value()) : flag_indirect);
  }
  const u16 index = peek16(ring.available() + 2);
  poke<u16>(ring.available(), u16(s_.below(2)));
  poke<u16>(ring.available() + 4 + 2 * (index % ring.size), u16(s_.one_in(40) ? value() : head));
  poke<u16>(ring.available() + 2, u16(s_.one_in(60) ? value() : index + 1));
  // What the event index waits for.
  if (s_.one_in(2)) poke<u16>(ring.available() + 4 + 2 * ring.size, u16(index + s_.below(3)));
}

void MaltaPrograms::fill_buffer(std::string_view kind, u32 queue, u32 at, u32 index) {
  if (kind == "virtio-blk-pci") {
    if (index == 0) {
      poke<u32>(at, s_.one_in(16) ? u32(value()) : s_.pick({0u, 0u, 1u, 1u, 4u, 8u, 11u, 13u}));
      poke<u64>(at + 8, s_.one_in(8) ? s_.word(8) : s_.below(20000));
    } else if (s_.one_in(2)) {  // ranges to discard
      poke<u64>(at, s_.below(20000));
      poke<u32>(at + 8, s_.one_in(4) ? u32(value()) : s_.below(64));
      poke<u32>(at + 12, s_.below(3));
    }
  } else if (kind == "virtio-net-pci" && queue == 2) {
    if (index == 0) poke<u16>(at, u16(s_.below(6) | s_.below(4) << 8));
    else poke<u32>(at, s_.one_in(4) ? u32(value()) : s_.below(80));
  } else if (kind == "virtio-net-pci" && index == 0) {
    for (u32 n = 0; n < 12; n += 2) poke<u16>(at + n, u16(s_.one_in(2) ? 0 : s_.one_in(2) ? s_.below(8) : value()));
  } else if (kind == "virtio-serial-pci" && queue == 3) {
    poke<u32>(at, s_.one_in(8) ? u32(value()) : s_.below(6));
    poke<u16>(at + 4, u16(s_.below(10)));
    poke<u16>(at + 6, u16(s_.below(3)));
  } else {
    poke<u32>(at, u32(value()));
  }
}
}  // namespace fuzz
