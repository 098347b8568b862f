/* Commands that change the shell itself, and so cannot be programs. */
#include "sh.h"

#define CWD_MAX 1024

static int do_cd(int argc, char **argv) {
  const char *home = argc > 1 ? argv[1] : "/";

  if (argc > 2) {
    complain("usage: cd [DIRECTORY]");
    return EXIT_USAGE;
  }
  if (chdir(home) == 0)
    return 0;
  warn("cd: %s", home);
  return EXIT_FAILED;
}

static int do_exit(int argc, char **argv) {
  long long status = shell.status;

  if (argc > 2 || (argc == 2 && parse_number(argv[1], &status) < 0)) {
    complain("usage: exit [STATUS]");
    return EXIT_USAGE;
  }
  exit(status & 0xff);
}

static int do_pwd(int argc, char **argv) {
  static char path[CWD_MAX];

  (void)argc, (void)argv;
  if (getcwd(path, sizeof(path)) < 0) {
    warn("pwd");
    return EXIT_FAILED;
  }
  printf("%s\n", path);
  return 0;
}

/* Until all jobs in the background have ended, or Ctrl-C is typed. That ends
 * nobody here, and so would not end a waitpid(): ask for both in turns. */
static int do_wait(int argc, char **argv) {
  int flags = shell.interactive ? WNOHANG : 0;
  int pid;

  (void)argc, (void)argv;
  while ((pid = waitpid(-1, 0, flags)) >= 0 && !interrupted())
    if (pid == 0)
      pause(1);
  return 0;
}

static int do_nothing(int argc, char **argv) {
  (void)argc, (void)argv;
  return 0;
}

static const struct {
  const char *name;
  builtin_fn *run;
} builtins[] = {
    {"cd", do_cd},     {"exit", do_exit}, {"pwd", do_pwd},
    {"wait", do_wait}, {":", do_nothing},
};

#define BUILTINS (int)(sizeof(builtins) / sizeof(builtins[0]))

const char *builtin_name(int i) { return i < BUILTINS ? builtins[i].name : 0; }

builtin_fn *builtin_find(const char *name) {
  for (int i = 0; i < BUILTINS; i++)
    if (strcmp(builtins[i].name, name) == 0)
      return builtins[i].run;
  return 0;
}
