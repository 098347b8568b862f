/* tour_exec: another program in the same process; run twice, one file. */
#include "tour.h"

int main(int argc, char **argv) {
  char *again[] = {argv[0], "again", 0};

  show("main", (void *)main);
  if (argc > 1) {
    step("same pid, a new table; its text has the file's frames as before");
    return 0;
  }
  step("now exec this program anew");
  exec(again[0], again);
  fatal("exec");
}
