# Reads a struct rand_pool_info of 40 bytes from standard input, gives it to the kernel's generator of random numbers
# (RNDADDENTROPY) and makes it reseed (RNDRESEEDCRNG). Exit code 0 when both were done.
# as reseed-x86_64.S -o r.o && objcopy -O binary -j .text r.o r.bin
    .globl _start
_start:
    sub $64, %rsp
    xor %eax, %eax              # read
    xor %edi, %edi
    mov %rsp, %rsi
    mov $40, %edx
    syscall
    cmp $40, %eax
    jne fail
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
    mov %rsp, %rdx
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
