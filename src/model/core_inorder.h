/* The in-order pipeline's state, for its own files: core_inorder.c (the pipeline), and
 * core_inorder_memo.c (what has been seen of it before). */
#ifndef SLS_MODEL_CORE_INORDER_H
#define SLS_MODEL_CORE_INORDER_H

#include "model/core_pipeline.h"

/* Units of a kind that are looked at, at most; waits that are remembered; accesses under way in
 * memory (executeMaxAccessesInMemory of gem5's BaseMinorCPU.py). */
enum { MOST_UNITS = 8, WAITS = 4, MEMORY_ACCESSES = 2 };

/* A queue whose entries are taken and given back in order: when each was, or will be, free. */
struct window {
    uint64_t *free;
    unsigned size, next;
};

static inline void window_init(struct window *window, uint64_t **memory, uint64_t size) {
    *window = (struct window){*memory, (unsigned)size, 0};
    *memory += size;
}

/* When the next entry is free. */
static inline uint64_t window_free(const struct window *window) {
    return window->free[window->next];
}

/* Take it; it is given back in this cycle. */
static inline void window_take(struct window *window, uint64_t until) {
    window->free[window->next] = until;
    if (++window->next == window->size)
        window->next = 0;
}

/* A unit: its last operation. It stalls from that one's end to its commit. */
struct unit {
    uint64_t issued, ended, committed, next; /* next: the first cycle that takes another */
};

/* How long an operation of a class takes, and its units: first … last. */
struct timing {
    unsigned latency, interval, slack;
    struct unit *first, *last;
};

/* What may be issued in a cycle: all, and accesses; none when one of the two is 0. */
struct slots {
    int all, accesses;
};

struct line {
    uint64_t address;     /* physical, of its first byte */
    uint64_t answered;    /* when the L1I gave it; it reaches the decoder's side a cycle later */
    enum stack_part part; /* what was waited for */
};

/* The step's look-ups of data, in their order: those that have been made, perhaps before the
 * pipeline came to them. */
enum { MOST_ASKED = 64 };
struct asked {
    unsigned next, count; /* next: the one that the pipeline comes to */
    struct answered {
        uint64_t begun, address, size;
        struct access_time time;
    } answer[MOST_ASKED];
};

/* What changes with each micro-operation comes first, where the host's short instructions reach.
 * Nothing is a char: a store to one would make the compiler read everything else again. */
struct inorder {
    struct port fetch, decode, commit; /* commit.cycle: the core's clock */
    uint64_t decode_least; /* nothing is decoded before: its instruction is being fetched, or the
                              decoder still has a wrong path to pass */
    uint64_t last_issue, next_issue; /* of the last micro-operation; of the next, at least */
    struct slots slots_left, slots;  /* of last_issue; of each cycle */
    enum stack_part fetch_part;      /* what the next instruction has waited for */
    enum model_mode mode;

    struct line current, ahead; /* ahead.answered == 0: not asked for yet */
    uint64_t virtual_address;   /* of current's first byte */
    const struct translation *translation;
    uint64_t popped;  /* when the line before `current` was used up */
    uint64_t restart; /* fetch starts anew in this cycle; 0: it goes on */

    struct window decode_buffer, issue_buffer; /* groups: what a stage passes on in one cycle */

    struct window stores;          /* the store buffer: until each is in the L1D */
    unsigned wait_first, wait_end; /* of `wait`: those that may still matter, modulo WAITS */

    /* What wrong paths are estimated from: so far; on average, of an instruction and of sixteen.
     * Sums and averages in turn, or the compiler adds to two at once, which is slower. */
    uint64_t instructions, average_length, bytes, average_ops, micro_ops;

    unsigned branch_delay, entry_count;
    uint64_t line_size;
    uint64_t executed; /* the last branch */
    struct timing timing[OP_CLASSES];
    const struct timing *timing_of[OP_CLASSES]; /* for one load where a product would be */
    struct inorder_memo *memo;
    struct asked asked;

    /* From here to the end, and nowhere but at the start: cycles that are forgotten when they are
     * far enough in the past. The memo reads them as an array. */
    struct {
        /* the queue of loads and stores */
        uint64_t request;    /* when the last one was passed on: the queue of requests holds one */
        uint64_t last_store; /* commit of the last store */
        uint64_t memory_commit; /* of the last access */
        struct { /* the last loads that were waited for as the oldest operation: from, to */
            uint64_t begun, ended;
        } wait[WAITS];
        uint64_t store_begun;             /* of the last one that left the store buffer */
        uint64_t memory[MEMORY_ACCESSES]; /* accesses under way: until when */
        /* Of each register's value; of REGISTER_NONE: 0 when it is read. */
        uint64_t ready[REGISTERS];     /* the scoreboard's promise */
        uint64_t committed[REGISTERS]; /* when it is kept */
    };
    uint64_t entries[]; /* of the windows; then the units, which are stamps all through */
};

/* Cycles that Execute assumes a load takes beyond its
 * unit (extraAssumedLat of gem5's MinorDefaultMemFU). */
enum { ASSUMED_LOAD = 2 };

/* The earliest cycle in which Fetch2 has the current line. */
static inline uint64_t line_arrival(const struct inorder *inorder) {
    return inorder->current.answered + 1;
}

/* Whether this is not the first byte of a page. */
static inline bool in_page(uint64_t virtual_address) {
    return virtual_address & 4095;
}

/* The current line is used up in this cycle. */
static inline void pop_line(struct inorder *inorder, uint64_t cycle) {
    inorder->current = inorder->ahead;
    inorder->ahead.answered = 0;
    inorder->virtual_address += inorder->line_size;
    inorder->popped = cycle;
}

/* Ask for the line behind the current one. */
void inorder_ask_ahead(struct core *core, enum model_mode mode);

/* The line at this offset from the segment's is needed.
 * Nothing is done if it is the current one. */
void inorder_need_line(struct core *core, const struct segment *segment, uint64_t offset);

/* The first instruction of a segment is in this mode, which is not that of the one before. */
void inorder_change_mode(struct inorder *inorder, enum model_mode mode);

/* struct pipeline_stages. */
bool inorder_branch(struct core *core, const struct instruction *instruction, uint64_t pc,
                    enum model_mode mode, uint64_t executed, bool taken,
                    struct branch_prediction prediction);

#endif
