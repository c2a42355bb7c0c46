// As renewal-x86_64.S, for aarch64.
// aarch64-linux-gnu-as renewal-aarch64.S -o r.o && aarch64-linux-gnu-objcopy -O binary -j .text r.o r.bin
    .globl _start
_start:
    sub sp, sp, #64
    mov x0, #1
    adr x1, line
    mov x2, #1
    mov x8, #64                 // write
    svc #0
    mov x19, #0                 // bytes read so far
more:
    mov x0, #0
    mov x1, sp
    add x1, x1, x19
    mov x2, #56
    sub x2, x2, x19
    mov x8, #63                 // read
    svc #0
    cmp x0, #0
    b.le fail
    add x19, x19, x0
    cmp x19, #56
    b.lo more
    mov x0, #0                  // CLOCK_REALTIME
    mov x1, sp
    mov x8, #112                // clock_settime
    svc #0
    tbnz x0, #63, fail
    mov x0, #-100               // AT_FDCWD
    adr x1, path
    mov x2, #2
    mov x3, #0
    mov x8, #56                 // openat
    svc #0
    tbnz x0, #63, fail
    mov x19, x0
    movz x1, #0x5203
    movk x1, #0x4008, lsl #16
    add x2, sp, #16
    mov x8, #29                 // ioctl
    svc #0
    tbnz x0, #63, fail
    mov x0, x19
    movz x1, #0x5207
    mov x2, #0
    mov x8, #29
    svc #0
    tbnz x0, #63, fail
    mov x0, #0
    b leave
fail:
    mov x0, #1
leave:
    mov x8, #93                 // exit
    svc #0
path:
    .asciz "/dev/urandom"
line:
    .ascii "\n"
