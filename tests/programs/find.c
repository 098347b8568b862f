// find DIR NAME: the paths of all files of that name, read from the
// directories' entries as they are on the disk.

#include "kernel/types.h"
#include "kernel/fcntl.h"
#include "kernel/stat.h"
#include "kernel/fs.h"
#include "user/user.h"

void
search(char *path, char *name)
{
  struct dirent de;
  struct stat st;
  char sub[512], *p;
  int fd;

  if((fd = open(path, O_RDONLY)) < 0 || fstat(fd, &st) < 0){
    fprintf(2, "find: cannot open %s\n", path);
    exit(1);
  }
  strcpy(sub, path);
  p = sub + strlen(sub);
  *p++ = '/';
  while(read(fd, &de, sizeof(de)) == sizeof(de)){
    if(de.inum == 0)
      continue;
    memmove(p, de.name, DIRSIZ);
    p[DIRSIZ] = 0;
    if(strcmp(p, ".") == 0 || strcmp(p, "..") == 0)
      continue;
    if(strcmp(p, name) == 0)
      printf("%s\n", sub);
    if(stat(sub, &st) == 0 && st.type == T_DIR)
      search(sub, name);
  }
  close(fd);
}

int
main(int argc, char *argv[])
{
  if(argc != 3){
    fprintf(2, "usage: find dir name\n");
    exit(1);
  }
  search(argv[1], argv[2]);
  exit(0);
}
