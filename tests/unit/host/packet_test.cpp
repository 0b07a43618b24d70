#include "host/gdbstub/packet.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace host;
using Found = PacketReader::Found;

namespace {
Found feed(PacketReader& r, std::string_view text) {
  Found last = Found::nothing;
  for (char c : text) last = r.feed(core::u8(c));
  return last;
}
}  // namespace

TEST_CASE("gdb packets: a good one, its acknowledgement and Ctrl-C") {
  PacketReader r;
  CHECK(feed(r, "+") == Found::ack);
  CHECK(feed(r, "-") == Found::nak);
  CHECK(feed(r, "\x03") == Found::interrupt);
  CHECK(feed(r, "$g#67") == Found::packet);
  CHECK(r.packet() == "g");
  CHECK(frame_packet("OK") == "$OK#9a");
  CHECK(feed(r, frame_packet("qSupported")) == Found::packet);
  CHECK(r.packet() == "qSupported");
}

TEST_CASE("gdb packets: wrong checksums and digits that are none") {
  PacketReader r;
  CHECK(feed(r, "$g#68") == Found::bad_checksum);
  CHECK(feed(r, "$g#zz") == Found::bad_checksum);
  CHECK(feed(r, "$g#67") == Found::packet);
}

TEST_CASE("gdb packets: escapes are undone and count in the checksum") {
  PacketReader r;
  const std::string data = "X0,4:#$}*";
  CHECK(feed(r, frame_packet(escape_binary(data))) == Found::packet);
  CHECK(r.packet() == data);
}

TEST_CASE("gdb packets: a start inside a packet begins anew; one without end stays bounded") {
  PacketReader r;
  CHECK(feed(r, "$garbage$g#67") == Found::packet);
  CHECK(r.packet() == "g");
  feed(r, "$");
  for (int i = 0; i < 100'000; ++i) r.feed('a');
  CHECK(r.packet().size() <= gdb_packet_size);
  const unsigned sum = unsigned(100'000ull * 'a' & 0xff);
  const core::u8 byte = core::u8(sum);
  CHECK(feed(r, "#" + to_hex(std::span(&byte, 1))) == Found::too_long);
  CHECK(feed(r, "$g#67") == Found::packet);
}

TEST_CASE("gdb packets: random bytes never upset the reader") {
  PacketReader r;
  std::mt19937 random(1);
  for (int i = 0; i < 200'000; ++i) {
    r.feed(
        core::u8("$#}+-\x03"
                 "0123abcdefgmMXZ"[random() % 22]));
    r.feed(core::u8(random()));
  }
  CHECK(r.packet().size() <= gdb_packet_size);
}

TEST_CASE("gdb packets: hexadecimal") {
  core::u8 two[2] = {};
  CHECK(from_hex("12fF", two));
  CHECK(two[0] == 0x12);
  CHECK(two[1] == 0xff);
  CHECK_FALSE(from_hex("12f", two));
  CHECK_FALSE(from_hex("12fg", two));
  CHECK_FALSE(from_hex("12ff00", two));
  CHECK(from_hex("6869") == "hi");
  CHECK_FALSE(from_hex("686"));
  std::string_view t = "1234,8";
  CHECK(take_hex(t) == 0x1234u);
  CHECK(take_char(t, ','));
  CHECK_FALSE(take_char(t, ','));
  t = "12345678123456781";
  CHECK_FALSE(take_hex(t));
  CHECK(parse_range("ffffffffffffffff,4")->address == ~core::u64(0));
  CHECK_FALSE(parse_range("1000"));
  CHECK_FALSE(parse_range("1000,"));
  CHECK_FALSE(parse_range("1000,4x"));
  CHECK_FALSE(parse_range(",4"));
}
