/* What a program written for xv6 needs on this machine: nothing, it was
 * written for it. */
#ifndef USER_GUEST_H
#define USER_GUEST_H

#endif
