/* Small constants of the native system calls. */
#ifndef ABI_SYSTEM_H
#define ABI_SYSTEM_H

#define REBOOT_POWEROFF 0
#define REBOOT_RESTART 1

#define WNOHANG 1 /* waitpid: return 0 if no child has exited yet */

/* Exit status of init if there is no console to say what is wrong on. */
#define STATUS_NO_CONSOLE 70

/* How sys_sbrk() provides the memory. */
#define SBRK_EAGER 1 /* at once */
#define SBRK_LAZY 2  /* when touched */

/* xv6's clock tick, the unit of pause(), sleep() and uptime(). */
#define TICKS_PER_SECOND 10

#endif
