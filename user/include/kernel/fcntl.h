#ifndef XV6_FCNTL_H
#define XV6_FCNTL_H

#include "abi/fcntl.h"

#endif
