/* tools/mkfs.c as a function, for the file system's unit tests. */
#define main mkfs_main
#include "../../tools/mkfs.c"
