#include "image/variables.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"

#define DEEPEST 16 /* ${A:-${B:-…}} */
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
#define DIGITS "0123456789"

const char *variables_get(const struct variables *variables, const char *name) {
    const char *value = variables->above ? variables_get(variables->above, name) : getenv(name);
    return value ? value : json_string_value(json_object_get(variables->own, name));
}

/* Length of the name at this place; 0: there is none. */
static size_t name_length(const char *text) {
    return strspn(text, LETTERS) ? strspn(text, LETTERS DIGITS) : 0;
}

/* The } that belongs to the { before this place, or NULL. */
static const char *closing_brace(const char *text) {
    for (int open = 1; *text; text++) {
        open += (*text == '{') - (*text == '}');
        if (!open)
            return text;
    }
    return NULL;
}

static int expand(const struct variables *variables, const char *text, FILE *out, int depth,
                  struct error *err);

/* A name that is not there, without anything to take its place: nothing, and a remark later. */
static void put_plain(const struct variables *variables, const char *name, FILE *out) {
    const char *value = variables_get(variables, name);
    if (!value && variables->missing)
        json_object_set_new(variables->missing, name, json_null());
    fputs(value ? value : "", out);
}

/* What stands between braces: NAME, perhaps an operator and what belongs to it. */
static int put_braced(const struct variables *variables, const char *inside, FILE *out, int depth,
                      struct error *err) {
    size_t length = name_length(inside);
    autofree char *name = strndup(inside, length);
    const char *rest = inside + length, *value = variables_get(variables, name);
    bool counts_empty = *rest == ':';
    char how = rest[counts_empty];
    if (length && !*rest)
        return put_plain(variables, name, out), 0;
    if (!length || !how || !strchr("-?+", how))
        return error_set(err, "${%s}: must be a name, perhaps with :-, -, :?, ?, :+ or + behind it",
                         inside);
    const char *word = rest + counts_empty + 1;
    bool is_there = value && (*value || !counts_empty);
    if (how == '+')
        return is_there ? expand(variables, word, out, depth + 1, err) : 0;
    if (is_there)
        return fputs(value, out) < 0 ? -1 : 0;
    if (how == '-')
        return expand(variables, word, out, depth + 1, err);
    autofree char *why = NULL;
    size_t size;
    FILE *stream = open_memstream(&why, &size);
    int result = expand(variables, word, stream, depth + 1, err);
    fclose(stream);
    return result < 0 ? -1
                      : error_set(err, "the variable %s is missing%s%s: set it, or in .env", name,
                                  *why ? ": " : "", why);
}

static int expand(const struct variables *variables, const char *text, FILE *out, int depth,
                  struct error *err) {
    if (depth > DEEPEST)
        return error_set(err, "variables nested too deep");
    while (*text) {
        size_t plain = strcspn(text, "$"), length;
        fprintf(out, "%.*s", (int)plain, text);
        text += plain;
        if (*text && text[1] == '$') {
            fputc('$', out);
            text += 2;
        } else if (*text && text[1] == '{') {
            const char *end = closing_brace(text + 2);
            if (!end)
                return error_set(err, "%s: a brace is left open; $$ is a dollar", text);
            autofree char *inside = strndup(text + 2, (size_t)(end - text - 2));
            if (put_braced(variables, inside, out, depth, err) < 0)
                return -1;
            text = end + 1;
        } else if (*text && (length = name_length(text + 1))) {
            autofree char *name = strndup(text + 1, length);
            put_plain(variables, name, out);
            text += 1 + length;
        } else if (*text) {
            fputc(*text++, out);
        }
    }
    return 0;
}

char *variables_expand(const struct variables *variables, const char *text, struct error *err) {
    char *expanded = NULL;
    size_t size;
    FILE *out = open_memstream(&expanded, &size);
    if (!out)
        abort();
    int result = expand(variables, text, out, 0, err);
    fclose(out);
    if (result == 0)
        return expanded;
    free(expanded);
    return NULL;
}

/* A file that is being read. */
struct reader {
    const char *path, *text; /* what is left */
    size_t line;
    const struct variables *variables;
    struct variables below; /* what was read until now stands behind them */
    json_t *into;
    struct error *err;
};

static int refuse(const struct reader *reader, const char *what, const char *why) {
    return error_set(reader->err, "%s:%zu: %s: %s", reader->path, reader->line, what, why);
}

static int keep(const struct reader *reader, const char *name, const char *value, size_t length) {
    return json_object_set_new(reader->into, name, json_stringn(value, length)) < 0
               ? refuse(reader, "a variable", "must be in UTF-8")
               : 0;
}

static int expand_value(const struct reader *reader, const char *name, const char *value) {
    struct error why = {0};
    autofree char *expanded = variables_expand(&reader->below, value, &why);
    if (!expanded)
        return refuse(reader, name, why.text);
    return keep(reader, name, expanded, strlen(expanded));
}

/* What a backslash makes of the character behind it, in double quotes. A dollar stays one. */
static void put_escaped(char letter, FILE *out) {
    static const char from[] = "abfnrtv\"\\", to[] = "\a\b\f\n\r\t\v\"\\";
    const char *found = strchr(from, letter);
    if (letter == '$')
        fputs("$$", out);
    else if (found)
        fputc(to[found - from], out);
    else
        fprintf(out, "\\%c", letter);
}

/* 'VALUE' or "VALUE", perhaps over several lines; what follows on its last line is a remark. */
static int take_quoted(struct reader *reader, const char *name) {
    char quote = *reader->text++;
    size_t begin = reader->line;
    autofree char *value = NULL;
    size_t size;
    FILE *out = open_memstream(&value, &size);
    for (; *reader->text && *reader->text != quote; reader->text++) {
        reader->line += *reader->text == '\n';
        if (*reader->text == '\\' && reader->text[1] && quote == '"')
            put_escaped(*++reader->text, out);
        else if (*reader->text == '\\' && reader->text[1] == quote)
            fputc(*++reader->text, out);
        else
            fputc(*reader->text, out);
    }
    fclose(out);
    if (!*reader->text) {
        reader->line = begin;
        return refuse(reader, name, "a quote is left open");
    }
    reader->text++;
    size_t blank = strspn(reader->text, " \t\r"), rest = strcspn(reader->text, "\n");
    if (reader->text[blank] && !strchr("#\n", reader->text[blank]))
        return refuse(reader, name, "more stands behind its quotes");
    reader->text += rest;
    if (quote == '"')
        return expand_value(reader, name, value);
    return keep(reader, name, value, strlen(value));
}

/* To the end of the line, or to a remark behind a blank. */
static int take_unquoted(struct reader *reader, const char *name) {
    size_t length = strcspn(reader->text, "\n");
    autofree char *value = strndup(reader->text, length);
    char *remark = strstr(value, " #");
    reader->text += length;
    if (*value == '#')
        *value = '\0';
    if (remark)
        *remark = '\0';
    for (size_t end = strlen(value); end && strchr(" \t\r", value[end - 1]);)
        value[--end] = '\0';
    return expand_value(reader, name, value);
}

static int take_raw(struct reader *reader, const char *name) {
    size_t length = strcspn(reader->text, "\n");
    const char *value = reader->text;
    reader->text += length;
    return keep(reader, name, value, length - (length && value[length - 1] == '\r'));
}

/* NAME=VALUE, NAME: VALUE, or NAME alone. */
static int take_variable(struct reader *reader, bool raw) {
    if (!raw && strncmp(reader->text, "export", 6) == 0 && strspn(reader->text + 6, " \t"))
        reader->text += 6 + strspn(reader->text + 6, " \t");
    size_t length = strcspn(reader->text, raw ? "=\n" : "=:\n \t\r");
    autofree char *name = strndup(reader->text, length);
    reader->text += length;
    reader->text += strspn(reader->text, " \t\r");
    if (!*name || (!raw && strspn(name, LETTERS DIGITS ".-[]") != length))
        return refuse(reader, name, "must be NAME=VALUE, of letters, digits, _, . and -");
    if (!*reader->text || *reader->text == '\n') {
        const char *value = variables_get(reader->variables, name);
        return value ? keep(reader, name, value, strlen(value)) : 0;
    }
    if (*reader->text != '=' && *reader->text != ':')
        return refuse(reader, name, "must be NAME=VALUE");
    reader->text++;
    if (raw)
        return take_raw(reader, name);
    reader->text += strspn(reader->text, " \t\r");
    return *reader->text == '\'' || *reader->text == '"' ? take_quoted(reader, name)
                                                         : take_unquoted(reader, name);
}

int variables_parse(const char *path, const char *text, bool raw, const struct variables *variables,
                    json_t *into, struct error *err) {
    struct reader reader = {
        .path = path,
        .text = text,
        .line = 1,
        .variables = variables,
        .below = {.own = into, .missing = variables->missing, .above = variables},
        .into = into,
        .err = err};
    if (strncmp(text, "\xef\xbb\xbf", 3) == 0) /* as some editors begin a file */
        reader.text += 3;
    for (;;) {
        reader.text += strspn(reader.text, " \t\r");
        if (*reader.text == '#')
            reader.text += strcspn(reader.text, "\n");
        if (!*reader.text)
            return 0;
        if (*reader.text == '\n') {
            reader.text++;
            reader.line++;
        } else if (take_variable(&reader, raw) < 0) {
            return -1;
        }
    }
}

int variables_read(const char *path, bool raw, const struct variables *variables, json_t *into,
                   struct error *err) {
    autofree char *text = file_read(path, NULL, err);
    return text ? variables_parse(path, text, raw, variables, into, err) : -1;
}
