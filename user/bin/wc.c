/* wc [-l] [-w] [-c] [FILE...]: count lines, words and bytes. */
#include "user/user.h"

#define USAGE "[-l] [-w] [-c] [FILE...]"

struct counts {
  long lines;
  long words;
  long bytes;
};

static int want_lines, want_words, want_bytes;
static char buf[16384];

static int count(int fd, struct counts *c) {
  int in_word = 0, n;

  while ((n = read(fd, buf, sizeof(buf))) > 0) {
    c->bytes += n;
    for (int i = 0; i < n; i++) {
      int space = strchr(" \t\r\n\v\f", buf[i]) != 0 || buf[i] == 0;

      if (buf[i] == '\n')
        c->lines++;
      if (!space && !in_word)
        c->words++;
      in_word = !space;
    }
  }
  return n;
}

static void show(const struct counts *c, const char *name) {
  const char *gap = "";

  if (want_lines)
    printf("%ld", c->lines), gap = " ";
  if (want_words)
    printf("%s%ld", gap, c->words), gap = " ";
  if (want_bytes)
    printf("%s%ld", gap, c->bytes);
  printf("%s%s\n", *name ? " " : "", name);
}

static int count_file(const char *path, struct counts *total) {
  struct counts c = {0, 0, 0};
  int fd = open(path, O_RDONLY);

  if (fd < 0 || count(fd, &c) < 0) {
    warn("%s", path);
    if (fd >= 0)
      close(fd);
    return 1;
  }
  close(fd);
  show(&c, path);
  total->lines += c.lines;
  total->words += c.words;
  total->bytes += c.bytes;
  return 0;
}

static void options(int argc, char **argv) {
  int option;

  while ((option = getopt(argc, argv, "lwc")) != -1)
    switch (option) {
      case 'l':
        want_lines = 1;
        break;
      case 'w':
        want_words = 1;
        break;
      case 'c':
        want_bytes = 1;
        break;
      default:
        bad_usage(USAGE);
    }
  if (!want_lines && !want_words && !want_bytes)
    want_lines = want_words = want_bytes = 1;
}

int main(int argc, char **argv) {
  struct counts total = {0, 0, 0};
  int failed = 0;

  options(argc, argv);
  if (optind == argc) {
    if (count(0, &total) < 0)
      fatal("standard input");
    show(&total, "");
    return 0;
  }
  for (int i = optind; i < argc; i++)
    failed |= count_file(argv[i], &total);
  if (argc - optind > 1)
    show(&total, "total");
  return failed;
}
