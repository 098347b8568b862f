#include "../../../../user/include/user/pagewise.h"
