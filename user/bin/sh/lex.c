/*
 * Tokens. A command's lines are gathered in one text; when the parser wants a
 * token beyond its end, the next line is read. So the parser decides what
 * belongs together by what it asks for: after the newline that ends a command
 * it asks for nothing.
 *
 * A word keeps its quotes; expand.c takes them off when it is used.
 */
#include "sh.h"

void lex_begin(struct lexer *lx) {
  text_clear(&lx->text);
  lx->pos = 0;
  lx->token = T_NONE;
  lx->failed = 0;
}

void lex_error_text(struct lexer *lx, const char *message) {
  if (!lx->failed) {
    if (lx->src->kind == SOURCE_TEXT)
      complain("line %d: %s", lx->src->line, message);
    else
      complain("%s", message);
  }
  lx->failed = 1;
  lx->token = T_END;
}

static const char *token_text(struct lexer *lx) {
  static const char *const texts[] = {
      [T_REDIRECT] = "redirection",
      [T_NEWLINE] = "end of line",
      [T_SEMICOLON] = ";",
      [T_AMPERSAND] = "&",
      [T_AND] = "&&",
      [T_OR] = "||",
      [T_PIPE] = "|",
      [T_OPEN] = "(",
      [T_CLOSE] = ")",
      [T_END] = "end of file",
  };

  return lx->token == T_WORD ? lx->word : texts[lx->token];
}

void lex_error(struct lexer *lx) {
  char message[80];

  snprintf(message, sizeof(message), "syntax error at `%.40s'", token_text(lx));
  lex_error_text(lx, message);
}

/* Read another line. 0 at the end of the source, or if the person gave the
 * command up, of which nothing more is said. */
static int more(struct lexer *lx) {
  enum line line = source_line(lx->src, &lx->text, lx->text.len > 0);

  if (line == LINE_FORGOTTEN)
    lx->failed = 1;
  return line == LINE_READ;
}

/* The character `ahead` places on, 0 at the end of the text so far. */
static char at(struct lexer *lx, uint ahead) {
  uint i = lx->pos + ahead;

  return i < lx->text.len ? lx->text.s[i] : 0;
}

/* Go past blanks, comments and joined lines to where a token starts. */
static int skip_blanks(struct lexer *lx) {
  for (;;) {
    if (lx->pos == lx->text.len) {
      if (!more(lx))
        return 0;
    } else if (at(lx, 0) == '\\' && at(lx, 1) == '\n') {
      lx->pos += 2;
    } else if (at(lx, 0) == '#') {
      while (at(lx, 0) != '\n')
        lx->pos++;
    } else if (at(lx, 0) == ' ' || at(lx, 0) == '\t' || at(lx, 0) == '\r' ||
               at(lx, 0) == 0) {
      lx->pos++;
    } else {
      return 1;
    }
  }
}

/* Go past a quoted text, which may have several lines. */
static void skip_quoted(struct lexer *lx) {
  char quote = at(lx, 0);

  lx->pos++;
  for (;;) {
    if (lx->pos >= lx->text.len && !more(lx)) {
      lex_error_text(lx, "a quote is not closed");
      return;
    }
    if (at(lx, 0) == quote)
      break;
    lx->pos += at(lx, 0) == '\\' && quote == '"' ? 2 : 1;
  }
  lx->pos++;
}

static int ends_word(char c) { return strchr(" \t\r\n;&|()<>", c) || !c; }

static enum token lex_word(struct lexer *lx) {
  uint start = lx->pos;

  while (!lx->failed) {
    char c = at(lx, 0);

    if (c == '\\') {
      lx->pos += 2;
      if (lx->pos >= lx->text.len && !more(lx))
        lx->pos = lx->text.len;
    } else if (c == '\'' || c == '"') {
      skip_quoted(lx);
    } else if (ends_word(c)) {
      break;
    } else {
      lx->pos++;
    }
  }
  if (lx->failed)
    return T_END;
  lx->word = arena_copy(lx->text.s + start, lx->pos - start);
  return T_WORD;
}

/* < > >> <& >&, perhaps after a digit. */
static enum token lex_redirect(struct lexer *lx) {
  char digit = at(lx, 0), arrow;

  if (digit >= '0' && digit <= '9')
    lx->pos++;
  else
    digit = 0;
  arrow = at(lx, 0);
  lx->pos++;
  lx->kind = arrow == '<' ? R_READ : R_WRITE;
  lx->fd = digit ? digit - '0' : arrow == '>';
  if (at(lx, 0) == '&') {
    lx->kind = R_DUP;
    lx->pos++;
  } else if (arrow == '>' && at(lx, 0) == '>') {
    lx->kind = R_APPEND;
    lx->pos++;
  }
  return T_REDIRECT;
}

static enum token one_or_two(struct lexer *lx, enum token one, enum token two) {
  int twice = at(lx, 1) == at(lx, 0);

  lx->pos += twice ? 2 : 1;
  return twice ? two : one;
}

static enum token one(struct lexer *lx, enum token token) {
  lx->pos++;
  return token;
}

static int is_arrow(char c) { return c == '<' || c == '>'; }

static enum token lex(struct lexer *lx) {
  char c;

  if (!skip_blanks(lx))
    return T_END;
  c = at(lx, 0);
  switch (c) {
    case '\n':
      return one(lx, T_NEWLINE);
    case ';':
      return one(lx, T_SEMICOLON);
    case '(':
      return one(lx, T_OPEN);
    case ')':
      return one(lx, T_CLOSE);
    case '&':
      return one_or_two(lx, T_AMPERSAND, T_AND);
    case '|':
      return one_or_two(lx, T_PIPE, T_OR);
  }
  if (is_arrow(c) || (c >= '0' && c <= '9' && is_arrow(at(lx, 1))))
    return lex_redirect(lx);
  return lex_word(lx);
}

enum token lex_peek(struct lexer *lx) {
  if (lx->token == T_NONE)
    lx->token = lex(lx);
  return lx->token;
}

static int is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

uint name_length(const char *s) {
  uint n = 0;

  while (is_letter(s[n]) || (n > 0 && s[n] >= '0' && s[n] <= '9'))
    n++;
  return n;
}
