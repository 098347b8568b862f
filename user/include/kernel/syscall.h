/* SYS_name numbers, generated from include/abi/syscall.tbl. */
#ifndef XV6_SYSCALL_H
#define XV6_SYSCALL_H

#include "abi/syscall.h"

#endif
