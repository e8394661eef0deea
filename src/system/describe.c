#include <stdarg.h>
#include <string.h>

#include "system/system.h"

enum { LINE_SIZE = 2 * PARAMETER_TEXT + 64, COMMENT_COLUMN = 36, INDENT = 2 };

/* A text as YAML: plain where that is safe, else in double quotes. */
static void format_text(const char *text, char *line, size_t size) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "._-+/(),; ";
    size_t length = strlen(text), used = 0;
    bool letters_first = strcspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == 0;
    if (letters_first && strspn(text, plain) == length && text[length - 1] != ' ') {
        snprintf(line, size, "%s", text);
        return;
    }
    line[used++] = '"';
    for (; *text && used + 3 < size; text++) {
        if (*text == '"' || *text == '\\')
            line[used++] = '\\';
        line[used++] = *text;
    }
    strcpy(line + used, "\"");
}

/* Without `quotes`, for people; with them, for YAML. */
static void format_value(const struct model_parameters *parameters, const struct parameter *p,
                         bool quotes, char *line, size_t size) {
    const void *value = parameter_value(parameters, p);
    if (p->unit >= UNIT_COUNT)
        parameter_format(p->unit, *(const uint64_t *)value, line, size);
    else if (quotes && p->unit == UNIT_TEXT)
        format_text(value, line, size);
    else
        snprintf(line, size, "%s", (const char *)value);
}

/* Headers of the sections that begin with this key: those that the one before did not stand in.
 * Returns the depth of the key itself. */
static int print_sections(FILE *stream, const char *key, const char *before) {
    size_t same = 0;
    for (size_t i = 0; key[i] && key[i] == before[i]; i++)
        if (key[i] == '.')
            same = i + 1;
    int depth = 0;
    for (const char *name = key, *dot; (dot = strchr(name, '.')); name = dot + 1, depth++) {
        if (dot < key + same)
            continue;
        fprintf(stream, "%s%*s%.*s:\n", depth ? "" : "\n", depth * INDENT, "", (int)(dot - name),
                name);
    }
    return depth;
}

void system_describe(FILE *stream, const struct model_parameters *parameters) {
    const char *before = "";
    for (const struct parameter *p = parameters_table; p->key; p++) {
        if (!parameter_applies(parameters, p))
            continue;
        int depth = print_sections(stream, p->key, before);
        const char *dot = strrchr(p->key, '.');
        char value[LINE_SIZE];
        format_value(parameters, p, true, value, sizeof value);
        int width = fprintf(stream, "%*s%s: %s", depth * INDENT, "", dot ? dot + 1 : p->key, value);
        if (p->unit == UNIT_TEXT)
            fputc('\n', stream);
        else
            fprintf(stream, "%*s # %s\n", width < COMMENT_COLUMN ? COMMENT_COLUMN - width : 0, "",
                    p->description);
        before = p->key;
    }
}

static void compare_value(const struct model_parameters *parameters, const struct parameter *p,
                          char *line, size_t size) {
    if (parameter_applies(parameters, p))
        format_value(parameters, p, false, line, size);
    else
        snprintf(line, size, "-");
}

unsigned system_compare(FILE *stream, const struct model_parameters *a,
                        const struct model_parameters *b) {
    unsigned differences = 0;
    for (const struct parameter *p = parameters_table; p->key; p++) {
        char left[LINE_SIZE], right[LINE_SIZE];
        compare_value(a, p, left, sizeof left);
        compare_value(b, p, right, sizeof right);
        if (p->unit == UNIT_TEXT || strcmp(left, right) == 0)
            continue;
        if (differences++ == 0)
            fprintf(stream, "%-36s %-18s %s\n", "", a->name, b->name);
        fprintf(stream, "%-36s %-18s %s\n", p->key, left, right);
    }
    return differences;
}
