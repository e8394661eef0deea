/* Streams: accesses that walk through a page, line after line, up or down. Each of `entries`
 * streams watches one 4 kB page. After two steps in one direction it runs ahead of the accesses, up
 * to `distance` lines, asking for at most `degree` of them at a time. The stream that was idle
 * longest makes room for a new page's; only a miss begins one.
 *
 * After the L2 streamer of Intel's processors (Intel 64 and IA-32 Architectures Optimization
 * Reference Manual, volume 1, hardware prefetching: one forward or backward stream a page, up to 20
 * lines ahead). */
#include "model/prefetcher.h"

enum { PAGE_SHIFT = 12, SURE = 2 /* steps in one direction */ };

struct stream {
    uint64_t page; /* plus 1; 0: unused */
    uint64_t used; /* when */
    int64_t last;  /* line in the page */
    int64_t asked; /* the farthest line asked for */
    int direction; /* 1, -1; 0: not known */
    unsigned steps;
};

struct streams {
    uint64_t degree, now, count;
    int64_t distance, lines_of_page;
    unsigned line_shift;
    struct stream stream[];
};

static size_t size(const struct prefetcher_parameters *parameters, uint64_t line_size) {
    return sizeof(struct streams) + (parameters->entries + 1) * sizeof(struct stream);
}

static void init(void *state, const struct prefetcher_parameters *parameters, uint64_t line_size) {
    *(struct streams *)state = (struct streams){
        .degree = parameters->degree,
        .count = parameters->entries ? parameters->entries : 1,
        .distance = (int64_t)parameters->distance,
        .lines_of_page = (1 << PAGE_SHIFT) / (int64_t)line_size,
        .line_shift = (unsigned)__builtin_ctzll(line_size),
    };
}

/* The page's stream, or the one used longest ago. */
static struct stream *find(struct streams *streams, uint64_t page) {
    struct stream *oldest = streams->stream;
    for (struct stream *stream = oldest; stream < streams->stream + streams->count; stream++) {
        if (stream->page == page)
            return stream;
        if (stream->used < oldest->used)
            oldest = stream;
    }
    return oldest;
}

/* The access came to this line of the stream's page. Whether that was a step. */
static bool follow(struct stream *stream, int64_t line) {
    if (line == stream->last)
        return false;
    int direction = line > stream->last ? 1 : -1;
    if (direction != stream->direction) {
        stream->direction = direction;
        stream->steps = 0;
        stream->asked = line;
    }
    stream->steps++;
    stream->last = line;
    return true;
}

/* Ask for the lines from the farthest asked for to `distance` lines ahead. */
static unsigned run_ahead(const struct streams *streams, struct stream *stream, uint64_t *lines) {
    int64_t direction = stream->direction, end = stream->last + direction * streams->distance;
    if ((stream->asked - stream->last) * direction < 0) /* overtaken */
        stream->asked = stream->last;
    unsigned count = 0;
    while (count < streams->degree && count < PREFETCHES_MOST && stream->asked != end) {
        int64_t line = stream->asked + direction;
        if (line < 0 || line >= streams->lines_of_page)
            break;
        stream->asked = line;
        lines[count++] =
            ((stream->page - 1) << PAGE_SHIFT) + ((uint64_t)line << streams->line_shift);
    }
    return count;
}

static unsigned access(void *state, const struct prefetch_hint *hint, uint64_t *lines) {
    struct streams *streams = state;
    uint64_t page = (hint->address >> PAGE_SHIFT) + 1;
    int64_t line = (int64_t)(hint->address >> streams->line_shift) & (streams->lines_of_page - 1);
    struct stream *stream = find(streams, page);
    if (stream->page != page) {
        if (hint->hit)
            return 0;
        *stream = (struct stream){.page = page, .last = line, .asked = line};
    }
    stream->used = ++streams->now;
    if (!follow(stream, line) || stream->steps < SURE)
        return 0;
    return run_ahead(streams, stream, lines);
}

const struct prefetcher prefetcher_stream = {
    .name = "stream",
    .data = true,
    .size = size,
    .init = init,
    .access = access,
};
