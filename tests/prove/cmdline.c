/*
 * The kernel command line, kernel/lib/cmdline.c: whatever a boot loader hands
 * over. There is room for a few bytes and words only, so that texts which are
 * too long are among those that are looked at.
 */
/* sources: tests/prove/strings.c */
#include "prove.h"

#include "lib/cmdline.h"

#undef CMDLINE_MAX
#undef WORDS_MAX
#define CMDLINE_MAX 9
#define WORDS_MAX 3

#include "../../kernel/lib/cmdline.c"

#define TEXT_BYTES 10 /* of what is handed over */
#define USED (CMDLINE_MAX - 1)

static char given[TEXT_BYTES + 1];
static const char *const of_machine[] = {"m", NULL};
static uint said; /* lines printed */

void printf(const char *fmt, ...) {
  claim(fmt != NULL);
  said++;
}

static bool blank(char c) { return c == ' ' || c == '\t'; }

/* A byte of what is used of the text, which ends with a 0 then. */
static char used(uint i) { return i < USED ? given[i] : '\0'; }

static bool word_begins(uint i) {
  return used(i) != '\0' && !blank(used(i)) && (i == 0 || blank(given[i - 1]));
}

static void begin(void) {
  any_bytes(given);
  given[TEXT_BYTES] = '\0';
  for (uint i = 0; i < TEXT_BYTES; i++) /* once ended, it is 0s */
    assume(given[i] != '\0' || given[i + 1] == '\0');
  said = 0;
  cmdline_init(given, of_machine);
}

PROVE(
    words,
    "each word of the text that there is room for is kept, in order and "
    "ended by a 0, and nothing else is; what there is no room for is said",
    "texts of up to 10 bytes, of any value, with room for 8 bytes and 3 words",
    "small quick --unwind 12 --unwindset check.0:6,is_of_machine.0:2,"
    "cmdline_init.1:4,cmdline_init.2:4") {
  int n = 0;

  begin();
  for (uint i = 0; i < USED; i++) {
    if (!word_begins(i))
      continue;
    if (n < WORDS_MAX) {
      uint len = 0;

      claim(n < nwords && words[n] == text + i);
      for (; used(i + len) != '\0' && !blank(used(i + len)); len++)
        claim(words[n][len] == given[i + len]);
      claim(words[n][len] == '\0');
    }
    n++;
  }
  claim(nwords == MIN(n, WORDS_MAX));
  claim(n <= WORDS_MAX || said > 0);
  claim(given[USED] == '\0' || said > 0);
  reached(n > WORDS_MAX);
  reached(nwords == 2 && given[USED] != '\0' && said == 1);
}

PROVE(get, "the value of the last word with this name, or NULL",
      "the same texts; names of one or two bytes, of any value",
      "small --unwind 12 --unwindset check.0:6,is_of_machine.0:2,"
      "cmdline_init.1:4,cmdline_init.2:4,cmdline_get.0:4") {
  char name[3] = {any_char(), any_char(), '\0'};
  uint len = name[1] ? 2 : 1, n = 0;
  const char *value, *right = NULL;

  assume(name[0] != '\0' && name[0] != '=' && name[1] != '=');
  assume(!blank(name[0]) && !blank(name[1]));
  begin();
  for (uint i = 0; i < USED; i++) {
    if (!word_begins(i) || n++ >= WORDS_MAX)
      continue;
    if (used(i) == name[0] && (len == 1 || used(i + 1) == name[1])) {
      if (used(i + len) == '=')
        right = text + i + len + 1;
      else if (used(i + len) == '\0' || blank(used(i + len)))
        right = text + i + len;
    }
  }
  value = cmdline_get(name);
  claim(value == right);
  reached(value != NULL && len == 2 && *value == 'x');
  reached(value == text + USED);
}

PROVE(number,
      "the number that a value is, if it is one, else what the caller says; "
      "no number is taken that does not fit",
      "values of up to 4 bytes, of any value; and such behind the first 17 "
      "digits of the largest number",
      "once --unwind 23") {
  static char word[] = "n=....\0................",
              large[] = "n=18446744073709551....";
  bool near_limit = any_bool();
  char *value = near_limit ? large + 2 : word + 2,
       *any = near_limit ? value + 17 : value;
  uint64 otherwise = any_uint64(), right = near_limit ? 18446744073709551 : 0,
         n;
  bool digits = true, fits = true;

  for (uint i = 0; i < 4; i++)
    any[i] = any_char();
  words[0] = value - 2;
  nwords = 1;
  said = 0;
  n = cmdline_number("n", otherwise);
  for (uint i = 0; i < 4 && any[i] != '\0'; i++) {
    digits = digits && any[i] >= '0' && any[i] <= '9';
    fits = fits && right <= (~(uint64)0 - 9) / 10;
    right = right * 10 + (uint)(any[i] - '0');
  }
  if (digits && fits && value[0] != '\0')
    claim(n == right && said == 0);
  else
    claim(n == otherwise && said == 1);
  reached(said == 0 && n > ~(uint64)0 - 16);
  reached(said == 1 && digits && !fits);
  reached(said == 0 && n == 1234);
}
