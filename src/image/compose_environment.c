#include "image/compose_readers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"

int compose_check_keys(const struct tree_node *mapping, const char *words, struct error *err) {
    for (size_t i = 0; i < mapping->count; i++) {
        const char *key = mapping->entries[i].key;
        const struct tree_node at = {.file = mapping->file, .line = mapping->entries[i].line};
        if (strncmp(key, "x-", 2) != 0 && !compose_is_listed(key, words))
            return tree_refuse(&at, err, "%s: no such key: there are%s", key, words);
    }
    return 0;
}

int compose_read_truth(const struct tree_node *node, bool usual, bool *truth, struct error *err) {
    const char *text = tree_text(node);
    *truth = usual;
    if (!node || node->kind == TREE_NULL)
        return 0;
    *truth = text && compose_is_listed(text, "true True TRUE yes on 1");
    return *truth || (text && compose_is_listed(text, "false False FALSE no off 0"))
               ? 0
               : tree_refuse(node, err, "must be true or false");
}

/* As Go's %v, which Compose prints numbers with: the fewest digits that mean this number. */
static char *print_number(double number) {
    char digits[40], *exponent;
    for (int precision = 0; precision < 18; precision++) {
        snprintf(digits, sizeof digits, "%.*e", precision, number);
        if (strtod(digits, NULL) == number)
            break;
    }
    exponent = strchr(digits, 'e');
    int power = exponent ? atoi(exponent + 1) : 0;
    int decimals = exponent ? (int)(exponent - digits) - (digits[0] == '-') - 2 : 0;
    if (!exponent || power < -4 || power >= 6)
        return strdup(digits);
    decimals = decimals < 0 ? 0 : decimals;
    return format_string("%.*f", decimals > power ? decimals - power : 0, number);
}

/* 0x1F, 0o17, 0b11, 017, 1_000 as the number that YAML takes them for. */
static bool take_integer(const char *text, long long *number) {
    char *end;
    bool negative = *text == '-';
    text += *text == '-' || *text == '+';
    int base = text[0] != '0' || !text[1] ? 10 : text[1] == 'x' ? 16 : text[1] == 'b' ? 2 : 8;
    text += base == 16 || base == 2 ? 2 : base == 8 && text[1] == 'o' ? 2 : 0;
    errno = 0;
    *number = strtoll(text, &end, base);
    if (!*text || *text == '-' || *text == '+' || *text == ' ' || *end || errno)
        return false;
    *number = negative ? -*number : *number;
    return true;
}

/* A value without quotes may be a number or a truth: as Compose writes it. */
static char *value_of(const struct tree_node *node) {
    const char *text = node->text;
    autofree char *plain = strdup(text);
    char *to = plain, *end;
    long long integer;
    for (const char *c = text; *c; c++)
        if (*c != '_')
            *to++ = *c;
    *to = '\0';
    if (!node->plain)
        return strdup(text);
    if (compose_is_listed(text, "true True TRUE false False FALSE"))
        return strdup(strchr("tT", *text) ? "true" : "false");
    if (*text == '_' || strspn(text, "+-.0123456789abcdefABCDEFox_") != strlen(text))
        return strdup(text);
    if (take_integer(plain, &integer))
        return format_string("%lld", integer);
    if (strspn(plain, "+-.0123456789eE") != strlen(plain) || !strpbrk(plain, "0123456789"))
        return strdup(text);
    double number = strtod(plain, &end);
    return *end || number - number != 0 ? strdup(text) : print_number(number);
}

/* One of `env_file`, path with required and format. */
static int read_file(const struct tree_node *entry, const struct variables *variables, json_t *into,
                     struct error *err) {
    const struct tree_node *path = tree_get(entry, "path"), *format = tree_get(entry, "format");
    bool required;
    if (compose_check_keys(entry, " path required format ", err) < 0 ||
        compose_read_truth(tree_get(entry, "required"), true, &required, err) < 0)
        return -1;
    if (format && format->kind != TREE_NULL && strcmp(format->text, "raw") != 0)
        return tree_refuse(format, err, "format %s: there is raw", format->text);
    if (!file_exists(path->text) && !required)
        return 0;
    struct error why = {0};
    return variables_read(path->text, tree_text(format), variables, into, &why) < 0
               ? tree_refuse(path, err, "%s", why.text)
               : 0;
}

/* What `environment` says goes before what files say, also if it takes away. */
static int put(const struct tree_entry *entry, const struct variables *variables, json_t *into,
               struct error *err) {
    const struct tree_node *node = entry->node;
    const char *outside = node->kind == TREE_NULL ? variables_get(variables, entry->key) : NULL;
    if ((node->kind != TREE_NULL && node->kind != TREE_TEXT) || !*entry->key ||
        strchr(entry->key, '='))
        return tree_refuse(node, err, "%s: must be NAME: VALUE, or NAME=VALUE in a list",
                           entry->key);
    autofree char *value = node->kind == TREE_TEXT ? value_of(node) : NULL;
    json_t *text = value ? json_string(value) : outside ? json_string(outside) : json_null();
    return text ? json_object_set_new(into, entry->key, text)
                : tree_refuse(node, err, "%s: is not in UTF-8", entry->key);
}

json_t *compose_read_environment(const struct tree_node *env_files,
                                 const struct tree_node *environment,
                                 const struct variables *variables, struct error *err) {
    json_t *into = json_object(), *list = json_array(), *value;
    const char *name;
    int result = 0;
    for (size_t i = 0; env_files && i < env_files->count && result == 0; i++)
        result = read_file(env_files->entries[i].node, variables, into, err);
    for (size_t i = 0; environment && i < environment->count && result == 0; i++)
        result = put(&environment->entries[i], variables, into, err);
    json_object_foreach(into, name, value) json_array_append_new(
        list, json_is_null(value) ? json_string(name)
                                  : json_sprintf("%s=%s", name, json_string_value(value)));
    json_decref(into);
    if (result == 0)
        return list;
    json_decref(list);
    return NULL;
}
