/*
 * The shell. What its files give each other:
 *
 *   main.c      what to read from; reads a command, runs it, and so on
 *   memory.c    the arena for all that belongs to one command; growing texts
 *   source.c    lines from a terminal, a pipe or a text
 *   edit.c      the line editor; complete.c: what Tab does
 *   lex.c       lines to tokens; parse.c: tokens to a tree
 *   expand.c    words to arguments: quotes and variables; vars.c: variables
 *   run.c       runs a tree: processes, pipes, redirections
 *   builtin.c   commands that the shell itself carries out
 */
#ifndef SH_H
#define SH_H

#include "user/user.h"

#define STATUS_SYNTAX 2
#define STATUS_CANNOT_RUN 126 /* found, but not executable */
#define STATUS_NOT_FOUND 127

/* ---- memory.c ---- */

/* Memory that is given back all at once: arena_release() frees what was
 * allocated since the mark was taken. */
struct arena_mark {
  struct chunk *chunk;
  uint used;
};
void *arena_alloc(uint n); /* zeroed */
char *arena_copy(const char *s, uint n);
struct arena_mark arena_mark(void);
void arena_release(struct arena_mark mark);

/* A text that grows; s is 0-terminated once something was added. */
struct text {
  char *s;
  uint len;
  uint size;
};
void text_insert(struct text *t, uint at, const char *s, uint n);
void text_add(struct text *t, const char *s, uint n);
void text_remove(struct text *t, uint at, uint n);
void text_clear(struct text *t); /* empty, but keeps its memory */

/* ---- source.c ---- */

enum source_kind { SOURCE_TERMINAL, SOURCE_STREAM, SOURCE_TEXT };

struct source {
  enum source_kind kind;
  int editing;      /* terminal: with the line editor */
  const char *text; /* SOURCE_TEXT: what is left of it */
  int line;         /* number of the line that was read last */
};

/* Where fd 0 leads. */
void source_open_stdin(struct source *src);
enum line { LINE_END, LINE_READ, LINE_FORGOTTEN /* Ctrl-C was typed */ };

/* Append the next line, with its newline, to t. `more`: it goes on with a
 * command begun before. */
enum line source_line(struct source *src, struct text *t, int more);
/* The contents of a file, malloc'ed, or 0. */
char *read_file(const char *path);

/* ---- edit.c ---- */

/* Let a person type a line, and append it to t. Ctrl-D at an empty line is the
 * end. */
enum line edit_line(const char *prompt, struct text *t);

/* ---- complete.c ---- */

/* What the word that ends at s[pos] could go on with. */
struct completion {
  uint start;   /* of the part of the word that the names replace */
  char **names; /* directories end in /; in the arena */
  int count;
  uint common; /* length of what all names begin with */
};
void complete(const char *s, uint pos, struct completion *c);

/* ---- lex.c ---- */

enum token {
  T_NONE, /* not looked at yet */
  T_WORD,
  T_REDIRECT,
  T_NEWLINE,
  T_SEMICOLON,
  T_AMPERSAND,
  T_AND,
  T_OR,
  T_PIPE,
  T_OPEN,
  T_CLOSE,
  T_END,
};

enum redirect_kind { R_READ, R_WRITE, R_APPEND, R_DUP };

struct lexer {
  struct source *src;
  struct text text; /* the lines of this command */
  uint pos;         /* where the next token starts */
  enum token token; /* the current one */
  char *word;       /* T_WORD: as written, quotes and all; in the arena */
  enum redirect_kind kind; /* T_REDIRECT */
  int fd;                  /* T_REDIRECT: the one that is redirected */
  int failed;              /* an error was reported; only T_END follows */
};

/* Forget the old command's text. */
void lex_begin(struct lexer *lx);
enum token lex_peek(struct lexer *lx);
/* Report an error at the current token. */
void lex_error(struct lexer *lx);
/* Report an error in other words. */
void lex_error_text(struct lexer *lx, const char *message);
/* The length of the name of a variable at s, or 0. */
uint name_length(const char *s);

/* ---- parse.c ---- */

struct word {
  struct word *next;
  char *text;
};

struct redirect {
  struct redirect *next;
  enum redirect_kind kind;
  int fd;
  char *target; /* a word */
};

enum node_type {
  N_SIMPLE,     /* assignments, words */
  N_PIPE,       /* left | right, where right may be another N_PIPE */
  N_NOT,        /* ! left */
  N_AND,        /* left && right */
  N_OR,         /* left || right */
  N_SEQUENCE,   /* left ; right */
  N_BACKGROUND, /* left & */
  N_SUBSHELL,   /* ( left ) */
  N_GROUP,      /* { left } */
  N_IF,         /* if left then right else other */
  N_WHILE,      /* while left do right */
  N_UNTIL,      /* until left do right */
  N_FOR,        /* for name in words do right */
};

struct node {
  enum node_type type;
  struct node *left;
  struct node *right;
  struct node *other;
  struct word *assignments; /* NAME=value, before the first word */
  struct word *words;
  struct redirect *redirects;
  char *name;
};

/* Read one command: a line, or the lines that belong together. 0 with
 * *status: 0 empty, STATUS_SYNTAX after an error, -1 at the end. */
struct node *parse(struct lexer *lx, int *status);

/* ---- vars.c, expand.c ---- */

const char *var_get(const char *name, uint n); /* 0 if it is not set */
void var_set(const char *name, uint n, const char *value);
/* Carry out NAME=value. */
void var_assign(const char *assignment);

/* Words to arguments: a 0-terminated array in the arena. */
char **expand_words(struct word *words, int *count);
/* One word to one text in the arena; no splitting at blanks. */
char *expand_text(const char *word);

/* ---- run.c, builtin.c ---- */

/* What the special parameters stand for, and how this shell works. */
struct shell {
  int interactive; /* jobs get process groups of their own */
  int status;      /* $? */
  int pid;         /* $$ */
  int last_job;    /* $! */
  int argc;        /* $#: without args[0] */
  char **args;     /* $0, $1, ... */
  int interrupts;  /* TTY_INTERRUPTS when the command's first line was typed */
};
extern struct shell shell;

/* Was Ctrl-C typed since the command was begun? It has ended the job that was
 * in the foreground, if there was one; what is left of the command ends, too. */
int interrupted(void);
/* Run a tree; the status is left in shell.status, too. */
int run(struct node *n);
/* Run commands from a source until it ends. Returns the last status. */
int run_source(struct source *src);

typedef int builtin_fn(int argc, char **argv);
builtin_fn *builtin_find(const char *name); /* 0 if it is none */
const char *builtin_name(int i);            /* 0 beyond the last */

#endif
