#pragma once
// Operand printers of the generated disassemblers (a32.isa, t16.isa, vfp.isa).  The text is what
// objdump -M reg-names-std prints, without its comments.  Arguments are raw bits of the encoding,
// named by their letters there.

#include "core/base.hpp"

#include <string>

namespace arm::print {
using core::u32;

std::string undefined(u32 w, int width);

// Registers and conditions
std::string cond(u32 c);                       // "" for always
std::string flag(u32 set, const char* text);   // text or nothing
std::string reg(u32 r);
std::string sreg(u32 r);
std::string dreg(u32 r);
std::string creg(u32 r);
std::string mrc_reg(u32 t);                    // r15 is the flags
std::string system_reg(u32 r);
std::string flags_reg(u32 r, u32 t);           // r15 is the flags where r is fpscr
std::string status(u32 r);
std::string status_fields(u32 f);
std::string spair(u32 m);

// Numbers
std::string number(u32 v);
std::string braced(u32 v);
std::string hex(u32 v, int digits);
std::string times(u32 x, u32 scale);
std::string amount32(u32 k);                   // shift amount where 0 means 32
std::string expand_imm(u32 x);                 // rotated byte; a rotation nobody needs is spelled out
std::string half(u32 top);

// Shifts
std::string shift_name(u32 y);
std::string shift(u32 y, u32 k);               // ", lsl #3" or nothing
std::string move_name(u32 y, u32 k);           // mov with a shifted operand has the name of the shift
std::string move_amount(u32 y, u32 k);
std::string lsl_name(u32 k);
std::string lsl_amount(u32 k);

// Addresses
std::string address(u32 n, u32 p, u32 u, u32 w, u32 o);
std::string address_reg(u32 n, u32 p, u32 u, u32 w, u32 m, u32 y = 0, u32 k = 0);
std::string address_coproc(u32 n, u32 p, u32 u, u32 w, u32 o);
std::string offset(u32 n, u32 u, u32 o);
std::string offset_reg(u32 n, u32 u, u32 m, u32 y, u32 k);
std::string post(u32 n, u32 u, u32 o);
std::string post_reg(u32 n, u32 u, u32 m, u32 y, u32 k);
std::string vfp_address(u32 n, u32 u, u32 o);
std::string long_form(u32 z);
std::string branch24(u32 b, u32 h, u32 pc);    // h: halfword bit of blx
std::string branch_thumb(u32 b, int bits, u32 pc);

// A store below or a load above sp that moves sp is push or pop.
std::string word(u32 n, u32 p, u32 u, u32 w, u32 o, const char* name);
std::string word_rest(u32 t, u32 n, u32 p, u32 u, u32 w, u32 o, const char* name);
std::string block(u32 p, u32 u, u32 w, u32 n, u32 l, const char* name);
std::string block_rest(u32 p, u32 u, u32 w, u32 n, u32 l, const char* name);
std::string vpush(u32 n);
std::string vpush_base(u32 n);
std::string vpop(u32 w, u32 n);
std::string vpop_base(u32 w, u32 n);

// Lists
std::string mode(u32 p, u32 u);                // "", "da", "db", "ib"
std::string store_mode(u32 p, u32 u, u32 w);   // "ia" in full where the base is written back
std::string list(u32 l);
std::string list_pc(u32 l);
std::string list_and(u32 l, u32 r, u32 extra); // with register `extra` if r
std::string thumb_base(u32 n, u32 l);          // "!" unless ldmia loads its base
std::string vlist(u32 d, u32 i, const char* prefix);

}  // namespace arm::print
