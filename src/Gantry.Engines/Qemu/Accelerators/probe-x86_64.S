# The guest of KvmProbe for x86_64; KvmProbeGuests holds what it assembles to (as; objcopy -O binary -j .text).
# A BIOS image of 64 KiB at the top of 4 GiB, also seen at 0xF0000. Real mode -> protected -> long mode; an invalid
# instruction must reach our handler; ring 3 code adds two numbers and comes back by an interrupt.
        .text
        .globl base
base:
# ---- 16 bit, CS=F000
        .code16
entry16:
        cli
        xorw %ax, %ax
        movw %ax, %ss
        movw %ax, %es
        movw $0xF000, %ax
        movw %ax, %ds
        lgdtl (gdtr - base)
        movl %cr0, %eax
        orl $1, %eax
        movl %eax, %cr0
        ljmpl $0x08, $(entry32 - base + 0xF0000)
        .code32
entry32:
        movw $0x10, %ax
        movw %ax, %ds
        movw %ax, %es
        movw %ax, %ss
        movl $0x80000, %esp
# page tables at 0x10000: PML4, 0x11000: PDPT, 0x12000: PD with one 2 MiB page, user accessible
        movl $0x10000, %edi
        xorl %eax, %eax
        movl $0xC00, %ecx
        cld
        rep stosl
        movl $0x11007, 0x10000
        movl $0x12007, 0x11000
        movl $0x00087, 0x12000
# IDT at 0x20000: gates 6 (invalid opcode) and 0x30 (from ring 3)
        movl $0x20000, %edi
        xorl %eax, %eax
        movl $0x400, %ecx
        rep stosl
        movl $(0x180000 + ((ud_handler - base + 0xF0000) & 0xFFFF)), 0x20060
        movl $(((ud_handler - base + 0xF0000) & 0xFFFF0000) | 0x8E00), 0x20064
        movl $(0x180000 + ((done - base + 0xF0000) & 0xFFFF)), 0x20300
        movl $(((done - base + 0xF0000) & 0xFFFF0000) | 0xEE00), 0x20304
# TSS at 0x30000: RSP0 = 0x70000
        movl $0x30000, %edi
        xorl %eax, %eax
        movl $0x40, %ecx
        rep stosl
        movl $0x70000, 0x30004
        movl %cr4, %eax
        orl $0x20, %eax
        movl %eax, %cr4
        movl $0x10000, %eax
        movl %eax, %cr3
        movl $0xC0000080, %ecx
        rdmsr
        orl $0x100, %eax
        wrmsr
        movl %cr0, %eax
        orl $0x80000000, %eax
        movl %eax, %cr0
        ljmpl $0x18, $(entry64 - base + 0xF0000)
        .code64
entry64:
        lidt (idtr - base + 0xF0000)
        movw $0x38, %ax
        ltr %ax
        movq $0x60000, %rsp
        movabsq $0x1122334455667788, %rbx
        ud2
after_ud:
        pushq $0x33
        pushq $0x50000
        pushq $0x2
        pushq $0x2B
        leaq (ring3 - base + 0xF0000), %rax
        pushq %rax
        iretq
ud_handler:
        addq $2, (%rsp)
        incq %rbx
        iretq
ring3:
        movabsq $0x0102030405060708, %rax
        addq %rax, %rbx
        int $0x30
done:
        movabsq $(0x1122334455667788 + 1 + 0x0102030405060708), %rax
        cmpq %rax, %rbx
        jne fail
        movl $0x2A, %eax
        jmp out
fail:
        movl $0x15, %eax
out:
        movw $0xF4, %dx
        outl %eax, %dx
1:      hlt
        jmp 1b
        .balign 8
gdt:
        .quad 0
        .quad 0x00CF9A000000FFFF      # 08 code 32
        .quad 0x00CF92000000FFFF      # 10 data
        .quad 0x00AF9A000000FFFF      # 18 code 64
        .quad 0
        .quad 0x00AFFA000000FFFF      # 28 user code 64
        .quad 0x00CFF2000000FFFF      # 30 user data
        .quad 0x0000890300000067      # 38 TSS at 0x30000
        .quad 0
gdtr:   .word 9*8-1
        .long gdt - base + 0xF0000
idtr:   .word 0x31*16-1
        .quad 0x20000
end:
