/* The user library's header, for tests of the library on this computer. */
#include "../../../../user/include/user/user.h"
