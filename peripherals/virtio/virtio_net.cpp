#include "peripherals/virtio/virtio_net.hpp"

#include "core/log.hpp"

#include <algorithm>

namespace peripherals::virtio {
namespace {
constexpr Facts the_kind{
    .name = "virtio-net", .type = 1, .transitional_id = 0x1000, .pci_class = 0x020000, .config_size = 10};
constexpr unsigned f_csum = 0, f_mac = 5, f_mrg_rxbuf = 15, f_status = 16, f_ctrl_vq = 17, f_ctrl_rx = 18,
                   f_ctrl_vlan = 19, f_ctrl_rx_extra = 20, f_ctrl_mac_addr = 23;  // §5.1.3
constexpr u32 status_at = 6, status_link_up = 1;                                  // §5.1.4
// §5.1.6: struct virtio_net_hdr.
constexpr u32 header_small = 10, header_full = 12, hdr_flags = 0, hdr_gso = 1, hdr_csum_start = 6, hdr_csum_offset = 8,
              hdr_buffers = 10;
constexpr u8 needs_csum = 1, gso_none = 0;
// §5.1.6.5: classes and commands of the control queue.
constexpr u8 class_rx = 0, class_mac = 1, class_vlan = 2, mac_table_set = 0, mac_addr_set = 1, vlan_add = 0,
             vlan_del = 1;
constexpr u8 control_ok = 0, control_error = 1;
constexpr u16 vlan_type = 0x8100;
}  // namespace

Net::Net(NetPort* port, NetOptions options) : Device(the_kind), port_(port), options_(std::move(options)) {
  add_queue(options_.rx_queue_size);
  add_queue(options_.tx_queue_size);
  if (options_.ctrl_vq) add_queue(64);
  filter_.mac = options_.mac;
  link_ = port_ && port_->link_up;
  if (port_) port_->arrived = [this] { arrived(); };
}
Net::~Net() {
  if (port_) port_->arrived = nullptr;
}

u64 Net::features() const {
  u64 f = feature(f_mac);
  const auto add = [&f](bool on, unsigned bit) { f |= on ? feature(bit) : 0; };
  add(options_.csum, f_csum);
  add(options_.mrg_rxbuf, f_mrg_rxbuf);
  add(options_.status, f_status);
  if (!options_.ctrl_vq) return f;
  add(true, f_ctrl_vq);
  add(options_.ctrl_rx, f_ctrl_rx);
  add(options_.ctrl_rx_extra, f_ctrl_rx_extra);
  add(options_.ctrl_vlan, f_ctrl_vlan);
  add(options_.ctrl_mac_addr, f_ctrl_mac_addr);
  return f;
}

void Net::fill_config(std::span<u8> config, ByteOrder order) const {
  std::ranges::copy(filter_.mac, config.begin());
  order.put(&config[status_at], u16(link_ ? status_link_up : 0));
  order.put(&config[status_at + 2], u16(1));  // max_virtqueue_pairs
}

// Legacy drivers set the address by writing it here, byte by byte (§5.1.4.3).
void Net::config_written(u32 off, u32, const u8* config, ByteOrder) noexcept {
  if (is_legacy() && off < filter_.mac.size()) std::copy_n(config, filter_.mac.size(), filter_.mac.begin());
}

void Net::on_reset() noexcept {
  filter_ = {};
  filter_.mac = options_.mac;
  waiting_.clear();
}

unsigned Net::header_size() const { return has(f_mrg_rxbuf) || !is_legacy() ? header_full : header_small; }

void Net::arrived() noexcept {
  const bool link = port_->link_up;
  if (link != link_) {
    link_ = link;
    if (options_.status) config_changed();
  }
  receive();
}

void Net::notified(unsigned queue) noexcept {
  switch (queue) {
    case rx: return receive();
    case tx: return transmit();
    default: return obey();
  }
}

// To the wire.
void Net::transmit() noexcept {
  Queue& q = *queue(tx);
  Chain chain;
  for (u16 n = q.waiting(); n > 0 && q.pop(chain); --n) {
    send(chain);
    q.push(chain.head, 0);
  }
  q.notify();
}

void Net::send(const Chain& chain) noexcept {
  const unsigned header = header_size();
  const u64 length = total_length(chain.readable);
  if (length < header) return fail("a packet without a header");
  if (length - header > largest_ethernet_frame) return log_guest(name(), "a packet too long, dropped; bytes", length);
  std::vector<u8> packet(length);
  if (!read(chain.readable, 0, packet)) return;
  const std::span<u8> frame = std::span(packet).subspan(header);
  if (packet[hdr_gso] != gso_none)
    return log_guest(name(), "segmentation was not offered, packet dropped", packet[hdr_gso]);
  if (packet[hdr_flags] & needs_csum) {
    if (!has(f_csum)) return log_guest(name(), "checksumming was not negotiated, packet dropped", packet[hdr_flags]);
    if (!finish_checksum(frame, order().get<u16>(&packet[hdr_csum_start]), order().get<u16>(&packet[hdr_csum_offset])))
      return log_guest(name(), "a checksum outside the packet, dropped; bytes", frame.size());
  }
  if (port_) port_->send(frame);
}

// The field holds the sum of the pseudo header; the rest from `start` to the end is added (§5.1.6.2.1, RFC 1071).
bool Net::finish_checksum(std::span<u8> frame, u16 start, u16 offset) noexcept {
  const std::size_t field = std::size_t(start) + offset;
  if (field + 2 > frame.size()) return false;
  u64 sum = 0;
  for (std::size_t i = start; i < frame.size(); ++i) sum += u64(frame[i]) << (((i - start) & 1) ? 0 : 8);
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  u16 result = u16(~sum);
  if (result == 0) result = 0xffff;  // 0 says "no checksum" in UDP, and both are the same sum (RFC 768)
  frame[field] = u8(result >> 8);
  frame[field + 1] = u8(result);
  return true;
}

// From the wire.  Without a driver frames are lost, as they are on a wire.
void Net::receive() noexcept {
  if (!port_) return;
  const bool listens = ready() && queue(rx)->x.enabled;
  for (;;) {
    if (waiting_.empty() && !port_->receive(waiting_)) break;
    if (!listens || !wanted(waiting_) || place(waiting_) != Fit::no_room) waiting_.clear();
    else break;
  }
  queue(rx)->notify();
}

bool Net::Addresses::holds(const u8* address) const {
  return all || std::any_of(list.begin(), list.begin() + count,
                            [address](const MacAddress& m) { return std::equal(m.begin(), m.end(), address); });
}

// §5.1.6.5.1 to .3.
bool Net::wanted(const EthernetFrame& frame) const {
  const Filter& f = filter_;
  if (f.promiscuous) return true;
  if (has(f_ctrl_vlan) && frame.size() >= 16 && (frame[12] << 8 | frame[13]) == vlan_type &&
      !f.vlans[unsigned(frame[14] << 8 | frame[15]) & 0xfff])
    return false;
  const u8* to = frame.data();
  if (std::all_of(to, to + 6, [](u8 b) { return b == 0xff; })) return !f.no_broadcast;
  if (to[0] & 1) return !f.no_multicast && (f.all_multicast || f.multicast.holds(to));
  return !f.no_unicast && (f.all_unicast || std::equal(f.mac.begin(), f.mac.end(), to) || f.unicast.holds(to));
}

// Puts header and frame into as many chains as it takes when the driver merges buffers, else into one (§5.1.6.3).
Net::Fit Net::place(const EthernetFrame& frame) noexcept {
  Queue& q = *queue(rx);
  const unsigned header = header_size();
  const u64 length = header + frame.size();
  std::vector<Chain> chains;
  for (u64 room = 0; room < length;) {
    Chain& c = chains.emplace_back();
    if (!q.pop(c)) {
      if (broken()) return Fit::dropped;
      q.unpop(u16(chains.size() - 1));
      return Fit::no_room;
    }
    room += total_length(c.writable);
    if (total_length(chains.front().writable) < header)
      return fail("a receive buffer without room for the header"), Fit::dropped;
    if (!has(f_mrg_rxbuf) && room < length) {
      log_guest(name(), "a receive buffer too small, frame dropped; bytes", room);
      q.unpop(1);
      return Fit::dropped;
    }
  }
  std::vector<u8> packet(length);
  if (header == header_full) order().put(&packet[hdr_buffers], u16(chains.size()));
  std::ranges::copy(frame, packet.begin() + header);
  std::span<const u8> rest = packet;
  for (const Chain& c : chains) {
    const std::size_t n = std::size_t(std::min<u64>(rest.size(), total_length(c.writable)));
    if (!write(c.writable, 0, rest.first(n))) return Fit::dropped;
    rest = rest.subspan(n);
    q.push(c.head, u32(n));
  }
  return Fit::placed;
}

// The control queue (§5.1.6.5): class, command, data; one byte of answer.
void Net::obey() noexcept {
  Queue& q = *queue(control);
  Chain chain;
  for (u16 n = q.waiting(); n > 0 && q.pop(chain); --n) {
    u8 head[2];
    if (total_length(chain.writable) < 1 || total_length(chain.readable) < sizeof head)
      return fail("a control command without its parts");
    if (!read(chain.readable, 0, head)) return;
    const u8 ack = command(head[0], head[1], chain) ? control_ok : control_error;
    if (!write(chain.writable, 0, {&ack, 1})) return;
    q.push(chain.head, 1);
  }
  q.notify();
}

bool Net::command(u8 kind, u8 what, const Chain& chain) noexcept {
  switch (kind) {
    case class_rx: return set_receive_mode(what, chain);
    case class_mac: return set_addresses(what, chain);
    case class_vlan: return set_vlan(what, chain);
    default: return false;
  }
}

bool Net::set_receive_mode(u8 what, const Chain& chain) noexcept {
  Filter& f = filter_;
  bool* const modes[] = {&f.promiscuous,  &f.all_multicast, &f.all_unicast,
                         &f.no_multicast, &f.no_unicast,    &f.no_broadcast};
  u8 on;
  if (what >= std::size(modes) || !has(what < 2 ? f_ctrl_rx : f_ctrl_rx_extra) || !read(chain.readable, 2, {&on, 1}))
    return false;
  *modes[what] = on != 0;
  return true;
}

bool Net::set_addresses(u8 what, const Chain& chain) noexcept {
  if (what == mac_table_set) return has(f_ctrl_rx) && set_table(chain);
  MacAddress mac;
  if (what != mac_addr_set || !has(f_ctrl_mac_addr) || total_length(chain.readable) != 2 + mac.size() ||
      !read(chain.readable, 2, mac))
    return false;
  filter_.mac = mac;
  return true;
}

// Two tables, unicast then multicast: u32 count, addresses.
bool Net::set_table(const Chain& chain) noexcept {
  Addresses tables[2];
  u64 at = 2;
  for (Addresses& t : tables) {
    u8 count[4];
    if (!read(chain.readable, at, count)) return false;
    const u32 n = order().get<u32>(count);
    at += sizeof count;
    if (u64(n) * 6 > total_length(chain.readable) - at) return false;
    t.all = n > most_addresses;
    t.count = t.all ? 0 : n;
    for (u32 i = 0; i < t.count; ++i)
      if (!read(chain.readable, at + 6 * i, t.list[i])) return false;
    at += u64(n) * 6;
  }
  filter_.unicast = tables[0];
  filter_.multicast = tables[1];
  return true;
}

bool Net::set_vlan(u8 what, const Chain& chain) noexcept {
  u8 id[2];
  if (what > vlan_del || !has(f_ctrl_vlan) || !read(chain.readable, 2, id)) return false;
  const u16 n = order().get<u16>(id);
  if (n >= filter_.vlans.size()) return false;
  filter_.vlans[n] = what == vlan_add;
  return true;
}
}  // namespace peripherals::virtio
