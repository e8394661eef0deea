/* An out-of-order core, as gem5's O3CPU, by time stamps: each micro-operation is given, in program
 * order, the cycles in which it is fetched, renamed, dispatched, issued, executed and committed,
 * from those of the operations it depends on and from what is free by then: widths, the reorder
 * buffer, issue, load and store queues, registers, units, MSHRs. Nothing is simulated cycle by
 * cycle.
 *
 * A cycle in which something commits is base; those before a commit in which nothing did are put
 * under what the committing operation waited for.
 *
 * Of a wrong path, the lines of code are modelled that it fetches, from pages that were executed
 * before, and the time to squash it. Not modelled: its data, its entries in queues, its own
 * branches; memory order violations (a load knows the store it depends on), replays, bypass limits,
 * several hardware threads, uops that fuse. */
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
_Static_assert((UNIT_KINDS + 1) * FIELD_BITS < 64, "the counts do not fit into a slot");

/* Set in every slot: what must not be full of operations whose units do not take one a cycle. */
#define ALWAYS_FULL (UINT64_C(1) << 63)

struct calendar {
    uint64_t cycle[CALENDAR]; /* whose slot it is; another cycle's is empty */
    uint64_t counts[CALENDAR];
    uint64_t empty; /* a slot's counts when nothing is issued */
    uint64_t last;  /* cycle with anything in it */
};

static inline uint64_t in_field(unsigned field, uint64_t number) {
    return number << field * FIELD_BITS;
}

/* What operations of each class need, a table for each thing. */
struct needs {
    uint32_t latency[OP_CLASSES], interval[OP_CLASSES]; /* cycles */
    uint64_t full[OP_CLASSES];                          /* counts that must not be */
    uint64_t one[OP_CLASSES];                           /* what is added to them */
    uint8_t unit[OP_CLASSES], units[OP_CLASSES];        /* enum unit_kind; how many there are */
};

/* Units that do not take one a cycle, at most so many of a kind. */
#define BUSY_UNITS 16

/* The store that wrote each eight bytes last: where a load may get its data from before they are in
 * the L1D. Direct mapped, by address; many times the store queue, so that two rarely collide. */
#define FORWARDS 1024
#define PAGE UINT64_C(4096)
struct forward {
    uint64_t word;     /* address / 8, plus one */
    uint64_t executed; /* its data can be forwarded */
    uint64_t done;     /* they are in the L1D */
};

/* Pages from which code was fetched since the core last changed its address space: what a wrong
 * path may lead to. Direct mapped, by number. */
#define CODE_PAGES 256
struct code_page {
    uint64_t number; /* virtual; 0: none */
    uint64_t frame;  /* physical address of its first byte */
    const struct translation *translation;
};

/* A queue or file whose entries are taken and given back in order: when each was, or will be, free.
 * Of the places, a power of two, the last `size` are in use. */
#define ENTRIES_MOST 4096 /* that a system may have */
struct ring {
    unsigned size, mask, next;
    uint64_t free[ENTRIES_MOST];
};

static void ring_init(struct ring *ring, uint64_t size, uint64_t places) {
    ring->size = (unsigned)size;
    while (ring->mask + 1 < places)
        ring->mask = ring->mask << 1 | 1;
}

/* When the entry is free that is taken `ahead` entries from now; less than there are. */
static inline uint64_t ring_free(const struct ring *ring, unsigned ahead) {
    return ring->free[(ring->next - ring->size + ahead) & ring->mask];
}

/* Take the next one; it is given back in this cycle. */
static inline void ring_take(struct ring *ring, uint64_t until) {
    ring->free[ring->next++ & ring->mask] = until;
}

struct ooo {
    uint64_t ready[REGISTERS]; /* when their values are; 0 of REGISTER_NONE */
    uint8_t missed[REGISTERS]; /* what waiting for it is put under; STACK_BASE: no miss */
    struct needs needs;

    struct port fetch, rename, commit;
    uint64_t line;              /* fetched from, physical (plus one) */
    uint64_t virtual_line;      /* the same, virtual */
    uint8_t fetch_part;         /* what operations fetched in that cycle have waited for */
    uint64_t run_start;         /* where execution went after the last branch; 0: not known */
    unsigned run_first;         /* number of the first operation there */
    uint64_t bytes, operations; /* of such runs, in all */

    int room, room_most; /* operations that need not look whether there is an entry */
    unsigned fetch_queue, issue_queue, squash_width;
    /* cycles from fetch to rename, rename to issue, issue to execution, completion to commit, a
     * mispredicted branch's execution to the next fetch */
    unsigned fetch_to_decode, fetch_to_rename, rename_to_issue, issue_to_execute,
        complete_to_commit, redirect;

    unsigned in_queue;    /* operations dispatched and not issued before queue_cycle */
    uint64_t queue_cycle; /* when they were counted; there may be fewer by now */
    uint64_t store_done;  /* the last store has reached the L1D */
    uint8_t mode;

    struct code_page code_pages[CODE_PAGES];
    uint64_t unit_free[UNIT_KINDS][BUSY_UNITS];
    struct forward forward[FORWARDS];
    struct calendar calendar;
    struct ring rob, loads, stores, integers, floats;
    /* When the operation whose place it is in `rob` leaves the fetch queue: decoded, the cycle
     * before it is renamed. */
    uint64_t decoded[ENTRIES_MOST];
};

/* Physical registers that hold the architectural state: gem5's x86 has 16 integer and 15 microcode
 * registers and a few more; 32 halves of XMM registers, 8 + 8 others. */
#define ARCHITECTURAL_INTEGERS 38
#define ARCHITECTURAL_FLOATS 48

static uint64_t spare(uint64_t physical, uint64_t architectural) {
    return physical > architectural ? physical - architectural : 1;
}

static size_t size(const struct model_parameters *p) {
    return sizeof(struct ooo);
}

/* As many operations as one look finds room for, at most; of windows that have fewer entries: as
 * many as there are. */
static int room_most(const struct ooo *ooo) {
    const struct ring *const rings[] = {&ooo->rob, &ooo->loads, &ooo->stores, &ooo->integers,
                                        &ooo->floats};
    unsigned most = ooo->issue_queue < 16 ? ooo->issue_queue : 16;
    for (unsigned i = 0; i < sizeof rings / sizeof *rings; i++)
        if (rings[i]->size < most)
            most = rings[i]->size;
    return (int)most;
}

static void init_needs(struct ooo *ooo, const struct core_parameters *c) {
    struct needs *needs = &ooo->needs;
    for (unsigned i = OP_NOTHING + 1; i < OP_CLASSES; i++) {
        const struct operation_parameters *operation = &c->operations[i];
        unsigned unit = unit_kind_find(operation->unit);
        needs->latency[i] = (uint32_t)operation->latency;
        needs->interval[i] = (uint32_t)operation->interval;
        needs->full[i] = in_field(unit, FIELD_FULL) | in_field(FIELD_ALL, FIELD_FULL) |
                         (operation->interval > 1 ? ALWAYS_FULL : 0);
        needs->one[i] = in_field(unit, 1) | in_field(FIELD_ALL, 1);
        needs->unit[i] = (uint8_t)unit;
        needs->units[i] = (uint8_t)c->units[unit];
    }
    ooo->calendar.empty = ALWAYS_FULL | in_field(FIELD_ALL, FIELD_FULL - c->issue_width);
    for (unsigned unit = 0; unit < UNIT_KINDS; unit++)
        ooo->calendar.empty |= in_field(unit, FIELD_FULL - c->units[unit]);
}

static void init(struct core *core) {
    const struct core_parameters *c = &core->parameters->core;
    struct ooo *ooo = core->state;
    uint64_t integers = spare(c->integer_registers, ARCHITECTURAL_INTEGERS),
             floats = spare(c->float_registers, ARCHITECTURAL_FLOATS);
    ring_init(&ooo->rob, c->window, later(c->window, c->fetch_queue));
    ring_init(&ooo->loads, c->load_queue, c->load_queue);
    ring_init(&ooo->stores, c->store_buffer, c->store_buffer);
    ring_init(&ooo->integers, integers, integers);
    ring_init(&ooo->floats, floats, floats);
    ooo->fetch_queue = (unsigned)c->fetch_queue;
    init_needs(ooo, c);
    ooo->fetch.width = ooo->fetch.left = (int)c->front_width;
    ooo->rename.width = ooo->rename.left = (int)c->rename_width;
    ooo->commit.width = ooo->commit.left = (int)c->commit_width;
    ooo->issue_queue = (unsigned)c->issue_queue;
    ooo->room_most = room_most(ooo);
    ooo->squash_width = (unsigned)c->squash_width;
    ooo->fetch_to_decode = (unsigned)c->fetch_to_decode;
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
    port_restart(&ooo->fetch, cycle);
    ooo->fetch_part = (uint8_t)part;
}

/* Nothing is renamed before this cycle: after a squash, or for a serialising operation. */
static inline void restart_rename(struct ooo *ooo, uint64_t cycle) {
    if (cycle > ooo->rename.cycle)
        port_restart(&ooo->rename, cycle);
}

static struct code_page *code_page_of(struct ooo *ooo, uint64_t address) {
    return &ooo->code_pages[address / PAGE % CODE_PAGES];
}

static void forget_pages(struct core *core) {
    struct ooo *ooo = core->state;
    memset(ooo->code_pages, 0, sizeof ooo->code_pages);
}

/* Bytes from another line are needed. The L1I is asked in the cycle that used up the last line, so
 * that a hit delays nothing. */
static void fetch_line(struct core *core, const struct segment *segment, uint64_t offset) {
    struct ooo *ooo = core->state;
    uint64_t line = (segment->line + offset) & -core->parameters->line_size;
    if (ooo->line == line + 1)
        return;
    struct access_time time = core_fetch(core, segment->mode, line, segment->address + offset,
                                         segment->translation, ooo->fetch.cycle);
    uint64_t next = later(time.ready, ooo->fetch.cycle + 1);
    ooo->line = line + 1;
    ooo->virtual_line = (segment->address + offset) & ~core->line_mask;
    struct code_page *page = code_page_of(ooo, ooo->virtual_line);
    page->number = ooo->virtual_line / PAGE;
    page->frame = line & -PAGE;
    page->translation = segment->translation;
    restart_fetch(ooo, next, time.part != STACK_BASE ? time.part : ooo->fetch_part);
}

/* An interrupt, a system call or a return from one empties the pipeline. */
static void change_mode(struct ooo *ooo, enum model_mode mode) {
    ooo->mode = (uint8_t)mode;
    ooo->line = 0;
    restart_rename(ooo, ooo->commit.cycle + 1);
    restart_fetch(ooo, later(ooo->fetch.cycle, ooo->commit.cycle + ooo->redirect),
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

/* When the operation so many before this one is decoded. */
static inline uint64_t *decoded(struct ooo *ooo, unsigned before) {
    return &ooo->decoded[(ooo->rob.next - before) & ooo->rob.mask];
}

/* The cycle in which an operation is fetched. */
static uint64_t fetch_operation(struct ooo *ooo) {
    if (ooo->fetch.left == 0)
        restart_fetch(ooo, ooo->fetch.cycle + 1, STACK_BASE);
    uint64_t place = *decoded(ooo, ooo->fetch_queue); /* of the operation that is so far ahead */
    if (place > ooo->fetch.cycle)
        restart_fetch(ooo, place, ooo->fetch_part);
    ooo->fetch.left--;
    return ooo->fetch.cycle;
}

/* The number of this cycle's slot. */
static inline unsigned slot_of(struct calendar *calendar, uint64_t cycle) {
    unsigned slot = cycle % CALENDAR;
    if (calendar->cycle[slot] != cycle) {
        calendar->cycle[slot] = cycle;
        calendar->counts[slot] = calendar->empty;
        calendar->last = later(calendar->last, cycle);
    }
    return slot;
}

static unsigned issued_between(const struct calendar *calendar, uint64_t first, uint64_t end) {
    uint64_t issued = 0;
    for (uint64_t cycle = first; cycle < end; cycle++) {
        unsigned slot = cycle % CALENDAR;
        if (calendar->cycle[slot] == cycle)
            issued += (calendar->counts[slot] - calendar->empty) >> FIELD_ALL * FIELD_BITS;
    }
    return (unsigned)issued;
}

/* Whether the issue queue has no place for this many at this cycle, or a later one. Operations that
 * are issued before have left it: they are counted when there may be too many, and either those
 * which have left since, or those which are still there. */
static bool queue_full(struct ooo *ooo, uint64_t cycle, unsigned operations) {
    if (ooo->in_queue + operations <= ooo->issue_queue)
        return false;
    if (cycle > ooo->calendar.last)
        ooo->in_queue = 0;
    else if (cycle - ooo->queue_cycle < ooo->calendar.last - cycle)
        ooo->in_queue -= issued_between(&ooo->calendar, ooo->queue_cycle, cycle);
    else
        ooo->in_queue = issued_between(&ooo->calendar, cycle, ooo->calendar.last + 1);
    ooo->queue_cycle = cycle;
    return ooo->in_queue + operations > ooo->issue_queue;
}

/* The queue that an access waits in; NULL: it is none. */
static inline const struct ring *queue_of(const struct ooo *ooo, const struct micro_op *op) {
    return op->op_class == OP_LOAD ? &ooo->loads : op->op_class == OP_STORE ? &ooo->stores : NULL;
}

static inline bool is_integer(unsigned result) {
    return result - 1 < REGISTER_FLAGS - 1;
}

static inline bool is_float(unsigned result) {
    return result >= REGISTER_VECTOR;
}

/* The file that its result takes a register of; NULL: it takes none. */
static inline const struct ring *registers_of(const struct ooo *ooo, const struct micro_op *op) {
    unsigned result = op->destination[0];
    return is_integer(result) ? &ooo->integers : is_float(result) ? &ooo->floats : NULL;
}

/* Whether the next operations, whatever they are, find a place everywhere from this cycle on: that
 * is looked up once for all of them. Entries are given back in the order they were taken. */
NOT_INLINE static bool find_room(struct ooo *ooo, uint64_t cycle) {
    const struct ring *const rings[] = {&ooo->rob, &ooo->loads, &ooo->stores, &ooo->integers,
                                        &ooo->floats};
    for (unsigned i = 0; i < sizeof rings / sizeof *rings; i++)
        if (ring_free(rings[i], (unsigned)ooo->room_most - 1) > cycle)
            return false;
    return !queue_full(ooo, cycle + ooo->rename_to_issue, (unsigned)ooo->room_most);
}

/* The first cycle, not before `least`, in which everything it needs an entry of has one. */
NOT_INLINE static uint64_t find_entries(const struct ooo *ooo, const struct micro_op *op,
                                        uint64_t least) {
    const struct ring *queue = queue_of(ooo, op), *registers = registers_of(ooo, op);
    uint64_t free = later(least, ring_free(&ooo->rob, 0));
    if (queue)
        free = later(free, ring_free(queue, 0));
    if (registers)
        free = later(free, ring_free(registers, 0));
    return free;
}

/* Where it may have to wait for something. */
NOT_INLINE static uint64_t rename_late(struct ooo *ooo, const struct micro_op *op, uint64_t least) {
    uint64_t renamed = port_take(&ooo->rename, find_entries(ooo, op, least));
    while (queue_full(ooo, renamed + ooo->rename_to_issue, 1))
        renamed = port_take(&ooo->rename, renamed + 1);
    return renamed;
}

/* The cycle of its renaming: where everything it needs a place in has one. */
static inline uint64_t rename_operation(struct ooo *ooo, const struct micro_op *op,
                                        uint64_t least) {
    uint64_t renamed;
    if (--ooo->room < 0)
        ooo->room = find_room(ooo, later(least, ooo->rename.cycle)) ? ooo->room_most - 1 : -1;
    if (ooo->room >= 0)
        renamed = port_take(&ooo->rename, least);
    else
        renamed = rename_late(ooo, op, least), ooo->room = 0;
    *decoded(ooo, 0) = renamed - 1;
    return renamed;
}

/* When a unit that does not take one a cycle takes it, not before `ready`. */
static uint64_t wait_for_unit(struct ooo *ooo, unsigned op_class, uint64_t ready) {
    const struct needs *needs = &ooo->needs;
    unsigned first = 0;
    uint64_t *free = ooo->unit_free[needs->unit[op_class]];
    for (unsigned i = 1; i < needs->units[op_class] && i < BUSY_UNITS; i++)
        if (free[i] < free[first])
            first = i;
    ready = later(ready, free[first]);
    free[first] = ready + needs->interval[op_class];
    return ready;
}

/* Not in the cycle in which it is ready, or not surely. */
NOT_INLINE static uint64_t find_issue_cycle(struct ooo *ooo, unsigned op_class, uint64_t ready) {
    uint64_t full = ooo->needs.full[op_class];
    if (full & ALWAYS_FULL)
        ready = wait_for_unit(ooo, op_class, ready);
    while (ooo->calendar.counts[slot_of(&ooo->calendar, ready)] & full & ~ALWAYS_FULL)
        ready++;
    return ready;
}

/* The first cycle, not before `ready`, in which a unit takes it. */
static inline uint64_t issue(struct ooo *ooo, unsigned op_class, uint64_t ready) {
    unsigned slot = slot_of(&ooo->calendar, ready);
    if (ooo->calendar.counts[slot] & ooo->needs.full[op_class]) {
        ready = find_issue_cycle(ooo, op_class, ready);
        slot = ready % CALENDAR;
    }
    ooo->calendar.counts[slot] += ooo->needs.one[op_class];
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

/* When all that it reads is there, not before `ready`. */
static inline uint64_t read_sources(const struct ooo *ooo, const struct micro_op *op,
                                    uint64_t ready) {
    ready = later(ready, ooo->ready[op->source[0]]);
    ready = later(ready, ooo->ready[op->source[1]]);
    for (unsigned i = 2; i < MICRO_SOURCES && op->source[i]; i++)
        ready = later(ready, ooo->ready[op->source[i]]);
    return ready;
}

/* `missed`: who had a load's data; STACK_BASE: no load, or a hit. */
static inline void write_destinations(struct ooo *ooo, const struct micro_op *op, uint64_t ready,
                                      enum stack_part missed) {
    for (unsigned i = 0; i < MICRO_DESTINATIONS && op->destination[i]; i++) {
        ooo->ready[op->destination[i]] = ready;
        ooo->missed[op->destination[i]] = (uint8_t)missed;
    }
}

/* The part of a wait for a value, a unit or a place. */
static enum stack_part part_of(enum stack_part missed) {
    return missed != STACK_BASE ? missed : STACK_STRUCTURAL;
}

/* What an operation that commits has waited for, the latest first. Seldom asked, so what execute()
 * found on the way is found again. */
NOT_INLINE static enum stack_part waited_for(struct ooo *ooo, const struct micro_op *op,
                                             uint64_t executed, enum stack_part missed) {
    uint64_t renamed = *decoded(ooo, 0) + 1, dispatched = renamed + ooo->rename_to_issue;
    uint64_t ready = read_sources(ooo, op, dispatched);
    if (missed != STACK_BASE)
        return missed;
    if (op->op_class != OP_NOTHING && executed > ready + ooo->issue_to_execute)
        return STACK_STRUCTURAL;
    if (ready > dispatched)
        for (unsigned i = 0;; i++)
            if (ooo->ready[op->source[i]] == ready)
                return part_of(ooo->missed[op->source[i]]);
    return renamed > ooo->fetch.cycle + ooo->fetch_to_rename ? STACK_STRUCTURAL : ooo->fetch_part;
}

static inline void leave_queue(struct core *core, const struct operation *operation,
                               uint64_t completed, uint64_t committed) {
    struct ooo *ooo = core->state;
    if (operation->op->op_class == OP_LOAD) {
        ring_take(&ooo->loads, committed + 1);
        return;
    }
    if (operation->access)
        store(core, operation, completed, committed);
    ring_take(&ooo->stores, later(ooo->store_done, committed) + 1);
}

/* It has committed: what it took is free again.
 * A store goes to the L1D and stays until it is in. */
static inline void leave(struct core *core, const struct operation *operation, uint64_t completed,
                         uint64_t committed) {
    struct ooo *ooo = core->state;
    const struct micro_op *op = operation->op;
    unsigned result = op->destination[0];
    ring_take(&ooo->rob, committed + 1);
    if (is_integer(result))
        ring_take(&ooo->integers, committed + 1);
    else if (is_float(result))
        ring_take(&ooo->floats, committed + 1);
    if (op->op_class == OP_LOAD || op->op_class == OP_STORE)
        leave_queue(core, operation, completed, committed);
    if (op->flags & MICRO_SERIALIZE_AFTER)
        restart_rename(ooo, committed + 1);
}

INLINE uint64_t execute(struct core *core, const struct operation *operation) {
    struct ooo *ooo = core->state;
    const struct micro_op *op = operation->op;
    unsigned op_class = op->op_class;
    if (op->flags & MICRO_SERIALIZE_BEFORE)
        restart_rename(ooo, ooo->commit.cycle + 1);
    uint64_t fetched = fetch_operation(ooo);
    uint64_t renamed = rename_operation(ooo, op, fetched + ooo->fetch_to_rename);
    uint64_t executed = renamed + ooo->rename_to_issue, completed = executed;
    enum stack_part missed = STACK_BASE;
    if (op_class != OP_NOTHING) {
        uint64_t issued = issue(ooo, op_class, read_sources(ooo, op, executed));
        completed = issued + ooo->needs.latency[op_class];
        executed = issued + ooo->issue_to_execute;
        if (operation->access && op_class == OP_LOAD) {
            struct access_time time = load(core, operation, completed);
            completed = time.ready;
            missed = time.part;
        }
    }
    uint64_t before = ooo->commit.cycle;
    uint64_t committed = port_take(&ooo->commit, completed + ooo->complete_to_commit);
    if (committed > before && committed > core->now)
        pipeline_commit(core, operation->mode,
                        committed > core->now + 1 ? waited_for(ooo, op, executed, missed)
                                                  : STACK_BASE,
                        committed);
    write_destinations(ooo, op, completed, missed);
    leave(core, operation, completed, committed);
    return executed;
}

/* Operations of the wrong path that are in the reorder buffer by now, at most. */
static uint64_t wrong_path(struct ooo *ooo, uint64_t executed) {
    uint64_t renamed = *decoded(ooo, 1) + 1; /* the branch */
    uint64_t cycles = executed + 1 > renamed ? executed + 1 - renamed : 0;
    uint64_t fetched = cycles * ooo->rename.width;
    return fetched < ooo->rob.size ? fetched : ooo->rob.size;
}

/* Behind a branch: how long is the code since the last one, in bytes and in operations? So a wrong
 * path is taken to be. */
static void learn_density(struct ooo *ooo, uint64_t end, uint64_t next) {
    uint64_t bytes = end - ooo->run_start;
    if (bytes < PAGE) { /* no interrupt came in between */
        ooo->bytes += bytes;
        ooo->operations += ooo->rob.next - ooo->run_first;
    }
    ooo->run_start = next;
    ooo->run_first = ooo->rob.next;
}

/* From `cycle` on, fetch goes on at this address, where the branch was expected to go, until it
 * hears better at `end`: lines are fetched in vain, one after the other, as many as reorder buffer
 * and fetch queue take, in pages that are known. */
static void fetch_wrong_path(struct core *core, enum model_mode mode, uint64_t address,
                             uint64_t cycle, uint64_t end) {
    struct ooo *ooo = core->state;
    uint64_t size = core->line_mask + 1, line = ooo->virtual_line;
    uint64_t per_cycle =
        ooo->operations ? (unsigned)ooo->fetch.width * ooo->bytes / ooo->operations : 0;
    uint64_t last =
        address + (ooo->rob.size + ooo->fetch_queue) * per_cycle / (unsigned)ooo->fetch.width;
    per_cycle = later(per_cycle, 1);
    for (; cycle < end && address <= last; address = line + size) {
        const struct code_page *page = code_page_of(ooo, address);
        if (page->number != address / PAGE)
            return;
        if ((address & -size) != line) {
            line = address & -size;
            struct access_time time =
                core_fetch(core, mode, page->frame + line % PAGE, line, page->translation, cycle);
            cycle = later(time.ready, cycle + 1);
        }
        cycle += (line + size - address + per_cycle - 1) / per_cycle;
    }
}

/* Decode sees that the target of a direct branch was not known, and tells fetch of the right one
 * (decodeToFetchDelay of gem5's BaseO3CPU.py). One that is conditional must have been expected to
 * be taken. */
enum { DECODE_TO_FETCH = 1 };

static bool decode_corrects(const struct instruction *branch, struct branch_prediction prediction) {
    return prediction.outcome == BRANCH_UNKNOWN_TARGET &&
           (branch->branch != BRANCH_CONDITIONAL || prediction.predicted_taken);
}

static bool branch(struct core *core, const struct instruction *instruction, uint64_t pc,
                   enum model_mode mode, uint64_t executed, bool taken,
                   struct branch_prediction prediction) {
    struct ooo *ooo = core->state;
    uint64_t behind = pc + instruction->length, fetched = ooo->fetch.cycle;
    learn_density(ooo, behind, taken ? 0 : behind);
    if (prediction.outcome == BRANCH_PREDICTED) {
        if (taken)
            ooo->fetch.left = 0; /* the rest of the line is not wanted */
        return false;
    }
    bool early = decode_corrects(instruction, prediction);
    /* after a cycle in which fetch squashes (Fetch::tick() of gem5) */
    uint64_t again =
        early ? fetched + ooo->fetch_to_decode + DECODE_TO_FETCH + 1 : executed + ooo->redirect;
    fetch_wrong_path(core, mode, prediction.next, fetched + 1, again - 1);
    ooo->line = 0;
    restart_fetch(ooo, again, STACK_BRANCH);
    if (!early)
        restart_rename(ooo, executed + 1 + wrong_path(ooo, executed) / ooo->squash_width);
    return !early;
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
    .translations_change = forget_pages,
};
