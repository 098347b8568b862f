#include "rt.h"

int main(int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    put(1, argv[i]);
    put(1, i + 1 < argc ? " " : "\n");
  }
  exit(0);
}
