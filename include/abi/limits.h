/* Limits of the kernel that programs see. */
#ifndef ABI_LIMITS_H
#define ABI_LIMITS_H

#define PATH_MAX 1024 /* bytes in a path, the final 0 included */

#endif
