#pragma once
#include "core/net_port.hpp"
#include "core/reg.hpp"
#include "peripherals/net/ethernet.hpp"
#include "peripherals/net/pcnet_core.hpp"
#include "peripherals/net/pcnet_regs.hpp"
#include "peripherals/pci/function.hpp"

#include <bit>

namespace peripherals::pcnet {

// AMD PCnet-PCI II (Am79C970A) Ethernet controller — Am79C970A data sheet (19436), 1996.  On the Malta board.
// 32 bytes of I/O and of memory show the same: the address PROM, and CSRs and BCRs through data ports whose register
// RAP selects.  Pin: out inta (level).  The station address is the network plug's; there is no serial EEPROM.
// Frames go out when TDMD asks or the transmit poll finds them.  A frame that finds no receive descriptor waits for a
// poll interval in the plug, in place of the chip's FIFO, before it is missed.
// Not modelled: LAPPEN's early interrupt, magic packets, collisions, bus timing (CSR80 … 82, BCR18's burst bits: storage).

template <class Wires>
struct Pcnet {
  static constexpr std::string_view kind = "pcnet";
  static constexpr Ports ports{.window = 0x20, .outputs = {"inta"}, .timers = 2};
  static constexpr pci::Identity pci_identity{.vendor = 0x1022, .device = 0x2000, .revision = 0x10, .class_code = 0x02'0000, .subsystem_vendor = 0, .subsystem = 0, .interrupt_pin = 1, .bars = {{{pci::BarKind::io, 32}, {pci::BarKind::memory, 32}}}};
  static constexpr pci::BarMap pci_bars[] = {{0, 0}, {1, 0}};
  void pci_attached(pci::Function& f) {
    f.preset(0x3e, 1, 0x06);  // MIN_GNT
    f.preset(0x3f, 1, 0xff);  // MAX_LAT
  }

  Wires wires;
  Regs r;
  struct Hidden {
    bool waiting = false;  // a frame in the plug waits for a descriptor
  } x;

  // Timer 0 looks for frames to send without TDMD.  The chip does so every 2 ms; drivers that want speed set TDMD, and
  // a machine with nothing to do should cost little.  Timer 1 ends the wait of a received frame.
  static constexpr u64 transmit_poll_ns = 20'000'000, receive_wait_ns = 2'000'000;
  static constexpr u32 longest_frame = 4096 - 5;  // with its frame check sequence it fits MCNT's twelve bits
  static constexpr u32 most_on_the_wire = 1518;   // with its frame check sequence; more is babble
  static constexpr u32 most_descriptors = 512;    // looked at in one go

  // The window (§ "I/O Resources"): 16-bit ports, or 32-bit ones while BCR18's DWIO is set.
  bool claims(u32 off) const { return off < 0x20; }
  bool wide_io() const { return r.bsbc.is<DWIO>(); }
  enum class Io { none, rdp, rap, reset, bdp };
  Io port_of(u32 off, unsigned size) const {
    constexpr Io order[] = {Io::rdp, Io::rap, Io::reset, Io::bdp};
    const unsigned width = wide_io() ? 4 : 2, n = (off - 0x10) / width;
    return size == width && off % width == 0 && n < 4 ? order[n] : Io::none;
  }
  u64 read_window(u32 off, unsigned size) {
    if (off < 0x10) return read_prom(off, size);
    switch (port_of(off, size)) {
      case Io::rdp: return read_register(csr(r.rap.v)) | (wide_io() && r.rap.v == 88 ? u64(r.csr89.v) << 16 : 0);
      case Io::rap: return r.rap.v;
      case Io::reset: return soft_reset(), 0;
      case Io::bdp: return read_register(bcr(r.rap.v));
      case Io::none: break;
    }
    return wires.stray(off), ~u64(0);
  }
  void write_window(u32 off, unsigned size, u64 v) {
    if (off < 0x10) return write_prom(off, size, v);
    switch (port_of(off, size)) {
      case Io::rdp: return write_csr(r.rap.v, u16(v));
      case Io::rap: return r.rap.write(v);
      case Io::reset: return;
      case Io::bdp: return write_bcr(r.rap.v, u16(v));
      case Io::none: break;
    }
    // A doubleword write to RDP is how software asks for 32-bit ports.
    if (off == 0x10 && size == 4) return r.bsbc.set<DWIO>();
    wires.stray(off);
  }
  u64 read_prom(u32 off, unsigned size) {
    u64 v = 0;
    for (u32 i = 0; i < size && off + i < 16; ++i) v |= u64(r.aprom.v[off + i]) << 8 * i;
    return v;
  }
  void write_prom(u32 off, unsigned size, u64 v) {
    if (!r.mc.is<APROMWE>()) return wires.guest_error("address PROM written without APROMWE");
    for (u32 i = 0; i < size && off + i < 16; ++i) r.aprom.v[off + i] = u8(v >> 8 * i);
  }
  u64 read_register(u32 at) {
    const u64 v = core::detail::read_at(*this, at);
    if (trace_registers) trace_access(wires.name, reg_info<Regs>, at, 2, v, false);
    return v;
  }
  void write_register(u32 at, u16 v) {
    if (trace_registers) trace_access(wires.name, reg_info<Regs>, at, 2, v, true);
    core::detail::write_at(*this, at, v);
  }
  // Most registers take writes only while the chip is stopped or suspended (§ "User Accessible Registers").
  bool is_still() const { return r.csr0.is<STOP>() || r.csr5.is<SPND>(); }
  void write_csr(u32 n, u16 v) {
    const bool always = n == 0 || (n >= 3 && n <= 5);
    if (!always && !is_still()) return wires.guest_error("register written while the controller runs");
    write_register(csr(n), v);
  }
  void write_bcr(u32 n, u16 v) {
    if (n == 20 && !is_still()) return wires.guest_error("software style changed while the controller runs");
    write_register(bcr(n), v);
  }

  // CSR0 (§ "CSR0: Controller Status and Control").
  static constexpr u16 error_bits = 0x7800, event_bits = 0x7f00;
  u32 on_read(At<CSR0>) {
    return r.csr0.v | (r.csr0.v & error_bits ? r.csr0.mask<ERR>() : 0) | (interrupt() ? r.csr0.mask<INTR>() : 0);
  }
  void on_write(At<CSR0>, u32 v) {
    r.csr0.v = u16(r.csr0.v & ~(v & event_bits));
    r.csr0.set<IENA>(v & r.csr0.mask<IENA>());
    if (v & r.csr0.mask<STOP>()) stop();
    else {
      if (v & r.csr0.mask<INIT>()) initialize();
      if (v & r.csr0.mask<STRT>()) start();
      if (v & r.csr0.mask<TDMD>()) transmit();
      take_frames();
    }
    update();
  }
  void stop() {
    r.csr0.v = r.csr0.mask<STOP>();
    r.csr4.v &= u16(~(r.csr4.mask<UINTCMD>() | r.csr4.mask<MFCO>() | r.csr4.mask<UINT>() | r.csr4.mask<JAB>()));
    r.csr5.v &= u16(~(r.csr5.mask<SPND>() | r.csr5.mask<MPINT>()));
    wires.disarm(0);
    wires.disarm(1);
    x.waiting = false;
  }
  void start() {
    if (r.csr0.is<STRT>()) return;
    r.csr0.set<STOP>(false);
    r.csr0.set<STRT>();
    r.csr0.set<TXON>(!r.mode.is<DTX>());
    r.csr0.set<RXON>(!r.mode.is<DRX>());
    r.rcvrc.v = r.rcvrl.v;
    r.xmtrc.v = r.xmtrl.v;
    poll_later();
  }
  void initialize() {
    if (r.csr0.is<INIT>()) return;
    std::array<u8, 28> bytes{};
    const Style s = style();
    if (!wires.dma_read(GuestPhys{u32(r.csr1.v) | u32(r.csr2.v) << 16}, std::span(bytes).first(s.init_size()))) return bus_error();
    const InitBlock b = read_init_block(bytes, s);
    r.mode.write(b.mode);
    r.csr6.v = u16((std::countr_zero(b.receive_length) << 8) | (std::countr_zero(b.transmit_length) << 12));
    set_filter(b.filter);
    set_station(b.station);
    set_pair(r.csr24, r.csr25, b.receive_ring);
    set_pair(r.csr30, r.csr31, b.transmit_ring);
    r.rcvrl.v = r.rcvrc.v = u16(-b.receive_length);
    r.xmtrl.v = r.xmtrc.v = u16(-b.transmit_length);
    r.csr0.set<STOP>(false);
    r.csr0.set<INIT>();
    r.csr0.set<IDON>();
  }
  // A transfer that nobody answered ends all activity (§ "Master Abort").
  void bus_error() {
    wires.guest_error("DMA to an address without memory");
    stop();
    r.csr0.set<MERR>();
    r.csr5.set<SINT>();
  }

  void on_write(At<CSR3>, u32 v) {
    r.csr3.write(v);
    update();
  }
  static constexpr u16 csr4_events = 0x026a, csr5_events = 0x0a90;
  void on_write(At<CSR4>, u32 v) {
    const u16 events = u16(r.csr4.v & csr4_events & ~v);
    r.csr4.v = u16((v & ~(csr4_events | r.csr4.mask<UINTCMD>())) | events | (v & r.csr4.mask<UINTCMD>() ? r.csr4.mask<UINT>() : 0));
    poll_later();
    update();
  }
  void on_write(At<CSR5>, u32 v) {
    const u16 events = u16(r.csr5.v & csr5_events & ~v);
    r.csr5.write((v & ~csr5_events) | events);
    poll_later();
    take_frames();
    update();
  }
  u32 on_read(At<CSR16>) { return r.csr1.v; }
  u32 on_read(At<CSR17>) { return r.csr2.v; }
  void on_write(At<CSR16>, u32 v) { r.csr1.v = u16(v); }
  void on_write(At<CSR17>, u32 v) { r.csr2.v = u16(v); }
  u32 on_read(At<CSR28>) { return u16(descriptor_at(receive_ring())); }
  u32 on_read(At<CSR29>) { return descriptor_at(receive_ring()) >> 16; }
  u32 on_read(At<CSR34>) { return u16(descriptor_at(transmit_ring())); }
  u32 on_read(At<CSR35>) { return descriptor_at(transmit_ring()) >> 16; }
  u32 on_read(At<CSR58>) { return r.sws.v; }
  void on_write(At<CSR58>, u32 v) { on_write(At<BCR20>{}, v); }
  // The style decides size and order of the structures (§ "BCR20: Software Style").
  void on_write(At<BCR20>, u32 v) {
    const u32 s = v & 0xff;
    constexpr u16 facts[] = {0x0200, 0x0101, 0x0302, 0x0303};
    if (s > 3) wires.guest_error("reserved software style");
    r.sws.v = u16((facts[s & 3] & 0x3ff) | (v & r.sws.mask<APERREN>()));
  }
  // LEDOUT: a condition the LED shows holds.  Of those only the link lasts.
  u32 led(u16 v) const { return (v & 0x7fff) | (link() && v & 0x40 ? 0x8000 : 0); }
  u32 on_read(At<BCR4>) { return led(r.lnkst.v); }
  u32 on_read(At<BCR5>) { return led(r.led1.v); }
  u32 on_read(At<BCR6>) { return led(r.led2.v); }
  u32 on_read(At<BCR7>) { return led(r.led3.v); }
  // Without an EEPROM a read finds nothing valid, and its data line stays high.
  void on_write(At<BCR19>, u32 v) {
    r.eecas.write(v & (r.eecas.mask<EEN>() | r.eecas.mask<ECS>() | r.eecas.mask<ESK>()));
    r.eecas.set<EDI>(r.eecas.is<EEN>());
  }

  // Rings.
  struct Ring {
    u32 base;
    u16 &counter, &length;
  };
  Ring receive_ring() { return {pair(r.csr24, r.csr25), r.rcvrc.v, r.rcvrl.v}; }
  Ring transmit_ring() { return {pair(r.csr30, r.csr31), r.xmtrc.v, r.xmtrl.v}; }
  Style style() const { return {u8(r.sws.get<SWSTYLE>()), u8(r.csr2.v >> 8)}; }
  u32 descriptor_at(const Ring& ring) const { return ring.base + u32(u16(ring.counter - ring.length)) * style().descriptor_size(); }
  static void advance(const Ring& ring) {
    if (++ring.counter == 0) ring.counter = ring.length;
  }
  template <class Low, class High>
  static u32 pair(const Low& low, const High& high) { return low.v | u32(high.v) << 16; }
  template <class Low, class High>
  static void set_pair(Low& low, High& high, u32 v) { low.v = u16(v), high.v = u16(v >> 16); }

  // The descriptor at the ring's counter; false when its memory does not answer, after which all is stopped.
  bool fetch(const Ring& ring, DescriptorBytes& bytes, Descriptor& d) {
    const Style s = style();
    if (!wires.dma_read(GuestPhys{descriptor_at(ring)}, std::span(bytes).first(s.descriptor_size()))) return bus_error(), false;
    d = read_descriptor(bytes, s);
    return true;
  }
  // Gives it back to the host: all but OWN first, so that the host never sees half of it.
  bool give_back(const Ring& ring, DescriptorBytes& bytes, Descriptor d, bool is_transmit) {
    d.status &= u16(~st_own);
    const Style s = style();
    write_descriptor(bytes, s, d, is_transmit);
    if (!wires.dma_write(GuestPhys{descriptor_at(ring)}, std::span(bytes).first(s.descriptor_size()))) return bus_error(), false;
    advance(ring);
    return true;
  }

  // The one after the ring's counter; not owned when its memory does not answer, or when it is the same one again.
  Descriptor next(const Ring& ring) {
    const u16 here = ring.counter;
    DescriptorBytes bytes{};
    Descriptor d;
    advance(ring);
    if (ring.counter == here) return {};
    if (!fetch(ring, bytes, d)) d = {};
    ring.counter = here;
    return d;
  }

  // Transmission.
  struct Outgoing {
    std::array<u8, longest_frame> data;
    u32 size = 0;
    bool too_long = false, add_fcs = false;
  };
  void transmit() {
    r.csr0.set<TDMD>(false);
    for (u32 n = 0; n < most_descriptors; ++n)
      if (!r.csr0.is<TXON>() || r.csr5.is<SPND>() || !send_frame()) return;
    wires.arm(0, 1000);  // the guest's turn, then more
  }
  // The frame that begins at the current descriptor; false when there is none.
  bool send_frame() {
    const Ring ring = transmit_ring();
    DescriptorBytes bytes{};
    Descriptor d;
    if (!fetch(ring, bytes, d) || !d.owned()) return false;
    if (!(d.status & st_stp)) {  // left from a frame that was given up
      wires.guest_error("transmit descriptor without STP begins a frame");
      return give_back(ring, bytes, d, true);
    }
    Outgoing out;
    out.add_fcs = !r.mode.is<DXMTFCS>() || (d.status & tx_add_fcs);
    for (u32 n = 0; n < most_descriptors; ++n) {
      if (!gather(d, out)) return false;
      if (d.status & st_enp) return finish(ring, bytes, d, out);
      const Descriptor after = next(ring);
      if (r.csr0.is<STOP>()) return false;
      if (!after.owned() || (after.status & st_stp)) return underflow(ring, bytes, d);
      if (!give_back(ring, bytes, d, true) || !fetch(ring, bytes, d)) return false;
    }
    wires.guest_error("a transmit frame without end");
    return false;
  }
  bool gather(const Descriptor& d, Outgoing& out) {
    if (!d.well_formed()) wires.guest_error("descriptor without ones above its byte count");
    const u32 length = d.length(), n = std::min(length, longest_frame - out.size);
    out.too_long |= length > n;
    if (!read_buffer(d.buffer, std::span(out.data).subspan(out.size, n))) return bus_error(), false;
    out.size += n;
    return true;
  }
  // The chain broke off: the next buffer is not the chip's (TMD2, BUFF and UFLO).
  bool underflow(const Ring& ring, DescriptorBytes& bytes, Descriptor d) {
    d.status |= st_err;
    d.extra = te_buff | te_uflo;
    r.csr0.set<TINT>();
    if (!r.csr3.is<DXSUFLO>()) r.csr0.set<TXON>(false);
    return give_back(ring, bytes, d, true);
  }
  bool finish(const Ring& ring, DescriptorBytes& bytes, Descriptor d, Outgoing& out) {
    const bool asks = r.csr5.is<LTINTEN>() && (d.status & tx_ltint);
    d.status &= u16(~(st_err | tx_ltint | tx_one | tx_def));
    d.extra = 0;
    if (out.size + 4 > most_on_the_wire) r.csr0.set<BABL>();
    if (!out.too_long && !send(out)) {
      d.status |= st_err;
      d.extra = te_lcar;
      r.csr0.set<CERR>();
    }
    if (!r.csr5.is<TOKINTD>() || asks || (d.status & st_err)) r.csr0.set<TINT>();
    r.csr4.set<TXSTRT>();
    return give_back(ring, bytes, d, true);
  }
  // False when there is no carrier.
  bool send(Outgoing& out) {
    if (r.csr4.is<APAD_XMT>() && out.add_fcs && out.size < ethernet::least_frame) {
      std::fill(out.data.begin() + out.size, out.data.begin() + ethernet::least_frame, u8(0));
      out.size = ethernet::least_frame;
    }
    const std::span<const u8> whole(out.data.data(), out.size);
    // Frames travel without their check sequence; software that makes its own has it at the end.
    const auto frame = out.add_fcs || whole.size() < ethernet_header + 4 ? whole : whole.first(whole.size() - 4);
    if (r.mode.is<LOOP>()) loop_back(whole, out.add_fcs);
    if (r.mode.is<LOOP>() && r.mode.is<INTL>()) return true;
    NetPort* plug = wires.nic();
    if (!link() && !r.mode.is<LOOP>()) return false;
    if (plug) plug->send(frame);
    return true;
  }
  void loop_back(std::span<const u8> frame, bool add_fcs) {
    if (!r.csr0.is<RXON>() || frame.size() < ethernet_header) return;
    if (add_fcs) return void(receive(frame, ethernet::frame_check(frame)));
    if (frame.size() < ethernet_header + 4) return;
    const auto data = frame.first(frame.size() - 4);
    receive(data, load_le<u32>(&frame[data.size()]));
  }

  // Reception.
  void network_arrived() {
    take_frames();
    update();
  }
  bool receives() const { return r.csr0.is<RXON>() && !r.csr5.is<SPND>(); }
  void take_frames() {
    NetPort* plug = wires.nic();
    EthernetFrame frame;
    while (plug && !plug->to_guest.empty()) {
      if (receives() && !has_receive_descriptor()) return wait();
      stop_waiting();
      if (!plug->receive(frame)) return;
      accept(frame);
    }
  }
  void wait() {
    if (x.waiting || !receives()) return;
    x.waiting = true;
    wires.arm(1, receive_wait_ns);
  }
  void stop_waiting() {
    if (x.waiting) wires.disarm(1);
    x.waiting = false;
  }
  bool has_receive_descriptor() {
    DescriptorBytes bytes{};
    Descriptor d;
    return fetch(receive_ring(), bytes, d) && d.owned();
  }
  // A frame from the wire, short ones padded as their sender would have.
  void accept(EthernetFrame& frame) {
    if (!receives() || r.mode.is<LOOP>() || frame.size() > longest_frame) return;
    if (frame.size() < ethernet::least_frame) frame.resize(ethernet::least_frame);
    receive(frame, ethernet::frame_check(frame));
  }
  void receive(std::span<const u8> frame, u32 check_sequence) {
    u16 match = filter().match(frame);
    if (!match && !r.mode.is<PROM>()) return;
    // Padding and check sequence of frames that carry their length may be stripped (CSR4, ASTRP_RCV).
    const u32 length = u32(frame[12]) << 8 | frame[13];
    const bool strip = r.csr4.is<ASTRP_RCV>() && length < 46;
    std::array<u8, longest_frame + 4> data;
    u32 size = strip ? std::min(u32(frame.size()), u32(ethernet_header) + length) : u32(frame.size());
    std::copy_n(frame.begin(), size, data.begin());
    if (!strip) {
      store_le(&data[size], check_sequence);
      size += 4;
    }
    if (check_sequence != ethernet::frame_check(frame)) match |= rx_crc | st_err;
    store({data.data(), size}, match);
  }
  // Into the buffers of one descriptor after the other; status and length go to the last.
  void store(std::span<const u8> frame, u16 match) {
    const Ring ring = receive_ring();
    DescriptorBytes bytes{};
    Descriptor d;
    if (!fetch(ring, bytes, d)) return;
    if (!d.owned()) return miss();
    u16 first = st_stp;
    for (std::size_t at = 0; at < frame.size();) {
      if (!d.well_formed()) wires.guest_error("descriptor without ones above its byte count");
      const std::size_t n = std::min<std::size_t>(d.length(), frame.size() - at);
      if (!write_buffer(d.buffer, frame.subspan(at, n))) return bus_error();
      at += n;
      d.status = u16(st_own | first);
      first = 0;
      const bool last = at == frame.size();
      const bool broken = !last && !next(ring).owned();
      if (r.csr0.is<STOP>()) return;
      if (last) d.status |= u16(st_enp | match), d.extra = u32(frame.size());
      if (broken) d.status |= u16(st_err | rx_buff | rx_oflo);
      if (!give_back(ring, bytes, d, false)) return;
      if (broken || (!last && !fetch(ring, bytes, d))) break;
    }
    r.csr0.set<RINT>();
  }
  void miss() {
    r.csr0.set<MISS>();
    if (++r.missed.v == 0) r.csr4.set<MFCO>();
  }
  Filter filter() const {
    return {station(), {r.csr8.v, r.csr9.v, r.csr10.v, r.csr11.v}, !r.mode.is<DRCVPA>(), !r.mode.is<DRCVBC>()};
  }
  std::array<u8, 6> station() const {
    return {u8(r.csr12.v), u8(r.csr12.v >> 8), u8(r.csr13.v), u8(r.csr13.v >> 8), u8(r.csr14.v), u8(r.csr14.v >> 8)};
  }
  void set_station(const std::array<u8, 6>& s) {
    r.csr12.v = load_le<u16>(&s[0]), r.csr13.v = load_le<u16>(&s[2]), r.csr14.v = load_le<u16>(&s[4]);
  }
  void set_filter(const std::array<u16, 4>& f) { r.csr8.v = f[0], r.csr9.v = f[1], r.csr10.v = f[2], r.csr11.v = f[3]; }

  // Data of buffers.  With BSWP the bytes of each word are in the other order (§ "CSR3", BSWP).
  static constexpr u32 word_mask = 3;
  bool read_buffer(u32 at, std::span<u8> to) {
    if (!r.csr3.is<BSWP>()) return wires.dma_read(GuestPhys{at}, to);
    std::array<u8, 4096 + 8> words;
    const u32 skip = at & word_mask, size = (skip + u32(to.size()) + word_mask) & ~word_mask;
    if (!wires.dma_read(GuestPhys{at - skip}, std::span(words).first(size))) return false;
    swap_words(std::span(words).first(size));
    std::copy_n(words.begin() + skip, to.size(), to.begin());
    return true;
  }
  bool write_buffer(u32 at, std::span<const u8> from) {
    if (!r.csr3.is<BSWP>()) return wires.dma_write(GuestPhys{at}, from);
    std::array<u8, 4096 + 8> words;
    const u32 skip = at & word_mask, size = (skip + u32(from.size()) + word_mask) & ~word_mask;
    const auto span = std::span(words).first(size);
    if (!wires.dma_read(GuestPhys{at - skip}, span)) return false;
    swap_words(span);
    std::copy_n(from.begin(), from.size(), words.begin() + skip);
    swap_words(span);
    return wires.dma_write(GuestPhys{at - skip}, span);
  }

  void poll_later() {
    if (r.csr0.is<TXON>() && !r.csr4.is<DPOLL>() && !r.csr5.is<SPND>()) wires.arm(0, transmit_poll_ns);
    else wires.disarm(0);
  }
  void expire(Timer<0>) {
    poll_later();
    transmit();
    update();
  }
  // The frame waited long enough.
  void expire(Timer<1>) {
    x.waiting = false;
    NetPort* plug = wires.nic();
    EthernetFrame frame;
    if (plug && receives() && !has_receive_descriptor() && receives() && plug->receive(frame)) accept(frame);
    take_frames();
    update();
  }

  bool link() const {
    const NetPort* plug = wires.nic();
    return plug && plug->link_up.load();
  }
  // A read of the reset port (§ "S_RESET"): RAP, the CSRs but for IADR and parts of MODE, and DWIO; the BCRs stay.
  void soft_reset() {
    stop();
    const u16 low = r.csr1.v, high = r.csr2.v, mode = r.mode.v;
    // APROM is declared first, then RAP and the CSRs, then the BCRs.
    const std::span<const RegInfo> all = reg_info<Regs>;
    const auto is_bcr = [](const RegInfo& i) { return i.at >= bcr(0); };
    reset_regs(all.subspan(1, std::size_t(std::find_if(all.begin(), all.end(), is_bcr) - all.begin()) - 1), &r);
    r.csr1.v = low, r.csr2.v = high, r.mode.v = mode & 0x21c4;
    r.bsbc.set<DWIO>(false);
    settle();
  }
  void on_reset() {
    NetPort* plug = wires.nic();
    const std::array<u8, 6> mac = plug ? plug->mac : std::array<u8, 6>{};
    r.aprom.v = address_prom(mac);
    if (plug) plug->arrived = [this] { network_arrived(); };
    settle();
  }
  // PADR starts as the address PROM has it.
  void settle() {
    std::array<u8, 6> mac;
    std::copy_n(r.aprom.v.begin(), 6, mac.begin());
    set_station(mac);
    update();
  }

  bool interrupt() const {
    return (r.csr0.v & ~r.csr3.v & 0x5f00) || (r.csr4.v >> 1 & ~r.csr4.v & 0x0115) || r.csr4.is<UINT>() ||
           (r.csr5.v >> 1 & r.csr5.v & 0x0548);
  }
  void update() { wires.inta(interrupt() && r.csr0.is<IENA>()); }
};
}  // namespace peripherals::pcnet
