#include "results/manifest.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/file.h"

enum { FORMAT = 1 };

struct manifest {
    json_t *root;
};

/* The object that holds the key's last part, which *key is moved to. Missing ones are made if
 * `make`; otherwise NULL. */
static json_t *holder(const struct manifest *manifest, const char **key, bool make) {
    json_t *object = manifest->root;
    for (const char *dot; object && (dot = strchr(*key, '.')); *key = dot + 1) {
        autofree char *part = strndup(*key, dot - *key);
        json_t *next = json_object_get(object, part);
        if (make && !json_is_object(next)) {
            next = json_object();
            json_object_set_new(object, part, next);
        }
        object = next;
    }
    return object;
}

static void set(struct manifest *manifest, const char *key, json_t *value) {
    json_t *object = holder(manifest, &key, true);
    json_object_set_new(object, key, value);
}

static json_t *get(const struct manifest *manifest, const char *key) {
    json_t *object = holder(manifest, &key, false);
    return json_object_get(object, key);
}

/* Arguments may be any bytes; JSON takes only UTF-8. */
static json_t *text_value(const char *text) {
    json_t *value = json_string(text);
    return value ? value : json_string("(not UTF-8)");
}

void manifest_set_text(struct manifest *manifest, const char *key, const char *text) {
    set(manifest, key, text_value(text));
}

void manifest_set_integer(struct manifest *manifest, const char *key, int64_t value) {
    set(manifest, key, json_integer(value));
}

void manifest_set_seconds(struct manifest *manifest, const char *key, double seconds) {
    set(manifest, key, json_real(round(seconds * 1000) / 1000));
}

void manifest_set_texts(struct manifest *manifest, const char *key, const char *const texts[]) {
    json_t *array = json_array();
    for (; *texts; texts++)
        json_array_append_new(array, text_value(*texts));
    set(manifest, key, array);
}

const char *manifest_text(const struct manifest *manifest, const char *key) {
    return json_string_value(get(manifest, key));
}

char **manifest_texts(const struct manifest *manifest, const char *key) {
    const json_t *array = get(manifest, key);
    char **texts = calloc(json_array_size(array) + 1, sizeof *texts);
    size_t count = 0, i;
    json_t *text;
    if (!texts)
        abort();
    json_array_foreach(array, i, text) if (json_is_string(text)) texts[count++] =
        (char *)json_string_value(text);
    return texts;
}

int64_t manifest_integer(const struct manifest *manifest, const char *key, int64_t otherwise) {
    json_t *value = get(manifest, key);
    return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

static void print_quoted(FILE *out, const char *word) {
    const char *plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=+./:,@%";
    if (*word && !word[strspn(word, plain)]) {
        fputs(word, out);
        return;
    }
    fputc('\'', out);
    for (; *word; word++)
        fprintf(out, *word == '\'' ? "'\\''" : "%c", *word);
    fputc('\'', out);
}

char *manifest_command(const struct manifest *manifest) {
    char *text = NULL;
    size_t size, i;
    json_t *word;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        abort();
    json_array_foreach(get(manifest, "command"), i, word) {
        fputs(i ? " " : "", out);
        print_quoted(out, json_is_string(word) ? json_string_value(word) : "?");
    }
    fclose(out);
    return text;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void manifest_each(const struct manifest *manifest, const char *key,
                   void (*visit)(void *context, const char *name, const char *text),
                   void *context) {
    json_t *object = get(manifest, key), *value;
    size_t count = 0;
    autofree const char **names = calloc(json_object_size(object) + 1, sizeof *names);
    if (!names)
        abort();
    const char *name;
    json_object_foreach(object, name, value) names[count++] = name;
    qsort(names, count, sizeof *names, by_name);
    for (size_t i = 0; i < count; i++) {
        value = json_object_get(object, names[i]);
        autofree char *number =
            json_is_integer(value)
                ? format_string("%" JSON_INTEGER_FORMAT, json_integer_value(value))
                : format_string("%g", json_number_value(value));
        if (json_is_string(value) || json_is_number(value))
            visit(context, names[i], json_is_string(value) ? json_string_value(value) : number);
    }
}

static void set_host(struct manifest *manifest) {
    struct utsname name;
    if (uname(&name) == 0) {
        autofree char *kernel = format_string("%s %s %s", name.sysname, name.release, name.machine);
        manifest_set_text(manifest, "host.kernel", kernel);
    }
    autofclose FILE *cpuinfo = fopen("/proc/cpuinfo", "re");
    char line[256], cpu[200];
    while (cpuinfo && fgets(line, sizeof line, cpuinfo))
        if (sscanf(line, "model name : %199[^\n]", cpu) == 1) {
            manifest_set_text(manifest, "host.cpu", cpu);
            break;
        }
}

struct manifest *manifest_new(void) {
    struct manifest *manifest = malloc(sizeof *manifest);
    if (!manifest)
        abort();
    manifest->root = json_object();
    manifest_set_integer(manifest, "format", FORMAT);
    manifest_set_text(manifest, "status", "running");
    manifest_set_text(manifest, "versions.slsuite", SLS_VERSION);
    char date[40];
    time_t now = time(NULL);
    struct tm local;
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S%z", localtime_r(&now, &local));
    manifest_set_text(manifest, "date", date);
    set_host(manifest);
    return manifest;
}

void manifest_free(struct manifest *manifest) {
    if (manifest)
        json_decref(manifest->root);
    free(manifest);
}

int manifest_write(const struct manifest *manifest, const char *path, struct error *err) {
    autofree char *json =
        json_dumps(manifest->root, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_REAL_PRECISION(12));
    autofree char *text = format_string("%s\n", json);
    return file_write(path, text, strlen(text), err);
}

struct manifest *manifest_read(const char *path, struct error *err) {
    size_t size;
    autofree char *text = file_read(path, &size, err);
    if (!text)
        return NULL;
    json_error_t where;
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);
    int64_t format = json_integer_value(json_object_get(root, "format"));
    if (!root)
        error_set(err, "reading %s: line %d: %s: it is damaged: run again", path, where.line,
                  where.text);
    else if (format != FORMAT)
        error_set(err,
                  "reading %s: its format is %" PRId64 ", not %d: use the slsuite that made it",
                  path, format, FORMAT);
    struct manifest *manifest = format == FORMAT ? malloc(sizeof *manifest) : NULL;
    if (manifest)
        manifest->root = root;
    else
        json_decref(root);
    return manifest;
}
