#include "image/compose_readers.h"

#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "image/function.h"

struct range {
    long first, last;
};

/* PORT or PORT-PORT, all of the text. */
static bool take_range(const char *text, struct range *range) {
    size_t digits = strspn(text, "0123456789"), more = 0;
    if (!digits || digits > 5)
        return false;
    range->first = range->last = strtol(text, NULL, 10);
    if (text[digits] == '-') {
        more = strspn(text + digits + 1, "0123456789");
        range->last = strtol(text + digits + 1, NULL, 10);
        if (!more || more > 5)
            return false;
        more++;
    }
    return !text[digits + more] && range->first > 0 && range->last < 65536 &&
           range->first <= range->last;
}

/* What is published must be as many as the container's, or one for a range of it. */
static bool fit(const char *published, const struct range *container) {
    struct range range;
    if (!*published)
        return true;
    if (strcmp(published, "0") == 0) /* any */
        return container->first == container->last;
    return take_range(published, &range) &&
           (container->first == container->last ||
            range.last - range.first == container->last - container->first);
}

/* An address, with a colon behind it: of digits and dots, or IPv6. */
static bool is_address(const char *text, size_t length) {
    return length && strspn(text, "0123456789abcdefABCDEF.:[]") >= length;
}

static bool take_protocol(const char *protocol, bool *tcp) {
    *tcp = strcasecmp(protocol, "tcp") == 0;
    return *tcp || strcasecmp(protocol, "udp") == 0 || strcasecmp(protocol, "sctp") == 0;
}

/* [[ADDRESS:]PUBLISHED:]CONTAINER[/PROTOCOL]. The text is cut up. */
static bool take_short(char *text, bool exposed, struct range *container, bool *tcp) {
    char *slash = strchr(text, '/');
    if (!take_protocol(slash && slash[1] ? slash + 1 : "tcp", tcp))
        return false;
    if (slash)
        *slash = '\0';
    char *colon = strrchr(text, ':');
    if (!take_range(colon ? colon + 1 : text, container) || (colon && exposed))
        return false;
    if (!colon)
        return true;
    *colon = '\0';
    char *before = strrchr(text, ':');
    if (before && before[1] == '\0' && before == text) /* :: is no address */
        return false;
    if (before && !is_address(text, (size_t)(before - text)))
        return false;
    return fit(before ? before + 1 : text, container);
}

/* target, and what goes with it. */
static int take_long(const struct tree_node *node, struct range *container, bool *tcp,
                     struct error *err) {
    const char *target = tree_text(tree_get(node, "target"));
    const char *published = tree_text(tree_get(node, "published"));
    const char *protocol = tree_text(tree_get(node, "protocol")) ?: "tcp";
    struct range range;
    if (compose_check_keys(node, " target published protocol host_ip mode name app_protocol ",
                           err) < 0)
        return -1;
    if (!target || !take_range(target, container))
        return tree_refuse(node, err, "target: must be a port of the container");
    if (!take_protocol(protocol, tcp))
        return tree_refuse(node, err, "protocol: %s: there are tcp and udp", protocol);
    if (published && strcmp(published, "0") != 0 && !take_range(published, &range))
        return tree_refuse(node, err, "published: must be a port, or a range of them");
    return 0;
}

static int take_one(const struct tree_node *node, bool exposed, struct range *container, bool *tcp,
                    struct error *err) {
    if (node->kind == TREE_MAPPING && !exposed)
        return take_long(node, container, tcp, err);
    autofree char *text = strdup(node->text);
    return tree_text(node) && take_short(text, exposed, container, tcp)
               ? 0
               : tree_refuse(node, err,
                             exposed ? "%s: must be PORT or PORT-PORT, perhaps with /tcp or /udp"
                                     : "%s: must be PORT, HOST:PORT or ADDRESS:HOST:PORT, ranges "
                                       "of one length, perhaps with /tcp or /udp; or target: PORT",
                             node->text);
}

int compose_read_ports(const struct tree_node *list, bool exposed, json_t **port,
                       struct error *err) {
    long found = 0, usual = strtol(FUNCTION_PORT, NULL, 10);
    if (list && list->kind != TREE_LIST)
        return tree_refuse(list, err, "must be a list");
    for (size_t i = 0; list && i < list->count; i++) {
        struct range range;
        bool tcp;
        if (take_one(list->entries[i].node, exposed, &range, &tcp, err) < 0)
            return -1;
        if (!tcp)
            continue;
        if (range.first <= usual && usual <= range.last)
            found = usual;
        found = found ? found : range.first;
    }
    if (found && !*port)
        *port = json_sprintf("%ld", found);
    return 0;
}
