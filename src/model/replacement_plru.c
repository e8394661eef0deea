/* Tree pseudo-LRU, as most processors have it: a binary tree over the ways, a bit a node that
 * points to the half used longer ago. A use turns the bits on its way away from itself; the victim
 * is where they lead. Any number of ways: halves may differ by one. Beyond 64 ways the bits of a
 * set are used up, and the first of the ways that they do not tell apart goes.
 *
 * Handy, Jim: The Cache Memory Book, 2nd edition, 1998, section 2.2. */
#include "model/replacement.h"

#include <stdbool.h>

/* A node of the tree: its number as in a heap, from 1, and the ways below it: low … high - 1. */
struct node {
    unsigned number, low, high;
};

static bool is_leaf(struct node node) {
    return node.high - node.low == 1 || node.number >= 64;
}

static unsigned middle(struct node node) {
    return (node.low + node.high) / 2;
}

static struct node child(struct node node, bool right) {
    return (struct node){2 * node.number + right, right ? middle(node) : node.low,
                         right ? node.high : middle(node)};
}

static void use(struct cache_set set, unsigned way) {
    for (struct node node = {1, 0, set.ways}; !is_leaf(node);) {
        bool right = way >= middle(node);
        uint64_t bit = UINT64_C(1) << node.number;
        *set.bits = right ? *set.bits & ~bit : *set.bits | bit; /* 1: the right half is older */
        node = child(node, right);
    }
}

static unsigned victim(struct cache_set set) {
    struct node node = {1, 0, set.ways};
    while (!is_leaf(node))
        node = child(node, *set.bits >> node.number & 1);
    return node.low;
}

const struct replacement_policy replacement_plru = {
    .name = "plru",
    .hit = use,
    .fill = use,
    .victim = victim,
};
