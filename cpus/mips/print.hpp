#pragma once
// Operand printers of the generated disassemblers.  The text is what objdump -M mips32r2 prints, with spaces for tabs.
// Arguments are raw bits of the encoding, named by their letters there.

#include "core/base.hpp"

#include <string>

namespace mips::print {
using core::u32;

std::string undefined(u32 w, int width);

std::string reg(u32 r);
std::string hex(u32 v);                       // 0x1f
std::string plain_hex(u32 v);                 // the same of an operand without a printer
std::string signed_(u32 i);                   // 16 bits
std::string branch(u32 b, u32 pc);            // words from the delay slot
std::string jump(u32 j, u32 pc);              // words in the 256 MiB of the delay slot
std::string jump16(u32 j, u32 pc);            // to MIPS16e code
std::string cp0(u32 d, u32 e);                // coprocessor 0 register and select
std::string hwr(u32 d);
std::string size(u32 m);
std::string ins_size(u32 m, u32 k);
std::string sync(u32 a);

// Codes that are left out when they are 0
std::string code(u32 c);                      // " 0x1"
std::string codes(u32 c, u32 q);              // " 0x1,0x2"
std::string more(u32 q);                      // ",0x1"
std::string only(u32 t);                      // " v0", nothing for zero
std::string link(u32 d);                      // "v0,", nothing for ra

// Whole instructions that have other names for some registers
std::string addu(u32 d, u32 s, u32 t);
std::string or_text(u32 d, u32 s, u32 t);
std::string nor(u32 d, u32 s, u32 t);
std::string subtract(u32 d, u32 s, u32 t, const char* negate, const char* name);
std::string addiu(u32 t, u32 s, u32 i);
std::string ori(u32 t, u32 s, u32 u);
std::string beq(u32 s, u32 t);                // up to the target
std::string beql(u32 s, u32 t);
std::string bne(u32 s, u32 t, const char* likely);
std::string bgez(u32 s);
std::string bgezal(u32 s);

// MIPS16e
std::string reg16(u32 x);
std::string two(u32 d, u32 s);                // "v0,v1,", or "v0," when they are the same
std::string moved(u32 d, u32 s);              // "v0,v1", or "v0"
std::string number(u32 v);                    // 10
std::string scaled(u32 i, unsigned shift);
std::string signed_of(u32 i, unsigned bits);
std::string stack(u32 i);                     // doublewords, signed, as bytes
std::string shift16(u32 k);
std::string near(u32 i, u32 pc);              // words from the word pc is in
std::string near16(u32 n, u32 pc);            // bytes
std::string branch16(u32 b, unsigned bits, u32 length, u32 pc);  // halfwords from behind an instruction of `length` bytes
std::string save_text(u32 a, u32 s, u32 t, u32 f);
std::string restore_text(u32 a, u32 s, u32 t, u32 f);
std::string save_text(u32 a, u32 s, u32 t, u32 f, u32 g, u32 v);
std::string restore_text(u32 a, u32 s, u32 t, u32 f, u32 g, u32 v);

// Coprocessor 1
std::string freg(u32 r);
std::string fcc(u32 c);                       // "$fcc1,", nothing for 0
std::string whole_fcc(u32 c);                 // "$fcc0"
std::string condition(u32 k);                 // "eq"
std::string fp_control(u32 n);

// The DSP ASE
std::string ac(u32 a);                        // "$ac1"
std::string shift6(u32 h);                    // 6 bits, signed
std::string halfword(u32 w);                  // 10 bits, signed
std::string fields(u32 m);                    // ",0x1", nothing for all

}  // namespace mips::print
