/* The kernel command line, kernel/lib/cmdline.c: any text at all. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cmdline.c"

void kernel_printf(const char *fmt, ...) { (void)fmt; }

char *safestrcpy(char *dst, const char *src, size_t n) {
  size_t len = strnlen(src, n - 1);

  memcpy(dst, src, len);
  dst[len] = 0;
  return dst;
}

static const char *const none[] = {NULL};

int LLVMFuzzerTestOneInput(const uchar *bytes, size_t n) {
  char *line = malloc(n + 1);

  memcpy(line, bytes, n);
  line[n] = 0;
  cmdline_init(line, none);
  free(line); /* nothing of it may be used any more */
  for (size_t i = 0; i < NELEM(options); i++) {
    const char *value = cmdline_get(options[i].name);

    if (value != NULL && strlen(value) >= CMDLINE_MAX)
      abort();
    cmdline_number(options[i].name, 1);
  }
  return 0;
}
