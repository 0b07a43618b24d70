#pragma once
// What the LSI53C895A does: its registers, the SCRIPTS processor, interrupts and timers.
// LSI53C895A PCI to Ultra2 SCSI Controller Technical Manual, version 2.2 (2001); chapters 4 (registers) and 5 (SCRIPTS).

#include "core/reg.hpp"
#include "peripherals/scsi/parallel_bus.hpp"

namespace peripherals::lsi53c895a {
using namespace core;

// Every register answers at byte width; wider accesses are split (§4.2).  Some neighbours are declared as one: their
// names are in the comment.  Access flags are the manual's; the core handles all of them.
struct Regs {
  Reg8<struct SCNTL0, 0x00, R | W, 0xc0, Bits<struct TRG, 0>, Bits<struct AAP, 1>, Bits<struct EPC, 3>, Bits<struct WATN, 4>, Bits<struct START, 5>, Bits<struct ARB, 6, 2>> scntl0;
  Reg8<struct SCNTL1, 0x01, R | W, 0, Bits<struct SST, 0>, Bits<struct IARB, 1>, Bits<struct AESP, 2>, Bits<struct RST, 3>, Bits<struct CON, 4>, Bits<struct DHP, 5>, Bits<struct ADB, 6>, Bits<struct EXC, 7>> scntl1;
  Reg8<struct SCNTL2, 0x02, R | W, 0, Bits<struct WSR, 0>, Bits<struct VUE0, 1>, Bits<struct VUE1, 2>, Bits<struct WSS, 3>, Bits<struct SLPHBEN, 4>, Bits<struct SLPMD, 5>, Bits<struct CHM, 6>, Bits<struct SDU, 7>> scntl2;
  Reg8<struct SCNTL3, 0x03, R | W> scntl3;
  Reg8<struct SCID,   0x04, R | W, 0x07, Bits<struct ENC, 0, 4>, Bits<struct SRE, 5>, Bits<struct RRE, 6>> scid;
  Reg8<struct SXFER,  0x05, R | W> sxfer;
  Reg8<struct SDID,   0x06, R | W, 0, Bits<struct DEST, 0, 4>> sdid;
  Reg8<struct GPREG,  0x07, R | W, 0x7f, Bits<struct GPIO, 0, 7>> gpreg;
  Reg8<struct SFBR,   0x08, R | W> sfbr;
  Reg8<struct SOCL,   0x09, R | W> socl;
  Reg8<struct SSID,   0x0a, R, 0, Bits<struct ENID, 0, 4>, Bits<struct VAL, 7>> ssid;
  Reg8<struct SBCL,   0x0b, R> sbcl;
  Reg8<struct DSTAT,  0x0c, R | RC, 0, Bits<struct IID, 0>, Bits<struct SIR, 2>, Bits<struct SSI, 3>, Bits<struct ABRT, 4>, Bits<struct BF, 5>, Bits<struct MDPE, 6>, Bits<struct DFE, 7>> dstat;
  Reg8<struct SSTAT0, 0x0d, R, 0, Bits<struct SDP0, 0>, Bits<struct RST, 1>> sstat0;
  Reg8<struct SSTAT1, 0x0e, R, 0, Bits<struct PHASE, 0, 3>> sstat1;
  Reg8<struct SSTAT2, 0x0f, R, 0x02, Bits<struct LDSC, 1>> sstat2;
  Reg<struct DSA,     0x10, R | W> dsa;
  Reg8<struct ISTAT0, 0x14, R | W, 0, Bits<struct DIP, 0>, Bits<struct SIP, 1>, Bits<struct INTF, 2>, Bits<struct CON, 3>, Bits<struct SEM, 4>, Bits<struct SIGP, 5>, Bits<struct SRST, 6>, Bits<struct ABRT, 7>> istat0;
  Reg8<struct ISTAT1, 0x15, R | W, 0, Bits<struct SI, 0>, Bits<struct SRUN, 1>, Bits<struct FLSH, 2>> istat1;
  Reg16<struct MBOX,  0x16, R | W> mbox;  // MBOX0, MBOX1
  Reg8<struct CTEST0, 0x18, R | W, 0xff> ctest0;
  Reg8<struct CTEST1, 0x19, R> ctest1;
  Reg8<struct CTEST2, 0x1a, R | W, 0x11, Bits<struct PCICIE, 3>> ctest2;  // bit 6 shows SIGP
  Reg8<struct CTEST3, 0x1b, R | W, 0, Bits<struct WRIE, 0>, Bits<struct FM, 1>, Bits<struct CLF, 2>, Bits<struct FLF, 3>> ctest3;
  Reg<struct TEMP,    0x1c, R | W> temp;
  Reg8<struct DFIFO,  0x20, R | W> dfifo;
  Reg8<struct CTEST4, 0x21, R | W> ctest4;
  Reg8<struct CTEST5, 0x22, R | W> ctest5;
  Reg8<struct CTEST6, 0x23, R | W> ctest6;
  Reg<struct DBC_DCMD, 0x24, R | W, 0x4000'0000, Bits<struct DBC, 0, 24>, Bits<struct DCMD, 24, 8>> command;
  Reg<struct DNAD,    0x28, R | W> dnad;
  Reg<struct DSP,     0x2c, R | W> dsp;
  Reg<struct DSPS,    0x30, R | W> dsps;
  Reg<struct SCRATCHA, 0x34, R | W> scratcha;
  Reg8<struct DMODE,  0x38, R | W, 0, Bits<struct MAN, 0>> dmode;
  Reg8<struct DIEN,   0x39, R | W, 0> dien;
  Reg8<struct SBR,    0x3a, R | W> sbr;
  Reg8<struct DCNTL,  0x3b, R | W, 0, Bits<struct COM, 0>, Bits<struct IRQD, 1>, Bits<struct STD, 2>, Bits<struct SSM, 4>> dcntl;
  Reg<struct ADDER,   0x3c, R> adder;
  Reg16<struct SIEN,  0x40, R | W> sien;  // SIEN0, SIEN1
  Reg16<struct SIST,  0x42, R | RC, 0, Bits<struct PAR, 0>, Bits<struct RST, 1>, Bits<struct UDC, 2>, Bits<struct SGE, 3>, Bits<struct RSL, 4>, Bits<struct SEL, 5>, Bits<struct CMP, 6>, Bits<struct MA, 7>, Bits<struct HTH, 8>, Bits<struct GEN, 9>, Bits<struct STO, 10>, Bits<struct SBMC, 12>> sist;  // SIST0, SIST1
  Reg8<struct SLPAR,  0x44, R | W, 0xff> slpar;
  Reg8<struct SWIDE,  0x45, R | W, 0xff> swide;
  Reg8<struct MACNTL, 0x46, R | W, 0x0f> macntl;
  Reg8<struct GPCNTL, 0x47, R | W, 0x0f, Bits<struct GPIO_EN, 0, 5>, Bits<struct LEDC, 5>, Bits<struct FE, 6>, Bits<struct ME, 7>> gpcntl;
  Reg8<struct STIME0, 0x48, R | W, 0, Bits<struct SELTO, 0, 4>, Bits<struct HTHTO, 4, 4>> stime0;
  Reg8<struct STIME1, 0x49, R | W, 0, Bits<struct GENTO, 0, 4>, Bits<struct GENSF, 4>, Bits<struct HTHSF, 5>, Bits<struct HTHBA, 6>> stime1;
  Reg16<struct RESPID, 0x4a, R | W, 0x0080> respid;  // RESPID0, RESPID1
  Reg8<struct STEST0, 0x4c, R, 0xff> stest0;
  Reg8<struct STEST1, 0x4d, R | W> stest1;
  Reg8<struct STEST2, 0x4e, R | W> stest2;
  Reg8<struct STEST3, 0x4f, R | W> stest3;
  Reg16<struct SIDL,  0x50, R, 0xff00> sidl;
  Reg8<struct STEST4, 0x52, R, 0xe0> stest4;  // low voltage differential, clock locked
  Reg16<struct SODL,  0x54, R | W, 0xffff> sodl;
  Reg8<struct CCNTL0, 0x56, R | W, 0, Bits<struct DPR, 0>, Bits<struct DILS, 1>, Bits<struct DISFC, 4>, Bits<struct ENNDJ, 5>, Bits<struct PMJCTL, 6>, Bits<struct ENPMJ, 7>> ccntl0;
  Reg8<struct CCNTL1, 0x57, R | W, 0, Bits<struct EN64DBMV, 0>, Bits<struct EN64TIBMV, 1>, Bits<struct TIMOD64, 2>, Bits<struct DDAC, 3>, Bits<struct ZMOD, 7>> ccntl1;
  Reg16<struct SBDL,  0x58, R> sbdl;
  RegArray<struct SCRATCH, 0x5c, 17, 4, R | W> scratch;  // SCRATCHB to SCRATCHR
  RegArray<struct SELECTOR, 0xa0, 7, 4, R | W> selector;  // MMRS, MMWS, SFS, DRS, SBMS, DBMS, DNAD64
  RegArray<struct PHASE_JUMP, 0xc0, 8, 4, R | W> jump;    // PMJAD1, PMJAD2, RBC, UA, ESA, IA, SBC, CSBC
};
// Members of SELECTOR: the upper words of 64-bit addresses; and of PHASE_JUMP.
enum Selector : u8 { MMRS, MMWS, SFS, DRS, SBMS, DBMS, DNAD64 };
enum PhaseJump : u8 { PMJAD1, PMJAD2, RBC, UA, ESA, IA, SBC, CSBC };

inline constexpr u32 script_ram_size = 8 * 1024;

// Why the SCRIPTS processor stands still.
enum class State : u8 {
  halted,
  running,
  wait_selection,   // until the target answers or STO
  wait_phase,       // until the target raises REQ
  wait_disconnect,
  wait_reselect,    // until reselection or SIGP
  resting,          // long loop: the guest gets its turn
};
enum ChipTimer : u8 { timer_selection, timer_general, timer_handshake, timer_rest, timer_count };

struct Hidden {
  State state = State::halted;
  bool carry = false, target_mode = false;
  bool resuming = false;    // `at` goes on where it waited
  bool selecting = false;   // SELECT of a target that is not there
  bool reselected = false;  // and WAIT RESELECT not yet executed
  u32 at = 0;               // the instruction executed, or that waits
  u32 moved = 0;            // bytes of it that moved
  scsi::Phase phase = scsi::Phase::data_out;  // SSTAT1
  alignas(4) std::array<u8, script_ram_size> ram{};
};

// What the chip meets outside; addresses are those of the PCI bus.
struct Outside {
  virtual ~Outside() = default;
  virtual bool read(u64 at, std::span<u8> to) = 0;
  virtual bool write(u64 at, std::span<const u8> from) = 0;
  virtual bool own_memory(unsigned bar, u64& at) const = 0;  // where its registers (1) and RAM (2) are
  virtual void irq(bool level) = 0;
  virtual void arm(unsigned timer, u64 ns) = 0;
  virtual void disarm(unsigned timer) = 0;
  virtual void guest_error(const char* what) = 0;
};

// The chip, over state that belongs to the device.
class Chip {
 public:
  Chip(Regs& r, Hidden& x, scsi::ParallelBus& bus, Outside& out) : r(r), x(x), bus(bus), out(out) {}

  u8 read_byte(u32 off);
  void write_byte(u32 off, u8 v);
  void expired(unsigned timer);
  void bus_changed();  // REQ came up or a target wants to reselect
  void update();       // the interrupt pin
  void software_reset();

 private:
  struct Move {
    scsi::Phase phase;
    u64 at;
    u32 count;
    u32 entry;      // the count word: its upper byte is kept in RBC
    bool table;
  };
  // Registers (lsi53c895a_core.cpp).
  u8 shown(u32 off);
  void start(u32 dsp);
  void halt();
  void resume();
  void dma_interrupt(u8 dstat);
  void scsi_interrupt(u16 sist);
  void scsi_reset();
  void connection_changed();
  void set_attention(bool on);
  void release_ack();
  void start_general_timer();

  // SCRIPTS (lsi53c895a_scripts.cpp).
  void run();
  void step();
  bool phase_ready();
  void jump(u32 insn, u32 operand, unsigned relative_bit);
  void wait(State s);
  bool memory_read(u64 at, std::span<u8> to);
  bool memory_write(u64 at, std::span<const u8> from);
  bool fetch_word(u64 at, u32& v);
  void block_move(u32 insn, u32 operand);
  void move_bytes(Move m);
  void phase_mismatch(const Move& m);
  void io(u32 insn, u32 operand);
  void select(u32 insn, u32 operand);
  void set_clear(u32 insn, bool set);
  void reselected();
  void read_write(u32 insn);
  void transfer_control(u32 insn, u32 operand);
  void memory_move(u32 insn, u32 operand);
  void load_store(u32 insn, u32 operand);

  Regs& r;
  Hidden& x;
  scsi::ParallelBus& bus;
  Outside& out;
  s32 budget_ = 0;  // of this run, in instructions
  bool is_in_run_ = false;
};
}  // namespace peripherals::lsi53c895a
