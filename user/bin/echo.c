/* echo [-n] [WORD...]: print the words; -n: no newline after them. */
#include "user/user.h"

int main(int argc, char **argv) {
  int first = argc > 1 && strcmp(argv[1], "-n") == 0 ? 2 : 1;

  for (int i = first; i < argc; i++)
    printf("%s%s", argv[i], i + 1 < argc ? " " : "");
  if (first == 1)
    printf("\n");
  return 0;
}
