@ Entry and exception vectors.  -kernel puts the program into RAM and jumps to _start; the vectors are copied to
@ address 0, where the processor looks for them.
        .section .vectors, "ax"
        .global _start
_start: b     reset

vectors:                                @ copied to 0; each loads its handler's address from the table behind it
        ldr   pc, [pc, #24]             @ 0x00 reset
        ldr   pc, [pc, #24]             @ 0x04 undefined instruction
        ldr   pc, [pc, #24]             @ 0x08 software interrupt
        ldr   pc, [pc, #24]             @ 0x0c prefetch abort
        ldr   pc, [pc, #24]             @ 0x10 data abort
        ldr   pc, [pc, #24]             @ 0x14 unused
        ldr   pc, [pc, #24]             @ 0x18 interrupt
        ldr   pc, [pc, #24]             @ 0x1c fast interrupt
        .word reset, stuck, stuck, stuck, stuck, stuck, on_irq, stuck
vectors_end:

        .text
reset:  ldr   r0, =vectors
        mov   r1, #0
        mov   r2, #(vectors_end - vectors)
1:      ldr   r3, [r0], #4
        str   r3, [r1], #4
        subs  r2, r2, #4
        bne   1b

        msr   cpsr_c, #0xd2             @ interrupt mode, interrupts off: its own stack
        ldr   sp, =irq_stack_top
        msr   cpsr_c, #0xd3             @ supervisor mode, interrupts still off
        ldr   sp, =stack_top

        ldr   r0, =bss_start
        ldr   r1, =bss_end
        mov   r2, #0
2:      cmp   r0, r1
        strlo r2, [r0], #4
        blo   2b

        bl    main
stuck:  b     stuck

on_irq: sub   lr, lr, #4
        push  {r0-r3, ip, lr}
        bl    interrupt
        ldm   sp!, {r0-r3, ip, pc}^     @ and CPSR from SPSR

@ Sleeps until an interrupt line is up, also while interrupts are off.
        .global wait_for_interrupt
wait_for_interrupt:
        mov   r0, #0
        mcr   p15, 0, r0, c7, c0, 4
        bx    lr
