/* Flags of open(). The first five are xv6's values. */
#ifndef ABI_FCNTL_H
#define ABI_FCNTL_H

#define O_RDONLY 0x000
#define O_WRONLY 0x001
#define O_RDWR 0x002
#define O_CREATE 0x200
#define O_TRUNC 0x400
#define O_APPEND 0x800 /* every write goes to the end of the file */

#define SEEK_SET 0 /* lseek: from the start */
#define SEEK_CUR 1 /* lseek: from the current offset */
#define SEEK_END 2 /* lseek: from the end */

#endif
