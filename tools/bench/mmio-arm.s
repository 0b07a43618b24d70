@ Device registers, ten accesses a turn: UARTFR of the PL011 and Timer1Value of the SP804 are read, UARTIFLS is written.
        .equ  UART, 0x101f1000
        .equ  TIMER, 0x101e2000
        .equ  TURNS, 400000

        .macro say text:vararg
        adr   r0, 8f
        bl    print
        b     9f
8:      .asciz \text
        .align 2
9:
        .endm
        .macro measure name, access:vararg
        say   "BENCH-BEGIN \name\n"
        ldr   r6, =TURNS
7:      .rept 10
        \access
        .endr
        subs  r6, r6, #1
        bne   7b
        say   "BENCH \name 0\n"
        .endm

        .global _start
_start: ldr   r4, =UART
        ldr   r5, =TIMER
        ldr   r0, =0x301                @ UARTCR: RXE, TXE, UARTEN
        str   r0, [r4, #0x30]
        mov   r0, #0xc2                 @ TimerControl: enabled, periodic, 32 bits, no interrupt
        str   r0, [r5, #8]
        mov   r2, #0x12                 @ UARTIFLS: as after reset
        measure uart-read, ldr r1, [r4, #0x18]
        measure timer-read, ldr r1, [r5, #4]
        measure uart-write, str r2, [r4, #0x34]
        say   "BENCH-END\n"
1:      mcr   p15, 0, r0, c7, c0, 4     @ wait for interrupt
        b     1b

print:  ldrb  r1, [r0], #1
        cmp   r1, #0
        bxeq  lr
2:      ldr   r3, [r4, #0x18]
        tst   r3, #0x20                 @ UARTFR.TXFF
        bne   2b
        str   r1, [r4]
        b     print
        .ltorg
