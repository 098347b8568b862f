// xargs CMD ARG...: run CMD once for each line of the input, with the line as
// one more argument. Reads with gets(), as small xv6 programs do.

#include "kernel/types.h"
#include "kernel/stat.h"
#include "kernel/param.h"
#include "user/user.h"

int
main(int argc, char *argv[])
{
  char line[200];
  char *args[MAXARG];
  int i;

  if(argc < 2 || argc > MAXARG - 2){
    fprintf(2, "usage: xargs command...\n");
    exit(1);
  }
  for(i = 1; i < argc; i++)
    args[i-1] = argv[i];
  args[argc] = 0;
  while(gets(line, sizeof(line)) != 0 && line[0] != 0){
    char *end = strchr(line, '\n');
    if(end)
      *end = 0;
    args[argc-1] = line;
    if(fork() == 0){
      exec(args[0], args);
      fprintf(2, "xargs: exec %s failed\n", args[0]);
      exit(1);
    }
    wait(0);
  }
  exit(0);
}
