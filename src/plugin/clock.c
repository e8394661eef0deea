#include "plugin/clock.h"

#include <stddef.h>

#include "plugin/samples.h"
#include "plugin/segment.h"
#include "plugin/stream.h"

static struct {
    struct model *model;
    uint64_t line_size;
    unsigned core;
    enum model_mode mode;          /* of the segment under way, or the last one */
    const struct segment *segment; /* under way; NULL: none */
    unsigned started, counted;     /* of its instructions: that start; that do not count again */
} now;

void clock_init(struct model *model, uint64_t fetch_line) {
    now.model = model;
    now.line_size = fetch_line;
}

/* The segment under way has ended. */
static inline void retire(void) {
    const struct segment *segment = now.segment;
    if (!segment || now.started <= now.counted)
        return;
    unsigned before = now.counted ? segment->instruction[now.counted - 1].fetches : 0;
    model_retire(now.model, now.core, segment->mode, now.started - now.counted,
                 segment->instruction[now.started - 1].fetches - before);
}

static inline void begin(uint64_t event) {
    retire();
    const struct segment *segment = segment_of(event);
    now.segment = segment;
    now.mode = segment->mode;
    now.started = segment->count;
    now.counted = event & SEGMENT_REPEATS ? 1 : 0;
    model_fetch(now.model, now.core, segment->mode, segment->line);
    if (segment->spills)
        model_fetch(now.model, now.core, segment->mode, segment->line + now.line_size);
}

void clock_consume(const uint64_t *events, const uint64_t *end) {
    while (events < end) {
        uint64_t event = *events++;
        enum event kind = event & EVENT_KIND;
        switch (kind) {
        case EVENT_LOAD:
        case EVENT_STORE:
            model_access(now.model, now.core, now.mode, event >> 12, 1u << (event >> 3 & 7),
                         kind == EVENT_STORE);
            break;
        case EVENT_UNCACHED:
            model_access_uncached(now.model, now.core, now.mode, event >> 3);
            break;
        case EVENT_SEGMENT:
            begin(event);
            break;
        case EVENT_PARTIAL:
            now.started = (unsigned)(event >> 3);
            break;
        case EVENT_CORE:
            retire();
            now.segment = NULL;
            now.core = (unsigned)(event >> 3);
            break;
        case EVENT_MARK:
            samples_mark(now.model, (uint16_t)(event >> 3), events[0], events[1]);
            events += 2;
            break;
        }
    }
}
