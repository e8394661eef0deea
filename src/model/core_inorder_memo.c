/* A tree of steps. Its root is a pipeline that is at rest; a node is a step after the one above it.
 * A node keeps what the pipeline computed when it was first there: cycles, relative to the one in
 * which the first line of code arrived, the base. They are the same each time, because
 *
 * - at the root nothing that came before matters (is_at_rest());
 * - from there on, timing is a function of the segments and the ends of the steps, of when their
 *   lines of code arrive, and of when data do. That is what nodes are told apart by.
 *
 * Caches, the wrong paths behind branches, the predictor and the counters of all these are not in
 * the tree: they are the real ones, asked at the cycles and in the order in which the pipeline
 * would ask them. A node says when the next look-up is due; if its answer is another than it was,
 * there may be another node, which is alike so far.
 *
 * Where there is none, the pipeline gets the state back that the node above has kept (make_real())
 * and does the step, but for look-ups that have been made: struct asked has their answers. So a new
 * node comes to be.
 *
 * After a mispredicted branch the pipeline is at rest, but for stores that miss. With no prediction
 * every branch that is taken is one. */
#include "model/core_inorder_memo.h"

#include <string.h>

enum {
    NODES = 1 << 15, /* when they are used up, or the words, all is forgotten: 13 MB in all */
    PLACES = 2 * NODES,
    WORDS = 1 << 21,
    MOST_ALIKE = 16,   /* nodes that are alike but for answers; more are not looked at */
    NEAR_LOOK_UPS = 3, /* look-ups that fit into a node */
    MOST_STACK = 4,    /* parts of the stack that a node can add to */
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

/* A look-up: its access, and what its answer was put under (shape_of()); when it was begun, and
 * when the core had it. */
struct look_up {
    uint32_t shape;
    relative begun, ready;
};

/* Two of the host's cache lines: the first says whether it is the one that is looked for. */
struct node {
    /* which one it is */
    const struct segment *segment;
    uint32_t parent;
    uint32_t how;         /* see how() */
    uint32_t followed_by; /* the node that was taken after it last, its child or the root's */
    uint32_t words;       /* the place in `words` of the stamps that are not long ago: place << 16 |
                             relative; then of its look-ups, if they are many */
    uint16_t stamp_count;
    uint8_t look_up_count, stack_count;
    struct look_up look_up[NEAR_LOOK_UPS];
    relative spilt;      /* when the line after the first one is needed */
    uint32_t spilt_late; /* late(): … until it arrives, and from where; only compared */
    /* what the step does */
    relative fetch, commit, decode_least, next_issue, executed, memory[MEMORY_ACCESSES];
    uint16_t instructions, bytes, micro_ops;
    uint8_t part;               /* at the end: struct inorder's fetch_part */
    bool branches;              /* its last instruction is a branch */
    uint32_t stack[MOST_STACK]; /* cycles that are not STACK_BASE: part << 24 | cycles */
    struct rest rest;
} __attribute__((aligned(128)));
_Static_assert(sizeof(struct node) == 128, "a node must fit two lines");

enum { LOOK_UP_WORDS = sizeof(struct look_up) / sizeof(uint32_t) };

struct inorder_memo {
    uint64_t base;
    uint32_t at;   /* node; NOWHERE */
    bool on, real; /* real: struct inorder has the state of `at`; else only what advance() sets */
    const struct step *learns; /* the step under way, if it is to be learnt */
    uint64_t margin;           /* how long after its last commit a unit may still be taken */
    uint32_t how;              /* of the step under way */
    uint32_t node_count, word_count;
    struct { /* before a step that is to be learnt */
        uint64_t stack[STACK_PARTS], instructions, bytes, micro_ops, gap;
    } before;
    uint32_t last; /* the node that was taken or learnt last; ROOT: none yet */
    /* Where a node is, by a hash of which one it is; in the next places, if others are there. */
    struct place {
        uint32_t hash, node; /* ROOT: none */
    } place[PLACES];
    struct node node[NODES];
    uint32_t words[WORDS];
};

enum { ALIGNED = _Alignof(struct inorder_memo) };
const size_t inorder_memo_size = sizeof(struct inorder_memo) + ALIGNED - 1;

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
    uintptr_t behind = (uintptr_t)(inorder->entries + inorder->entry_count);
    struct inorder_memo *memo =
        (struct inorder_memo *)((behind + ALIGNED - 1) & -(uintptr_t)ALIGNED);
    inorder->memo = memo;
    memo->on = stamp_count_of(inorder) <= UINT16_MAX;
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
        uint32_t word = memo->words[node->words + i];
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
    memo->last = ROOT;
    memo->node[ROOT].followed_by = ROOT;
    memset(memo->place, 0, sizeof memo->place);
}

void inorder_memo_off(struct core *core) {
    inorder_memo_forget(core);
    ((struct inorder *)core->state)->memo->on = false;
}

/* Whether nothing that came before matters to what is fetched from now on. What is in the line
 * that arrives at the base is decoded a cycle later at least, and issued, at least, the cycle
 * after. By then
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

/* How long after this cycle a line arrives, and what is waited for, if anything is. */
static inline uint32_t late(const struct line *line, uint64_t cycle) {
    uint64_t delay = after(line->answered + 1, cycle);
    return (uint32_t)delay << 8 | (delay > 1 ? line->part : STACK_BASE);
}

/* What, beside its segment and the step before it, a step is told apart by: how many instructions,
 * what the first one has waited for, and how long: at the root, after the base to be decoded, else
 * after the one before it to be fetched. */
static inline uint32_t how(const struct inorder *inorder, unsigned end, uint64_t delay) {
    return end | (uint32_t)inorder->fetch_part << 8 | (uint32_t)delay << 16;
}

/* The line of the step's first instruction is fetched, as the pipeline would. Says where in the
 * tree that is. */
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

static inline bool is_node(const struct node *node, uint32_t parent, const struct segment *segment,
                           uint32_t how) {
    return node->segment == segment && node->how == how && node->parent == parent;
}

static inline uint32_t hash_of(const struct inorder_memo *memo, const struct segment *segment) {
    uint64_t hash = ((uintptr_t)segment >> 3) + ((uint64_t)memo->at << 32) + memo->how;
    return (uint32_t)(hash * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

/* A look-up's access, and what its answer was put under. */
static inline uint32_t shape_of(const struct access *access) {
    return access->size | (uint32_t)access->instruction << 8 | (uint32_t)access->store << 16 |
           (uint32_t)access->uncached << 24;
}
enum { SHAPE_PART = 28 };
_Static_assert(STACK_PARTS <= 16, "a part must fit behind a shape");

/* So many look-ups does it take. */
static inline unsigned pieces_of(const struct access *access) {
    return (access->size + 7u) / 8;
}

/* A piece of the access is looked up when the node says. */
static inline void ask(struct core *core, const struct segment *segment,
                       const struct access *access, unsigned piece, relative begun) {
    struct inorder *inorder = core->state;
    struct answered *answered = &inorder->asked.answer[inorder->asked.count++];
    answered->begun = absolute(inorder->memo, begun);
    answered->address = access->address + 8ull * piece;
    answered->size = access->size <= 8 ? access->size : 8;
    uint64_t pc = segment->address + segment->instruction[access->instruction].offset;
    if (__builtin_expect(access->size <= 8, 1)) {
        answered->time = core_data(core, segment->mode, access, pc, answered->begun);
        return;
    }
    struct access part = *access;
    part.address += 8ull * piece;
    part.virtual_address += 8ull * piece;
    part.size = 8;
    answered->time = core_data(core, segment->mode, &part, pc, answered->begun);
}

/* Whether the line that the last instruction reaches into arrives when it did. */
static inline bool spills_alike(struct core *core, const struct segment *segment,
                                const struct node *node) {
    struct inorder *inorder = core->state;
    if (!inorder->ahead.answered)
        inorder_ask_ahead(core, segment->mode);
    return late(&inorder->ahead, absolute(inorder->memo, node->spilt)) == node->spilt_late;
}

static inline const struct look_up *look_ups_of(const struct inorder_memo *memo,
                                                const struct node *node) {
    if (__builtin_expect(node->look_up_count > NEAR_LOOK_UPS, 0))
        return (const struct look_up *)&memo->words[node->words + node->stamp_count];
    return node->look_up;
}

/* The step's look-ups that have not been made, in the order in which the pipeline makes them, until
 * one is not as it was: then false. */
static inline bool looks_alike(struct core *core, const struct step *step, const struct node *node,
                               bool spills) {
    struct inorder *inorder = core->state;
    const struct asked *asked = &inorder->asked;
    const struct look_up *look_up = look_ups_of(inorder->memo, node);
    const struct access *access = step->accesses, *end = access + step->access_count;
    unsigned last = step->segment->count - 1u, piece = 0;
    for (unsigned i = 0; i < node->look_up_count; i++, look_up++) {
        if (access == end)
            return false;
        if (spills && access->instruction >= last) {
            if (!spills_alike(core, step->segment, node))
                return false;
            spills = false;
        }
        if (((look_up->shape ^ shape_of(access)) & ((1u << SHAPE_PART) - 1)) != 0)
            return false;
        if (i == asked->count)
            ask(core, step->segment, access, piece, look_up->begun);
        const struct answered *answered = &asked->answer[i];
        if (answered->time.ready - inorder->memo->base != look_up->ready ||
            look_up->shape >> SHAPE_PART != answered->time.part)
            return false;
        if (++piece == pieces_of(access))
            access++, piece = 0;
    }
    return access == end && (!spills || spills_alike(core, step->segment, node));
}

/* Time and counts, as the pipeline would have left them. */
static inline void advance(struct core *core, const struct step *step, const struct node *node) {
    struct inorder *inorder = core->state;
    const struct inorder_memo *memo = inorder->memo;
    struct core_counts *counts = &core->counts[step->segment->mode];
    uint64_t waited = 0;
    for (unsigned i = 0; i < node->stack_count; i++) {
        uint32_t cycles = node->stack[i] & 0xffffff;
        counts->stack[node->stack[i] >> 24] += cycles;
        waited += cycles;
    }
    if (node->parent == ROOT) { /* from the last commit to the base */
        counts->stack[inorder->fetch_part] += memo->base - inorder->commit.cycle;
        waited += memo->base - inorder->commit.cycle;
    }
    counts->stack[STACK_BASE] -= waited;
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
    if (core->branch)
        pipeline_branch(core, last, segment->address + segment->instruction[end - 1].offset,
                        segment->mode, executed, step_next(step),
                        (struct pipeline_stages){.branch = inorder_branch});
}

/* A step without a node comes. */
static void expect(struct core *core, const struct step *step) {
    struct inorder *inorder = core->state;
    struct inorder_memo *memo = inorder->memo;
    memo->learns = step;
    memcpy(memo->before.stack, core->counts[step->segment->mode].stack, sizeof memo->before.stack);
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

/* False: there is no room; then all count as used up. */
static bool keep_words(struct inorder_memo *memo, const void *words, unsigned count) {
    if (WORDS - memo->word_count < count) {
        memo->word_count = WORDS;
        return false;
    }
    memcpy(&memo->words[memo->word_count], words, count * sizeof memo->words[0]);
    memo->word_count += count;
    return true;
}

/* False: they were not all asked for, piece by piece; or there is no room. */
static bool keep_look_ups(struct inorder_memo *memo, struct node *node, const struct step *step,
                          const struct asked *asked) {
    unsigned count = 0;
    bool fits = asked->next == asked->count, near = asked->count <= NEAR_LOOK_UPS;
    for (unsigned i = 0; i < step->access_count; i++) {
        const struct access *access = &step->accesses[i];
        for (unsigned piece = 0; piece < pieces_of(access); piece++, count++) {
            const struct answered *answered = &asked->answer[count];
            if (count == asked->count || answered->address != access->address + 8ull * piece ||
                answered->size != (access->size <= 8 ? access->size : 8))
                return false;
            struct look_up look_up = {
                .shape = shape_of(access) | (uint32_t)answered->time.part << SHAPE_PART,
                .begun = keep(memo, answered->begun, &fits),
                .ready = keep(memo, answered->time.ready, &fits),
            };
            if (near)
                node->look_up[count] = look_up;
            else
                fits = fits && keep_words(memo, &look_up, LOOK_UP_WORDS);
        }
    }
    node->look_up_count = (uint8_t)count;
    return fits && count == asked->count;
}

/* What make_real() makes of it. */
static bool keep_state(struct inorder_memo *memo, struct node *node, struct inorder *inorder) {
    const uint64_t *stamps = stamps_of(inorder);
    bool fits = true;
    node->words = memo->word_count;
    for (unsigned i = 0; i < stamp_count_of(inorder); i++) {
        if (stamps[i] <= memo->base)
            continue;
        uint32_t word = i << 16 | keep(memo, stamps[i], &fits);
        fits = keep_words(memo, &word, 1) && fits;
        node->stamp_count++;
    }
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

/* Whether the first to commit may have waited for something else than its line: a load for data. */
static bool begins_with_miss(const struct step *step, const struct asked *asked) {
    const struct micro_op *op = segment_micro_ops(step->segment);
    while (op->op_class == OP_NOTHING)
        op++;
    return op->op_class == OP_LOAD && asked->count && asked->answer[0].time.part != STACK_BASE;
}

/* Cycles by what they were put under. At the root, but for those from the last commit to the base,
 * which are the first line's. */
static bool keep_stack(const struct inorder_memo *memo, struct node *node, const struct step *step,
                       const uint64_t *stack, const struct asked *asked) {
    uint64_t gap = memo->before.gap;
    enum stack_part part = memo->how >> 8 & 0xff;
    if (node->parent == ROOT && (part == STACK_BASE || begins_with_miss(step, asked)))
        return false;
    for (unsigned i = STACK_BASE + 1; i < STACK_PARTS; i++) {
        uint64_t cycles = stack[i] - memo->before.stack[i] - (i == part ? gap : 0);
        if (!cycles)
            continue;
        if (cycles >> 24 || node->stack_count == MOST_STACK)
            return false;
        node->stack[node->stack_count++] = i << 24 | (uint32_t)cycles;
    }
    return true;
}

static bool keep_timing(const struct core *core, struct node *node, const struct step *step) {
    const struct inorder *inorder = core->state;
    const struct inorder_memo *memo = inorder->memo;
    const struct segment *segment = step->segment;
    unsigned end = step_end(step);
    bool fits = true;
    node->fetch = keep(memo, inorder->fetch.cycle, &fits);
    node->commit = keep(memo, inorder->commit.cycle, &fits);
    node->decode_least = keep(memo, inorder->decode_least, &fits);
    node->next_issue = keep(memo, inorder->next_issue, &fits);
    node->executed = keep(memo, inorder->executed, &fits);
    for (unsigned i = 0; i < MEMORY_ACCESSES; i++)
        node->memory[i] = keep(memo, inorder->memory[i], &fits);
    if (segment->spills && end == segment->count) {
        node->spilt = keep(memo, inorder->popped, &fits);
        node->spilt_late = late(&inorder->current, inorder->popped);
        keep(memo, line_arrival(inorder), &fits);
    }
    node->part = (uint8_t)inorder->fetch_part;
    node->branches = segment->code[end - 1].branch != BRANCH_NONE;
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
    uint32_t words = memo->word_count;
    bool alike =
        memo->node_count < NODES && keep_timing(core, &node, step) &&
        keep_stack(memo, &node, step, core->counts[step->segment->mode].stack, &inorder->asked) &&
        keep_state(memo, &node, inorder) && keep_look_ups(memo, &node, step, &inorder->asked);
    if (!alike) {
        memo->at = NOWHERE;
        if (memo->node_count == NODES || memo->word_count == WORDS)
            inorder_memo_forget(core);
        else
            memo->word_count = words;
        return;
    }
    uint32_t hash = hash_of(memo, step->segment), i = hash;
    while (memo->place[i % PLACES].node != ROOT)
        i++;
    memo->place[i % PLACES] = (struct place){hash, memo->node_count};
    memo->node[memo->node_count] = node;
    memo->node[memo->last].followed_by = memo->node_count;
    memo->at = memo->last = memo->node_count++;
}

/* The node of the step, after its look-ups, or NULL. */
static inline const struct node *take_node(struct core *core, const struct step *step,
                                           bool spills) {
    struct inorder *inorder = core->state;
    struct inorder_memo *memo = inorder->memo;
    uint32_t *expected = &memo->node[memo->last].followed_by, first = *expected;
    const struct node *node = &memo->node[first];
    if (is_node(node, memo->at, step->segment, memo->how) && looks_alike(core, step, node, spills))
        return node;
    uint32_t hash = hash_of(memo, step->segment);
    unsigned alike = 0;
    const struct place *place;
    for (uint32_t i = hash; (place = &memo->place[i % PLACES])->node != ROOT; i++) {
        node = &memo->node[place->node];
        if (place->hash != hash || place->node == first ||
            !is_node(node, memo->at, step->segment, memo->how))
            continue;
        if (looks_alike(core, step, node, spills)) {
            *expected = place->node;
            return node;
        }
        if (++alike == MOST_ALIKE) {
            make_real(inorder);
            memo->at = NOWHERE;
            return NULL;
        }
    }
    expect(core, step);
    return NULL;
}

bool inorder_memo_run(struct core *core, const struct step *step) {
    struct inorder *inorder = core->state;
    struct inorder_memo *memo = inorder->memo;
    unsigned end = step_end(step);
    inorder->asked.next = inorder->asked.count = 0;
    if (!memo->on || !end)
        return false;
    start(core, step, end);
    if (memo->at == NOWHERE)
        return false;
    bool spills = step->segment->spills && end == step->segment->count;
    const struct node *node = take_node(core, step, spills);
    if (!node) {
        make_real(inorder);
        return false;
    }
    if (spills)
        pop_line(inorder, absolute(memo, node->spilt));
    advance(core, step, node);
    memo->at = memo->last = (uint32_t)(node - memo->node);
    memo->real = false;
    __builtin_prefetch(&memo->node[node->followed_by]);
    if (node->branches)
        take_branch(core, step, end, absolute(memo, node->executed));
    core_advance(core, step->segment->mode, STACK_BASE, inorder->commit.cycle);
    return true;
}
