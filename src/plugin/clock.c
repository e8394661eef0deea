#include "plugin/clock.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "plugin/samples.h"
#include "plugin/segment.h"
#include "plugin/stream.h"
#include "plugin/translations.h"

struct core {
    struct translations translations;
    /* The last instruction that started, by mode, and its mode: as of the last remember(). */
    uint64_t last[MODEL_MODES];
    enum model_mode mode;
};

static struct {
    struct model *model;
    struct profile *profile;
    unsigned number; /* of the core that runs */
    struct core *core;

    /* The segment under way, and where its first instruction is in its block; NULL: none. */
    const struct segment *segment;
    unsigned begins;
    unsigned again;   /* 1: its first instruction has been counted, it starts again */
    unsigned started; /* instructions of the block that start, as far as is known */

    struct access *accesses; /* of the segment under way */
    size_t access_count, access_capacity;

    struct core cores[MAX_CORES];
} now;

bool clock_init(struct model *model, bool translates, struct profile *profile) {
    now.model = model;
    now.profile = profile;
    now.core = &now.cores[0];
    now.access_capacity = 1024;
    now.accesses = malloc(now.access_capacity * sizeof *now.accesses);
    for (unsigned i = 0; translates && i < MAX_CORES; i++)
        if (!(now.cores[i].translations.pool = translation_pool_new()))
            return false;
    return now.accesses;
}

/* These instructions of the segment under way were executed; `next` is where execution went. */
static inline void run(unsigned end, uint64_t next) {
    const struct step step = {
        .segment = now.segment,
        .first = now.again,
        .end = end,
        .accesses = now.accesses,
        .access_count = (unsigned)now.access_count,
        .next = next,
    };
    if (__builtin_expect(now.profile && profile_measures(now.profile, now.number), 0))
        profile_run(now.profile, now.model, now.number, &step);
    else
        model_run(now.model, now.number, &step);
    now.access_count = 0;
    now.again = 0;
}

/* The segment under way has been left for the one behind it in its block. */
static inline void advance(void) {
    const struct segment *behind = segment_behind(now.segment);
    run(now.segment->count, behind->address);
    now.begins += now.segment->count;
    now.segment = behind;
}

/* The block under way has ended. Its last segment stays for remember(). */
static inline void finish(uint64_t next) {
    while (now.started > now.begins + now.segment->count)
        advance();
    run(now.started - now.begins, next);
}

/* Execution is at this instruction of the block. */
static inline void reach(unsigned index) {
    while (index < now.started && index >= now.begins + now.segment->count)
        advance();
}

/* Keep what is_again() needs of the segment that ended. */
static void remember(void) {
    const struct segment *segment = now.segment;
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
    const struct segment *segment = block_first(block), *before = now.segment;
    bool again = false;
    if (before)
        finish(segment->address);
    if (!before || before->mode != segment->mode || segment->kind == SEGMENT_REPEATED) {
        if (before)
            remember();
        again = is_again(segment);
    }
    now.segment = segment;
    now.begins = 0;
    now.again = again;
    now.started = block->instructions;
}

static void change_core(unsigned number) {
    if (now.segment) {
        finish(0);
        remember();
    }
    now.segment = NULL;
    now.number = number;
    now.core = &now.cores[number];
}

static void change_translations(unsigned index) {
    if (now.segment)
        reach(index);
    model_translations_change(now.model, now.number);
    if (now.core->translations.pool)
        translation_pool_clear(now.core->translations.pool);
}

/* What came before is in the sample, the mark itself is not. */
static void mark(unsigned index, uint16_t operation, const uint64_t arguments[2]) {
    if (now.segment)
        reach(index);
    samples_mark(now.model, operation, arguments[0], arguments[1]);
    struct error error = {0};
    if (now.profile && profile_mark(now.profile, operation, &error) < 0)
        fprintf(stderr, "slsuite-plugin: %s\n", error.text);
}

static struct access *next_access(void) {
    if (__builtin_expect(now.access_count == now.access_capacity, 0)) {
        now.access_capacity *= 2;
        now.accesses = realloc(now.accesses, now.access_capacity * sizeof *now.accesses);
        if (!now.accesses)
            abort();
    }
    return &now.accesses[now.access_count++];
}

/* An instruction that QEMU executes in a block of its own, because it reaches I/O in the middle of
 * one, is not announced: then the index is too low for the segment under way. */
static inline uint8_t index_in_segment(unsigned index) {
    return (uint8_t)(index > now.begins ? index - now.begins : 0);
}

static inline void access_memory(uint64_t event, bool store) {
    unsigned index = access_index(event);
    if (__builtin_expect(!now.segment, 0))
        return;
    reach(index);
    const struct translations *translations = &now.core->translations;
    uint64_t address = access_address(event);
    *next_access() = (struct access){
        .address = translations_physical(translations, address),
        .virtual_address = address,
        .translation = translations->entry[address_index(address)].translation,
        .size = (uint8_t)access_size(event),
        .instruction = index_in_segment(index),
        .store = store,
    };
}

static void access_io(uint64_t event, bool store) {
    if (!now.segment)
        return;
    unsigned index = now.started - 1 - access_index(event);
    reach(index);
    *next_access() = (struct access){
        .virtual_address = access_address(event),
        .size = (uint8_t)access_size(event),
        .instruction = index_in_segment(index),
        .store = store,
        .uncached = true,
    };
}

void clock_consume(const uint64_t *events, const uint64_t *end) {
    while (events < end) {
        uint64_t event = *events++;
        enum event kind = event & EVENT_KIND;
        switch (kind) {
        case EVENT_BLOCK:
            begin(block_of(event));
            break;
        case EVENT_LOAD:
        case EVENT_STORE:
            access_memory(event, kind == EVENT_STORE);
            break;
        case EVENT_UNCACHED_LOAD:
        case EVENT_UNCACHED_STORE:
            access_io(event, kind == EVENT_UNCACHED_STORE);
            break;
        case EVENT_PARTIAL:
            now.started -= (unsigned)(event >> 4);
            break;
        case EVENT_CORE:
            change_core((unsigned)(event >> 4));
            break;
        case EVENT_TRANSLATION:
            events += translations_read(&now.core->translations, events);
            break;
        case EVENT_CHANGE:
            change_translations((unsigned)(event >> 4));
            break;
        case EVENT_MARK:
            mark((unsigned)(event >> 4 & 0xfff), (uint16_t)(event >> 16), events);
            events += 2;
            break;
        }
    }
}
