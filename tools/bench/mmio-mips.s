# Device registers by I/O port, ten accesses a turn: LSR of the 16550 and counter 0 of the 8254 are read, the 16550's SCR is written.
        .equ  TURNS, 400000
        .set  noreorder
        .set  mips32r2

        .macro say text:vararg
        la    $4, 8f
        jal   print
        nop
        .section .rodata
8:      .asciz \text
        .text
        .endm
        .macro measure name, access:vararg
        say   "BENCH-BEGIN \name\n"
        li    $9, TURNS
7:      .rept 10
        \access
        .endr
        addiu $9, $9, -1
        bnez  $9, 7b
        nop
        say   "BENCH \name 0\n"
        .endm

        .globl _start
_start: lui   $8, 0xb800
        measure uart-read, lbu $10, 0x3fd($8)
        measure timer-read, lbu $10, 0x40($8)
        measure uart-write, sb $0, 0x3ff($8)
        say   "BENCH-END\n"
1:      wait
        b     1b
        nop

print:  lbu   $11, 0($4)
        beqz  $11, 3f
        addiu $4, $4, 1
2:      lbu   $12, 0x3fd($8)
        andi  $12, $12, 0x20            # LSR.THRE
        beqz  $12, 2b
        nop
        b     print
        sb    $11, 0x3f8($8)
3:      jr    $31
        nop
