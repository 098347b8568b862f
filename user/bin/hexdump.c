/* hexdump [-n BYTES] [-s OFFSET] [FILE]: bytes in hexadecimal and as text. */
#include "user/user.h"

#define USAGE "[-n BYTES] [-s OFFSET] [FILE]"
#define PER_LINE 16

/* Read n bytes unless the file ends before. */
static int read_full(int fd, uchar *buf, int n) {
  int have = 0, got;

  while (have < n && (got = read(fd, buf + have, n - have)) > 0)
    have += got;
  return have;
}

static void show_line(long long offset, const uchar *b, int n) {
  char hex[3 * PER_LINE + 2], text[PER_LINE + 1];
  char *p = hex;

  for (int i = 0; i < PER_LINE; i++) {
    if (i == PER_LINE / 2)
      *p++ = ' ';
    snprintf(p, 4, i < n ? "%02x " : "   ", b[i]);
    p += 3;
  }
  for (int i = 0; i < n; i++)
    text[i] = b[i] >= ' ' && b[i] <= '~' ? b[i] : '.';
  text[n] = 0;
  printf("%08llx  %s |%s|\n", offset, hex, text);
}

/* Pass over `skip` bytes, in a pipe too. */
static void skip_bytes(int fd, long long skip) {
  static uchar waste[512];

  if (skip == 0 || (skip == (long)skip && lseek(fd, skip, SEEK_SET) == skip))
    return;
  while (skip > 0) {
    int n = read(fd, waste, skip < 512 ? skip : 512);

    if (n <= 0)
      return;
    skip -= n;
  }
}

static void dump(int fd, long long offset, long long left) {
  uchar line[PER_LINE];

  skip_bytes(fd, offset);
  while (left > 0) {
    int n = read_full(fd, line, left < PER_LINE ? left : PER_LINE);

    if (n == 0)
      break;
    show_line(offset, line, n);
    offset += n;
    left -= n;
  }
  printf("%08llx\n", offset);
}

int main(int argc, char **argv) {
  long long limit = 0x7fffffffffffffffLL, offset = 0;
  int fd = 0, option;

  while ((option = getopt(argc, argv, "n:s:")) != -1)
    if (option == '?' ||
        parse_number(optarg, option == 'n' ? &limit : &offset) < 0)
      bad_usage(USAGE);
  if (argc - optind > 1 || limit < 0 || offset < 0)
    bad_usage(USAGE);
  if (optind < argc)
    fd = open(argv[optind], O_RDONLY);
  if (fd < 0)
    fatal("%s", argv[optind]);
  dump(fd, offset, limit);
  return 0;
}
