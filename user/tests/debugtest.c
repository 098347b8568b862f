/*
 * debugtest BUG     have the debug kernel commit a bug, which it should find
 * debugtest stacks  how deep kernel stacks got
 * debugtest locks   what is known of the order of locks
 * debugtest         the names of the bugs
 *
 * The plain kernel can do none of it: status 2.
 */
#include "abi/debug.h"
#include "user/user.h"
#include "abi/errno.h"

static const char *const bugs[PLANTS] = {
    [PLANT_PAGE_FREED] = "page_freed",
    [PLANT_OBJECT_FREED] = "object_freed",
    [PLANT_OBJECT_TWICE] = "object_twice",
    [PLANT_OBJECT_BEYOND] = "object_beyond",
    [PLANT_OBJECT_PART] = "object_part",
    [PLANT_OBJECT_SLACK] = "object_slack",
    [PLANT_OBJECT_BEFORE] = "object_before",
    [PLANT_COPY_BEYOND] = "copy_beyond",
    [PLANT_LENGTH_FREED] = "length_freed",
    [PLANT_COMPARE_FREED] = "compare_freed",
    [PLANT_GLOBAL_BEYOND] = "global_beyond",
    [PLANT_STACK_BEYOND] = "stack_beyond",
    [PLANT_STACK_FREED] = "stack_freed",
    [PLANT_SHIFT] = "shift",
    [PLANT_OVERFLOW] = "overflow",
    [PLANT_OVERFLOW_64] = "overflow_64",
    [PLANT_SUBTRACT] = "subtract",
    [PLANT_MULTIPLY] = "multiply",
    [PLANT_NEGATE] = "negate",
    [PLANT_DIVIDE] = "divide",
    [PLANT_DIVIDE_ZERO] = "divide_zero",
    [PLANT_VALUE] = "value",
    [PLANT_UNREACHABLE] = "unreachable",
    [PLANT_POINTER] = "pointer",
    [PLANT_INDEX] = "index",
    [PLANT_MISALIGNED] = "misaligned",
    [PLANT_NULL] = "null",
    [PLANT_LOCK_FREED] = "lock_freed",
    [PLANT_SLEEPLOCK_FREED] = "sleeplock_freed",
    [PLANT_LOCK_ORDER] = "lock_order",
    [PLANT_LOCK_CIRCLE] = "lock_circle",
    [PLANT_SLEEPLOCK_ORDER] = "sleeplock_order",
    [PLANT_LOCK_LONG] = "lock_long",
    [PLANT_SLEEP] = "sleep",
    [PLANT_SLEEP_OFF] = "sleep_off",
    [PLANT_COPY_LOCKED] = "copy_locked",
    [PLANT_RETURN_LOCKED] = "return_locked",
    [PLANT_RETURN_SLEEPING] = "return_sleeping",
    [PLANT_END_SLEEPING] = "end_sleeping",
    [PLANT_LIST] = "list",
    [PLANT_LIST_INSERT] = "list_insert",
    [PLANT_COUNT] = "count",
    [PLANT_COUNT_GET] = "count_get",
    [PLANT_COUNT_FILE] = "count_file",
    [PLANT_COUNT_INODE] = "count_inode",
    [PLANT_COUNT_SPACE] = "count_space",
    [PLANT_UNCOUNT_BLOCK] = "uncount_block",
    [PLANT_UNCOUNT_FILE] = "uncount_file",
    [PLANT_UNCOUNT_INODE] = "uncount_inode",
    [PLANT_UNCOUNT_SPACE] = "uncount_space",
    [PLANT_FILE_HELD] = "file_held",
};

static int do_debug(int what, long arg) {
  int r = debug(what, arg);

  if (r >= 0)
    return 0;
  if (lasterr() == ENOSYS)
    fprintf(2, "debugtest: this is not the debug kernel\n");
  else
    fprintf(2, "debugtest: error %d\n", lasterr());
  return 2;
}

int main(int argc, char **argv) {
  for (int i = 0; i < PLANTS; i++) {
    if (argc < 2) {
      printf("%s\n", bugs[i]);
    } else if (strcmp(argv[1], bugs[i]) == 0) {
      int r = do_debug(DEBUG_PLANT, i);

      if (r == 0)
        fprintf(2, "debugtest: %s was not found\n", argv[1]);
      exit(r ? r : 1);
    }
  }
  if (argc < 2)
    exit(0);
  if (strcmp(argv[1], "stacks") == 0)
    exit(do_debug(DEBUG_STACKS, 0));
  if (strcmp(argv[1], "locks") == 0)
    exit(do_debug(DEBUG_LOCKS, 0));
  fprintf(2, "usage: debugtest [BUG | stacks | locks]\n");
  exit(2);
}
