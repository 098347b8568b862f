/*
 * tools/fsck.c on damaged disks: it reports, and comes to an end. In this process,
 * so that it goes fast.
 */
/* sources: tests/host/fs_mkfs.c */
#define _GNU_SOURCE /* memfd_create */
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>

static jmp_buf done;

#define main fsck_main
#define exit(status) longjmp(done, 1 + (status))
#include "../../tools/fsck.c"
#undef main
#undef exit

int mkfs_main(int argc, char **argv);

#include "damage.h"

#define GOOD_MAX (400U << 10)

static unsigned char good[GOOD_MAX];
static size_t good_size;
static char path[64];
static int file;

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  char item[] = "a=docs/fs.md", other[] = "b=README.md";
  char *make[] = {"mkfs", "-s", "200K", "-l", "20", path, item, other, NULL};
  FILE *f;

  (void)argc;
  (void)argv;
  snprintf(path, sizeof(path), "/tmp/fuzz_fsck.%d.img", getpid());
  if (mkfs_main(8, make) != 0 || (f = fopen(path, "rb")) == NULL)
    abort();
  good_size = fread(good, 1, sizeof(good), f);
  fclose(f);
  remove(path);
  file = memfd_create("image", 0);
  snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
  if (freopen("/dev/null", "w", stdout) == NULL)
    abort();
  return 0;
}

static void run(void) {
  static char *argv[] = {"fsck", "-r", path, NULL};

  if (setjmp(done) == 0)
    fsck_main(3, argv);
  else /* it ended in the middle */
    free(owner), free(info);
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t n) {
  static unsigned char copy[GOOD_MAX];
  size_t size = good_size;

  memcpy(copy, good, size);
  if (n > 3 && bytes[1] == 0) /* cut off */
    size = (bytes[2] | bytes[3] << 8) * 512 % good_size;
  damage(copy, good_size, bytes, n);
  if (ftruncate(file, 0) < 0 || pwrite(file, copy, size, 0) != (ssize_t)size)
    abort();
  optind = 1;
  problems = 0;
  run();
  if (image != NULL && image != MAP_FAILED)
    munmap(image, image_size);
  image = NULL;
  owner = NULL;
  info = NULL;
  return 0;
}
