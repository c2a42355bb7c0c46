// The guest of KvmProbe for aarch64; KvmProbeGuests holds what it assembles to (as; objcopy -O binary -j .text).
// Entered at EL1 with the MMU off. An exception taken at EL1 must reach our vector; code at EL0 adds two numbers and
// comes back by another; the result goes to the PL011, then the machine is switched off by PSCI.
        .text
start:
        adr x0, vectors
        msr vbar_el1, x0
        isb
        adr x0, stack_top
        mov sp, x0
        movz x19, #0x1122, lsl #48
        movk x19, #0x7788
        svc #0
        // to EL0, interrupts masked
        mov x0, #0x3c0
        msr spsr_el1, x0
        adr x0, user
        msr elr_el1, x0
        eret
user:
        movz x1, #0x0102, lsl #48
        movk x1, #0x0708
        add x19, x19, x1
        svc #0
        b .
finish:
        movz x1, #0x1224, lsl #48
        movk x1, #0x7e91
        cmp x19, x1
        adr x2, good
        adr x3, bad
        csel x2, x2, x3, eq
        movz x4, #0x0900, lsl #16
1:      ldrb w5, [x2], #1
        cbz w5, 2f
        str w5, [x4]
        b 1b
2:      movz x0, #0x8400, lsl #16
        movk x0, #0x0008
        hvc #0
        b .
good:   .asciz "GANTRY-PROBE-OK\n"
bad:    .asciz "GANTRY-PROBE-BAD\n"
        .balign 2048
vectors:
        .balign 128
        b .
        .balign 128
        b .
        .balign 128
        b .
        .balign 128
        b .
        .balign 128
        add x19, x19, #1        // 0x200: from EL1
        eret
        .balign 128
        b .
        .balign 128
        b .
        .balign 128
        b .
        .balign 128
        b finish                // 0x400: from EL0
        .balign 16
        .space 64
stack_top:
