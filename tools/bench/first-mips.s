# The first thing this guest does is to write a character (the 16550 at I/O port 0x3f8: THR); then it waits.
        .set  noreorder
        .set  mips32r2
        .globl _start
_start: lui   $8, 0xb800
        li    $9, 0x21
        sb    $9, 0x3f8($8)
1:      wait
        b     1b
        nop
