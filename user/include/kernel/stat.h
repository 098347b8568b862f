#ifndef XV6_STAT_H
#define XV6_STAT_H

#include "abi/stat.h"

#endif
