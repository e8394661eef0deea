#include "common/words.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"

/* Take the word at *text into `word`, which has room for all of it. false: a quote is left open. */
static bool take_word(const char **text, char *word) {
    const char *from = *text;
    char quote = '\0';
    for (; *from && (quote || !strchr(" \t\n", *from)); from++) {
        if (*from == quote)
            quote = '\0';
        else if (!quote && (*from == '\'' || *from == '"'))
            quote = *from;
        else if (*from == '\\' && quote != '\'' && from[1])
            *word++ = *++from;
        else
            *word++ = *from;
    }
    *word = '\0';
    *text = from;
    return !quote;
}

json_t *words_split(const char *text) {
    autofree char *word = malloc(strlen(text) + 1);
    json_t *words = json_array();
    if (!word)
        abort();
    while (*(text += strspn(text, " \t\n"))) {
        if (!take_word(&text, word))
            return json_decref(words), NULL;
        json_array_append_new(words, json_string(word));
    }
    return words;
}

bool words_contain(const json_t *words, const char *word) {
    size_t index;
    const json_t *one;
    json_array_foreach(words, index, one) {
        if (strcmp(json_string_value(one), word) == 0)
            return true;
    }
    return false;
}

char *words_join(const json_t *words) {
    char *list = strdup("");
    size_t index;
    json_t *word;
    json_array_foreach(words, index, word) {
        char *longer = format_string("%s%s%s", list, index ? ", " : "", json_string_value(word));
        free(list);
        list = longer;
    }
    return list;
}
