#include "plugin/clock.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/mark.h"
#include "model/inlining.h"
#include "plugin/implied.h"
#include "plugin/samples.h"
#include "plugin/segment.h"
#include "plugin/stream.h"
#include "plugin/translations.h"

struct core {
    struct translations translations;
    /* The last instruction that started, by mode, and its mode: as of the last remember(). */
    uint64_t last[MODEL_MODES];
    enum model_mode mode;
    bool starts_cold; /* flush the model when it next executes a user's instruction */
};

/* An access that implies others, and the page beside its own, if they reach into it. */
struct leader {
    uint64_t virtual_address, address;
    const struct translation *translation;
    struct page_translation beside;
};

static struct {
    /* The segment under way: what is known of its step so far. segment = NULL: none. */
    struct step step;
    unsigned begins, length; /* where it is in its block, in instructions; length 0: none */
    unsigned started;        /* instructions of the block that start, as far as is known */
    const struct implied_access *implied; /* what of the block's has not been put in yet */
    unsigned number;                      /* of the core that runs */
    struct core *core;
    struct model *model;
    struct access *accesses; /* step.accesses */
    unsigned access_capacity;
    bool measures;    /* steps go through the profile */
    unsigned flushes; /* parts of the model, at each work begin */
    struct profile *profile;
    struct leader leaders[IMPLIED_LEADERS];
    struct core cores[MAX_CORES];
} now;

static const struct implied_access nothing_implied = {.index = IMPLIED_NONE};

bool clock_init(struct model *model, bool translates, struct profile *profile) {
    now.model = model;
    now.profile = profile;
    now.core = &now.cores[0];
    now.implied = &nothing_implied;
    now.access_capacity = STREAM_CHUNK;
    now.step.accesses = now.accesses = malloc(now.access_capacity * sizeof *now.accesses);
    for (unsigned i = 0; translates && i < MAX_CORES; i++)
        if (!(now.cores[i].translations.pool = translation_pool_new()))
            return false;
    return now.accesses;
}

void clock_flush_at_work_begin(unsigned parts) {
    now.flushes = parts;
}

/* A segment of the block begins; its instructions before `first` have been counted. */
static inline void enter(const struct segment *segment, unsigned begins, unsigned first) {
    now.step.segment = segment;
    now.step.first = first;
    now.begins = begins;
    now.length = segment->count;
}

/* Put an implied access in. False if it cannot have been made: its page is not there. */
static inline bool imply(const struct implied_access *implied, unsigned begins,
                         struct access *access) {
    const struct leader *leader = &now.leaders[implied->leader % IMPLIED_LEADERS];
    uint64_t address = leader->virtual_address + (uint64_t)(int64_t)implied->distance;
    access->address = leader->address + (uint64_t)(int64_t)implied->distance;
    access->virtual_address = address;
    access->translation = leader->translation;
    access->size = implied->size;
    access->instruction = (uint8_t)(implied->index - begins);
    access->store = implied->store;
    access->uncached = false;
    if (__builtin_expect(address_same_page(address, leader->virtual_address), 1))
        return true;
    access->address = page_physical(&leader->beside, address);
    access->translation = leader->beside.translation;
    return leader->beside.frame != ADDRESS_NOWHERE;
}

/* Those of the segment under way before this instruction of the block. */
static inline void imply_until(unsigned index) {
    for (; __builtin_expect(now.implied->index < index, 0); now.implied++)
        now.step.access_count +=
            imply(now.implied, now.begins, &now.accesses[now.step.access_count]);
}

/* The segment under way was executed up to this instruction; `next` is where execution went. */
static inline void run(unsigned end, const struct segment *next) {
    imply_until(now.begins + end);
    now.step.end = end;
    now.step.next = next;
    if (__builtin_expect(now.measures, 0))
        profile_run(now.profile, now.model, now.number, &now.step);
    else
        model_run(now.model, now.number, &now.step);
    now.step.access_count = 0;
}

/* Execution is at, or has gone past, this instruction of the block. */
NOT_INLINE static void reach(unsigned index) {
    unsigned ends = now.begins + now.length;
    for (; index >= ends && now.started > ends; ends = now.begins + now.length) {
        const struct segment *behind = segment_behind(now.step.segment);
        run(now.length, behind);
        enter(behind, ends, 0);
    }
}

/* The block under way has ended. Its last segment stays for remember(). */
static inline void finish(const struct segment *next) {
    if (now.started > now.begins + now.length)
        reach(now.started - 1);
    run(now.started - now.begins, next);
}

/* Keep what is_again() needs of the segment that ended. */
static void remember(const struct segment *segment) {
    now.core->mode = segment->mode;
    now.core->last[segment->mode] =
        segment->address + segment->instruction[now.started - now.begins - 1].offset;
}

/* Is it the instruction that started last in its mode? An iteration of a rep string instruction, or
 * a user instruction that faulted and was resumed by the kernel. */
static bool is_again(const struct segment *segment) {
    const struct core *core = now.core;
    return core->last[segment->mode] == segment->address &&
           (core->mode == segment->mode ? segment->kind == SEGMENT_REPEATED
                                        : segment->mode == MODEL_USER);
}

static inline void begin(const struct block *block) {
    const struct segment *segment = block_first(block);
    /* It is read when the segment before it has been run. */
    __builtin_prefetch(block);
    __builtin_prefetch((const char *)block + 64);
    if (__builtin_expect(now.step.segment != NULL, 1))
        finish(segment);
    /* The last segment of the block before: reach() may have changed it. */
    const struct segment *before = now.step.segment;
    unsigned first = 0;
    if (__builtin_expect(
            !before || before->mode != segment->mode || segment->kind == SEGMENT_REPEATED, 0)) {
        if (before)
            remember(before);
        else
            now.step.access_count = 0; /* of no instruction that was announced */
        first = is_again(segment);
        if (now.core->starts_cold && segment->mode == MODEL_USER) {
            now.core->starts_cold = false;
            model_flush(now.model, FLUSH_ALL);
        }
    }
    enter(segment, 0, first);
    now.started = block->instructions;
    now.implied = block_implied(block);
}

static void change_measures(void) {
    now.measures = now.profile && profile_measures(now.profile, now.number);
}

static void change_core(unsigned number) {
    if (now.step.segment) {
        finish(NULL);
        remember(now.step.segment);
    }
    now.step.segment = NULL;
    now.implied = &nothing_implied;
    now.begins = now.length = now.started = 0;
    now.number = number;
    now.core = &now.cores[number];
    change_measures();
}

static void change_translations(unsigned index) {
    if (now.step.segment)
        reach(index);
    model_translations_change(now.model, now.number);
    if (now.core->translations.pool)
        translation_pool_clear(now.core->translations.pool);
}

/* What came before is in the sample, the mark itself is not. */
static void mark(unsigned index, uint16_t operation, const uint64_t arguments[2]) {
    if (now.step.segment)
        reach(index);
    if (operation == MARK_FLUSH) {
        if (arguments[0] < MAX_CORES)
            now.cores[arguments[0]].starts_cold = true;
        return;
    }
    if (operation == M5_WORK_BEGIN && now.flushes)
        model_flush(now.model, now.flushes);
    samples_mark(now.model, operation, arguments[0], arguments[1]);
    if (operation == M5_WORK_BEGIN || operation == M5_RESET_STATS ||
        operation == M5_DUMP_RESET_STATS)
        model_begin_footprint(now.model);
    else if (operation == M5_WORK_END)
        model_end_footprint(now.model);
    struct error error = {0};
    if (now.profile && profile_mark(now.profile, operation, &error) < 0)
        fprintf(stderr, "slsuite-plugin: %s\n", error.text);
    change_measures();
}

/* These instructions of the block do not start. The last one that did has faulted: what it has
 * accessed has been reported, nothing else is implied by it. */
static void cut_short(unsigned count) {
    if (!now.step.segment)
        return;
    now.started -= count;
    reach(now.started - 1);
    imply_until(now.started - 1);
    now.implied = &nothing_implied;
}

/* Room for as many more accesses. */
static void make_room(size_t count) {
    while (__builtin_expect(now.access_capacity - now.step.access_count < count, 0)) {
        now.access_capacity *= 2;
        now.accesses = realloc(now.accesses, now.access_capacity * sizeof *now.accesses);
        if (!now.accesses)
            abort();
        now.step.accesses = now.accesses;
    }
}

/* For an instruction that is not in the segment under way: its index in the one that is then.
 *
 * An instruction that QEMU executes in a block of its own, because it reaches I/O in the middle of
 * one, is not announced: then the index in the block is too low. */
static unsigned reach_for_access(unsigned index) {
    reach(index);
    return index > now.begins ? index - now.begins : 0;
}

/* By this instruction of the segment under way. (Member by member: a whole struct would be put
 * together elsewhere and copied.) */
static inline void set_access(struct access *access, const struct translations *translations,
                              uint64_t event, unsigned instruction) {
    uint64_t address = access_address(event);
    access->address = translations_physical(translations, address);
    access->virtual_address = address;
    access->translation = translations->entry[address_index(address)].translation;
    access->size = (uint8_t)access_size(event);
    access->instruction = (uint8_t)instruction;
    access->store = is_store(event);
    access->uncached = false;
    if (is_leading(event)) {
        struct leader *leader = &now.leaders[access_index(event) % IMPLIED_LEADERS];
        leader->virtual_address = address;
        leader->address = access->address;
        leader->translation = access->translation;
    }
}

/* Accesses to memory come many behind each other: those of the segment under way are taken without
 * a look at the clock's own state. Returns the first event that is none of these. */
static inline const uint64_t *accesses_memory(const uint64_t *events, const uint64_t *end) {
    const struct translations *translations = &now.core->translations;
    const unsigned begins = now.begins, length = now.length;
    const struct implied_access *implied = now.implied;
    struct access *access = &now.accesses[now.step.access_count];
    for (; events < end; events++) {
        uint64_t event = *events;
        unsigned index = access_index(event), instruction = index - begins;
        if (!is_memory_access(event) || instruction >= length)
            break;
        for (; implied->index < index; implied++)
            access += imply(implied, begins, access);
        set_access(access++, translations, event, instruction);
    }
    now.implied = implied;
    now.step.access_count = (unsigned)(access - now.accesses);
    return events;
}

/* One by an instruction that is not in the segment under way. */
NOT_INLINE static void access_behind(uint64_t event) {
    unsigned instruction = reach_for_access(access_index(event));
    imply_until(access_index(event));
    set_access(&now.accesses[now.step.access_count++], &now.core->translations, event, instruction);
}

NOT_INLINE static void access_io(uint64_t event, bool store) {
    unsigned index = now.started - 1 - access_index(event), instruction = index - now.begins;
    if (instruction >= now.length)
        instruction = reach_for_access(index);
    imply_until(index);
    now.accesses[now.step.access_count++] = (struct access){
        .virtual_address = access_address(event),
        .size = (uint8_t)access_size(event),
        .instruction = (uint8_t)instruction,
        .store = store,
        .uncached = true,
    };
}

/* What the leader implies may lie there. Returns how many words it took. */
static unsigned take_beside(unsigned index, const uint64_t *words) {
    return translations_read_page(now.core->translations.pool, words,
                                  &now.leaders[index % IMPLIED_LEADERS].beside);
}

/* All that is neither a block nor an access to memory. Returns the next event. */
NOT_INLINE static const uint64_t *take_other(uint64_t event, const uint64_t *events) {
    enum event kind = event & EVENT_KIND;
    switch (kind) {
    case EVENT_BLOCK:
    case EVENT_LOAD:
    case EVENT_STORE:
    case EVENT_LEADING_LOAD:
    case EVENT_LEADING_STORE:
        break;
    case EVENT_UNCACHED_LOAD:
    case EVENT_UNCACHED_STORE:
        access_io(event, kind == EVENT_UNCACHED_STORE);
        break;
    case EVENT_PARTIAL:
        cut_short((unsigned)(event >> 4));
        break;
    case EVENT_CORE:
        change_core((unsigned)(event >> 4));
        break;
    case EVENT_TRANSLATION:
        return events + translations_read(&now.core->translations, events);
    case EVENT_BESIDE:
        return events + take_beside((unsigned)(event >> 4), events);
    case EVENT_CHANGE:
        change_translations((unsigned)(event >> 4));
        break;
    case EVENT_MARK:
        mark((unsigned)(event >> 4 & 0xfff), (uint16_t)(event >> 16), events);
        return events + 2;
    }
    return events;
}

void clock_consume(const uint64_t *events, const uint64_t *end) {
    make_room((size_t)(end - events) + IMPLIED_MOST);
    while ((events = accesses_memory(events, end)) < end) {
        uint64_t event = *events++;
        if (__builtin_expect((event & EVENT_KIND) == EVENT_BLOCK, 1))
            begin(block_of(event));
        else if (is_memory_access(event))
            access_behind(event);
        else
            events = take_other(event, events);
    }
}
