@ The first thing this guest does is to write a character (PL011, DDI 0183G §3.3: UARTDR, UARTCR); then it waits.
        .global _start
_start: ldr   r4, =0x101f1000
        ldr   r0, =0x301                @ UARTCR: RXE, TXE, UARTEN
        str   r0, [r4, #0x30]
        mov   r0, #'!'
        str   r0, [r4]
1:      mcr   p15, 0, r0, c7, c0, 4     @ wait for interrupt
        b     1b
