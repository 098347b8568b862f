/*
 * The line editor, for a terminal that understands ECMA-48.
 *
 * The terminal is in raw mode only while a line is typed; commands find it as
 * usual. What is typed at the end of the line is echoed as it is; any other
 * change draws the whole line anew, over as many rows as it takes.
 *
 *   arrows, Ctrl-B Ctrl-F   move           Backspace, Ctrl-D  delete
 *   Ctrl-A Home, Ctrl-E End to the ends    Ctrl-U, Ctrl-K     to the ends
 *   up, down, Ctrl-N        history        Ctrl-W             the word before
 *   Tab                     complete       Ctrl-L             clear the screen
 *   Ctrl-C                  forget line    Ctrl-P             list processes
 */
#include "sh.h"

#define DEFAULT_COLUMNS 80
#define HISTORY_MAX 200

#define CTRL(c) ((c) - 'A' + 1)
#define ESCAPE 27
#define DELETE 127

enum key {
  KEY_NONE = 256, /* a sequence that means nothing here */
  KEY_END_OF_FILE,
  KEY_UP,
  KEY_DOWN,
  KEY_LEFT,
  KEY_RIGHT,
  KEY_HOME,
  KEY_END,
  KEY_DELETE,
};

enum outcome { GOES_ON, ENTERED, FORGOTTEN, CLOSED };

struct editor {
  const char *prompt;
  struct text line;
  uint pos;          /* of the cursor in the line */
  uint row;          /* of the cursor on the screen; 0: that of the prompt */
  uint columns;      /* of the screen */
  int entry;         /* of the history that is shown; history_count: none */
  struct text typed; /* the line as it was before the history was shown */
  struct text out;   /* for the terminal, written once a key */
};

static char *history[HISTORY_MAX]; /* the oldest first */
static int history_count;

/* ---- the screen ---- */

static void out(struct editor *e, const char *s) {
  text_add(&e->out, s, strlen(s));
}

/* A control sequence with a number, unless that is 0. */
static void out_move(struct editor *e, uint n, char letter) {
  char sequence[16];

  if (n == 0)
    return;
  snprintf(sequence, sizeof(sequence), "\x1b[%u%c", n, letter);
  out(e, sequence);
}

static void flush(struct editor *e) {
  if (e->out.len > 0)
    write(1, e->out.s, e->out.len);
  text_clear(&e->out);
}

/* Draw prompt and line from the prompt's row on, then go to the cursor. */
static void draw(struct editor *e) {
  uint prompt = strlen(e->prompt);
  uint end = prompt + e->line.len, cursor = prompt + e->pos;

  out_move(e, e->row, 'A');
  out(e, "\r\x1b[J");
  out(e, e->prompt);
  out(e, e->line.s);
  if (end % e->columns == 0)
    out(e, "\n"); /* the cursor stuck at the edge */
  e->row = cursor / e->columns;
  out_move(e, end / e->columns - e->row, 'A');
  out(e, "\r");
  out_move(e, cursor % e->columns, 'C');
}

/* Leave the line, the cursor below it. */
static void leave(struct editor *e) {
  if (e->pos < e->line.len) {
    e->pos = e->line.len;
    draw(e);
  }
  out(e, "\n");
}

/* ---- keys ---- */

static int read_byte(void) {
  uchar c;

  return read(0, &c, 1) == 1 ? c : KEY_END_OF_FILE;
}

/* After ESC [ or ESC O: an optional number and a letter or ~. */
static int read_sequence(void) {
  int number = 0, c;

  while ((c = read_byte()) < 256 && ((c >= '0' && c <= '9') || c == ';'))
    number = c == ';' ? number : number * 10 + c - '0';
  switch (c) {
    case 'A':
      return KEY_UP;
    case 'B':
      return KEY_DOWN;
    case 'C':
      return KEY_RIGHT;
    case 'D':
      return KEY_LEFT;
    case 'H':
      return KEY_HOME;
    case 'F':
      return KEY_END;
  }
  if (c != '~')
    return KEY_NONE;
  if (number == 1 || number == 7)
    return KEY_HOME;
  if (number == 4 || number == 8)
    return KEY_END;
  return number == 3 ? KEY_DELETE : KEY_NONE;
}

static int read_key(void) {
  int c = read_byte();

  if (c != ESCAPE)
    return c;
  c = read_byte();
  return c == '[' || c == 'O' ? read_sequence() : KEY_NONE;
}

/* ---- changes ---- */

static void insert(struct editor *e, const char *s, uint n) {
  int simple = e->pos == e->line.len;

  text_insert(&e->line, e->pos, s, n);
  e->pos += n;
  if (simple) {
    out(e, e->line.s + e->pos - n);
    /* At the right edge the cursor waits before it wraps. */
    e->row = (strlen(e->prompt) + e->pos - 1) / e->columns;
  } else {
    draw(e);
  }
}

static void erase(struct editor *e, uint from, uint to) {
  if (from == to)
    return;
  text_remove(&e->line, from, to - from);
  e->pos = from;
  draw(e);
}

static void move(struct editor *e, uint pos) {
  e->pos = pos;
  draw(e);
}

static uint word_start(const struct editor *e) {
  uint i = e->pos;

  while (i > 0 && e->line.s[i - 1] == ' ')
    i--;
  while (i > 0 && e->line.s[i - 1] != ' ')
    i--;
  return i;
}

static void show_history(struct editor *e, int entry) {
  const char *s;

  if (entry < 0 || entry > history_count || entry == e->entry)
    return;
  if (e->entry == history_count) {
    text_clear(&e->typed);
    text_add(&e->typed, e->line.s, e->line.len);
  }
  e->entry = entry;
  s = entry == history_count ? e->typed.s : history[entry];
  text_clear(&e->line);
  text_add(&e->line, s, strlen(s));
  move(e, e->line.len);
}

static void remember(const char *line) {
  if (!*line)
    return;
  if (history_count > 0 && strcmp(history[history_count - 1], line) == 0)
    return;
  if (history_count == HISTORY_MAX) {
    free(history[0]);
    memmove(history, history + 1, (HISTORY_MAX - 1) * sizeof(history[0]));
    history_count--;
  }
  history[history_count] = strdup(line);
  if (history[history_count])
    history_count++;
}

static void show_names(struct editor *e, const struct completion *c) {
  uint width = 0, column = 0;

  for (int i = 0; i < c->count; i++)
    if (strlen(c->names[i]) + 2 > width)
      width = strlen(c->names[i]) + 2;
  leave(e);
  for (int i = 0; i < c->count; i++) {
    out(e, c->names[i]);
    column += width;
    if (i + 1 == c->count || column + width > e->columns) {
      out(e, "\n");
      column = 0;
    } else {
      for (uint n = strlen(c->names[i]); n < width; n++)
        out(e, " ");
    }
  }
  e->row = 0;
}

/* Add what all names have in common; if that is nothing, show them. */
static void complete_word(struct editor *e) {
  struct arena_mark mark = arena_mark();
  struct completion c;
  uint typed, pos = e->pos;

  complete(e->line.s, e->pos, &c);
  typed = e->pos - c.start;
  if (c.count > 0 && c.common > typed)
    insert(e, c.names[0] + typed, c.common - typed);
  if (c.count == 1 && c.names[0][c.common - 1] != '/') {
    insert(e, " ", 1);
  } else if (c.count > 1 && c.common == typed) {
    show_names(e, &c);
    move(e, pos);
  }
  arena_release(mark);
}

static void list_processes(struct editor *e) {
  char *argv[] = {"ps", 0};
  int pid;

  leave(e);
  flush(e);
  pid = fork();
  if (pid == 0) {
    exec("/ps", argv);
    fatal("/ps");
  }
  if (pid > 0)
    waitpid(pid, 0, 0);
  e->row = 0;
  draw(e);
}

static void delete_before(struct editor *e) {
  if (e->pos > 0)
    erase(e, e->pos - 1, e->pos);
}

static void delete_here(struct editor *e) {
  if (e->pos < e->line.len)
    erase(e, e->pos, e->pos + 1);
}

static void delete_to_start(struct editor *e) { erase(e, 0, e->pos); }
static void delete_to_end(struct editor *e) { erase(e, e->pos, e->line.len); }
static void delete_word(struct editor *e) { erase(e, word_start(e), e->pos); }

static void go_home(struct editor *e) { move(e, 0); }
static void go_end(struct editor *e) { move(e, e->line.len); }

static void go_left(struct editor *e) {
  if (e->pos > 0)
    move(e, e->pos - 1);
}

static void go_right(struct editor *e) {
  if (e->pos < e->line.len)
    move(e, e->pos + 1);
}

static void older(struct editor *e) { show_history(e, e->entry - 1); }
static void newer(struct editor *e) { show_history(e, e->entry + 1); }

static void clear_screen(struct editor *e) {
  out(e, "\x1b[H\x1b[2J");
  e->row = 0;
  draw(e);
}

static const struct {
  int key;
  void (*act)(struct editor *e);
} keys[] = {
    {CTRL('A'), go_home},
    {KEY_HOME, go_home},
    {CTRL('E'), go_end},
    {KEY_END, go_end},
    {CTRL('B'), go_left},
    {KEY_LEFT, go_left},
    {CTRL('F'), go_right},
    {KEY_RIGHT, go_right},
    {CTRL('H'), delete_before},
    {DELETE, delete_before},
    {CTRL('D'), delete_here},
    {KEY_DELETE, delete_here},
    {CTRL('U'), delete_to_start},
    {CTRL('K'), delete_to_end},
    {CTRL('W'), delete_word},
    {CTRL('L'), clear_screen},
    {KEY_UP, older},
    {KEY_DOWN, newer},
    {CTRL('N'), newer},
    {CTRL('P'), list_processes},
    {'\t', complete_word},
};

static enum outcome edit_key(struct editor *e, int key) {
  char c = key;

  if (key == '\r' || key == '\n')
    return ENTERED;
  if (key == KEY_END_OF_FILE || (key == CTRL('D') && e->line.len == 0))
    return CLOSED;
  if (key == CTRL('C'))
    return FORGOTTEN;
  for (uint i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
    if (keys[i].key == key) {
      keys[i].act(e);
      return GOES_ON;
    }
  if (key >= ' ' && key < KEY_NONE)
    insert(e, &c, 1);
  return GOES_ON;
}

static uint columns(void) {
  const char *value = var_get("COLUMNS", 7);
  int n = value ? atoi(value) : 0;

  return n > 1 ? n : DEFAULT_COLUMNS;
}

/* From here until the mode is left, Ctrl-C is a key: the count of those that
 * acted stands still. False if one was typed between two lines of a command. */
static int enter_mode(int first_line) {
  ttyctl(0, TTY_SETMODE, 0);
  if (first_line)
    shell.interrupts = ttyctl(0, TTY_INTERRUPTS, 0);
  return !interrupted();
}

/* A Ctrl-C that was typed after the line acts in here. */
static void leave_mode(void) { ttyctl(0, TTY_SETMODE, TTY_COOKED); }

enum line edit_line(const char *prompt, struct text *t) {
  static struct editor e; /* its texts are used again for the next line */
  enum outcome outcome = GOES_ON;

  if (!enter_mode(t->len == 0)) {
    leave_mode();
    return LINE_FORGOTTEN;
  }
  e.prompt = prompt;
  e.pos = e.row = 0;
  e.columns = columns();
  e.entry = history_count;
  text_clear(&e.line);
  text_clear(&e.out);
  out(&e, prompt);
  while (outcome == GOES_ON) {
    flush(&e);
    outcome = edit_key(&e, read_key());
  }
  if (outcome == FORGOTTEN)
    out(&e, "^C");
  leave(&e);
  flush(&e);
  leave_mode();
  if (outcome != ENTERED)
    return outcome == CLOSED ? LINE_END : LINE_FORGOTTEN;
  remember(e.line.s);
  text_add(t, e.line.s, e.line.len);
  text_add(t, "\n", 1);
  return LINE_READ;
}
