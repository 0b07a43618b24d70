#include "peripherals/scsi/lsi53c895a.hpp"

#include "tests/unit/bench.hpp"
#include "tests/unit/peripherals/scsi/fake_drive.hpp"

using namespace peripherals::lsi53c895a;
using namespace test;

namespace {
struct Board : TestWires {
  static inline BlockPort* drives[7] = {};
  void inta(bool on) const { drive_pin("inta", on); }
  BlockPort* drive(unsigned unit) const { return drives[unit]; }

 private:
  void drive_pin(const char* pin, bool on) const { TestWires::drive(pin, on); }
};

// Instructions of the manual's chapter 5.
constexpr u32 absolute(u32 phase, u32 count) { return 0x0800'0000 | phase << 24 | count; }
constexpr u32 select_atn = 0x4100'0000, wait_disconnect = 0x4800'0000, wait_reselect = 0x5000'0000,
              set_atn = 0x5800'0008, clear_ack = 0x6000'0040, interrupt = 0x9808'0000, jump_always = 0x8008'0000,
              interrupt_unless_phase = 0x9803'0000, expect_disconnect = 0x7c02'7f00;  // SCNTL2 & 0x7f

enum : u32 { data_out, data_in, command, status, message_out = 6, message_in };

// SCRIPTS at 0x1000, messages and command at 0x2000 on, data at 0x4000.
struct Drives {  // they outlive the device
  FakeDrive disk{MiB}, other{MiB};
};
struct Fixture : Drives, Bench<Lsi53c895a, Board> {
  u32 end = 0x1000;

  Fixture() {
    Board::drives[2] = &disk.port, Board::drives[5] = &other.port;
    reset();
    write<SIEN>(0xffff & ~0x30), write<DIEN>(0x7d), write<SCID>(0x47), write<STIME0>(0x0c);
    for (u32 id : {2u, 5u}) {  // take the unit attentions of power-on
      simple_command(id, {0}, 0);
      REQUIRE(memory[0x2020] == 2);
    }
  }
  ~Fixture() { Board::drives[2] = Board::drives[5] = nullptr; }
  void put(u32 at, std::initializer_list<int> bytes) { std::copy(bytes.begin(), bytes.end(), memory.begin() + at); }
  void word(u32 at, u32 v) { store_le(&memory[at], v); }
  u32 word(u32 at) const { return load_le<u32>(&memory[at]); }
  void script(std::initializer_list<u32> words) {
    for (u32 v : words) word(end, v), end += 4;
  }
  void go(u32 at = 0x1000) { write<DSP>(at); }
  // Reads the interrupt causes as drivers do: SIST before DSTAT.
  u32 sist() { return read_at(0x42, 1) | read_at(0x43, 1) << 8; }
  u32 dstat() { return read<DSTAT>() & 0x7f; }

  // Select, IDENTIFY, command, data, status, message, bus free, INT 7.
  void simple_command(u32 id, std::initializer_list<int> cdb, u32 length, u32 phase = data_in) {
    end = 0x1000;
    put(0x2000, {0x80});
    put(0x2010, cdb);
    script({select_atn | id << 16, 0, absolute(message_out, 1), 0x2000, absolute(command, scsi_length(cdb)), 0x2010});
    if (length) script({absolute(phase, length), 0x4000});
    script({absolute(status, 1), 0x2020, absolute(message_in, 1), 0x2021, expect_disconnect, 0, clear_ack, 0,
            wait_disconnect, 0, interrupt, 7});
    go();
    CHECK(dstat() == 4);
    CHECK(read<DSPS>() == 7);
  }
  static u32 scsi_length(std::initializer_list<int> cdb) { return peripherals::scsi::cdb_length(u8(*cdb.begin())); }
};
}  // namespace

TEST_CASE("lsi53c895a: power-on values of the registers (§4.2)") {
  Fixture f;
  f.reset();
  const std::pair<u32, u32> values[] = {{0x00, 0xc0}, {0x04, 0x07}, {0x07, 0x7f}, {0x0c, 0x80}, {0x0f, 0x02},
                                        {0x18, 0xff}, {0x1a, 0x11}, {0x27, 0x40}, {0x46, 0x0f}, {0x47, 0x0f},
                                        {0x4a, 0x80}, {0x52, 0xe0}, {0x53, 0xff}, {0x14, 0x00}, {0x42, 0x00}};
  for (auto [at, v] : values) CHECK(f.read_at(at, 1) == v);
  f.write_at(0x10, 4, 0x1234'5678);
  CHECK(f.read_at(0x11, 2) == 0x3456);
  f.write_at(0x14, 1, 0x40);  // SRST
  CHECK(f.read<DSA>() == 0);
  CHECK(f.read_at(0x14, 1) == 0x40);
  f.write_at(0x14, 1, 0);
  CHECK(f.read_at(0x14, 1) == 0);
}

TEST_CASE("lsi53c895a: a script selects a disk, reads from it and lets it go (chapter 5)") {
  Fixture f;
  f.simple_command(2, {0x28, 0, 0, 0, 0, 3, 0, 0, 2, 0}, 1024);
  CHECK(f.memory[0x4001] == FakeDrive::pattern(3 * 512 + 1));
  CHECK(f.memory[0x43ff] == FakeDrive::pattern(5 * 512 - 1));
  CHECK(f.memory[0x2020] == 0);
  CHECK(f.memory[0x2021] == 0);
  CHECK(f.read<SFBR>() == 0);
  CHECK(f.read_at(0x14, 1) == 0);
}

TEST_CASE("lsi53c895a: a script writes to a disk") {
  Fixture f;
  std::fill_n(f.memory.begin() + 0x4000, 512, u8(0x5a));
  f.simple_command(5, {0x2a, 0, 0, 0, 0, 3, 0, 0, 1, 0}, 512, data_out);
  CHECK(f.other.medium[3 * 512 + 17] == 0x5a);
  CHECK(f.disk.medium[3 * 512 + 17] != 0x5a);
}

TEST_CASE("lsi53c895a: selection of an absent target ends with STO, after the next bus instruction began (§5.4)") {
  Fixture f;
  f.end = 0x1000;
  f.script({select_atn | 4 << 16, 0, interrupt_unless_phase | message_out << 24, 1});
  f.go();
  CHECK_FALSE(f.pin("inta"));
  f.run_for(10_ms);
  CHECK(f.pin("inta"));
  CHECK(f.read<DSP>() == 0x1010);
  CHECK((f.read_at(0x14, 1) & 3) == 2);
  CHECK(f.sist() == 0x400);
  CHECK_FALSE(f.pin("inta"));
}

TEST_CASE("lsi53c895a: a disk disconnects while it works and reselects with its tag (SPI-3 §16, §5.4)") {
  Fixture f;
  f.disk.at_once = false;
  f.put(0x2000, {0xc0, 0x20, 0x33});
  f.put(0x2010, {0x28, 0, 0, 0, 0, 3, 0, 0, 1, 0});
  f.end = 0x1000;
  f.script({select_atn | 2 << 16,
            0,
            absolute(message_out, 3),
            0x2000,
            absolute(command, 10),
            0x2010,
            absolute(message_in, 1),
            0x2020,
            expect_disconnect,
            0,
            clear_ack,
            0,
            wait_disconnect,
            0,
            wait_reselect,
            0x1800,
            absolute(message_in, 1),
            0x2021,
            clear_ack,
            0,
            absolute(message_in, 2),
            0x2022,
            clear_ack,
            0,
            absolute(data_in, 512),
            0x4000,
            interrupt,
            9});
  f.go();
  CHECK(f.memory[0x2020] == 4);
  CHECK_FALSE(f.pin("inta"));
  CHECK(f.read_at(0x14, 1) == 0);
  f.disk.finish();
  CHECK(f.pin("inta"));
  CHECK(f.memory[0x2021] == 0x80);
  CHECK(f.memory[0x2022] == 0x20);
  CHECK(f.memory[0x2023] == 0x33);
  CHECK(f.read_at(0x50, 1) == f.memory[0x41ff]);
  CHECK(f.read<SSID>() == 0x82);
  CHECK(f.memory[0x4000] == FakeDrive::pattern(3 * 512));
  CHECK((f.read_at(0x14, 1) & 8) == 8);
}

TEST_CASE("lsi53c895a: two tagged commands end in the order the medium ends them") {
  Fixture f;
  f.disk.at_once = false;
  const auto queue = [&](int tag, int block) {
    f.put(0x2000, {0xc0, 0x20, tag});
    f.put(0x2010, {0x28, 0, 0, 0, 0, block, 0, 0, 1, 0});
    f.end = 0x1000;
    f.script({select_atn | 2 << 16, 0x1040, absolute(message_out, 3), 0x2000, absolute(command, 10), 0x2010,
              absolute(message_in, 1), 0x2020, expect_disconnect, 0, clear_ack, 0, wait_disconnect, 0, interrupt, 1});
    f.go();
    CHECK(f.read<DSPS>() == 1);
    CHECK(f.dstat() == 4);
  };
  queue(1, 10), queue(2, 20);
  std::swap(f.disk.waiting[0], f.disk.waiting[1]);
  f.disk.finish();
  // Selecting now loses arbitration to the reselecting disk: the alternate address runs.
  f.end = 0x1000;
  f.script({select_atn | 5 << 16, 0x1040});
  f.end = 0x1040;
  f.script(
      {wait_reselect, 0, absolute(message_in, 3), 0x2020, clear_ack, 0, absolute(data_in, 512), 0x4000, interrupt, 2});
  f.go();
  CHECK(f.dstat() == 4);
  CHECK(f.memory[0x2022] == 2);
  CHECK(f.memory[0x4000] == FakeDrive::pattern(20 * 512));
}

TEST_CASE("lsi53c895a: SIGP ends WAIT RESELECT at its alternate address; reading CTEST2 clears it (§4.2, §5.4)") {
  Fixture f;
  f.end = 0x1000;
  f.script({wait_reselect, 0x1100});
  f.end = 0x1100;
  f.script({interrupt, 0x55});
  f.go();
  CHECK_FALSE(f.pin("inta"));
  f.write_at(0x14, 1, 0x20);
  CHECK(f.pin("inta"));
  CHECK(f.read<DSPS>() == 0x55);
  CHECK(f.read<CTEST2>() == 0x51);
  CHECK(f.read<CTEST2>() == 0x11);
}

TEST_CASE(
    "lsi53c895a: less data than the script wants is a phase mismatch: MA, or a jump with what is left (§4.2 CCNTL0)") {
  Fixture f;
  const auto run = [&] {
    f.put(0x2000, {0x80});
    f.put(0x2010, {0x12, 0, 0, 0, 36, 0});
    f.end = 0x1000;
    f.script({select_atn | 2 << 16, 0, absolute(message_out, 1), 0x2000, absolute(command, 6), 0x2010,
              absolute(data_in, 256), 0x4000});
    f.go();
  };
  run();
  CHECK(f.sist() == 0x80);
  CHECK((f.read_at(0x24, 4) & 0xff'ffff) == 220);
  CHECK(f.read<DNAD>() == 0x4024);
  CHECK(f.read<DSP>() == 0x1020);
  f.write_at(0x01, 1, 8), f.write_at(0x01, 1, 0), f.sist();
  f.simple_command(2, {0}, 0);
  f.write<CCNTL0>(0xc0), f.write_at(0xc0, 4, 0x1900), f.write_at(0xc4, 4, 0x1800);  // by direction
  f.end = 0x1800;
  f.script({interrupt, 3});
  run();
  CHECK(f.dstat() == 4);
  CHECK(f.read<DSPS>() == 3);
  CHECK(f.read_at(0xc8, 4) == (0x0900'0000 | 220u));
  CHECK(f.read_at(0xcc, 4) == 0x4024);
  CHECK(f.read_at(0xd4, 4) == 0x1018);
  CHECK(f.read_at(0xd8, 4) == 36);
}

TEST_CASE("lsi53c895a: table indirect selection and block moves take their numbers at DSA (§5.3, §5.4)") {
  Fixture f;
  f.word(0x3000, 0x9702'4300);  // SCNTL3 0x97, target 2, SXFER 0x43
  f.word(0x3008, 1), f.word(0x300c, 0x2000), f.word(0x2ff8, 6), f.word(0x2ffc, 0x2010);
  f.put(0x2000, {0x80});
  f.put(0x2010, {0x12, 0, 0, 0, 36, 0});
  f.end = 0x1000;
  f.script({0x4300'0000, 0, 0x1e00'0000, 8, 0x1a00'0000, 0x00ff'fff8, absolute(data_in, 36), 0x4000, interrupt, 1});
  f.write<DSA>(0x3000);
  f.go();
  CHECK(f.dstat() == 4);
  CHECK(f.read<SCNTL3>() == 0x97);
  CHECK(f.read<SXFER>() == 0x43);
  CHECK(f.memory[0x4008] == 'P');
}

TEST_CASE("lsi53c895a: the speed asked for is agreed to, within Fast-40 wide (SPI-3 §16.3)") {
  Fixture f;
  f.put(0x2000, {0x80, 1, 3, 1, 0x08, 0x7f, 1, 2, 3, 1});
  f.end = 0x1000;
  f.script({select_atn | 2 << 16, 0, absolute(message_out, 10), 0x2000, absolute(message_in, 9), 0x2020, clear_ack, 0,
            interrupt, 1});
  f.go();
  CHECK(f.dstat() == 4);
  const std::vector<u8> answer(f.memory.begin() + 0x2020, f.memory.begin() + 0x2029);
  CHECK(answer == std::vector<u8>{1, 3, 1, 0x0a, 31, 1, 2, 3, 1});
  CHECK((f.read<SSTAT1>() & 7) == command);
}

TEST_CASE("lsi53c895a: SET ATN before CLEAR ACK lets the initiator answer a message (§5.4)") {
  Fixture f;
  f.disk.at_once = false;
  f.put(0x2000, {0xc0});
  f.put(0x2001, {7});
  f.put(0x2010, {0x28, 0, 0, 0, 0, 3, 0, 0, 1, 0});
  f.end = 0x1000;
  f.script({select_atn | 2 << 16, 0, absolute(message_out, 1), 0x2000, absolute(command, 10), 0x2010,
            absolute(message_in, 1), 0x2020, set_atn, 0, clear_ack, 0, absolute(message_out, 1), 0x2001,
            absolute(data_in, 512), 0x4000, interrupt, 1});
  f.go();
  CHECK(f.memory[0x2020] == 4);
  CHECK_FALSE(f.pin("inta"));  // DISCONNECT was rejected: the disk stays and stalls
  CHECK((f.read_at(0x14, 1) & 8) == 8);
  f.disk.finish();
  CHECK(f.pin("inta"));
  CHECK(f.memory[0x4000] == FakeDrive::pattern(3 * 512));
}

TEST_CASE("lsi53c895a: ABORT frees the bus; unannounced that is an unexpected disconnect (§4.2 SCNTL2)") {
  Fixture f;
  f.put(0x2000, {0x80, 0x06});
  f.end = 0x1000;
  f.script({select_atn | 2 << 16, 0, absolute(message_out, 2), 0x2000, interrupt, 1});
  f.go();
  CHECK(f.sist() == 0x04);
  CHECK(f.dstat() == 0);
  f.end = 0x1000;
  f.script({select_atn | 2 << 16, 0, expect_disconnect, 0, absolute(message_out, 2), 0x2000, wait_disconnect, 0,
            interrupt, 1});
  f.go();
  CHECK(f.sist() == 0);
  CHECK(f.dstat() == 4);
}

TEST_CASE("lsi53c895a: register arithmetic with carry (§5.5)") {
  Fixture f;
  f.end = 0x1000;
  f.script({0x7834'f000, 0, 0x7e34'2000, 0,  // SCRATCHA0 = 0xf0; += 0x20: carry
            0x7f35'0100, 0,                  // SCRATCHA1 += 1 + carry
            0x7236'4200, 0, 0x6a37'8100, 0,  // SFBR = SCRATCHA2 | 0x42; SCRATCHA3 = SFBR | 0x81
            0x7135'0000, 0, interrupt, 1});  // SFBR = SCRATCHA1 << 1
  f.write<SCRATCHA>(0);
  f.go();
  CHECK(f.read<SCRATCHA>() == 0xc300'0210);
  CHECK(f.read<SFBR>() == 4);
}

TEST_CASE("lsi53c895a: transfer control compares data under a mask, phase and carry; calls and returns (§5.6)") {
  Fixture f;
  f.end = 0x1000;
  f.script({0x7034'0000 | 0x5600, 0,       // SFBR = 0x56
            0x8004'f056 | 2 << 8, 0x1100,  // jump unless the low nibble is 6 (mask 0xf2: bit 1 not compared)
            0x8808'0000 | 1 << 23, 0x08,   // call over the next instruction
            interrupt, 1, 0x8084'0057, 0x1100 - 0x1028,  // relative, unless equal to 0x57
            interrupt, 2});
  f.end = 0x1100;
  f.script({0x9808'0000 | 1 << 20, 0, 0x9008'0000, 0});  // INTFLY, RETURN to after the call
  f.go();
  CHECK(f.read<DSPS>() == 1);
  CHECK((f.read_at(0x14, 1) & 4) == 4);
  f.write_at(0x14, 1, 4);
  CHECK((f.read_at(0x14, 1) & 4) == 0);
}

TEST_CASE("lsi53c895a: load, store and memory move, refused when aligned apart (§5.7, §5.8)") {
  Fixture f;
  f.word(0x3004, 0xcafe'f00d);
  f.write<DSA>(0x3000);
  f.end = 0x1000;
  f.script({0xf134'0004, 4, 0xe034'0004, 0x3010, 0xc000'0004, 0x3010, 0x3020, interrupt, 1});
  f.go();
  CHECK(f.dstat() == 4);
  CHECK(f.read<SCRATCHA>() == 0xcafe'f00d);
  CHECK(f.word(0x3020) == 0xcafe'f00d);
  for (u32 bad : {0xe034'0005u, 0xe034'0000u, 0xe035'0004u, 0xe135'0001u}) {
    f.end = 0x1000;
    f.script({bad, 0x3010, interrupt, 1});
    f.go();
    CHECK(f.dstat() == 1);
  }
  f.end = 0x1000;
  f.script({0xc000'0004, 0x3011, 0x3020});
  f.go();
  CHECK(f.dstat() == 1);
}

TEST_CASE("lsi53c895a: what a script may not do is an illegal instruction or a bus fault, never more (§4.2 DSTAT)") {
  Fixture f;
  const auto one = [&](u32 insn, u32 operand) {
    f.end = 0x1000;
    f.script({insn, operand, operand, interrupt, 1});
    f.go();
    const u32 s = f.dstat();
    f.sist();
    return s;
  };
  CHECK(one(absolute(data_in, 0), 0x4000) == 1);
  CHECK(one(0xa008'0000, 0) == 1);               // reserved opcode of transfer control
  CHECK(one(0xc0ff'fffc, 0xfff0'0000) == 0x20);  // memory move out of memory
  CHECK(one(0xe134'0004, 0xfff0'0000) == 0x20);
  f.write<DSA>(0xfff0'0000);
  CHECK(one(0x1900'0000, 0) == 0x20);  // table outside memory
  CHECK(one(0x4300'0000, 0) == 0x20);
  f.go(0xfffe'0000);
  CHECK(f.dstat() == 0x20);
  f.put(0x2000, {0x80});
  f.put(0x2010, {0x12, 0, 0, 0, 36, 0});
  f.end = 0x1000;
  f.script({select_atn | 2 << 16, 0, absolute(message_out, 1), 0x2000, absolute(command, 6), 0x2010,
            absolute(data_in, 36), 0x00ff'fff8});
  f.go();
  CHECK(f.dstat() == 0x20);
}

TEST_CASE("lsi53c895a: an endless script lets the guest go on, and can be aborted (§4.2 ISTAT0)") {
  Fixture f;
  f.end = 0x1000;
  f.script({jump_always, 0x1000});
  f.go();
  CHECK((f.read_at(0x15, 1) & 2) == 2);
  f.run_for(5_ms);
  CHECK((f.read_at(0x15, 1) & 2) == 2);
  f.write_at(0x14, 1, 0x80);
  CHECK(f.pin("inta"));
  CHECK(f.dstat() == 0x10);
  f.write_at(0x14, 1, 0);
  CHECK((f.read_at(0x15, 1) & 2) == 0);
  f.run_for(5_ms);
  CHECK_FALSE(f.pin("inta"));
}

TEST_CASE("lsi53c895a: a masked fatal interrupt stops the script and shows in ISTAT0, without the pin (§2.2.13.4)") {
  Fixture f;
  f.write<DIEN>(0);
  f.end = 0x1000;
  f.script({interrupt, 1});
  f.go();
  CHECK_FALSE(f.pin("inta"));
  CHECK((f.read_at(0x14, 1) & 1) == 1);
  f.write<DIEN>(4);
  CHECK(f.pin("inta"));
  CHECK(f.dstat() == 4);
}

TEST_CASE("lsi53c895a: single step, manual start and the general purpose timer (§4.2)") {
  Fixture f;
  f.end = 0x1000;
  f.script({0x7834'1100, 0, 0x7834'2200, 0});
  f.write<DCNTL>(0x10), f.write<DMODE>(1);
  f.go();
  CHECK(f.read_at(0x34, 1) == 0);
  f.write<DCNTL>(0x14);
  CHECK(f.dstat() == 8);
  CHECK(f.read_at(0x34, 1) == 0x11);
  f.write<DCNTL>(0x14);
  CHECK(f.read_at(0x34, 1) == 0x22);
  f.dstat();
  f.write<STIME1>(3);
  f.run_for(499_us);
  CHECK_FALSE(f.pin("inta"));
  f.run_for(2_us);
  CHECK(f.sist() == 0x200);
}

TEST_CASE("lsi53c895a: RST resets the bus: commands are lost, targets tell it (§4.2 SCNTL1)") {
  Fixture f;
  f.disk.at_once = false;
  f.put(0x2000, {0xc0});
  f.put(0x2010, {0x28, 0, 0, 0, 0, 3, 0, 0, 1, 0});
  f.end = 0x1000;
  f.script({select_atn | 2 << 16, 0, absolute(message_out, 1), 0x2000, absolute(command, 10), 0x2010,
            absolute(message_in, 1), 0x2020, expect_disconnect, 0, clear_ack, 0, wait_disconnect, 0, wait_reselect, 0});
  f.go();
  f.write_at(0x01, 1, 8);
  CHECK(f.sist() == 2);
  CHECK(f.read<SSTAT0>() == 2);  // RST is up
  f.write_at(0x01, 1, 0);
  f.disk.finish();
  CHECK_FALSE(f.pin("inta"));
  f.simple_command(2, {0}, 0);
  CHECK(f.memory[0x2020] == 2);
  f.simple_command(2, {3, 0, 0, 0, 18}, 18);
  CHECK(f.memory[0x4002] == 6);
  CHECK(f.memory[0x400c] == 0x29);
}

namespace {
// Configuration space with the registers at a base address.
struct Card final : peripherals::pci::Function {
  Card() : Function(Lsi53c895a<Board>::pci_identity) {
    config_write(peripherals::pci::cfg_bar + 4, 4, 0x8000'0000);
    config_write(peripherals::pci::cfg_command, 2, peripherals::pci::command_memory);
  }
  u64 bar_read(unsigned, u64, unsigned) noexcept override { return 0; }
  void bar_write(unsigned, u64, unsigned, u64) noexcept override {}
};
}  // namespace

TEST_CASE("lsi53c895a: one move into the registers may abort SCRIPTS and start them at itself, without end (§5.7)") {
  Fixture f;
  Card card;
  f.dev.pci_attached(card);
  const u32 at = f.end;
  f.put(0x3000, {0x80});  // ISTAT0: ABRT
  f.word(0x3018, at);     // DSP: the move
  f.script({0xc000'001c, 0x3000, 0x8000'0014});
  f.go(at);
  CHECK(f.read_at(0x15, 1) == 2);  // SRUN
  f.run_for(1_ms);
  f.word(0x3018, at + 12);
  f.script({interrupt, 9});
  f.run_for(1_ms);
  CHECK(f.read<DSPS>() == 9);
  CHECK(f.dstat() == 0x14);
}

TEST_CASE("lsi53c895a: random scripts and register writes end in some state (hostile guest)") {
  Fixture f;
  u64 seed = 12345;
  const auto random = [&] { return u32((seed = seed * 6364136223846793005 + 1442695040888963407) >> 33); };
  for (int round = 0; round < 300; ++round) {
    for (u32 at = 0x1000; at < 0x1100; at += 4) {
      u32 v = random() << 1 ^ random();
      if (random() & 1) v = (v & 0xff00'0fff) | (random() % 3 ? 0 : 0x2000);
      f.word(at, at & 4 && random() % 2 ? 0x1000 + random() % 0x40 * 4 : v);
    }
    for (int n = 0; n < 20; ++n)
      if (const u32 at = random() & 0xff; at != 0x27) f.write_at(at, 1, random() & 0xff);
    f.write_at(0x14, 1, 0), f.write_at(0x3b, 1, 0), f.write_at(0x38, 1, 0);
    f.write_at(0xa0, 8, 0), f.write_at(0xa8, 8, 0), f.write_at(0xb0, 8, 0);
    f.write<DSA>(0x1000);
    f.go();
    f.disk.at_once = random() & 1;
    while (f.disk.at_once && !f.disk.waiting.empty()) f.disk.finish();
    f.run_for(200_us);
    f.sist(), f.dstat();
    if (round % 8 == 0) f.write_at(0x01, 1, 8), f.write_at(0x01, 1, 0);
  }
  f.disk.at_once = true;
  while (!f.disk.waiting.empty()) f.disk.finish();
  f.reset();
  f.simple_command(2, {0x12, 0, 0, 0, 36, 0}, 36);
}
