/*
 * The first process of the Linux that Pagewise is compared with: loads the
 * drivers of the disk and its file system, makes it the root, and then runs the
 * command lines that come on the console, as a shell would: a program's path
 * and its arguments. What fails is said and ends the machine: numbers of another
 * file system would not compare.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGS_MAX 32
#define DISK "/dev/vda"
#define MODULES "/modules/list" /* made by get-kernel */

static int complain(const char *what) {
  printf("init: %s: %s\n", what, strerror(errno));
  return -1;
}

/* The list is in the order in which they depend on each other. The files go,
 * for they hold memory that the benchmark counts. */
static int load_modules(void) {
  char path[256];
  FILE *list = fopen(MODULES, "r");
  if (!list)
    return complain(MODULES);
  while (fgets(path, sizeof path, list)) {
    path[strcspn(path, "\n")] = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || syscall(SYS_finit_module, fd, "", 0) < 0)
      complain(path);
    close(fd);
    unlink(path);
  }
  fclose(list);
  return 0;
}

static int wait_for_disk(void) {
  struct stat st;
  for (int tries = 0; tries < 1000; tries++) {
    if (stat(DISK, &st) == 0)
      return 0;
    usleep(10000);
  }
  return complain(DISK);
}

/* Make the disk the root, as it is in Pagewise. */
static int set_up(void) {
  if (mkdir("/disk", 0755) < 0)
    return complain("/disk");
  if (mount("dev", "/dev", "devtmpfs", 0, "") < 0)
    return complain("/dev");
  if (load_modules() < 0 || wait_for_disk() < 0)
    return -1;
  if (mount(DISK, "/disk", "ext4", 0, "") < 0)
    return complain("ext4");
  if (chroot("/disk") < 0 || chdir("/") < 0)
    return complain("/disk");
  mkdir("/proc", 0755);
  if (mount("proc", "/proc", "proc", 0, "") < 0)
    return complain("/proc");
  return 0;
}

static void run(char *line) {
  char *argv[ARGS_MAX + 1] = {0};
  char *word = strtok(line, " \r\n");
  for (int i = 0; word && i < ARGS_MAX; i++) {
    argv[i] = word;
    word = strtok(NULL, " \r\n");
  }
  if (!argv[0])
    return;
  pid_t pid = fork();
  if (pid == 0) {
    execv(argv[0], argv);
    complain(argv[0]);
    _exit(1);
  }
  if (pid < 0)
    complain("fork");
  waitpid(pid, NULL, 0);
}

int main(void) {
  char line[1024];
  setvbuf(stdout, NULL, _IOLBF, 0);
  printf("init: running\n");
  if (set_up() == 0) {
    printf("init: ready\n");
    while (fgets(line, sizeof line, stdin))
      run(line);
  }
  sync();
  reboot(RB_POWER_OFF);
  return 1;
}
