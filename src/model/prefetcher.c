#include "model/prefetcher.h"

#include <string.h>

/* The table of prefetchers: those for code, for both, for data; a line each. */
/* clang-format off */
#define FOR_CODE(entry)                                                                            \
    entry(fdip)
#define FOR_BOTH(entry)                                                                            \
    entry(next_line)
#define FOR_DATA(entry)                                                                            \
    entry(stride)                                                                                  \
    entry(stream)
/* clang-format on */

#define DECLARATION(entry) extern const struct prefetcher prefetcher_##entry;
#define NAME(entry) #entry,
#define PREFETCHER(entry) &prefetcher_##entry,
FOR_CODE(DECLARATION)
FOR_BOTH(DECLARATION)
FOR_DATA(DECLARATION)
const char *const prefetcher_code_names[] = {"none", FOR_BOTH(NAME) FOR_CODE(NAME) NULL};
const char *const prefetcher_data_names[] = {"none", FOR_BOTH(NAME) FOR_DATA(NAME) NULL};
static const struct prefetcher *const prefetchers[] = {FOR_CODE(PREFETCHER) FOR_BOTH(PREFETCHER)
                                                           FOR_DATA(PREFETCHER) NULL};

const struct prefetcher *prefetcher_find(const char *name) {
    for (const struct prefetcher *const *prefetcher = prefetchers; *prefetcher; prefetcher++)
        if (strcmp((*prefetcher)->name, name) == 0)
            return *prefetcher;
    return NULL;
}
