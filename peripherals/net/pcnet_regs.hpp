#pragma once
#include "core/reg.hpp"

namespace peripherals::pcnet {
using namespace core;

// The data ports' registers: CSR n at 0x100 + 2n, BCR n at 0x300 + 2n.
constexpr u32 csr(u32 n) { return 0x100 + 2 * n; }
constexpr u32 bcr(u32 n) { return 0x300 + 2 * n; }

struct Regs {
  Reg8Array<struct APROM, 0x00, 16, 1, R> aprom;  // filled from the plug; see window
  Reg16<struct RAP, 0x20, R | W, 0, Bits<struct Selected, 0, 7>> rap;
  Reg16<struct CSR0, csr(0), Rfn | Wfn, 0x0004, Bits<struct INIT, 0>, Bits<struct STRT, 1>, Bits<struct STOP, 2>, Bits<struct TDMD, 3>, Bits<struct TXON, 4>, Bits<struct RXON, 5>, Bits<struct IENA, 6>, Bits<struct INTR, 7>, Bits<struct IDON, 8>, Bits<struct TINT, 9>, Bits<struct RINT, 10>, Bits<struct MERR, 11>, Bits<struct MISS, 12>, Bits<struct CERR, 13>, Bits<struct BABL, 14>, Bits<struct ERR, 15>> csr0;
  Reg16<struct CSR1, csr(1), R | W> csr1;  // IADR[15:0]
  Reg16<struct CSR2, csr(2), R | W> csr2;  // IADR[31:16]
  Reg16<struct CSR3, csr(3), R | Wfn, 0, Bits<struct BSWP, 2>, Bits<struct EMBA, 3>, Bits<struct DXMT2PD, 4>, Bits<struct LAPPEN, 5>, Bits<struct DXSUFLO, 6>, Bits<struct IDONM, 8>, Bits<struct TINTM, 9>, Bits<struct RINTM, 10>, Bits<struct MERRM, 11>, Bits<struct MISSM, 12>, Bits<struct BABLM, 14>> csr3;
  Reg16<struct CSR4, csr(4), R | Wfn, 0x0115, Bits<struct JABM, 0>, Bits<struct JAB, 1>, Bits<struct TXSTRTM, 2>, Bits<struct TXSTRT, 3>, Bits<struct RCVCCOM, 4>, Bits<struct RCVCCO, 5>, Bits<struct UINT, 6>, Bits<struct UINTCMD, 7>, Bits<struct MFCOM, 8>, Bits<struct MFCO, 9>, Bits<struct ASTRP_RCV, 10>, Bits<struct APAD_XMT, 11>, Bits<struct DPOLL, 12>, Bits<struct TIMER, 13>, Bits<struct DMAPLUS, 14>, Bits<struct EN124, 15>> csr4;
  Reg16<struct CSR5, csr(5), R | Wfn, 0, Bits<struct SPND, 0>, Bits<struct MPMODE, 1>, Bits<struct MPEN, 2>, Bits<struct MPINTE, 3>, Bits<struct MPINT, 4>, Bits<struct MPPLBA, 5>, Bits<struct EXDINTE, 6>, Bits<struct EXDINT, 7>, Bits<struct SLPINTE, 8>, Bits<struct SLPINT, 9>, Bits<struct SINTE, 10>, Bits<struct SINT, 11>, Bits<struct LTINTEN, 14>, Bits<struct TOKINTD, 15>> csr5;
  Reg16<struct CSR6, csr(6), R> csr6;  // TLEN, RLEN of the initialization block
  Reg16<struct CSR8, csr(8), R | W> csr8;  // LADRF
  Reg16<struct CSR9, csr(9), R | W> csr9;
  Reg16<struct CSR10, csr(10), R | W> csr10;
  Reg16<struct CSR11, csr(11), R | W> csr11;
  Reg16<struct CSR12, csr(12), R | W> csr12;  // PADR
  Reg16<struct CSR13, csr(13), R | W> csr13;
  Reg16<struct CSR14, csr(14), R | W> csr14;
  Reg16<struct CSR15, csr(15), R | W, 0, Bits<struct DRX, 0>, Bits<struct DTX, 1>, Bits<struct LOOP, 2>, Bits<struct DXMTFCS, 3>, Bits<struct FCOLL, 4>, Bits<struct DRTY, 5>, Bits<struct INTL, 6>, Bits<struct PORTSEL, 7, 2>, Bits<struct TSEL, 9>, Bits<struct MENDECL, 10>, Bits<struct DAPC, 11>, Bits<struct DLNKTST, 12>, Bits<struct DRCVPA, 13>, Bits<struct DRCVBC, 14>, Bits<struct PROM, 15>> mode;
  Reg16<struct CSR16, csr(16), Rfn | Wfn> csr16;  // IADR again
  Reg16<struct CSR17, csr(17), Rfn | Wfn> csr17;
  Reg16<struct CSR24, csr(24), R | W> csr24;  // receive ring
  Reg16<struct CSR25, csr(25), R | W> csr25;
  Reg16<struct CSR28, csr(28), Rfn> csr28;  // current receive descriptor
  Reg16<struct CSR29, csr(29), Rfn> csr29;
  Reg16<struct CSR30, csr(30), R | W> csr30;  // transmit ring
  Reg16<struct CSR31, csr(31), R | W> csr31;
  Reg16<struct CSR34, csr(34), Rfn> csr34;  // current transmit descriptor
  Reg16<struct CSR35, csr(35), Rfn> csr35;
  Reg16<struct CSR46, csr(46), R | W> csr46;  // poll time counter
  Reg16<struct CSR47, csr(47), R | W> csr47;  // poll interval
  Reg16<struct CSR58, csr(58), Rfn | Wfn> csr58;  // BCR20 again
  Reg16<struct CSR72, csr(72), R | W, 0xffff> rcvrc;  // the receive ring's counter: CSR76 is the first, 0xffff the last
  Reg16<struct CSR74, csr(74), R | W, 0xffff> xmtrc;
  Reg16<struct CSR76, csr(76), R | W, 0xffff> rcvrl;  // ring lengths, two's complement
  Reg16<struct CSR78, csr(78), R | W, 0xffff> xmtrl;
  Reg16<struct CSR80, csr(80), R | W, 0x1410> csr80;
  Reg16<struct CSR82, csr(82), R | W> csr82;
  Reg16<struct CSR88, csr(88), R, 0x1003> csr88;  // chip ID: 0x262'1003
  Reg16<struct CSR89, csr(89), R, 0x0262> csr89;
  Reg16<struct CSR92, csr(92), R> csr92;
  Reg16<struct CSR94, csr(94), R> csr94;
  Reg16<struct CSR100, csr(100), R | W, 0x0200> csr100;
  Reg16<struct CSR103, csr(103), R, 0x0105> csr103;
  Reg16<struct CSR112, csr(112), R | W> missed;  // MFC, frames missed
  Reg16<struct CSR114, csr(114), R | W> csr114;
  Reg16<struct CSR122, csr(122), R | W> csr122;
  Reg16<struct CSR124, csr(124), R | W> csr124;

  Reg16<struct BCR0, bcr(0), R, 0x0005> bcr0;
  Reg16<struct BCR1, bcr(1), R, 0x0005> bcr1;
  Reg16<struct BCR2, bcr(2), R | W, 0x0002, Bits<struct ASEL, 1>, Bits<struct AWAKE, 2>, Bits<struct EADISEL, 3>, Bits<struct DXCVRPOL, 4>, Bits<struct DXCVRCTL, 5>, Bits<struct INTLEVEL, 7>, Bits<struct APROMWE, 8>> mc;
  Reg16<struct BCR4, bcr(4), Rfn | W, 0x00c0> lnkst;  // LEDs: what they show, and LEDOUT
  Reg16<struct BCR5, bcr(5), Rfn | W, 0x0084> led1;
  Reg16<struct BCR6, bcr(6), Rfn | W, 0x0088> led2;
  Reg16<struct BCR7, bcr(7), Rfn | W, 0x0090> led3;
  Reg16<struct BCR9, bcr(9), R | W, 0, Bits<struct FDEN, 0>, Bits<struct AUIFD, 1>> fdc;
  Reg16<struct BCR16, bcr(16), R> bcr16;
  Reg16<struct BCR17, bcr(17), R> bcr17;
  Reg16<struct BCR18, bcr(18), R | W, 0x9001, Bits<struct TSTSHDEN, 0, 5>, Bits<struct BWRITE, 5>, Bits<struct BREADE, 6>, Bits<struct DWIO, 7>, Bits<struct EXTREQ, 8>, Bits<struct MEMCMD, 9>, Bits<struct ROMTMG, 12, 4>> bsbc;
  Reg16<struct BCR19, bcr(19), R | Wfn, 0x0002, Bits<struct EDI, 0>, Bits<struct ESK, 1>, Bits<struct ECS, 2>, Bits<struct EEN, 4>, Bits<struct EEDET, 13>, Bits<struct PREAD, 14>, Bits<struct PVALID, 15>> eecas;
  Reg16<struct BCR20, bcr(20), R | Wfn, 0x0200, Bits<struct SWSTYLE, 0, 8>, Bits<struct SSIZE32, 8>, Bits<struct CSRPCNET, 9>, Bits<struct APERREN, 10>> sws;
  Reg16<struct BCR21, bcr(21), R> bcr21;
  Reg16<struct BCR22, bcr(22), R | W, 0xff06> plat;
};
}  // namespace peripherals::pcnet
