#include "peripherals/usb/uhci_core.hpp"

#include <array>

namespace peripherals::usb {
namespace {
// Link pointers (§3.1) and the control and status word of a transfer descriptor (§3.2).
constexpr u32 link_terminate = 1, link_queue = 2, link_depth = 4, link_address = ~0xfu;
constexpr u32 td_crc_timeout = 1u << 18, td_nak = 1u << 19, td_stalled = 1u << 22, td_active = 1u << 23,
              td_ioc = 1u << 24, td_isochronous = 1u << 25, td_spd = 1u << 29, td_length = 0x7ff;
constexpr u32 td_failures = 0x3fu << 17;

// A full-speed frame carries no more; a list that loops ends with it too (§3.4, bandwidth reclamation).
constexpr u32 frame_bytes = 1280;
constexpr unsigned frame_links = 512;

enum class Step { next, advance, stay, stop };

struct Td {
  u32 at, link, control, token, buffer;
  u32 room() const { return ((token >> 21) + 1) & td_length; }
};

class Walk {
 public:
  Walk(UhciHost& host) : host_(host) {}
  UhciFrame result;

  void run(u32 entry) {
    u32 link = 0;
    if (!word(entry, link)) return;
    unsigned idle = 0;  // links followed since a descriptor was executed
    for (unsigned n = 0; n < frame_links && bytes_ < frame_bytes && !(link & link_terminate) && idle < 64; ++n) {
      const u32 before = executed_;
      if (!(link & link_queue ? queue(link) : alone(link))) return;
      idle = executed_ == before ? idle + 1 : 0;
    }
  }

 private:
  bool word(u32 at, u32& v) {
    u8 b[4];
    if (!host_.read(at, b)) return result.system_error = true, false;
    v = load_le<u32>(b);
    return true;
  }
  bool put(u32 at, u32 v) {
    u8 b[4];
    store_le(b, v);
    if (!host_.write(at, b)) return result.system_error = true, false;
    return true;
  }
  bool fetch(u32 link, Td& td) {
    td.at = link & link_address;
    return word(td.at, td.link) && word(td.at + 4, td.control) && word(td.at + 8, td.token) &&
           word(td.at + 12, td.buffer);
  }

  // A descriptor that stands in the frame list itself.
  bool alone(u32& link) {
    Td td;
    if (!fetch(link, td) || execute(td, false) == Step::stop) return false;
    link = td.link;
    return true;
  }
  // The first descriptors of a queue; depth first while they say so.
  bool queue(u32& link) {
    const u32 at = link & link_address;
    u32 head = 0, element = 0;
    if (!word(at, head) || !word(at + 4, element)) return false;
    link = head;
    while (!(element & link_terminate)) {
      if (element & link_queue) {
        link = element;
        return true;
      }
      Td td;
      if (!fetch(element, td)) return false;
      const Step step = execute(td, true);
      if (step == Step::stop) return false;
      if (step != Step::advance) return true;
      element = td.link;
      if (!put(at + 4, element)) return false;
      if (!(element & link_depth) || bytes_ >= frame_bytes) return true;
    }
    return true;
  }

  Step execute(Td& td, bool in_queue) {
    if (!(td.control & td_active)) return in_queue ? Step::stay : Step::next;
    ++executed_;
    const u32 room = td.room();
    const Pid pid = Pid(td.token & 0xff);
    if (room > frame_bytes || (pid != Pid::in && pid != Pid::out && pid != Pid::setup)) {
      result.process_error = true;
      return Step::stop;
    }
    const std::span<u8> data(data_.data(), room);
    if (pid != Pid::in && room && !host_.read(td.buffer, data)) return result.system_error = true, Step::stop;
    UsbDevice* device = host_.device(u8(td.token >> 8 & 0x7f));
    const Packet p = device ? device->transact(pid, u8(td.token >> 15 & 15), data) : Packet{};
    bytes_ += p.length + 16;
    switch (p.answer) {
      case Answer::nak:
        if (td.control & td_isochronous) break;
        return put(td.at + 4, td.control | td_nak) ? Step::stay : Step::stop;
      case Answer::ack: return done(td, pid, p.length, in_queue);
      case Answer::stall: return failed(td, td_stalled);
      case Answer::none: return failed(td, td_stalled | td_crc_timeout);
    }
    return put(td.at + 4, td.control & ~td_active) ? Step::advance : Step::stop;
  }
  Step done(Td& td, Pid pid, u32 length, bool in_queue) {
    if (pid == Pid::in && length && !host_.write(td.buffer, {data_.data(), length}))
      return result.system_error = true, Step::stop;
    const u32 control = (td.control & ~(td_active | td_failures | td_length)) | ((length - 1) & td_length);
    if (!put(td.at + 4, control)) return Step::stop;
    result.complete |= (td.control & td_ioc) != 0;
    if (pid == Pid::in && (td.control & td_spd) && in_queue && length < td.room()) {
      result.short_packet = true;
      return Step::stay;
    }
    return Step::advance;
  }
  Step failed(Td& td, u32 why) {
    result.error = true;
    result.complete |= (td.control & td_ioc) != 0;
    return put(td.at + 4, (td.control & ~(td_active | td_nak)) | why | td_length) ? Step::stay : Step::stop;
  }

  UhciHost& host_;
  std::array<u8, frame_bytes> data_{};
  u32 bytes_ = 0, executed_ = 0;
};
}  // namespace

UhciFrame run_frame(UhciHost& host, u32 entry) {
  Walk walk(host);
  walk.run(entry);
  return walk.result;
}
}  // namespace peripherals::usb
