/*
 * The grammar, one function a rule:
 *
 *   list      and_or { (';' | '&' | newline) and_or }
 *   and_or    pipeline { ('&&' | '||') pipeline }
 *   pipeline  ['!'] command { '|' command }
 *   command   simple | compound { redirect }
 *   compound  '(' list ')' | '{' list '}' | 'if' list 'then' list
 *             { 'elif' list 'then' list } [ 'else' list ] 'fi'
 *             | ('while' | 'until') list 'do' list 'done'
 *             | 'for' NAME [ 'in' { word } ] 'do' list 'done'
 *   simple    { NAME=word | word | redirect }
 *
 * Words such as `if` mean that only where a command starts. After an error the
 * lexer yields nothing but T_END, so every loop here ends.
 */
#include "sh.h"

#define DEPTH_MAX 100 /* of commands inside commands */

static int depth;

static struct node *parse_list(struct lexer *lx, int in_line);

static void accept(struct lexer *lx) {
  if (!lx->failed)
    lx->token = T_NONE;
}

static struct node *new_node(enum node_type type, struct node *left,
                             struct node *right) {
  struct node *n = arena_alloc(sizeof(*n));

  n->type = type;
  n->left = left;
  n->right = right;
  return n;
}

static int at_keyword(struct lexer *lx, const char *word) {
  return lex_peek(lx) == T_WORD && strcmp(lx->word, word) == 0;
}

static int accept_keyword(struct lexer *lx, const char *word) {
  if (!at_keyword(lx, word))
    return 0;
  accept(lx);
  return 1;
}

static void expect_keyword(struct lexer *lx, const char *word) {
  if (!accept_keyword(lx, word))
    lex_error(lx);
}

static void skip_newlines(struct lexer *lx) {
  while (lex_peek(lx) == T_NEWLINE)
    accept(lx);
}

/* Does the current word end a list inside a compound command? */
static int at_list_end(struct lexer *lx) {
  static const char *const ends[] = {"then", "elif", "else", "fi",
                                     "do",   "done", "}"};

  if (lex_peek(lx) != T_WORD)
    return 1;
  for (uint i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
    if (at_keyword(lx, ends[i]))
      return 1;
  return 0;
}

static int starts_command(struct lexer *lx) {
  enum token t = lex_peek(lx);

  if (t == T_WORD)
    return !at_list_end(lx);
  return t == T_OPEN || t == T_REDIRECT;
}

static int is_assignment(const char *word) {
  uint n = name_length(word);

  return n > 0 && word[n] == '=';
}

static struct word **add_word(struct lexer *lx, struct word **end) {
  *end = arena_alloc(sizeof(**end));
  (*end)->text = lx->word;
  accept(lx);
  return &(*end)->next;
}

static struct redirect **parse_redirect(struct lexer *lx,
                                        struct redirect **end) {
  struct redirect *r = arena_alloc(sizeof(*r));

  r->kind = lx->kind;
  r->fd = lx->fd;
  accept(lx);
  if (lex_peek(lx) != T_WORD) {
    lex_error(lx);
    return end;
  }
  r->target = lx->word;
  accept(lx);
  *end = r;
  return &r->next;
}

static struct node *parse_simple(struct lexer *lx) {
  struct node *n = new_node(N_SIMPLE, 0, 0);
  struct word **assignment = &n->assignments, **word = &n->words;
  struct redirect **redirect = &n->redirects;

  for (;;) {
    enum token t = lex_peek(lx);

    if (t == T_REDIRECT)
      redirect = parse_redirect(lx, redirect);
    else if (t == T_WORD && !n->words && is_assignment(lx->word))
      assignment = add_word(lx, assignment);
    else if (t == T_WORD)
      word = add_word(lx, word);
    else
      return n;
  }
}

/* From the condition to the end; `elif` is an if within the else part. */
static struct node *parse_if(struct lexer *lx) {
  struct node *n = new_node(N_IF, parse_list(lx, 0), 0);

  expect_keyword(lx, "then");
  n->right = parse_list(lx, 0);
  if (accept_keyword(lx, "elif")) {
    n->other = parse_if(lx);
    return n;
  }
  if (accept_keyword(lx, "else"))
    n->other = parse_list(lx, 0);
  expect_keyword(lx, "fi");
  return n;
}

static struct node *parse_body(struct lexer *lx, struct node *n) {
  skip_newlines(lx);
  expect_keyword(lx, "do");
  n->right = parse_list(lx, 0);
  expect_keyword(lx, "done");
  return n;
}

static struct node *parse_while(struct lexer *lx, enum node_type type) {
  return parse_body(lx, new_node(type, parse_list(lx, 0), 0));
}

static struct node *parse_for(struct lexer *lx) {
  static struct word all_arguments = {0, "\"$@\""};
  struct node *n = new_node(N_FOR, 0, 0);
  struct word **end = &n->words;

  if (lex_peek(lx) != T_WORD || lx->word[name_length(lx->word)]) {
    lex_error(lx);
    return n;
  }
  n->name = lx->word;
  accept(lx);
  if (accept_keyword(lx, "in"))
    while (lex_peek(lx) == T_WORD)
      end = add_word(lx, end);
  else
    n->words = &all_arguments;
  if (lex_peek(lx) == T_SEMICOLON)
    accept(lx);
  return parse_body(lx, n);
}

static struct node *parse_parentheses(struct lexer *lx) {
  struct node *n = new_node(N_SUBSHELL, parse_list(lx, 0), 0);

  if (lex_peek(lx) == T_CLOSE)
    accept(lx);
  else
    lex_error(lx);
  return n;
}

static struct node *parse_braces(struct lexer *lx) {
  struct node *n = new_node(N_GROUP, parse_list(lx, 0), 0);

  expect_keyword(lx, "}");
  return n;
}

/* A compound command without its redirections, or 0 if none starts here. */
static struct node *parse_compound(struct lexer *lx) {
  if (lex_peek(lx) == T_OPEN) {
    accept(lx);
    return parse_parentheses(lx);
  }
  if (accept_keyword(lx, "{"))
    return parse_braces(lx);
  if (accept_keyword(lx, "if"))
    return parse_if(lx);
  if (accept_keyword(lx, "while"))
    return parse_while(lx, N_WHILE);
  if (accept_keyword(lx, "until"))
    return parse_while(lx, N_UNTIL);
  if (accept_keyword(lx, "for"))
    return parse_for(lx);
  return 0;
}

static struct node *parse_command(struct lexer *lx) {
  struct redirect **end;
  struct node *n;

  if (!starts_command(lx)) {
    lex_error(lx);
    return 0;
  }
  if (++depth > DEPTH_MAX)
    lex_error_text(lx, "commands nested too deeply");
  n = parse_compound(lx);
  if (n) {
    end = &n->redirects;
    while (lex_peek(lx) == T_REDIRECT)
      end = parse_redirect(lx, end);
  } else {
    n = parse_simple(lx);
  }
  depth--;
  return n;
}

/* Commands are collected from the left, but the tree leans to the right. */
static struct node *parse_pipeline(struct lexer *lx) {
  int negated = accept_keyword(lx, "!");
  struct node *first = parse_command(lx);
  struct node **last = &first;

  while (lex_peek(lx) == T_PIPE) {
    accept(lx);
    skip_newlines(lx);
    *last = new_node(N_PIPE, *last, parse_command(lx));
    last = &(*last)->right;
  }
  return negated ? new_node(N_NOT, first, 0) : first;
}

static struct node *parse_and_or(struct lexer *lx) {
  struct node *n = parse_pipeline(lx);

  for (;;) {
    enum token t = lex_peek(lx);

    if (t != T_AND && t != T_OR)
      return n;
    accept(lx);
    skip_newlines(lx);
    n = new_node(t == T_AND ? N_AND : N_OR, n, parse_pipeline(lx));
  }
}

/*
 * in_line: up to the newline, which is left for the caller. Else up to the word
 * or parenthesis that ends the list, over newlines; it may not be empty.
 */
static struct node *parse_list(struct lexer *lx, int in_line) {
  struct node *list = 0;

  if (!in_line)
    skip_newlines(lx);
  do {
    struct node *n = parse_and_or(lx);
    enum token t = lex_peek(lx);

    if (t == T_AMPERSAND)
      n = new_node(N_BACKGROUND, n, 0);
    list = list ? new_node(N_SEQUENCE, list, n) : n;
    if (t == T_AMPERSAND || t == T_SEMICOLON)
      accept(lx);
    else if (in_line || t != T_NEWLINE)
      break;
    if (!in_line)
      skip_newlines(lx);
  } while (starts_command(lx));
  return list;
}

struct node *parse(struct lexer *lx, int *status) {
  struct node *n = 0;

  depth = 0;
  lex_begin(lx);
  *status = lex_peek(lx) == T_END ? -1 : 0;
  if (lex_peek(lx) != T_NEWLINE && lex_peek(lx) != T_END) {
    n = parse_list(lx, 1);
    if (lex_peek(lx) != T_NEWLINE && lex_peek(lx) != T_END)
      lex_error(lx);
  }
  if (!lx->failed)
    return n;
  *status = STATUS_SYNTAX;
  return 0;
}
