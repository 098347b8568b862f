#
# void swtch(struct context *old, struct context *new);
#
# Push the callee-saved registers, remember the stack pointer in old, take the
# one in new and pop from there. The caller's compiler has saved the rest.
#
        .text
        .globl  swtch
swtch:
        movl    4(%esp), %eax
        movl    8(%esp), %edx
        pushl   %ebp
        pushl   %ebx
        pushl   %esi
        pushl   %edi
        movl    %esp, (%eax)
        movl    (%edx), %esp
        popl    %edi
        popl    %esi
        popl    %ebx
        popl    %ebp
        ret

#
# A new thread begins here, by swtch(): what it runs is in ebx (context_init()).
# Nobody called this: a debugger's backtrace ends.
#
        .cfi_sections .debug_frame
        .globl  context_begin
        .type   context_begin, @function
context_begin:
        .cfi_startproc
        .cfi_undefined eip
        call    *%ebx
        .cfi_endproc
        .size   context_begin, . - context_begin
