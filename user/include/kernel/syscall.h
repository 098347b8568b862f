/* SYS_name numbers, generated from include/abi/syscall.tbl, and the name that
 * older programs know one by. */
#ifndef XV6_SYSCALL_H
#define XV6_SYSCALL_H

#include "abi/syscall.h"

#define SYS_sleep SYS_pause

#endif
