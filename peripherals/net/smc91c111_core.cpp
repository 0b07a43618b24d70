#include "peripherals/net/smc91c111_core.hpp"

#include "peripherals/net/ethernet.hpp"

#include <algorithm>
#include <bit>

namespace peripherals::smc91c111 {
namespace {
constexpr u8 control_odd = 0x20, control_byte = 0x40;
constexpr u16 status_broadcast = 0x4000, status_odd = 0x1000, status_multicast = 0x0001;
// PHY register 18, status output (§9).
constexpr u32 status_output = 18;
constexpr u16 status_int = 0x8000, status_link_fail = 0x4000, status_speed = 0x0080, status_duplex = 0x0040;
}  // namespace

bool PacketFifo::push(u8 packet) {
  if (count == pages) return false;
  number[(head + count++) % pages] = packet;
  return true;
}
u8 PacketFifo::pop() {
  if (empty()) return no_packet;
  const u8 packet = number[head];
  head = u8((head + 1) % pages);
  --count;
  return packet;
}

u32 PacketMemory::free_pages() const { return pages - u32(std::popcount(used)); }

void PacketMemory::reset() {
  used = 0;
  waiting = false;
  allocated = no_packet;
  tx = tx_done = rx = {};
}

u8 PacketMemory::take() {
  for (u8 n = 0; n < pages; ++n)
    if (!(used >> n & 1)) {
      used |= u8(1u << n);
      return n;
    }
  return no_packet;
}

void PacketMemory::allocate_tx() {
  allocated = take();
  waiting = allocated == no_packet;
}

void PacketMemory::release(u8 packet) {
  if (packet < pages) used &= u8(~(1u << packet));
  if (waiting) allocate_tx();
}

Frame frame_of(std::span<const u8, page_size> packet, bool pad) {
  Frame f;
  const u32 count = std::min<u32>(load_le<u16>(&packet[2]) & 0x7fe, page_size);
  if (count < 6) return f;
  f.size = count - 6;
  std::copy_n(packet.begin() + 4, f.size, f.data.begin());
  if (packet[count - 1] & control_odd) f.data[f.size++] = packet[count - 2];
  if (pad) f.size = std::max(f.size, ethernet::least_frame);
  return f;
}

void store_frame(std::span<u8, page_size> packet, std::span<const u8> frame, bool keep_crc) {
  std::array<u8, page_size> data{};
  std::copy(frame.begin(), frame.end(), data.begin());
  u32 size = std::max<u32>(u32(frame.size()), ethernet::least_frame);
  if (keep_crc) {
    store_le(&data[size], ethernet::frame_check({data.data(), size}));
    size += 4;
  }
  const bool odd = size & 1;
  const u16 kind = !(frame[0] & 1) ? 0 : ethernet::is_broadcast(frame) ? status_broadcast : status_multicast;
  const u32 count = (size & ~1u) + 6;
  store_le(&packet[0], u16(kind | (odd ? status_odd : 0)));
  store_le(&packet[2], u16(count));
  std::copy_n(data.begin(), size & ~1u, packet.begin() + 4);
  packet[count - 2] = odd ? data[size - 1] : 0;
  packet[count - 1] = control_byte | (odd ? control_odd : 0);
}

bool Filter::accepts(std::span<const u8> frame) const {
  if (promiscuous) return true;
  if (!(frame[0] & 1)) return std::equal(station.begin(), station.end(), frame.begin());
  if (all_multicast || ethernet::is_broadcast(frame)) return true;
  // The six top bits of the CRC as sent, which are the low bits of the reversed form, mirrored.
  constexpr u8 mirror[] = {0, 4, 2, 6, 1, 5, 3, 7};
  const u32 crc = ethernet::crc_register(frame.first(6));
  return hash[mirror[crc & 7]] >> mirror[crc >> 3 & 7] & 1;
}

// Start 01, operation (10 read, 01 write), PHY and register address, turnaround, 16 data bits.
void Phy::pins(bool mdc, bool drive, bool mdo) {
  const bool rising = mdc && !clock;
  clock = mdc;
  if (!rising) return;
  shift = shift << 1 | u32(drive ? mdo : true);
  if (bits == 0) {
    if ((shift & 3) == 1) bits = 2;
    return;
  }
  ++bits;
  if (bits == 14) {
    const u32 operation = shift >> 10 & 3;
    reg = u8(shift & 0x1f);
    reading = operation == 2;
    ours = (shift >> 5 & 0x1f) == 0 && (operation == 1 || operation == 2);
    data = read(reg);
    if (ours && reading && reg == status_output) changed = 0;
  }
  if (bits == 32) {
    if (ours && !reading) write(reg, u16(shift));
    bits = 0;
    shift = ~0u;
  }
}

bool Phy::mdi() const {
  if (!ours || !reading || bits < 15) return false;  // MDI is pulled down (§6); Linux' smc91x counts on it to find the PHY
  return bits == 15 ? false : data >> (31 - bits) & 1;
}

void Phy::set_link(bool up, bool tell) {
  if (up == link) return;
  link = up;
  if (tell) changed |= status_link_fail | status_speed | status_duplex;
}

// Table 8.1; PHY registers 0 to 20.
u16 Phy::read(u32 which) const {
  switch (which) {
    case 0: return control;
    case 1: return link ? 0x782d : 0x7809;  // all modes; autonegotiation complete, link up
    case 2: return 0x0016;
    case 3: return 0xf840;
    case 4: return advertisement;
    case 5: return link ? 0x45e1 : 0;  // the link partner
    case 16: case 17: return configuration[which - 16];
    case status_output: return u16((interrupt() ? status_int : 0) | (link ? status_speed | status_duplex : status_link_fail));
    case 19: return mask;
    default: return 0;
  }
}

void Phy::write(u32 which, u16 v) {
  constexpr u16 reset = 0x8000, restart = 0x0200;
  switch (which) {
    case 0:
      if (v & reset) {
        control = 0x3000;
        advertisement = 0x01e1;
      } else {
        control = u16(v & ~restart);
      }
      break;
    case 4: advertisement = v; break;
    case 16: case 17: configuration[which - 16] = v; break;
    case 19: mask = v; break;
    default: break;  // read only
  }
}
}  // namespace peripherals::smc91c111
