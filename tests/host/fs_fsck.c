/* tools/fsck.c as a function, for the file system's unit tests. */
#define main fsck_main
#include "../../tools/fsck.c"
