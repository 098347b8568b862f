/* ls: name, type, inode number and size of what is in the current directory. */
#include "rt.h"

int main(void) {
  char name[15] = {0};
  struct dirent e;
  struct stat st;
  int fd = open(".", RDONLY);

  while (read(fd, &e, sizeof(e)) == sizeof(e)) {
    if (e.inum == 0)
      continue;
    for (int i = 0; i < 14; i++)
      name[i] = e.name[i];
    int file = open(name, RDONLY);
    if (file < 0 || fstat(file, &st) < 0)
      exit(1);
    close(file);
    put(1, name);
    put(1, " ");
    put_number(1, st.type);
    put(1, " ");
    put_number(1, st.ino);
    put(1, " ");
    put_number(1, (long)st.size);
    put(1, "\n");
  }
  exit(0);
}
