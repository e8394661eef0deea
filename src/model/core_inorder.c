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
#include "model/core_inorder_memo.h"

/* Groups that fit between Fetch2 and Decode (decodeInputBufferSize of gem5's BaseMinorCPU.py). */
enum { DECODE_GROUPS = 3 };

/* Between Decode and Execute. */
static uint64_t issue_groups(const struct core_parameters *c) {
    return later(c->window / c->front_width, 1);
}

/* Units of a kind: at least one, for what the parameters forgot. */
static unsigned units(const struct core_parameters *c, enum unit_kind kind) {
    return (unsigned)(c->units[kind] < MOST_UNITS ? later(c->units[kind], 1) : MOST_UNITS);
}

static size_t entries(const struct core_parameters *c) {
    size_t count = DECODE_GROUPS + issue_groups(c) + c->store_buffer;
    for (unsigned kind = 0; kind < UNIT_KINDS; kind++)
        count += units(c, kind) * sizeof(struct unit) / sizeof(uint64_t);
    return count;
}

static size_t size(const struct model_parameters *p) {
    return sizeof(struct inorder) + sizeof(uint64_t) * entries(&p->core) + inorder_memo_size;
}

static void init_timing(struct inorder *inorder, const struct core_parameters *c,
                        uint64_t *memory) {
    struct unit *first[UNIT_KINDS], *unit = (struct unit *)memory;
    for (unsigned kind = 0; kind < UNIT_KINDS; unit += units(c, kind++))
        first[kind] = unit;
    inorder->timing[OP_NOTHING] = (struct timing){.first = first[0], .last = first[0]}; /* unused */
    for (unsigned i = OP_NOTHING + 1; i < OP_CLASSES; i++) {
        const struct operation_parameters *operation = &c->operations[i];
        unsigned kind = unit_kind_find(operation->unit);
        inorder->timing[i] = (struct timing){
            (unsigned)operation->latency, (unsigned)operation->interval, (unsigned)operation->slack,
            first[kind], first[kind] + units(c, kind) - 1};
    }
    for (unsigned i = 0; i < OP_CLASSES; i++)
        inorder->timing_of[i] = &inorder->timing[i];
}

static void init(struct core *core) {
    const struct core_parameters *c = &core->parameters->core;
    struct inorder *inorder = core->state;
    uint64_t *memory = inorder->entries;
    window_init(&inorder->decode_buffer, &memory, DECODE_GROUPS);
    window_init(&inorder->issue_buffer, &memory, issue_groups(c));
    window_init(&inorder->stores, &memory, c->store_buffer);
    init_timing(inorder, c, memory);
    inorder->fetch.width = (int)c->front_width;
    inorder->decode.width = (int)c->front_width;
    inorder->commit.width = (int)c->commit_width;
    inorder->slots = (struct slots){(int)c->issue_width, (int)c->memory_issue_width};
    inorder->branch_delay = (unsigned)c->branch_delay;
    inorder->line_size = core->parameters->line_size;
    inorder->current.address = UINT64_MAX;
    inorder->entry_count = (unsigned)entries(c);
    inorder_memo_init(core);
}

/* Fetch1: asks for a line at this cycle. */
static void ask_for(struct core *core, enum model_mode mode, struct line *line, uint64_t address,
                    uint64_t virtual_address, const struct translation *translation, uint64_t now) {
    struct access_time time = core_fetch(core, mode, address, virtual_address, translation, now);
    *line = (struct line){address, time.ready, time.part};
}

/* The line behind the current one can be asked for at this cycle: when the one before the current
 * has made room, and the current has arrived. */
static uint64_t ahead_begins(const struct inorder *inorder) {
    return later(inorder->current.answered + 1, inorder->popped);
}

void inorder_ask_ahead(struct core *core, enum model_mode mode) {
    struct inorder *inorder = core->state;
    ask_for(core, mode, &inorder->ahead, inorder->current.address + inorder->line_size,
            inorder->virtual_address + inorder->line_size, inorder->translation,
            ahead_begins(inorder));
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

/* A stage passes something on, in the group of this cycle or in a
 * new one: that begins when the buffer behind the stage has room.
 * `left` is when the group before has left it. Returns the cycle. */
static inline uint64_t pass_on(struct port *stage, struct window *buffer, uint64_t least,
                               uint64_t left) {
    if (port_joins(stage, least))
        return stage->cycle;
    least = later(least, stage->cycle + 1);
    window_take(buffer, left);
    return port_moves(stage, later(least, window_free(buffer)));
}

void inorder_need_line(struct core *core, const struct segment *segment, uint64_t offset) {
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
            inorder_ask_ahead(core, segment->mode);
        pop_line(inorder, inorder->fetch.cycle);
    } else {
        start_line(core, segment, offset, inorder->fetch.cycle + 1);
    }
    if (inorder->current.part != STACK_BASE && line_arrival(inorder) > inorder->fetch.cycle + 1)
        inorder->fetch_part = inorder->current.part;
}

/* Of two numbers that are small as a rule: then the host takes half of the time. */
static inline uint64_t quotient(uint64_t a, uint64_t b) {
    return (a | b) >> 32 ? a / b : (uint32_t)a / (uint32_t)b;
}

/* It moves little: not divided while it is the one it was. */
static inline uint64_t average(uint64_t sum, uint64_t count, uint64_t *last) {
    sum += count / 2;
    if (sum - *last * count >= count) /* also if it is less */
        *last = sum / count;
    return *last;
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
            inorder_ask_ahead(core, mode);
        }
        if (address + used < end)
            return;
        now = later(begun + (end > address ? quotient((end - address) * cycles, used + 1) : 0),
                    later(now, line_arrival(inorder)));
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
    uint64_t length = average(inorder->bytes, inorder->instructions, &inorder->average_length);
    /* micro-operations of sixteen instructions */
    uint64_t ops = average(16 * inorder->micro_ops, inorder->instructions, &inorder->average_ops);
    uint64_t cycles = cycle - fetched, width = inorder->fetch.width;
    uint64_t handed_on = cycles * width, passed = quotient(16 * cycles * width, ops);
    if (handed_on > passed + DECODE_GROUPS * width)
        handed_on = passed + DECODE_GROUPS * width;
    uint64_t left = handed_on > passed ? (handed_on - passed) * ops / 16 : 0;
    inorder->decode_least = later(inorder->decode_least, cycle + quotient(left, width));
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
        inorder_ask_ahead(core, mode);
}

void inorder_change_mode(struct inorder *inorder, enum model_mode mode) {
    inorder->mode = mode;
    /* an interrupt, a system call or a return from one: all before it has committed */
    inorder->restart = later(inorder->fetch.cycle, inorder->commit.cycle) + inorder->branch_delay;
    inorder->fetch_part = STACK_STRUCTURAL;
}

static inline void fetch(struct core *core, const struct segment *segment, unsigned index) {
    struct inorder *inorder = core->state;
    if (index == 0) {
        if (inorder->mode != segment->mode)
            inorder_change_mode(inorder, segment->mode);
        inorder_need_line(core, segment, 0);
    }
    if (segment->spills && index + 1u == segment->count)
        inorder_need_line(core, segment, inorder->line_size);
    /* Fetch2 */
    uint64_t fetched = pass_on(&inorder->fetch, &inorder->decode_buffer, line_arrival(inorder),
                               inorder->decode.cycle);
    inorder->decode_least = later(inorder->decode_least, fetched + 1);
    inorder->instructions++;
    inorder->bytes += segment->code[index].length;
    inorder->micro_ops += segment->code[index].micro_op_count;
}

/* When this unit takes an operation that could be issued at `cycle`. */
static inline uint64_t unit_takes(const struct unit *unit, uint64_t cycle) {
    cycle = later(cycle, unit->next);
    return later(cycle, cycle >= unit->ended ? unit->committed : 0);
}

static inline struct unit *choose_unit(const struct timing *timing, uint64_t *cycle) {
    struct unit *best = timing->first;
    uint64_t soonest = unit_takes(best, *cycle);
    if (soonest > *cycle)
        for (struct unit *unit = best + 1; unit <= timing->last; unit++) {
            uint64_t takes = unit_takes(unit, *cycle);
            best = takes < soonest ? unit : best;
            soonest = takes < soonest ? takes : soonest;
        }
    *cycle = soonest;
    return best;
}

/* A unit takes an operation in this cycle. Returns when it has passed it: those that follow another
 * that stalls, stall with it. */
static inline uint64_t enter_unit(struct unit *unit, const struct timing *timing, uint64_t cycle) {
    uint64_t ended = cycle + timing->latency;
    if (cycle < unit->ended && unit->committed > unit->ended)
        ended = later(ended, unit->committed + (cycle - unit->issued));
    unit->issued = cycle;
    unit->next = cycle + timing->interval;
    return unit->ended = ended;
}

/* In order, so many a cycle; an access is the last of its cycle. */
static inline void take_slot(struct inorder *inorder, uint64_t cycle, bool memory) {
    if (cycle != inorder->last_issue) {
        inorder->last_issue = cycle;
        inorder->slots_left = inorder->slots;
    }
    bool last = --inorder->slots_left.all == 0;
    if (memory)
        last |= --inorder->slots_left.accesses == 0;
    inorder->next_issue = cycle + last;
}

/* The latest of what a micro-operation reads, in one of the two tables of registers. */
static inline uint64_t latest_source(const uint64_t table[REGISTERS], const struct micro_op *op,
                                     bool plain) {
    uint64_t latest = later(table[op->source[0]], table[op->source[1]]);
    for (unsigned i = 2; !plain && i < MICRO_SOURCES && op->source[i]; i++)
        latest = later(latest, table[op->source[i]]);
    return latest;
}

/* What it writes; of those that write nothing, no register's. */
static inline void write_destinations(struct inorder *inorder, const struct micro_op *op,
                                      uint64_t ready, uint64_t committed) {
    inorder->ready[op->destination[0]] = ready;
    inorder->committed[op->destination[0]] = committed;
    for (unsigned i = 1; i < MICRO_DESTINATIONS && op->destination[i]; i++) {
        inorder->ready[op->destination[i]] = ready;
        inorder->committed[op->destination[i]] = committed;
    }
    inorder->ready[REGISTER_NONE] = 0;
}

/* Something commits, not before `least`; if nothing did in the cycles before, they waited for
 * `part`. The core's clock, and the base of its cycles, are set at the end of the step. */
static inline uint64_t commit(struct core *core, enum model_mode mode, uint64_t least,
                              enum stack_part part) {
    struct inorder *inorder = core->state;
    if (port_joins(&inorder->commit, least))
        return inorder->commit.cycle;
    uint64_t next = inorder->commit.cycle + 1;
    if (least <= next)
        return port_moves(&inorder->commit, next);
    uint64_t *stack = core->counts[mode].stack;
    stack[part] += least - next;
    stack[STACK_BASE] -= least - next;
    return port_moves(&inorder->commit, least);
}

/* The access under way in memory that ends first: nothing new can begin before. */
static inline uint64_t *memory_slot(struct inorder *inorder) {
    uint64_t *first = &inorder->memory[0];
    for (unsigned i = 1; i < MEMORY_ACCESSES; i++)
        if (inorder->memory[i] < *first)
            first = &inorder->memory[i];
    return first;
}

/* The L1D is asked for the operation's access. */
static inline struct access_time look_up(struct core *core, const struct operation *operation,
                                         uint64_t cycle) {
    struct asked *asked = &((struct inorder *)core->state)->asked;
    if (asked->next < asked->count)
        return asked->answer[asked->next++].time;
    struct access_time time =
        core_data(core, operation->mode, operation->access, operation->pc, cycle);
    if (asked->next++ < MOST_ASKED)
        asked->answer[asked->count++] =
            (struct answered){cycle, operation->access->address, operation->access->size, time};
    return time;
}

/* A load that leaves its unit at `cycle`: when its data are there. */
static inline struct access_time load(struct core *core, const struct operation *operation,
                                      uint64_t cycle) {
    struct inorder *inorder = core->state;
    /* Loads wait for the stores before them to be in the store buffer. */
    uint64_t begun = later(cycle, inorder->last_store + 1);
    inorder->request = begun;
    if (!operation->access)
        return (struct access_time){begun, STACK_BASE};
    uint64_t *slot = memory_slot(inorder);
    begun = later(begun, *slot);
    inorder->request = begun;
    struct access_time time = look_up(core, operation, begun);
    *slot = time.ready;
    return time;
}

/* A store that commits at `cycle` goes to the L1D from the store buffer. */
static inline void store(struct core *core, const struct operation *operation, uint64_t cycle) {
    struct inorder *inorder = core->state;
    uint64_t *slot = memory_slot(inorder);
    uint64_t begun = later(later(cycle + 1, inorder->store_begun), *slot);
    inorder->store_begun = begun;
    inorder->last_store = cycle;
    uint64_t done = look_up(core, operation, begun).ready;
    *slot = done;
    window_take(&inorder->stores, done);
}

/* While the oldest operation is a load that waits for its data, no other access is passed on
 * (Execute::getCommittingThread() of gem5); ones that came before it was the oldest are. No access
 * will ask again for a cycle before the one returned: waits that ended by then are forgotten. */
static inline uint64_t pass_waits(struct inorder *inorder, uint64_t cycle) {
    for (unsigned i = inorder->wait_first; i != inorder->wait_end; i++) { /* from the oldest */
        uint64_t begun = inorder->wait[i % WAITS].begun, ended = inorder->wait[i % WAITS].ended;
        if (cycle > begun && cycle < ended)
            cycle = ended;
        if (cycle >= ended && i == inorder->wait_first)
            inorder->wait_first++;
    }
    return cycle;
}

static inline void add_wait(struct inorder *inorder, uint64_t begun, uint64_t ended) {
    if (inorder->wait_end - inorder->wait_first == WAITS)
        inorder->wait_first++;
    inorder->wait[inorder->wait_end % WAITS].begun = begun;
    inorder->wait[inorder->wait_end % WAITS].ended = ended;
    inorder->wait_end++;
}

/* An access that its unit has passed. Returns its commit. */
static inline uint64_t pass_access(struct core *core, const struct operation *operation,
                                   struct unit *unit, enum stack_part part) {
    struct inorder *inorder = core->state;
    const struct micro_op *op = operation->op;
    /* into the queue: when its operands are final and the request before it has been passed on */
    inorder->committed[REGISTER_NONE] = 0;
    uint64_t operands = later(unit->ended, latest_source(inorder->committed, op, false));
    uint64_t queued = pass_waits(inorder, later(operands, inorder->request)), least;
    unit->committed = queued;
    inorder->request = queued;
    if (op->op_class == OP_LOAD) {
        struct access_time time = load(core, operation, queued);
        if (time.part != STACK_BASE)
            part = time.part;
        least = time.ready;
        add_wait(inorder, later(queued, inorder->commit.cycle), least);
    } else {
        least = later(queued, window_free(&inorder->stores));
    }
    uint64_t committed =
        commit(core, operation->mode, later(least, inorder->memory_commit + 1), part);
    inorder->memory_commit = committed;
    if (op->op_class == OP_STORE && operation->access)
        store(core, operation, committed);
    return committed;
}

/* `plain`: MICRO_PLAIN, known when this is compiled. */
INLINE uint64_t execute_as(struct core *core, const struct operation *operation, const bool plain) {
    struct inorder *inorder = core->state;
    const struct micro_op *op = operation->op;
    const struct timing *timing = inorder->timing_of[op->op_class];
    uint64_t decoded = pass_on(&inorder->decode, &inorder->issue_buffer, inorder->decode_least,
                               inorder->last_issue);
    uint64_t least = later(decoded + 1, inorder->last_issue);
    if (!plain && op->flags & MICRO_SERIALIZE_BEFORE)
        least = later(least, inorder->commit.cycle);
    uint64_t sources = latest_source(inorder->ready, op, plain);
    uint64_t cycle = later(least + timing->slack, sources) - timing->slack;
    enum stack_part part = cycle > least ? STACK_STRUCTURAL : inorder->fetch_part;
    cycle = later(cycle, inorder->next_issue);
    if (!plain && op->op_class == OP_NOTHING) { /* costs its slot alone */
        take_slot(inorder, cycle, false);
        return later(cycle, inorder->commit.cycle);
    }
    inorder->fetch_part = STACK_BASE; /* the first one that commits has waited for it */
    struct unit *unit = choose_unit(timing, &cycle);
    uint64_t ended = enter_unit(unit, timing, cycle), ready = cycle + timing->latency, committed;
    bool access = !plain && is_access(op);
    take_slot(inorder, cycle, access);
    if (access) {
        committed = pass_access(core, operation, unit, part);
        ready += op->op_class == OP_LOAD ? ASSUMED_LOAD : 0;
    } else {
        committed = unit->committed = commit(core, operation->mode, ended, part);
    }
    write_destinations(inorder, op, ready, committed);
    if (!plain && op->flags & MICRO_BRANCH)
        inorder->executed = committed;
    if (!plain && op->flags & MICRO_SERIALIZE_AFTER)
        inorder->decode_least = later(inorder->decode_least, committed + 1);
    return committed;
}

static inline uint64_t execute(struct core *core, const struct operation *operation) {
    return operation->op->flags == MICRO_PLAIN ? execute_as(core, operation, true)
                                               : execute_as(core, operation, false);
}

bool inorder_branch(struct core *core, const struct instruction *instruction, uint64_t pc,
                    enum model_mode mode, uint64_t executed, bool taken,
                    struct branch_prediction prediction) {
    struct inorder *inorder = core->state;
    uint64_t fetched = inorder->fetch.cycle;
    bool mispredicted = prediction.outcome != BRANCH_PREDICTED;
    if (mispredicted) {
        inorder->restart = executed + inorder->branch_delay;
        abandon_path(core, mode, fetched, inorder->restart, pc + instruction->length);
        inorder->fetch_part = STACK_BRANCH;
    } else if (taken) {
        inorder->restart = fetched + 1;
        drop_lines(core, mode, fetched);
    }
    return mispredicted;
}

/* A step's last instruction is a branch. */
static bool branch(struct core *core, const struct instruction *instruction, uint64_t pc,
                   enum model_mode mode, uint64_t executed, bool taken,
                   struct branch_prediction prediction) {
    inorder_memo_learn(core);
    return inorder_branch(core, instruction, pc, mode, executed, taken, prediction);
}

static void run(struct core *core, const struct step *step) {
    const struct inorder *inorder = core->state;
    if (inorder_memo_run(core, step))
        return;
    pipeline_run(core, step, (struct pipeline_stages){fetch, execute, branch});
    inorder_memo_learn(core);
    core_advance(core, step->segment->mode, STACK_BASE, inorder->commit.cycle);
}

const struct core_model core_inorder = {
    .name = "inorder",
    .decodes = true,
    .size = size,
    .init = init,
    .run = run,
    .forget = inorder_memo_forget,
};
