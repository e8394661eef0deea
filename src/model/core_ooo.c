/* An out-of-order core, as gem5's O3CPU, by time stamps: each micro-operation is given, in program
 * order, the cycles in which it is fetched, renamed, dispatched, issued, executed and committed,
 * from those of the operations it depends on and from what is free by then: widths, the reorder
 * buffer, issue, load and store queues, registers, units, MSHRs. Nothing is simulated cycle by
 * cycle.
 *
 * A cycle in which something commits is base; those before a commit in which nothing did are put
 * under what the committing operation waited for.
 *
 * Not modelled: wrong paths (they fetch nothing and take no queue entries; the time to squash them
 * is modelled), memory order violations (a load knows the store it depends on), replays, bypass
 * limits, several hardware threads, uops that fuse. */
#include <string.h>

#include "model/core_pipeline.h"

/* The calendar: what is issued in each cycle, for twice as many cycles as operations may wait to be
 * issued.
 *
 * A slot's counts lie side by side, one for each kind of unit and one for all. Each starts so far
 * below FIELD_FULL that it reaches that bit when its units, or the issue width, are used up:
 * whether an operation can be issued is one comparison, to issue it one addition. */
#define CALENDAR 16384
enum {
    FIELD_BITS = 7, /* issue widths go up to 64 */
    FIELD_FULL = 1 << (FIELD_BITS - 1),
    FIELD_ALL = UNIT_KINDS,
};
_Static_assert(FIELD_BITS *(UNIT_KINDS + 1) <= 64, "the counts do not fit into a slot");

struct issue_slot {
    uint64_t cycle; /* whose slot it is; another cycle's is empty */
    uint64_t counts;
};

static inline uint64_t in_field(unsigned field, uint64_t number) {
    return number << field * FIELD_BITS;
}

/* How long operations of a class take, and their counts in a slot: those that must not be full, and
 * what they add. */
struct operation_class {
    struct operation_timing timing;
    uint64_t full, one;
};

/* Units that do not take one a cycle, at most so many of a kind. */
#define BUSY_UNITS 16

/* The store that wrote each eight bytes last: where a load may get its data from before they are in
 * the L1D. Direct mapped, by address; many times the store queue, so that two rarely collide. */
#define FORWARDS 1024
struct forward {
    uint64_t word;     /* address / 8, plus one */
    uint64_t executed; /* its data can be forwarded */
    uint64_t done;     /* they are in the L1D */
};

/* A cycle, and the part of the stack that waiting for it is put under: in one number, so that the
 * later one of two is found without a branch. */
enum { PART_BITS = 4, PART_MASK = (1 << PART_BITS) - 1 };
_Static_assert(STACK_PARTS <= 1 << PART_BITS, "a part does not fit into a stamp");

static inline uint64_t stamp(uint64_t cycle, enum stack_part part) {
    return cycle << PART_BITS | part;
}

/* The later of two stamps, whatever their parts; the first one, if neither is later. */
static inline uint64_t later_stamp(uint64_t first, uint64_t second) {
    return second > (first | PART_MASK) ? second : first;
}

struct ooo {
    uint64_t value[REGISTERS]; /* stamps: when it is ready; 0 of REGISTER_NONE */
    struct operation_class class[OP_CLASSES];

    /* fetch */
    uint64_t fetch_cycle, line; /* when, and from which physical line (plus one) */
    unsigned fetched;           /* in that cycle */
    unsigned fetch_width;
    uint8_t fetch_part; /* what operations fetched in that cycle have waited for */

    struct window fetch_queue, rob, loads, stores, integers, floats;
    unsigned room, room_most; /* operations that need not look whether a window is full */
    struct port rename, commit;
    unsigned issue_width, issue_queue, squash_width;
    /* cycles from fetch to rename, rename to issue, issue to execution, completion to commit, a
     * mispredicted branch's execution to the next fetch */
    unsigned fetch_to_rename, rename_to_issue, issue_to_execute, complete_to_commit, redirect;

    uint64_t rename_least; /* nothing is renamed before: a squash, or a serialising operation */
    unsigned in_queue;     /* operations dispatched and not issued before queue_cycle */
    uint64_t queue_cycle;  /* when they were counted; there may be fewer by now */
    uint64_t last_issue;   /* the last cycle in which anything is issued */
    uint64_t empty_slot;   /* its counts */
    uint64_t store_done;   /* the last store has reached the L1D */
    uint8_t mode;

    uint64_t unit_free[UNIT_KINDS][BUSY_UNITS];
    struct forward forward[FORWARDS];
    struct issue_slot calendar[CALENDAR];
    uint64_t entries[]; /* of the windows */
};

/* Physical registers that hold the architectural state: gem5's x86 has 16 integer and 15 microcode
 * registers and a few more; 32 halves of XMM registers, 8 + 8 others. */
#define ARCHITECTURAL_INTEGERS 38
#define ARCHITECTURAL_FLOATS 48

static uint64_t spare(uint64_t physical, uint64_t architectural) {
    return physical > architectural ? physical - architectural : 1;
}

static size_t size(const struct model_parameters *p) {
    const struct core_parameters *c = &p->core;
    return sizeof(struct ooo) +
           sizeof(uint64_t) * (c->fetch_queue + c->window + c->load_queue + c->store_buffer +
                               spare(c->integer_registers, ARCHITECTURAL_INTEGERS) +
                               spare(c->float_registers, ARCHITECTURAL_FLOATS));
}

/* As many operations as one look finds room for, at most; of windows that have fewer entries: as
 * many as there are. */
static unsigned room_most(const struct ooo *ooo) {
    const struct window *const windows[] = {&ooo->rob, &ooo->loads, &ooo->stores, &ooo->integers,
                                            &ooo->floats};
    unsigned most = ooo->issue_queue < 16 ? ooo->issue_queue : 16;
    for (unsigned i = 0; i < sizeof windows / sizeof *windows; i++)
        if (windows[i]->size < most)
            most = windows[i]->size;
    return most;
}

static void init_classes(struct ooo *ooo, const struct core_parameters *c) {
    struct operation_timing timing[OP_CLASSES] = {0};
    operation_timings(timing, c);
    for (unsigned i = OP_NOTHING + 1; i < OP_CLASSES; i++)
        ooo->class[i] = (struct operation_class){
            .timing = timing[i],
            .full = in_field(timing[i].unit, FIELD_FULL) | in_field(FIELD_ALL, FIELD_FULL),
            .one = in_field(timing[i].unit, 1) | in_field(FIELD_ALL, 1),
        };
    ooo->empty_slot = in_field(FIELD_ALL, FIELD_FULL - c->issue_width);
    for (unsigned unit = 0; unit < UNIT_KINDS; unit++)
        ooo->empty_slot |= in_field(unit, FIELD_FULL - c->units[unit]);
}

static void init(struct core *core) {
    const struct core_parameters *c = &core->parameters->core;
    struct ooo *ooo = core->state;
    uint64_t *memory = ooo->entries;
    window_init(&ooo->fetch_queue, &memory, c->fetch_queue);
    window_init(&ooo->rob, &memory, c->window);
    window_init(&ooo->loads, &memory, c->load_queue);
    window_init(&ooo->stores, &memory, c->store_buffer);
    window_init(&ooo->integers, &memory, spare(c->integer_registers, ARCHITECTURAL_INTEGERS));
    window_init(&ooo->floats, &memory, spare(c->float_registers, ARCHITECTURAL_FLOATS));
    init_classes(ooo, c);
    ooo->fetch_width = (unsigned)c->front_width;
    ooo->rename.width = (unsigned)c->rename_width;
    ooo->commit.width = (unsigned)c->commit_width;
    ooo->issue_width = (unsigned)c->issue_width;
    ooo->issue_queue = (unsigned)c->issue_queue;
    ooo->room_most = room_most(ooo);
    ooo->squash_width = (unsigned)c->squash_width;
    ooo->fetch_to_rename = (unsigned)(c->fetch_to_decode + c->decode_to_rename);
    ooo->rename_to_issue = (unsigned)c->rename_to_issue;
    ooo->issue_to_execute = (unsigned)c->issue_to_execute;
    /* O3 commits before it takes in what has been completed: a cycle more than the way there
     * (Commit::tick() of gem5). */
    ooo->complete_to_commit = (unsigned)c->execute_to_commit + 1;
    /* … and fetch takes a cycle to squash before it asks the L1I again (Fetch::tick()). */
    ooo->redirect = (unsigned)(c->execute_to_commit + c->commit_to_fetch) + 1;
}

/* Fetch goes on at this cycle, after a wait for `part`. */
static void restart_fetch(struct ooo *ooo, uint64_t cycle, enum stack_part part) {
    ooo->fetch_cycle = cycle;
    ooo->fetched = 0;
    ooo->fetch_part = (uint8_t)part;
}

static void next_fetch_cycle(struct ooo *ooo) {
    restart_fetch(ooo, ooo->fetch_cycle + 1, STACK_BASE);
}

/* Bytes from another line are needed. The L1I is asked in the cycle that used up the last line, so
 * that a hit delays nothing. */
static void fetch_line(struct core *core, const struct segment *segment, uint64_t offset) {
    struct ooo *ooo = core->state;
    uint64_t line = (segment->line + offset) & -core->parameters->line_size;
    if (ooo->line == line + 1)
        return;
    struct access_time time = core_fetch(core, segment->mode, line, segment->address + offset,
                                         segment->translation, ooo->fetch_cycle);
    uint64_t next = later(time.ready, ooo->fetch_cycle + 1);
    ooo->line = line + 1;
    restart_fetch(ooo, next, time.part != STACK_BASE ? time.part : ooo->fetch_part);
}

/* An interrupt, a system call or a return from one empties the pipeline. */
static void change_mode(struct ooo *ooo, enum model_mode mode) {
    ooo->mode = (uint8_t)mode;
    ooo->line = 0;
    ooo->rename_least = later(ooo->rename_least, ooo->commit.cycle + 1);
    restart_fetch(ooo, later(ooo->fetch_cycle, ooo->commit.cycle + ooo->redirect),
                  STACK_STRUCTURAL);
}

static void fetch(struct core *core, const struct segment *segment, unsigned index) {
    struct ooo *ooo = core->state;
    if (index == 0) {
        if (ooo->mode != segment->mode)
            change_mode(ooo, segment->mode);
        fetch_line(core, segment, 0);
    }
    if (segment->spills && index + 1u == segment->count)
        fetch_line(core, segment, core->parameters->line_size);
}

/* The cycle in which an operation is fetched. */
static uint64_t fetch_operation(struct ooo *ooo) {
    if (ooo->fetched == ooo->fetch_width)
        next_fetch_cycle(ooo);
    if (window_free(&ooo->fetch_queue) > ooo->fetch_cycle)
        restart_fetch(ooo, window_free(&ooo->fetch_queue), ooo->fetch_part);
    ooo->fetched++;
    return ooo->fetch_cycle;
}

static inline struct issue_slot *slot_of(struct ooo *ooo, uint64_t cycle) {
    struct issue_slot *slot = &ooo->calendar[cycle % CALENDAR];
    if (slot->cycle != cycle) {
        *slot = (struct issue_slot){cycle, ooo->empty_slot};
        ooo->last_issue = later(ooo->last_issue, cycle);
    }
    return slot;
}

static unsigned issued_between(const struct ooo *ooo, uint64_t first, uint64_t end) {
    uint64_t counts = 0, slots = 0;
    for (uint64_t cycle = first; cycle < end; cycle++) {
        const struct issue_slot *slot = &ooo->calendar[cycle % CALENDAR];
        bool its = slot->cycle == cycle;
        counts += its ? slot->counts >> FIELD_ALL * FIELD_BITS : 0;
        slots += its;
    }
    return (unsigned)(counts - slots * (ooo->empty_slot >> FIELD_ALL * FIELD_BITS));
}

/* Whether the issue queue has no place for this many at this cycle, or a later one. Operations that
 * are issued before have left it: they are counted when there may be too many, and either those
 * which have left since, or those which are still there. */
static bool queue_full(struct ooo *ooo, uint64_t cycle, unsigned operations) {
    if (ooo->in_queue + operations <= ooo->issue_queue)
        return false;
    if (cycle > ooo->last_issue)
        ooo->in_queue = 0;
    else if (cycle - ooo->queue_cycle < ooo->last_issue - cycle)
        ooo->in_queue -= issued_between(ooo, ooo->queue_cycle, cycle);
    else
        ooo->in_queue = issued_between(ooo, cycle, ooo->last_issue + 1);
    ooo->queue_cycle = cycle;
    return ooo->in_queue + operations > ooo->issue_queue;
}

/* The queue that an access waits in; NULL: it is none. */
static inline const struct window *queue_of(const struct ooo *ooo, const struct micro_op *op) {
    return op->op_class == OP_LOAD ? &ooo->loads : op->op_class == OP_STORE ? &ooo->stores : NULL;
}

static inline bool is_integer(unsigned result) {
    return result - 1 < REGISTER_FLAGS - 1;
}

static inline bool is_float(unsigned result) {
    return result >= REGISTER_VECTOR;
}

/* The file that its result takes a register of; NULL: it takes none. */
static inline const struct window *registers_of(const struct ooo *ooo, const struct micro_op *op) {
    unsigned result = op->destination[0];
    return is_integer(result) ? &ooo->integers : is_float(result) ? &ooo->floats : NULL;
}

/* When the entry is free that is taken `ahead` entries from now; less than there are. */
static inline uint64_t window_free_ahead(const struct window *window, unsigned ahead) {
    unsigned index = window->next + ahead;
    return window->free[index < window->size ? index : index - window->size];
}

/* Whether the next operations, whatever they are, find a place everywhere from this cycle on: that
 * is looked up once for all of them. Entries are given back in the order they were taken. */
static __attribute__((noinline)) bool find_room(struct ooo *ooo, uint64_t cycle) {
    const struct window *const windows[] = {&ooo->rob, &ooo->loads, &ooo->stores, &ooo->integers,
                                            &ooo->floats};
    for (unsigned i = 0; i < sizeof windows / sizeof *windows; i++)
        if (window_free_ahead(windows[i], ooo->room_most - 1) > cycle)
            return false;
    if (queue_full(ooo, cycle + ooo->rename_to_issue, ooo->room_most))
        return false;
    ooo->room = ooo->room_most;
    return true;
}

/* The first cycle, not before `least`, in which everything it needs an entry of has one. */
static __attribute__((noinline)) uint64_t find_entries(const struct ooo *ooo,
                                                       const struct micro_op *op, uint64_t least) {
    const struct window *queue = queue_of(ooo, op), *registers = registers_of(ooo, op);
    uint64_t free = later(least, window_free(&ooo->rob));
    if (queue)
        free = later(free, window_free(queue));
    if (registers)
        free = later(free, window_free(registers));
    return free;
}

/* Where it may have to wait for something. */
static __attribute__((noinline)) uint64_t rename_late(struct ooo *ooo, const struct micro_op *op,
                                                      uint64_t least) {
    uint64_t renamed = port_take(&ooo->rename, find_entries(ooo, op, least));
    while (queue_full(ooo, renamed + ooo->rename_to_issue, 1))
        renamed = port_take(&ooo->rename, renamed + 1);
    return renamed;
}

/* The cycle of its renaming: where everything it needs a place in has one. */
static inline uint64_t rename_operation(struct ooo *ooo, const struct micro_op *op,
                                        uint64_t least) {
    uint64_t renamed;
    least = later(least, ooo->rename_least);
    if (ooo->room || find_room(ooo, later(least, ooo->rename.cycle))) {
        ooo->room--;
        renamed = port_take(&ooo->rename, least);
    } else {
        renamed = rename_late(ooo, op, least);
    }
    window_take(&ooo->fetch_queue, renamed - 1); /* decoded the cycle before */
    return renamed;
}

/* When a unit that does not take one a cycle takes it, not before `ready`. */
static __attribute__((noinline)) uint64_t
wait_for_unit(struct ooo *ooo, const struct operation_timing *timing, uint64_t ready) {
    unsigned first = 0;
    uint64_t *free = ooo->unit_free[timing->unit];
    for (unsigned i = 1; i < timing->units && i < BUSY_UNITS; i++)
        if (free[i] < free[first])
            first = i;
    ready = later(ready, free[first]);
    free[first] = ready + timing->interval;
    return ready;
}

/* The first cycle, not before `ready`, in which a unit takes it. */
static inline uint64_t issue(struct ooo *ooo, const struct operation_class *class, uint64_t ready) {
    if (class->timing.interval > 1)
        ready = wait_for_unit(ooo, &class->timing, ready);
    struct issue_slot *slot = slot_of(ooo, ready);
    while (slot->counts & class->full)
        slot = slot_of(ooo, ++ready);
    slot->counts += class->one;
    ooo->in_queue++;
    return ready;
}

static struct forward *forward_of(struct ooo *ooo, const struct access *access) {
    return &ooo->forward[(access->address >> 3) % FORWARDS];
}

/* From an older store if one still has it, else from the caches. */
static struct access_time load(struct core *core, const struct operation *operation,
                               uint64_t executed) {
    struct ooo *ooo = core->state;
    const struct access *access = operation->access;
    const struct forward *forward = forward_of(ooo, access);
    if (forward->word == (access->address >> 3) + 1 && forward->done > executed)
        return (struct access_time){later(executed, forward->executed) + 1, STACK_BASE};
    return core_data(core, operation->mode, access, operation->pc, executed);
}

/* A committed store goes to the L1D behind all before it. */
static void store(struct core *core, const struct operation *operation, uint64_t executed,
                  uint64_t committed) {
    struct ooo *ooo = core->state;
    const struct access *access = operation->access;
    uint64_t begun = later(committed + 1, ooo->store_done);
    ooo->store_done = core_data(core, operation->mode, access, operation->pc, begun).ready;
    *forward_of(ooo, access) =
        (struct forward){(access->address >> 3) + 1, executed, ooo->store_done};
}

/* It has committed: when what it took is free again. A store stays until it is in the L1D. */
static inline void leave(struct ooo *ooo, const struct micro_op *op, uint64_t committed) {
    unsigned result = op->destination[0];
    window_take(&ooo->rob, committed + 1);
    if (op->op_class == OP_LOAD)
        window_take(&ooo->loads, committed + 1);
    else if (op->op_class == OP_STORE)
        window_take(&ooo->stores, later(ooo->store_done, committed) + 1);
    if (is_integer(result))
        window_take(&ooo->integers, committed + 1);
    else if (is_float(result))
        window_take(&ooo->floats, committed + 1);
}

/* When all that it reads is there, and what was waited for in the end. */
static inline uint64_t read_sources(const struct ooo *ooo, const struct micro_op *op,
                                    uint64_t ready) {
    ready = later_stamp(ready, ooo->value[op->source[0]]);
    ready = later_stamp(ready, ooo->value[op->source[1]]);
    for (unsigned i = 2; i < MICRO_SOURCES && op->source[i]; i++)
        ready = later_stamp(ready, ooo->value[op->source[i]]);
    return ready;
}

static inline void write_destinations(struct ooo *ooo, const struct micro_op *op, uint64_t ready) {
    ooo->value[op->destination[0]] = ready;
    for (unsigned i = 1; i < MICRO_DESTINATIONS && op->destination[i]; i++)
        ooo->value[op->destination[i]] = ready;
    ooo->value[REGISTER_NONE] = 0;
}

static inline __attribute__((always_inline)) uint64_t execute(struct core *core,
                                                              const struct operation *operation) {
    struct ooo *ooo = core->state;
    const struct micro_op *op = operation->op;
    const struct operation_class *class = &ooo->class[op->op_class];
    if (op->flags & MICRO_SERIALIZE_BEFORE)
        ooo->rename_least = later(ooo->rename_least, ooo->commit.cycle + 1);
    uint64_t least = fetch_operation(ooo) + ooo->fetch_to_rename;
    enum stack_part part = ooo->fetch_part;
    uint64_t renamed = rename_operation(ooo, op, least);
    uint64_t dispatched = renamed + ooo->rename_to_issue;
    uint64_t ready =
        read_sources(ooo, op, stamp(dispatched, renamed > least ? STACK_STRUCTURAL : part));
    part = ready & PART_MASK;
    ready >>= PART_BITS;

    uint64_t executed = dispatched, completed = dispatched;
    enum stack_part value_part = STACK_STRUCTURAL;
    if (op->op_class != OP_NOTHING) {
        uint64_t issued = issue(ooo, class, ready);
        if (issued > ready)
            part = STACK_STRUCTURAL;
        completed = issued + class->timing.latency;
        executed = issued + ooo->issue_to_execute;
        if (operation->access && op->op_class == OP_LOAD) {
            struct access_time time = load(core, operation, completed);
            completed = time.ready;
            if (time.part != STACK_BASE)
                part = value_part = time.part;
        }
    }
    write_destinations(ooo, op, stamp(completed, value_part));

    uint64_t committed = port_take(&ooo->commit, completed + ooo->complete_to_commit);
    if (committed > core->now)
        pipeline_commit(core, operation->mode, part, committed);
    if (operation->access && op->op_class == OP_STORE)
        store(core, operation, completed, committed);
    leave(ooo, op, committed);
    if (op->flags & MICRO_SERIALIZE_AFTER)
        ooo->rename_least = later(ooo->rename_least, committed + 1);
    return executed;
}

/* Operations of the wrong path that are in the reorder buffer by now, at most. */
static uint64_t wrong_path(const struct ooo *ooo, uint64_t executed) {
    uint64_t cycles = executed + 1 > ooo->rename.cycle ? executed + 1 - ooo->rename.cycle : 0;
    uint64_t fetched = cycles * ooo->rename.width;
    return fetched < ooo->rob.size ? fetched : ooo->rob.size;
}

static void branch(struct core *core, const struct instruction *instruction, uint64_t pc,
                   enum model_mode mode, uint64_t executed, bool taken,
                   enum branch_outcome outcome) {
    struct ooo *ooo = core->state;
    (void)instruction, (void)pc, (void)mode;
    if (outcome != BRANCH_PREDICTED) {
        ooo->line = 0;
        restart_fetch(ooo, executed + ooo->redirect, STACK_BRANCH);
        uint64_t squashed = executed + 1 + wrong_path(ooo, executed) / ooo->squash_width;
        ooo->rename_least = later(ooo->rename_least, squashed);
    } else if (taken) {
        ooo->fetched = ooo->fetch_width; /* the rest of the line is not wanted */
    }
}

static void run(struct core *core, const struct step *step) {
    pipeline_run(core, step, (struct pipeline_stages){fetch, execute, branch});
}

const struct core_model core_ooo = {
    .name = "ooo",
    .decodes = true,
    .size = size,
    .init = init,
    .run = run,
};
