/* A pipelined in-order core, as gem5's MinorCPU, by time stamps: fetch of lines (Fetch1), of
 * instructions from them (Fetch2), decoding into micro-operations, issue, commit. Each
 * micro-operation is given, in program order, the cycles in which it passes these, from those of
 * the ones before it: widths, buffers between the stages, a scoreboard, units that stall while
 * their oldest operation waits to commit, a queue of loads and stores, a store buffer.
 *
 * Fetch runs ahead of the instructions, along the line of lines, until a branch calls it back: so
 * code behind a taken branch is fetched into the L1I in vain, and what is decoded of it must pass
 * the decoder before the right path does. How much that is, is estimated from how long ago the
 * branch was fetched and from the lengths of the instructions so far.
 *
 * Not modelled: data accesses of wrong paths; fetches of wrong paths beyond the page; what happens
 * on a wrong path after another predicted branch. */
#include <string.h>

#include "model/core_pipeline.h"

/* Units of a kind that are looked at; waits that are remembered; accesses under way in memory
 * (executeMaxAccessesInMemory of gem5's BaseMinorCPU.py). */
enum { MOST_UNITS = 8, WAITS = 4, MEMORY_ACCESSES = 2 };

/* Where a register's value comes from. */
struct value {
    uint64_t ready;     /* the scoreboard's promise */
    uint64_t committed; /* when it is kept */
};

/* A unit: its last operation. It stalls from that one's end to its commit. */
struct unit {
    uint64_t issued, ended, committed, next; /* next: the first cycle that takes another */
};

struct line {
    uint64_t address;  /* physical, of its first byte */
    uint64_t answered; /* when the L1I gave it; it reaches the decoder's side a cycle later */
    uint8_t part;      /* what was waited for */
};

struct inorder {
    struct value value[REGISTERS];
    struct operation_timing timing[OP_CLASSES];
    struct unit unit[UNIT_KINDS][MOST_UNITS];

    struct line current, ahead; /* ahead.answered == 0: not asked for yet */
    uint64_t virtual_address;   /* of current's first byte */
    const struct translation *translation;
    uint64_t popped;  /* when the line before `current` was used up */
    uint64_t restart; /* fetch starts anew in this cycle; 0: it goes on */

    struct port fetch, decode, commit;
    struct window decode_buffer, issue_buffer; /* groups: what a stage passes on in one cycle */
    uint64_t last_issue;                       /* cycle of the last micro-operation */
    uint64_t decode_least;                     /* the decoder still has a wrong path to pass */
    unsigned issued, memory_issued;            /* in last_issue */
    uint64_t memory_commit;                    /* cycle of the last commit of an access */
    uint8_t fetch_part;                        /* what the next instruction has waited for */
    uint8_t mode;

    /* the queue of loads and stores */
    uint64_t request;    /* when the last one was passed on: the queue of requests holds one */
    uint64_t last_store; /* commit of the last store */
    struct {             /* the last loads that were waited for as the oldest operation: from, to */
        uint64_t begun, ended;
    } wait[WAITS];
    unsigned waits;
    struct window stores;             /* the store buffer: until each is in the L1D */
    uint64_t store_begun;             /* of the last one that left it */
    uint64_t memory[MEMORY_ACCESSES]; /* accesses under way: until when */

    uint64_t instructions, bytes, micro_ops; /* so far: what wrong paths are estimated from */

    unsigned issue_width, memory_issue_width, branch_delay;
    uint64_t line_size;
    uint64_t entries[]; /* of the windows */
};

/* Groups that fit between Fetch2 and Decode; cycles that Execute assumes a load takes beyond its
 * unit (BaseMinorCPU.py of gem5: decodeInputBufferSize, MinorDefaultMemFU.extraAssumedLat). */
enum { DECODE_GROUPS = 3, ASSUMED_LOAD = 2 };

/* Between Decode and Execute. */
static uint64_t issue_groups(const struct core_parameters *c) {
    return later(c->window / c->front_width, 1);
}

static size_t size(const struct model_parameters *p) {
    return sizeof(struct inorder) +
           sizeof(uint64_t) * (DECODE_GROUPS + issue_groups(&p->core) + p->core.store_buffer);
}

static void init(struct core *core) {
    const struct core_parameters *c = &core->parameters->core;
    struct inorder *inorder = core->state;
    uint64_t *memory = inorder->entries;
    window_init(&inorder->decode_buffer, &memory, DECODE_GROUPS);
    window_init(&inorder->issue_buffer, &memory, issue_groups(c));
    window_init(&inorder->stores, &memory, c->store_buffer);
    operation_timings(inorder->timing, c);
    inorder->fetch.width = (unsigned)c->front_width;
    inorder->decode.width = (unsigned)c->front_width;
    inorder->commit.width = (unsigned)c->commit_width;
    inorder->issue_width = (unsigned)c->issue_width;
    inorder->memory_issue_width = (unsigned)c->memory_issue_width;
    inorder->branch_delay = (unsigned)c->branch_delay;
    inorder->line_size = core->parameters->line_size;
    inorder->current.address = UINT64_MAX;
}

/* Fetch1: asks for a line at this cycle. */
static void ask_for(struct core *core, enum model_mode mode, struct line *line, uint64_t address,
                    uint64_t virtual_address, const struct translation *translation, uint64_t now) {
    struct access_time time = core_fetch(core, mode, address, virtual_address, translation, now);
    *line = (struct line){address, time.ready, (uint8_t)time.part};
}

/* The line behind the current one can be asked for at this cycle: when the one before the current
 * has made room, and the current has arrived. */
static uint64_t ahead_begins(const struct inorder *inorder) {
    return later(inorder->current.answered + 1, inorder->popped);
}

static bool in_page(uint64_t virtual_address) {
    return virtual_address & 4095;
}

static void ask_ahead(struct core *core, enum model_mode mode) {
    struct inorder *inorder = core->state;
    ask_for(core, mode, &inorder->ahead, inorder->current.address + inorder->line_size,
            inorder->virtual_address + inorder->line_size, inorder->translation,
            ahead_begins(inorder));
}

/* The current line is used up in this cycle. */
static void pop_line(struct inorder *inorder, uint64_t cycle) {
    inorder->current = inorder->ahead;
    inorder->ahead.answered = 0;
    inorder->virtual_address += inorder->line_size;
    inorder->popped = cycle;
}

/* Fetch starts anew from this line at `cycle`, or when the fetch under way has ended: it cannot be
 * called back. */
static void start_line(struct core *core, const struct segment *segment, uint64_t offset,
                       uint64_t cycle) {
    struct inorder *inorder = core->state;
    const struct line *under_way = inorder->ahead.answered ? &inorder->ahead : &inorder->current;
    if (inorder->current.address != UINT64_MAX && under_way->answered >= cycle)
        cycle = under_way->answered + 1;
    uint64_t mask = inorder->line_size - 1;
    inorder->ahead.answered = 0;
    inorder->popped = 0;
    inorder->virtual_address = (segment->address & ~mask) + offset;
    inorder->translation = segment->translation;
    ask_for(core, segment->mode, &inorder->current, (segment->line & ~mask) + offset,
            inorder->virtual_address, segment->translation, cycle);
}

/* The earliest cycle in which Fetch2 has the line. */
static uint64_t arrival(const struct inorder *inorder) {
    return inorder->current.answered + 1;
}

/* A stage passes something on, in the group of this cycle or in a new one: that begins when the
 * buffer behind the stage has room. `left` is when the group before has left it. Returns the cycle.
 */
static uint64_t pass_on(struct port *stage, struct window *buffer, uint64_t least, uint64_t left) {
    uint64_t group = stage->cycle, cycle = port_take(stage, least);
    if (cycle == group)
        return cycle;
    if (group)
        window_take(buffer, left);
    uint64_t free = window_free(buffer);
    return free > cycle ? port_take(stage, free) : cycle;
}

/* The line at this offset from the segment's is needed. */
static void need_line(struct core *core, const struct segment *segment, uint64_t offset) {
    struct inorder *inorder = core->state;
    uint64_t address = (segment->line & -inorder->line_size) + offset;
    if (inorder->restart) {
        start_line(core, segment, offset, inorder->restart);
        inorder->restart = 0;
    } else if (inorder->current.address == address) {
        return;
    } else if (inorder->current.address + inorder->line_size == address &&
               in_page(inorder->virtual_address + inorder->line_size)) {
        if (!inorder->ahead.answered)
            ask_ahead(core, segment->mode);
        pop_line(inorder, inorder->fetch.cycle);
    } else {
        start_line(core, segment, offset, inorder->fetch.cycle + 1);
    }
    if (inorder->current.part != STACK_BASE && arrival(inorder) > inorder->fetch.cycle + 1)
        inorder->fetch_part = inorder->current.part;
}

static uint64_t average(uint64_t sum, uint64_t count, uint64_t otherwise) {
    return count ? (sum + count / 2) / count : otherwise;
}

/* Fetch2 is `used` bytes behind `address` on the wrong path; in the cycles up to `cycle` Fetch1 has
 * asked for the lines that this needed, and for those ahead of them. */
static void fetch_wrong_path(struct core *core, enum model_mode mode, uint64_t address,
                             uint64_t used, uint64_t begun, uint64_t cycle) {
    struct inorder *inorder = core->state;
    uint64_t cycles = cycle - begun;
    for (uint64_t now = begun;;) {
        uint64_t end = inorder->virtual_address + inorder->line_size;
        if (!in_page(end))
            return;
        if (!inorder->ahead.answered) {
            if (ahead_begins(inorder) >= cycle)
                return;
            ask_ahead(core, mode);
        }
        if (address + used < end)
            return;
        now = later(begun + (end > address ? (end - address) * cycles / (used + 1) : 0),
                    later(now, arrival(inorder)));
        if (now >= cycle)
            return;
        pop_line(inorder, now);
    }
}

/* Fetch went on behind a branch that was fetched at `fetched`, until it was called back at `cycle`.
 * What it handed on in the meantime, the decoder must still pass. */
static void abandon_path(struct core *core, enum model_mode mode, uint64_t fetched, uint64_t cycle,
                         uint64_t address) {
    struct inorder *inorder = core->state;
    uint64_t length = average(inorder->bytes, inorder->instructions, 4);
    /* micro-operations of sixteen instructions */
    uint64_t ops = average(16 * inorder->micro_ops, inorder->instructions, 24);
    uint64_t cycles = cycle - fetched, width = inorder->fetch.width;
    uint64_t handed_on = cycles * width, passed = 16 * cycles * width / ops;
    if (handed_on > passed + DECODE_GROUPS * width)
        handed_on = passed + DECODE_GROUPS * width;
    uint64_t left = handed_on > passed ? (handed_on - passed) * ops / 16 : 0;
    inorder->decode_least = later(inorder->decode_least, cycle + left / width);
    fetch_wrong_path(core, mode, address, handed_on * length, fetched, cycle);
}

/* Fetch2 foresees a jump at `cycle`: it drops its lines, which lets Fetch1 ask for one more before
 * it hears of it. */
static void drop_lines(struct core *core, enum model_mode mode, uint64_t cycle) {
    struct inorder *inorder = core->state;
    if (!in_page(inorder->virtual_address + inorder->line_size))
        return;
    if (inorder->ahead.answered && inorder->ahead.answered < cycle) {
        pop_line(inorder, cycle);
        if (!in_page(inorder->virtual_address + inorder->line_size))
            return;
    }
    if (!inorder->ahead.answered && ahead_begins(inorder) <= cycle)
        ask_ahead(core, mode);
}

static void fetch(struct core *core, const struct segment *segment, unsigned index) {
    struct inorder *inorder = core->state;
    if (inorder->mode != segment->mode && index == 0) {
        inorder->mode = segment->mode;
        /* an interrupt, a system call or a return from one: all before it has committed */
        inorder->restart =
            later(inorder->fetch.cycle, inorder->commit.cycle) + inorder->branch_delay;
        inorder->fetch_part = STACK_STRUCTURAL;
    }
    if (index == 0)
        need_line(core, segment, 0);
    if (segment->spills && index + 1u == segment->count)
        need_line(core, segment, inorder->line_size);
    /* Fetch2 */
    pass_on(&inorder->fetch, &inorder->decode_buffer, arrival(inorder), inorder->decode.cycle);
    inorder->instructions++;
    inorder->bytes += segment->code[index].length;
    inorder->micro_ops += segment->code[index].micro_op_count;
}

/* Decode: a micro-operation leaves it. */
static uint64_t decode(struct inorder *inorder) {
    uint64_t least = later(inorder->fetch.cycle + 1, inorder->decode_least);
    return pass_on(&inorder->decode, &inorder->issue_buffer, least, inorder->last_issue);
}

/* When this unit takes an operation that could be issued at `cycle`. */
static uint64_t unit_takes(const struct unit *unit, uint64_t cycle) {
    cycle = later(cycle, unit->next);
    return cycle >= unit->ended && cycle < unit->committed ? unit->committed : cycle;
}

static struct unit *choose_unit(struct inorder *inorder, const struct operation_timing *timing,
                                uint64_t *cycle) {
    struct unit *units = inorder->unit[timing->unit], *best = &units[0];
    uint64_t soonest = unit_takes(best, *cycle);
    for (unsigned i = 1; i < timing->units && i < MOST_UNITS && soonest > *cycle; i++) {
        uint64_t takes = unit_takes(&units[i], *cycle);
        if (takes < soonest) {
            soonest = takes;
            best = &units[i];
        }
    }
    *cycle = soonest;
    return best;
}

/* In order, so many a cycle; an access is the last of its cycle. */
static uint64_t issue_slot(const struct inorder *inorder, uint64_t cycle) {
    bool full = inorder->issued == inorder->issue_width ||
                inorder->memory_issued == inorder->memory_issue_width;
    return later(cycle, inorder->last_issue + full);
}

static void take_slot(struct inorder *inorder, uint64_t cycle, bool memory) {
    if (cycle != inorder->last_issue)
        inorder->issued = inorder->memory_issued = 0;
    inorder->last_issue = cycle;
    inorder->issued++;
    inorder->memory_issued += memory;
}

/* The access under way in memory that ends first: nothing new can begin before. */
static uint64_t *memory_slot(struct inorder *inorder) {
    uint64_t *first = &inorder->memory[0];
    for (unsigned i = 1; i < MEMORY_ACCESSES; i++)
        if (inorder->memory[i] < *first)
            first = &inorder->memory[i];
    return first;
}

/* A load that leaves its unit at `cycle`: when its data are there. */
static struct access_time load(struct core *core, const struct operation *operation,
                               uint64_t cycle) {
    struct inorder *inorder = core->state;
    /* Loads wait for the stores before them to be in the store buffer. */
    uint64_t begun = later(cycle, inorder->last_store + 1);
    inorder->request = begun;
    if (!operation->access)
        return (struct access_time){begun, STACK_BASE};
    uint64_t *slot = memory_slot(inorder);
    begun = later(begun, *slot);
    struct access_time time =
        core_data(core, operation->mode, operation->access, operation->pc, begun);
    *slot = time.ready;
    inorder->request = begun;
    return time;
}

/* A store that commits at `cycle` goes to the L1D from the store buffer. */
static void store(struct core *core, const struct operation *operation, uint64_t cycle) {
    struct inorder *inorder = core->state;
    uint64_t *slot = memory_slot(inorder);
    uint64_t begun = later(later(cycle + 1, inorder->store_begun), *slot);
    uint64_t done = core_data(core, operation->mode, operation->access, operation->pc, begun).ready;
    inorder->store_begun = begun;
    *slot = done;
    inorder->last_store = cycle;
    window_take(&inorder->stores, done);
}

/* While the oldest operation is a load that waits for its data, no other access is passed on
 * (Execute::getCommittingThread() of gem5); ones that came before it was the oldest are. */
static uint64_t pass_waits(const struct inorder *inorder, uint64_t cycle) {
    for (unsigned i = 0; i < WAITS; i++) {
        unsigned place = (inorder->waits + i) % WAITS; /* from the oldest */
        if (cycle > inorder->wait[place].begun && cycle < inorder->wait[place].ended)
            cycle = inorder->wait[place].ended;
    }
    return cycle;
}

static void add_wait(struct inorder *inorder, uint64_t begun, uint64_t ended) {
    inorder->wait[inorder->waits % WAITS].begun = begun;
    inorder->wait[inorder->waits % WAITS].ended = ended;
    inorder->waits++;
}

/* An access: from the end of its unit to its commit. Returns the earliest commit. */
static uint64_t access_memory(struct core *core, const struct operation *operation, uint64_t ended,
                              uint64_t sources, struct unit *unit, enum stack_part *part) {
    struct inorder *inorder = core->state;
    /* into the queue: when its operands are final and the request before it has been passed on */
    uint64_t queued = pass_waits(inorder, later(later(ended, sources), inorder->request));
    unit->committed = queued;
    inorder->request = queued;
    if (operation->op->op_class == OP_STORE)
        return later(queued, window_free(&inorder->stores));
    struct access_time time = load(core, operation, queued);
    if (time.part != STACK_BASE)
        *part = time.part;
    add_wait(inorder, later(queued, inorder->commit.cycle), time.ready);
    return time.ready;
}

static uint64_t commit(struct core *core, const struct operation *operation, uint64_t least,
                       enum stack_part part, bool memory) {
    struct inorder *inorder = core->state;
    if (memory)
        least = later(least, inorder->memory_commit + 1);
    uint64_t cycle = port_take(&inorder->commit, least);
    if (memory)
        inorder->memory_commit = cycle;
    pipeline_commit(core, operation->mode, part, cycle);
    return cycle;
}

static uint64_t execute(struct core *core, const struct operation *operation) {
    struct inorder *inorder = core->state;
    const struct micro_op *op = operation->op;
    const struct operation_timing *timing = &inorder->timing[op->op_class];
    bool memory = op->op_class == OP_LOAD || op->op_class == OP_STORE;
    enum stack_part part = inorder->fetch_part;

    uint64_t cycle = later(decode(inorder) + 1, inorder->last_issue), sources = 0;
    if (op->flags & MICRO_SERIALIZE_BEFORE)
        cycle = later(cycle, inorder->commit.cycle);
    uint64_t decoded = cycle;
    for (unsigned i = 0; i < MICRO_SOURCES && op->source[i]; i++) {
        const struct value *value = &inorder->value[op->source[i]];
        if (value->ready > cycle + timing->slack)
            cycle = value->ready - timing->slack;
        sources = later(sources, value->committed);
    }
    if (cycle > decoded)
        part = STACK_STRUCTURAL;
    cycle = issue_slot(inorder, cycle);
    if (op->op_class == OP_NOTHING) { /* costs its slot alone */
        take_slot(inorder, cycle, false);
        return later(cycle, inorder->commit.cycle);
    }
    inorder->fetch_part = STACK_BASE; /* the first one that commits has waited for it */
    struct unit *unit = choose_unit(inorder, timing, &cycle);
    take_slot(inorder, cycle, memory);
    uint64_t ended = cycle + timing->latency;
    if (cycle < unit->ended && unit->committed > unit->ended)
        ended = later(ended, unit->committed + (cycle - unit->issued));
    unit->issued = cycle;
    unit->ended = ended;
    unit->next = cycle + timing->interval;
    uint64_t least = ended;
    if (memory)
        least = access_memory(core, operation, ended, sources, unit, &part);
    uint64_t committed = commit(core, operation, least, part, memory);
    if (!memory)
        unit->committed = committed;
    else if (op->op_class == OP_STORE && operation->access)
        store(core, operation, committed);

    uint64_t ready = cycle + timing->latency + (op->op_class == OP_LOAD ? ASSUMED_LOAD : 0);
    for (unsigned i = 0; i < MICRO_DESTINATIONS && op->destination[i]; i++)
        inorder->value[op->destination[i]] = (struct value){ready, committed};
    if (op->flags & MICRO_SERIALIZE_AFTER)
        inorder->decode_least = later(inorder->decode_least, committed + 1);
    return committed;
}

static void branch(struct core *core, const struct instruction *instruction, uint64_t pc,
                   enum model_mode mode, uint64_t executed, bool taken,
                   enum branch_outcome outcome) {
    struct inorder *inorder = core->state;
    uint64_t fetched = inorder->fetch.cycle;
    if (outcome != BRANCH_PREDICTED) {
        inorder->restart = executed + inorder->branch_delay;
        abandon_path(core, mode, fetched, inorder->restart, pc + instruction->length);
        inorder->fetch_part = STACK_BRANCH;
    } else if (taken) {
        inorder->restart = fetched + 1;
        drop_lines(core, mode, fetched);
    }
}

static void run(struct core *core, const struct step *step) {
    pipeline_run(core, step, (struct pipeline_stages){fetch, execute, branch});
}

const struct core_model core_inorder = {
    .name = "inorder",
    .decodes = true,
    .size = size,
    .init = init,
    .run = run,
};
