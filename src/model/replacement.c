#include "model/replacement.h"

#include <stddef.h>
#include <string.h>

/* The table of policies: a line each. */
/* clang-format off */
#define POLICIES(policy)                                                                           \
    policy(lru)                                                                                    \
    policy(plru)                                                                                   \
    policy(srrip)                                                                                  \
    policy(random)
/* clang-format on */

#define DECLARATION(policy) extern const struct replacement_policy replacement_##policy;
#define NAME(policy) #policy,
#define POLICY(policy) &replacement_##policy,
POLICIES(DECLARATION)
const char *const replacement_names[] = {POLICIES(NAME) NULL};
static const struct replacement_policy *const policies[] = {POLICIES(POLICY) NULL};

const struct replacement_policy *replacement_find(const char *name) {
    for (const struct replacement_policy *const *policy = policies; *policy; policy++)
        if (strcmp((*policy)->name, name) == 0)
            return *policy;
    return NULL;
}
