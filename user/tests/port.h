/*
 * What the tests of memory need of the system they run on. The same sources are
 * compiled for Linux (tests/boot/test_mmap.py), where the calls have the meaning
 * that POSIX gives them: a test that fails there is wrong itself.
 */
#ifndef TESTS_PORT_H
#define TESTS_PORT_H

#ifdef TESTS_ON_LINUX
#include "port_linux.h"
#else
#include "port_pagewise.h"
#endif

typedef unsigned long addr; /* an address as a number */

#define PAGE 4096UL
#define MB (1024 * 1024UL)
#define NELEM(a) (sizeof(a) / sizeof((a)[0]))

#endif
