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
