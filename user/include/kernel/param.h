/*
 * xv6's limits, with the values that its programs were written for. They say
 * nothing about this kernel, whose limits are higher or do not exist: a test
 * that opens NOFILE files or passes MAXARG arguments still does what it meant.
 * MAXPATH and USERSTACK are this kernel's own, as tests check that one byte or
 * one page more is refused.
 */
#ifndef XV6_PARAM_H
#define XV6_PARAM_H

#include "abi/limits.h"

#define NPROC 64                    /* processes */
#define NCPU 8                      /* CPUs */
#define NOFILE 16                   /* open files of a process */
#define NFILE 100                   /* open files of the system */
#define NINODE 50                   /* inodes in use at a time */
#define NDEV 10                     /* largest major device number */
#define ROOTDEV 1                   /* device number of the root disk */
#define MAXARG 32                   /* arguments of exec */
#define MAXOPBLOCKS 10              /* blocks that one operation writes */
#define LOGBLOCKS (MAXOPBLOCKS * 3) /* data blocks in the log */
#define LOGSIZE LOGBLOCKS           /* the same, by its older name */
#define NBUF (MAXOPBLOCKS * 3)      /* disk blocks in memory */
#define FSSIZE 2000                 /* blocks of the disk image */
#define MAXPATH PATH_MAX            /* bytes of a path */
#define USERSTACK 256               /* pages of a user stack */

#endif
