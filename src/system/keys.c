#include "system/keys.h"

#include <stdio.h>
#include <string.h>

enum { NAME_SIZE = 64 }; /* of a word of a key: longer ones are cut before they are compared */

const struct parameter *key_find(const char *key) {
    for (const struct parameter *p = parameters_table; p->key; p++)
        if (strcmp(p->key, key) == 0)
            return p;
    return NULL;
}

bool key_is_within(const char *key, const char *section) {
    size_t length = strlen(section);
    return !length || (strncmp(key, section, length) == 0 && key[length] == '.');
}

bool key_is_section(const char *section) {
    for (const struct parameter *p = parameters_table; p->key; p++)
        if (key_is_within(p->key, section))
            return true;
    return false;
}

void key_to_section(char *key) {
    char *dot = strrchr(key, '.');
    *(dot ? dot : key) = '\0';
}

/* The next name in the section, each once: `*p` is where to look, and moves behind it. A section's
 * parameters stand together in the table. */
static bool next_name(const char *section, const struct parameter **p, char name[NAME_SIZE]) {
    while ((*p)->key && !key_is_within((*p)->key, section))
        (*p)++;
    if (!(*p)->key)
        return false;
    const char *rest = (*p)->key + (*section ? strlen(section) + 1 : 0);
    int length = (int)strcspn(rest, ".");
    snprintf(name, NAME_SIZE, "%.*s", length, rest);
    char key[256];
    snprintf(key, sizeof key, "%.*s%.*s", (int)(rest - (*p)->key), (*p)->key, length, rest);
    do
        (*p)++;
    while ((*p)->key && key_is_within((*p)->key, key));
    return true;
}

void key_list(const char *section, char *text, size_t size) {
    const struct parameter *p = parameters_table;
    char name[NAME_SIZE];
    for (size_t used = *text = 0; next_name(section, &p, name) && used < size;)
        used += (size_t)snprintf(text + used, size - used, "%s%s", used ? ", " : "", name);
}

static unsigned least(unsigned a, unsigned b, unsigned c) {
    unsigned ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* Letters to change, add, remove or swap with their neighbour (Damerau and Levenshtein's distance,
 * restricted to one edit a place). Both shorter than NAME_SIZE. */
static unsigned distance(const char *a, const char *b) {
    unsigned rows[3][NAME_SIZE], columns = (unsigned)strlen(b);
    unsigned *before = rows[0], *last = rows[1], *row = rows[2];
    for (unsigned j = 0; j <= columns; j++)
        last[j] = j;
    for (unsigned i = 1; a[i - 1]; i++) {
        row[0] = i;
        for (unsigned j = 1; j <= columns; j++) {
            row[j] = least(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                before[j - 2] + 1 < row[j])
                row[j] = before[j - 2] + 1;
        }
        unsigned *oldest = before;
        before = last, last = row, row = oldest;
    }
    return last[columns];
}

bool key_closest(const char *section, const char *name, char *text, size_t size) {
    const struct parameter *p = parameters_table;
    char known[NAME_SIZE];
    unsigned best = (unsigned)(strlen(name) + 2) / 3 + 1; /* a third of it may be wrong */
    bool found = false;
    if (strlen(name) >= NAME_SIZE)
        return false;
    while (next_name(section, &p, known)) {
        unsigned edits = distance(name, known);
        if (edits >= best)
            continue;
        best = edits, found = true;
        snprintf(text, size, "%s", known);
    }
    return found;
}
