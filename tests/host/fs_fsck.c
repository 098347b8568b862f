/* tools/fsck.c as a function, for the file system's unit tests. It runs in a child,
 * where what the parent wants done at its own end is not done. */
#include <stdlib.h>

#define main fsck_main
#define exit _Exit
#include "../../tools/fsck.c"
