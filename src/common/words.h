/* Lists of words, as JSON arrays of strings.
 *
 * Command lines as text, as people write them: words between blanks.
 * '…' and "…" hold blanks together, a backslash makes the next
 * character a plain one (but not inside '…'). Nothing is expanded. */
#ifndef SLS_COMMON_WORDS_H
#define SLS_COMMON_WORDS_H

#include <stdbool.h>

#include <jansson.h>

/* The words, a JSON array of strings. Owned by the caller; NULL when a quote is left open. */
json_t *words_split(const char *text);

bool words_contain(const json_t *words, const char *word);

/* "a, b, c". The caller frees it. */
char *words_join(const json_t *words);

#endif
