/* Integer types whose names xv6 programs use. */
#ifndef ABI_TYPES_H
#define ABI_TYPES_H

typedef unsigned int uint;
typedef unsigned short ushort;
typedef unsigned char uchar;

typedef unsigned char uint8;
typedef unsigned short uint16;
typedef unsigned int uint32;
#if __SIZEOF_LONG__ == 8
typedef unsigned long uint64; /* so that %ld and %lx fit, as in xv6 */
#else
typedef unsigned long long uint64;
#endif

#endif
