/* What this kernel is called. */
#ifndef VERSION_H
#define VERSION_H

#define KERNEL_NAME "Pagewise"
#define KERNEL_VERSION "0.1"

#endif
