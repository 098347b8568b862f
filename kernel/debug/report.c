/*
 * A report is a panic that begins with "debug: ", which check found what, and a
 * backtrace. The check was called by the code that it is about, so it leaves out
 * the frames of its own: those up to the one that returns to pc.
 */
#include "report.h"

#include "arch_frame.h"

#define DEPTH 16 /* of a check, at most */

bool debug_reporting;

vaddr_t debug_frame_of(vaddr_t pc) {
  vaddr_t at = 0, fp = (vaddr_t)__builtin_frame_address(0);

  __atomic_store_n(&debug_reporting, true, __ATOMIC_RELAXED);
  for (int i = 0; i < DEPTH && at != pc; i++) {
    if (!frame_caller(&at, &fp))
      break;
  }
  return fp;
}
