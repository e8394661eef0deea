/* Whether two runs gave the same bytes, and if not, the first difference in words. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "results/results.h"

/* Cut the next line off the text; "" at its end. */
static char *next_line(char **text) {
    char *line = strsep(text, "\n");
    return line ? line : "";
}

/* A line of stats.txt in words: NAME, and its VALUE. */
static void split_statistic(char *line, const char **name, const char **value) {
    char *rest = NULL;
    *name = strtok_r(line, " ", &rest);
    *value = *name ? strtok_r(NULL, " ", &rest) : NULL;
    if (!*name)
        *name = "(nothing)";
    if (!*value)
        *value = "(nothing)";
}

/* The blocks are invocations 0, 1, … */
static char *explain_stats(char *a, char *b) {
    for (int invocation = -1; a || b;) {
        char *line_a = next_line(&a), *line_b = next_line(&b);
        if (!strcmp(line_a, line_b)) {
            invocation += strstr(line_a, "Begin Simulation Statistics") != NULL;
            continue;
        }
        const char *name_a, *name_b, *value_a, *value_b;
        split_statistic(line_a, &name_a, &value_a);
        split_statistic(line_b, &name_b, &value_b);
        if (strcmp(name_a, name_b) != 0)
            return format_string(
                "stats.txt: invocation %d: there is %s in the first, %s in the second", invocation,
                name_a, name_b);
        if (strcmp(value_a, value_b) != 0)
            return format_string("stats.txt: invocation %d: %s: %s in the first, %s in the second",
                                 invocation, name_a, value_a, value_b);
        return format_string("stats.txt: invocation %d: %s: other description", invocation, name_a);
    }
    return NULL;
}

/* The columns are cut at commas: only the last one, the reply, can have commas of its own. */
static char *explain_csv(char *a, char *b) {
    autofree char *header = format_string("%.*s", (int)strcspn(a, "\n"), a);
    while (a || b) {
        char *line_a = next_line(&a), *line_b = next_line(&b), *names = header;
        const char *id = line_a;
        if (!strcmp(line_a, line_b))
            continue;
        if (!*line_a || !*line_b)
            return format_string("invocations.csv: the %s ends earlier",
                                 *line_a ? "second" : "first");
        while (line_a || line_b) {
            const char *cell_a = strsep(&line_a, ","), *cell_b = strsep(&line_b, ",");
            const char *name = names ? strsep(&names, ",") : "reply";
            if (!cell_a || !cell_b || strcmp(cell_a, cell_b) != 0)
                return format_string(
                    "invocations.csv: invocation %s: %s: %s in the first, %s in the second", id,
                    name, cell_a ? cell_a : "nothing", cell_b ? cell_b : "nothing");
        }
    }
    return NULL;
}

/* 1 if the files differ, with the difference told. */
static int compare_file(const char *folder_a, const char *folder_b, const char *name,
                        char *(*explain)(char *, char *), char **difference, struct error *err) {
    autofree char *path_a = format_string("%s/%s", folder_a, name);
    autofree char *path_b = format_string("%s/%s", folder_b, name);
    size_t size_a, size_b;
    autofree char *a = file_read(path_a, &size_a, err);
    autofree char *b = a ? file_read(path_b, &size_b, err) : NULL;
    if (!a || !b)
        return -1;
    if (size_a == size_b && !memcmp(a, b, size_a))
        return 0;
    *difference = explain(a, b);
    if (!*difference)
        *difference = format_string("%s: other bytes", name);
    return 1;
}

int results_compare(const char *folder_a, const char *folder_b, char **difference,
                    struct error *err) {
    *difference = NULL;
    int result = compare_file(folder_a, folder_b, "stats.txt", explain_stats, difference, err);
    if (result == 0)
        result = compare_file(folder_a, folder_b, "invocations.csv", explain_csv, difference, err);
    return result < 0 ? -1 : 0;
}
