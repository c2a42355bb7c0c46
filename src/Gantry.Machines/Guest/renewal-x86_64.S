# Says on standard output that it is there, with an empty line. Reads 56 bytes from standard input: a struct timespec,
# to which it sets the clock (clock_settime), and a struct rand_pool_info, which it gives to the kernel's generator of
# random numbers (RNDADDENTROPY) and makes that reseed (RNDRESEEDCRNG). Exit code 0 when all was done.
# as renewal-x86_64.S -o r.o && objcopy -O binary -j .text r.o r.bin
    .globl _start
_start:
    sub $64, %rsp
    mov $1, %eax                # write
    mov $1, %edi
    lea line(%rip), %rsi
    mov $1, %edx
    syscall
    xor %ebx, %ebx              # bytes read so far
more:
    xor %eax, %eax              # read
    xor %edi, %edi
    lea (%rsp,%rbx), %rsi
    mov $56, %edx
    sub %ebx, %edx
    syscall
    test %eax, %eax
    jle fail
    add %eax, %ebx
    cmp $56, %ebx
    jb more
    mov $227, %eax              # clock_settime, CLOCK_REALTIME
    xor %edi, %edi
    mov %rsp, %rsi
    syscall
    test %eax, %eax
    js fail
    mov $2, %eax                # open, read and write
    lea path(%rip), %rdi
    mov $2, %esi
    xor %edx, %edx
    syscall
    test %eax, %eax
    js fail
    mov %eax, %ebx
    mov %ebx, %edi
    mov $16, %eax               # ioctl
    mov $0x40085203, %esi
    lea 16(%rsp), %rdx
    syscall
    test %eax, %eax
    js fail
    mov %ebx, %edi
    mov $16, %eax
    mov $0x5207, %esi
    xor %edx, %edx
    syscall
    test %eax, %eax
    js fail
    xor %edi, %edi
    jmp leave
fail:
    mov $1, %edi
leave:
    mov $60, %eax               # exit
    syscall
path:
    .asciz "/dev/urandom"
line:
    .ascii "\n"
