/* A tree of steps. Its root is a pipeline that is at rest; a node is a step after the one above it.
 * A node keeps what the pipeline computed when it was first there: cycles, relative to the one in
 * which the first line of code arrived, the base. They are the same each time, because
 *
 * - at the root nothing that came before matters (is_at_rest());
 * - from there on, timing is a function of the segments and the ends of the steps, of when their
 *   lines of code arrive, and of when data do. Segments, ends and the lines' delays are what nodes
 *   are told apart by. Data arrive when a hit does: that is looked up.
 *
 * Look-ups of code, the wrong paths behind branches among them, and of data, the predictor and the
 * counters are not in the tree: they are the real ones, at the real cycles and in the real order.
 *
 * Where a step has no node, or something is not as it was, the pipeline gets the state back that the
 * node above has kept (make_real()), and goes on by itself, as far as the next rest. Look-ups that
 * have been made are not made again: struct inorder's `known`.
 *
 * After a mispredicted branch the pipeline is at rest, but for stores that miss. With no prediction
 * every branch that is taken is one.
 *
 * Not remembered: steps with misses, accesses past the caches, across lines or by way of a TLB. */
#include "model/core_inorder_memo.h"

#include <string.h>

enum {
    NODES = 1 << 15, /* when they are used up, or the words, all is forgotten: some 8 MB in all */
    BUCKETS = 1 << 14,
    WORDS = 1 << 20,
    ROOT = 0,
    NOWHERE = NODES, /* the pipeline computes; no node stands for its state */
    FAR = UINT16_MAX /* cycles from the base that are not remembered any more */
};

/* A cycle, relative to the base; 0: at it or before, which is long ago. */
typedef uint16_t relative;

/* What the pipeline has beside its stamps, so far as a node's own do not say it. */
struct rest {
    relative decode, last_issue;
    int8_t fetch_left, decode_left, commit_left, slots_left, access_slots_left;
    uint8_t wait_first, waits;
    uint16_t decode_next, issue_next, stores_next; /* of the windows */
};

struct node {
    /* which one it is */
    const struct segment *segment;
    uint32_t parent;
    uint32_t how;       /* see how() */
    uint32_t next;      /* of its bucket; ROOT: none */
    uint32_t last_used; /* of its children */
    /* what the step does */
    uint32_t accesses; /* the place in `words` of their shapes */
    uint32_t stamps;   /* … and of the stamps that are not long ago: place << 16 | relative */
    uint16_t access_count, stamp_count;
    relative fetch, commit, decode_least, next_issue, executed, memory[MEMORY_ACCESSES];
    relative spilt;       /* when the line after the first one is needed */
    uint16_t spilt_delay; /* … until it arrives; only compared */
    uint16_t instructions, bytes, micro_ops;
    uint32_t waited, structural; /* cycles put under the part at the start, STACK_STRUCTURAL */
    enum stack_part part;        /* at the end: struct inorder's fetch_part */
    struct rest rest;
};

struct inorder_memo {
    uint64_t base;
    uint32_t at; /* node; NOWHERE */
    bool on, real; /* real: struct inorder has the state of `at`; else only what advance() sets */
    const struct step *learns;   /* the step under way, if it is to be learnt */
    uint64_t margin; /* how long after its last commit a unit may still be taken */
    uint32_t how;    /* of the step under way */
    uint32_t node_count, word_count;
    struct { /* before a step that is to be learnt */
        uint64_t stack[STACK_PARTS], looked_up, missed, instructions, bytes, micro_ops, gap;
    } before;
    uint32_t bucket[BUCKETS];
    struct node node[NODES];
    uint32_t words[WORDS];
};

const size_t inorder_memo_size = sizeof(struct inorder_memo);

/* The stamps, as words. */
static uint64_t *stamps_of(struct inorder *inorder) {
    return &inorder->request;
}

static unsigned stamp_count_of(const struct inorder *inorder) {
    return (unsigned)(offsetof(struct inorder, entries) - offsetof(struct inorder, request)) /
               sizeof(uint64_t) +
           inorder->entry_count;
}

void inorder_memo_init(struct core *core) {
    struct inorder *inorder = core->state;
    struct inorder_memo *memo = inorder->memo;
    memo->on = !core->mmu && stamp_count_of(inorder) <= UINT16_MAX;
    memo->real = true;
    memo->at = NOWHERE;
    memo->node_count = 1;
    for (unsigned i = 0; i < OP_CLASSES; i++) {
        const struct timing *timing = &inorder->timing[i];
        if (timing->interval > timing->latency)
            memo->margin = later(memo->margin, timing->interval - timing->latency);
    }
}

static inline uint64_t absolute(const struct inorder_memo *memo, relative cycle) {
    return memo->base + cycle;
}

/* The pipeline gets the state of the node that it is at, but for what advance() sets. */
static void make_real(struct inorder *inorder) {
    struct inorder_memo *memo = inorder->memo;
    if (memo->real)
        return;
    memo->real = true;
    if (memo->at == ROOT)
        return; /* what there is, is still older than what there should be */
    const struct node *node = &memo->node[memo->at];
    const struct rest *rest = &node->rest;
    uint64_t *stamps = stamps_of(inorder);
    memset(stamps, 0, stamp_count_of(inorder) * sizeof *stamps);
    for (unsigned i = 0; i < node->stamp_count; i++) {
        uint32_t word = memo->words[node->stamps + i];
        stamps[word >> 16] = absolute(memo, (relative)word);
    }
    inorder->decode.cycle = absolute(memo, rest->decode);
    inorder->last_issue = absolute(memo, rest->last_issue);
    inorder->fetch.left = rest->fetch_left;
    inorder->decode.left = rest->decode_left;
    inorder->commit.left = rest->commit_left;
    inorder->slots_left = (struct slots){rest->slots_left, rest->access_slots_left};
    inorder->decode_buffer.next = rest->decode_next;
    inorder->issue_buffer.next = rest->issue_next;
    inorder->stores.next = rest->stores_next;
    inorder->wait_first = rest->wait_first;
    inorder->wait_end = rest->wait_first + rest->waits;
}

void inorder_memo_forget(struct core *core) {
    struct inorder *inorder = core->state;
    struct inorder_memo *memo = inorder->memo;
    make_real(inorder);
    memo->at = NOWHERE;
    memo->node_count = 1;
    memo->word_count = 0;
    memset(memo->bucket, 0, sizeof memo->bucket);
}

void inorder_memo_off(struct core *core) {
    inorder_memo_forget(core);
    ((struct inorder *)core->state)->memo->on = false;
}

/* Whether nothing that came before matters to what is fetched from now on. What is in the line that
 * arrives at the base is decoded a cycle later at least, and issued, at least, the cycle after. By
 * then
 * - all has been decoded and issued, and has left the buffers, if the next could be issued at the
 *   base (of a unit's operation, the next one may follow some time after its commit: `margin`);
 * - all registers have their values, and loads and units are done, if all is committed at the base:
 *   a load's value is promised for ASSUMED_LOAD cycles after its commit at most;
 * - the store buffer is empty, if no access is under way in memory: each store is one. */
static inline bool is_at_rest(const struct inorder *inorder, uint64_t base) {
    _Static_assert(ASSUMED_LOAD <= 2, "a promise must be over by the first issue");
    uint64_t first_issue = base + 2;
    return later(inorder->commit.cycle + inorder->memo->margin, inorder->next_issue) <= base &&
           later(inorder->memory[0], inorder->memory[1]) <= first_issue;
}

/* The cycles that `b` is after `a`. */
static inline uint64_t after(uint64_t b, uint64_t a) {
    return b > a ? b - a : 0;
}

/* What, beside its segment and the step before it, a step is told apart by: how many instructions,
 * what the first one has waited for, and how long: at the root, after the base to be decoded, else
 * after the one before it to be fetched. */
static inline uint32_t how(const struct inorder *inorder, unsigned end, uint64_t delay) {
    return end | (uint32_t)inorder->fetch_part << 8 | (uint32_t)delay << 16;
}

/* Instructions that the pipeline goes through. */
static inline unsigned end_of(const struct step *step) {
    return (unsigned)later(step->end, step->access_count || step->segment->code[0].repeats);
}

/* The line of the step's first instruction is fetched, as the pipeline would. Says where in the tree
 * that is. */
static inline void start(struct core *core, const struct step *step, unsigned end) {
    struct inorder *inorder = core->state;
    struct inorder_memo *memo = inorder->memo;
    const struct segment *segment = step->segment;
    if (inorder->mode != segment->mode)
        inorder_change_mode(inorder, segment->mode);
    bool restarts = inorder->restart;
    inorder_need_line(core, segment, 0);
    uint64_t arrival = line_arrival(inorder), delay = after(arrival, inorder->fetch.cycle);
    if (restarts) {
        bool rests = is_at_rest(inorder, arrival);
        if (!rests)
            make_real(inorder);
        memo->at = rests ? ROOT : NOWHERE;
        memo->base = arrival;
        delay = after(inorder->decode_least, arrival + 1);
    }
    if (delay > FAR && memo->at != NOWHERE) {
        make_real(inorder);
        memo->at = NOWHERE;
    }
    memo->how = how(inorder, end, delay);
}

static inline uint32_t *bucket_of(struct inorder_memo *memo, const struct segment *segment) {
    uint64_t hash = ((uintptr_t)segment >> 3) + ((uint64_t)memo->at << 32) + memo->how;
    return &memo->bucket[(hash * UINT64_C(0x9e3779b97f4a7c15)) >> 32 & (BUCKETS - 1)];
}

static inline bool is_node(const struct node *node, uint32_t parent, const struct segment *segment,
                           uint32_t how) {
    return node->segment == segment && node->how == how && node->parent == parent;
}

/* The node of the step; ROOT: none. */
static inline uint32_t find(struct inorder_memo *memo, const struct segment *segment) {
    uint32_t *last_used = &memo->node[memo->at].last_used;
    uint32_t i = *last_used;
    if (i < memo->node_count && is_node(&memo->node[i], memo->at, segment, memo->how))
        return i;
    for (i = *bucket_of(memo, segment); i; i = memo->node[i].next)
        if (is_node(&memo->node[i], memo->at, segment, memo->how))
            return *last_used = i;
    return ROOT;
}

/* Size, instruction, kind. */
static inline uint32_t shape_of(const struct access *access) {
    return access->size | (uint32_t)access->instruction << 8 | (uint32_t)access->store << 16;
}

/* So many times the L1D is asked. */
static inline unsigned pieces_of(const struct access *access) {
    return (access->size + 7u) / 8;
}

/* In the L1D it is in one line, each of its pieces. */
static inline bool is_simple(const struct access *access, uint64_t line_mask) {
    unsigned size = access->size <= 8 ? access->size : 8 * pieces_of(access);
    return !access->uncached && (access->address & line_mask) + size - 1 <= line_mask;
}

/* The access, if it is of this shape, hits. Else *known is how many look-ups did, in all. */
static inline bool hits(struct core *core, const struct step *step, const struct access *access,
                        uint32_t shape, unsigned *known) {
    struct inorder *inorder = core->state;
    if (shape_of(access) != shape || !is_simple(access, core->line_mask))
        return false;
    for (unsigned i = 0; i < pieces_of(access); i++, ++*known)
        if (!front_finds(core->front, step->segment->mode, access->store ? STORE : LOAD,
                         access->address + 8 * i, inorder->memo->base))
            return false;
    return true;
}

/* Whether the line that the last instruction reaches into arrives when it did. */
static inline bool spills_alike(struct core *core, const struct segment *segment,
                                const struct node *node) {
    struct inorder *inorder = core->state;
    if (!inorder->ahead.answered)
        inorder_ask_ahead(core, segment->mode);
    uint64_t delay = after(inorder->ahead.answered + 1, absolute(inorder->memo, node->spilt));
    return delay == node->spilt_delay && (inorder->ahead.part == STACK_BASE || delay <= 1);
}

/* The step's look-ups, in the order in which the pipeline makes them: all hit, as they did. False:
 * the pipeline must go on behind the first so many of the data's. */
static inline bool look_up(struct core *core, const struct step *step, const struct node *node,
                           bool spills, unsigned *known) {
    struct inorder *inorder = core->state;
    const uint32_t *shapes = &inorder->memo->words[node->accesses];
    unsigned i = 0, last = step->segment->count - 1u;
    if (step->access_count != node->access_count)
        return false;
    for (; i < step->access_count && !(spills && step->accesses[i].instruction >= last); i++)
        if (!hits(core, step, &step->accesses[i], shapes[i], known))
            return false;
    if (spills && !spills_alike(core, step->segment, node))
        return false;
    for (; i < step->access_count; i++)
        if (!hits(core, step, &step->accesses[i], shapes[i], known))
            return false;
    return true;
}

/* Time and counts, as the pipeline would have left them. */
static inline void advance(struct core *core, const struct step *step, const struct node *node) {
    struct inorder *inorder = core->state;
    const struct inorder_memo *memo = inorder->memo;
    struct core_counts *counts = &core->counts[step->segment->mode];
    uint64_t waited = node->waited;
    if (node->parent == ROOT) /* from the last commit to the base */
        waited += memo->base - inorder->commit.cycle;
    counts->stack[inorder->fetch_part] += waited;
    counts->stack[STACK_STRUCTURAL] += node->structural;
    counts->stack[STACK_BASE] -= waited + node->structural;
    counts->instructions += step->end - step->first;
    counts->micro_ops += node->micro_ops;
    inorder->instructions += node->instructions;
    inorder->bytes += node->bytes;
    inorder->micro_ops += node->micro_ops;
    inorder->fetch_part = node->part;
    inorder->fetch.cycle = absolute(memo, node->fetch);
    inorder->commit.cycle = absolute(memo, node->commit);
    inorder->decode_least = absolute(memo, node->decode_least);
    inorder->next_issue = absolute(memo, node->next_issue);
    for (unsigned i = 0; i < MEMORY_ACCESSES; i++)
        inorder->memory[i] = absolute(memo, node->memory[i]);
}

static inline void take_branch(struct core *core, const struct step *step, unsigned end,
                               uint64_t executed) {
    const struct segment *segment = step->segment;
    const struct instruction *last = &segment->code[end - 1];
    if (last->branch && core->branch)
        pipeline_branch(core, last, segment->address + segment->instruction[end - 1].offset,
                        segment->mode, executed, step->next,
                        (struct pipeline_stages){.branch = inorder_branch});
}

static uint64_t looked_up(const struct access_counts *counts) {
    return counts->accesses[LOAD] + counts->accesses[STORE];
}

/* A step without a node comes. */
static void expect(struct core *core, const struct step *step) {
    struct inorder *inorder = core->state;
    struct inorder_memo *memo = inorder->memo;
    const struct access_counts *counts = &core->front->counts[step->segment->mode];
    memo->learns = step;
    memcpy(memo->before.stack, core->counts[step->segment->mode].stack, sizeof memo->before.stack);
    memo->before.looked_up = looked_up(counts);
    memo->before.missed = data_misses(counts);
    memo->before.instructions = inorder->instructions;
    memo->before.bytes = inorder->bytes;
    memo->before.micro_ops = inorder->micro_ops;
    memo->before.gap = memo->at == ROOT ? memo->base - inorder->commit.cycle : 0;
}

/* A cycle as nodes have it. *fits becomes false if it is too far away. */
static relative keep(const struct inorder_memo *memo, uint64_t cycle, bool *fits) {
    uint64_t from_base = after(cycle, memo->base);
    *fits &= from_base < FAR;
    return (relative)from_base;
}

/* Whether the accesses are of the kind that look_up() does, and all have hit. */
static bool has_hit(const struct core *core, const struct step *step) {
    const struct inorder_memo *memo = ((const struct inorder *)core->state)->memo;
    const struct access_counts *counts = &core->front->counts[step->segment->mode];
    uint64_t pieces = 0;
    for (unsigned i = 0; i < step->access_count; i++) {
        if (!is_simple(&step->accesses[i], core->line_mask))
            return false;
        pieces += pieces_of(&step->accesses[i]);
    }
    return step->access_count < FAR && looked_up(counts) - memo->before.looked_up == pieces &&
           data_misses(counts) == memo->before.missed;
}

static bool keep_accesses(struct inorder_memo *memo, struct node *node, const struct step *step) {
    if (memo->word_count + step->access_count > WORDS)
        return false;
    node->accesses = memo->word_count;
    node->access_count = (uint16_t)step->access_count;
    for (unsigned i = 0; i < step->access_count; i++)
        memo->words[memo->word_count++] = shape_of(&step->accesses[i]);
    return true;
}

/* What make_real() makes of it. */
static bool keep_state(struct inorder_memo *memo, struct node *node, struct inorder *inorder) {
    const uint64_t *stamps = stamps_of(inorder);
    bool fits = true;
    node->stamps = memo->word_count;
    for (unsigned i = 0; i < stamp_count_of(inorder); i++) {
        if (stamps[i] <= memo->base)
            continue;
        if (memo->word_count == WORDS)
            return false;
        memo->words[memo->word_count++] = i << 16 | keep(memo, stamps[i], &fits);
    }
    node->stamp_count = (uint16_t)(memo->word_count - node->stamps);
    node->rest = (struct rest){
        .decode = keep(memo, inorder->decode.cycle, &fits),
        .last_issue = keep(memo, inorder->last_issue, &fits),
        .fetch_left = (int8_t)inorder->fetch.left,
        .decode_left = (int8_t)inorder->decode.left,
        .commit_left = (int8_t)inorder->commit.left,
        .slots_left = (int8_t)inorder->slots_left.all,
        .access_slots_left = (int8_t)inorder->slots_left.accesses,
        .wait_first = (uint8_t)(inorder->wait_first % WAITS),
        .waits = (uint8_t)(inorder->wait_end - inorder->wait_first),
        .decode_next = (uint16_t)inorder->decode_buffer.next,
        .issue_next = (uint16_t)inorder->issue_buffer.next,
        .stores_next = (uint16_t)inorder->stores.next,
    };
    return fits;
}

/* Cycles by what they were put under: all but what advance() adds to is as it was. */
static bool keep_stack(const struct inorder_memo *memo, struct node *node, const uint64_t *stack) {
    enum stack_part part = memo->how >> 8 & 0xff;
    for (unsigned i = STACK_BASE + 1; i < STACK_PARTS; i++) {
        uint64_t cycles = stack[i] - memo->before.stack[i];
        if (cycles > UINT32_MAX)
            return false;
        if (i == part)
            node->waited = (uint32_t)(cycles - memo->before.gap);
        else if (i == STACK_STRUCTURAL)
            node->structural = (uint32_t)cycles;
        else if (cycles)
            return false;
    }
    return true;
}

static bool keep_timing(const struct core *core, struct node *node, const struct step *step) {
    const struct inorder *inorder = core->state;
    const struct inorder_memo *memo = inorder->memo;
    const struct segment *segment = step->segment;
    unsigned end = end_of(step);
    bool fits = true;
    node->fetch = keep(memo, inorder->fetch.cycle, &fits);
    node->commit = keep(memo, inorder->commit.cycle, &fits);
    node->decode_least = keep(memo, inorder->decode_least, &fits);
    node->next_issue = keep(memo, inorder->next_issue, &fits);
    node->executed = keep(memo, inorder->executed, &fits);
    for (unsigned i = 0; i < MEMORY_ACCESSES; i++)
        node->memory[i] = keep(memo, inorder->memory[i], &fits);
    if (segment->spills && end == segment->count) {
        uint64_t delay = after(line_arrival(inorder), inorder->popped);
        node->spilt = keep(memo, inorder->popped, &fits);
        node->spilt_delay = (uint16_t)delay;
        fits &= inorder->current.part == STACK_BASE || delay <= 1;
        fits &= delay < FAR;
    }
    node->part = inorder->fetch_part;
    node->instructions = (uint16_t)(inorder->instructions - memo->before.instructions);
    node->bytes = (uint16_t)(inorder->bytes - memo->before.bytes);
    node->micro_ops = (uint16_t)(inorder->micro_ops - memo->before.micro_ops);
    for (unsigned i = 0; i + 1 < end; i++)
        fits &= !segment->code[i].branch;
    return fits && node->commit > 0; /* the base is far from the commit before it */
}

void inorder_memo_learn(struct core *core) {
    struct inorder *inorder = core->state;
    struct inorder_memo *memo = inorder->memo;
    const struct step *step = memo->learns;
    if (!step)
        return;
    memo->learns = NULL;
    struct node node = {.segment = step->segment, .parent = memo->at, .how = memo->how};
    bool room = memo->node_count < NODES, alike = has_hit(core, step);
    alike = alike && keep_stack(memo, &node, core->counts[step->segment->mode].stack) &&
            keep_timing(core, &node, step);
    room = room && (!alike || keep_accesses(memo, &node, step));
    alike = alike && room && keep_state(memo, &node, inorder);
    room = room && memo->word_count < WORDS;
    if (!room)
        inorder_memo_forget(core);
    if (!alike || !room) {
        memo->at = NOWHERE;
        return;
    }
    uint32_t *bucket = bucket_of(memo, step->segment);
    node.next = *bucket;
    *bucket = memo->node_count;
    memo->at = memo->node_count;
    memo->node[memo->node_count++] = node;
}

bool inorder_memo_run(struct core *core, const struct step *step) {
    struct inorder *inorder = core->state;
    struct inorder_memo *memo = inorder->memo;
    unsigned end = end_of(step), known = 0;
    if (!memo->on || !end)
        return false;
    start(core, step, end);
    if (memo->at == NOWHERE)
        return false;
    uint32_t found = find(memo, step->segment);
    if (!found) {
        make_real(inorder);
        expect(core, step);
        return false;
    }
    const struct node *node = &memo->node[found];
    bool spills = step->segment->spills && end == step->segment->count;
    if (!look_up(core, step, node, spills, &known)) {
        make_real(inorder);
        memo->at = NOWHERE;
        inorder->known = known;
        return false;
    }
    if (spills)
        pop_line(inorder, absolute(memo, node->spilt));
    advance(core, step, node);
    memo->at = found;
    memo->real = false;
    take_branch(core, step, end, absolute(memo, node->executed));
    core_advance(core, step->segment->mode, STACK_BASE, inorder->commit.cycle);
    return true;
}
