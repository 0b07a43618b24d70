#include "peripherals/net/pcnet_core.hpp"

#include "peripherals/net/ethernet.hpp"

#include <utility>

namespace peripherals::pcnet {
namespace {
// Where the words of a wide descriptor stand, by style (table 30).
struct Places {
  u8 buffer, extra;
};
Places places(Style s) { return s.number == 3 ? Places{8, 0} : Places{0, 8}; }
constexpr u32 status_place = 6, count_place = 4;  // in wide descriptors of all styles
}  // namespace

Descriptor read_descriptor(const DescriptorBytes& b, Style s) {
  Descriptor d;
  if (s.wide()) {
    const Places p = places(s);
    d.buffer = load_le<u32>(&b[p.buffer]);
    d.count = load_le<u16>(&b[count_place]);
    d.status = load_le<u16>(&b[status_place]);
  } else {
    d.buffer = s.address(load_le<u32>(&b[0]));
    d.status = u16(b[3] << 8);
    d.count = load_le<u16>(&b[4]);
  }
  return d;
}

void write_descriptor(DescriptorBytes& b, Style s, const Descriptor& d, bool transmit) {
  if (s.wide()) {
    store_le(&b[places(s).extra], d.extra);
    store_le(&b[status_place], d.status);
  } else {
    b[3] = u8(d.status >> 8);
    store_le(&b[6], u16(transmit ? d.extra >> 16 : d.extra));
  }
}

InitBlock read_init_block(std::span<const u8, 28> b, Style s) {
  InitBlock i;
  i.mode = load_le<u16>(&b[0]);
  const u32 station = s.wide() ? 4 : 2, filter = s.wide() ? 12 : 8, rings = s.wide() ? 20 : 16;
  for (u32 n = 0; n < 6; ++n) i.station[n] = b[station + n];
  for (u32 n = 0; n < 4; ++n) i.filter[n] = load_le<u16>(&b[filter + 2 * n]);
  const u32 rx = load_le<u32>(&b[rings]), tx = load_le<u32>(&b[rings + 4]);
  const u32 rx_code = s.wide() ? b[2] >> 4 : rx >> 29, tx_code = s.wide() ? b[3] >> 4 : tx >> 29;
  i.receive_length = 1u << std::min(rx_code, 9u);
  i.transmit_length = 1u << std::min(tx_code, 9u);
  i.receive_ring = s.address(rx) & ~(s.descriptor_size() - 1);
  i.transmit_ring = s.address(tx) & ~(s.descriptor_size() - 1);
  return i;
}

u16 Filter::match(std::span<const u8> frame) const {
  if (ethernet::is_broadcast(frame)) return broadcast ? rx_bam : 0;
  if (!ethernet::is_multicast(frame))
    return physical && std::equal(station.begin(), station.end(), frame.begin()) ? rx_pam : 0;
  // The six top bits of the CRC register select a bit of the logical address filter (CSR8 to CSR11).
  const u32 index = ethernet::crc_register(frame.first(6)) >> 26;
  return hash[index >> 4] >> (index & 15) & 1 ? rx_lafm : 0;
}

std::array<u8, 16> address_prom(const std::array<u8, 6>& station) {
  std::array<u8, 16> p{};
  std::copy(station.begin(), station.end(), p.begin());
  p[9] = 0x11;  // hardware ID of AMD's software
  p[14] = p[15] = 'W';
  u16 sum = 0;
  for (u8 c : p) sum = u16(sum + c);
  store_le(&p[12], sum);
  return p;
}

void swap_words(std::span<u8> bytes) {
  for (std::size_t i = 0; i + 3 < bytes.size(); i += 4) {
    std::swap(bytes[i], bytes[i + 3]);
    std::swap(bytes[i + 1], bytes[i + 2]);
  }
}
}  // namespace peripherals::pcnet
