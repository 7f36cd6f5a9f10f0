/* enter_x86_64.S: into guest code and out of it again, System V x86-64. */
#if defined(__x86_64__)

    .text

/* int32_t smelt_rt_arch_enter(activation, context, entry, arguments, results)
 *
 * Frame below rbp: rbx r12 r13 r14 r15, then 24 bytes: MXCSR, x87 control word, at 8 whether they were changed.
 * activation->stack_pointer is the address of that frame's end: all that leave needs. Loading the control words is
 * slow, so it is left out when the caller's are the default ones; the sticky exception flags do not matter. */
    .globl smelt_rt_arch_enter
    .hidden smelt_rt_arch_enter
    .type smelt_rt_arch_enter, @function
    .p2align 4
smelt_rt_arch_enter:
    .cfi_startproc
    endbr64
    pushq %rbp
    .cfi_def_cfa_offset 16
    .cfi_offset %rbp, -16
    movq %rsp, %rbp
    .cfi_def_cfa_register %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    .cfi_offset %rbx, -24
    .cfi_offset %r12, -32
    .cfi_offset %r13, -40
    .cfi_offset %r14, -48
    .cfi_offset %r15, -56
    subq $24, %rsp
    stmxcsr (%rsp)
    fnstcw 4(%rsp)
    movl $0, 8(%rsp)
    movq %rsp, (%rdi)
    movl (%rsp), %eax
    andl $0xffc0, %eax
    cmpl $0x1f80, %eax
    jne .Lset_control
    cmpw $0x037f, 4(%rsp)
    jne .Lset_control
.Lcontrol_set:
    movq %rsi, %rdi
    movq %rdx, %rax
    movq %rcx, %rsi
    movq %r8, %rdx
    callq *%rax
    xorl %eax, %eax
.Lreturn:
    cmpl $0, 8(%rsp)
    jne .Lrestore_control
.Lcontrol_restored:
    addq $24, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    .cfi_remember_state
    .cfi_def_cfa %rsp, 8
    retq
    .cfi_restore_state
.Lset_control:
    ldmxcsr default_mxcsr(%rip)
    fldcw default_x87(%rip)
    movl $1, 8(%rsp)
    jmp .Lcontrol_set
.Lrestore_control:
    ldmxcsr (%rsp)
    fldcw 4(%rsp)
    jmp .Lcontrol_restored
    .cfi_endproc
    .size smelt_rt_arch_enter, . - smelt_rt_arch_enter

/* void smelt_rt_arch_leave(activation, trap): pushes nothing, so it also works where the stack has overflowed. */
    .globl smelt_rt_arch_leave
    .hidden smelt_rt_arch_leave
    .type smelt_rt_arch_leave, @function
    .p2align 4
smelt_rt_arch_leave:
    .cfi_startproc
    .cfi_undefined %rip
    endbr64
    movq (%rdi), %rsp
    leaq 64(%rsp), %rbp
    movl %esi, %eax
    cld
    jmp .Lreturn
    .cfi_endproc
    .size smelt_rt_arch_leave, . - smelt_rt_arch_leave

/* void smelt_rt_arch_on_stack(function, argument, top) */
    .globl smelt_rt_arch_on_stack
    .hidden smelt_rt_arch_on_stack
    .type smelt_rt_arch_on_stack, @function
    .p2align 4
smelt_rt_arch_on_stack:
    .cfi_startproc
    endbr64
    pushq %rbp
    .cfi_def_cfa_offset 16
    .cfi_offset %rbp, -16
    movq %rsp, %rbp
    .cfi_def_cfa_register %rbp
    movq %rdx, %rsp
    movq %rdi, %rax
    movq %rsi, %rdi
    callq *%rax
    movq %rbp, %rsp
    popq %rbp
    .cfi_def_cfa %rsp, 8
    retq
    .cfi_endproc
    .size smelt_rt_arch_on_stack, . - smelt_rt_arch_on_stack

/* The self test's guest. Offsets 8 and 40 of the context are checked in checks.c. */
    .globl smelt_rt_arch_probe_start
    .hidden smelt_rt_arch_probe_start
    .globl smelt_rt_arch_probe_load
    .hidden smelt_rt_arch_probe_load
    .type smelt_rt_arch_probe_load, @function
    .p2align 4
smelt_rt_arch_probe_start:
smelt_rt_arch_probe_load:
    .cfi_startproc
    endbr64
    movq 8(%rdi), %rax
    addq (%rsi), %rax
    movzbl (%rax), %eax
    movq %rax, (%rdx)
    retq
    .cfi_endproc
    .size smelt_rt_arch_probe_load, . - smelt_rt_arch_probe_load

    .globl smelt_rt_arch_probe_raise
    .hidden smelt_rt_arch_probe_raise
    .type smelt_rt_arch_probe_raise, @function
    .p2align 4
smelt_rt_arch_probe_raise:
    .cfi_startproc
    endbr64
    pushq %rbx
    .cfi_def_cfa_offset 16
    xorl %ebx, %ebx
    movl (%rsi), %esi
    callq *40(%rdi)
    .cfi_endproc
    .size smelt_rt_arch_probe_raise, . - smelt_rt_arch_probe_raise
    .globl smelt_rt_arch_probe_end
    .hidden smelt_rt_arch_probe_end
smelt_rt_arch_probe_end:
    nop

    .section .rodata
    .p2align 2
default_mxcsr:
    .long 0x1f80 /* round to nearest, all exceptions masked, neither FTZ nor DAZ */
default_x87:
    .word 0x037f

    .section .note.GNU-stack, "", @progbits
#endif
