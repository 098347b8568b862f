#ifndef XV6_FS_H
#define XV6_FS_H

#include "abi/fs.h"

#endif
