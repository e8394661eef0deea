#include "plugin/segment.h"

#include <stdlib.h>
#include <string.h>

#include "decode/decode.h"
#include "plugin/regions.h"

/* Blocks live as long as QEMU's translated code, which is thrown away all at once. */
struct chunk {
    struct chunk *next;
    size_t used;
    char bytes[1 << 20] __attribute__((aligned(16)));
};

static struct chunk *chunks;

static void *allocate(size_t size) {
    size = (size + 15) & ~(size_t)15;
    if (!chunks || chunks->used + size > sizeof chunks->bytes) {
        struct chunk *chunk = malloc(sizeof *chunk);
        if (!chunk)
            return NULL;
        chunk->next = chunks;
        chunk->used = 0;
        chunks = chunk;
    }
    void *place = chunks->bytes + chunks->used;
    chunks->used += size;
    return place;
}

void blocks_clear(void) {
    while (chunks) {
        struct chunk *next = chunks->next;
        free(chunks);
        chunks = next;
    }
}

unsigned block_left(const struct instruction_view *views, size_t count, size_t index) {
    while (index + 1 < count && views[index].traits.stays)
        index++;
    return (unsigned)(count - 1 - index);
}

/* How many of the views belong to the segment that starts with the first one. */
static size_t segment_length(const struct instruction_view *views, size_t count,
                             unsigned line_size) {
    const uint64_t line_mask = ~(uint64_t)(line_size - 1);
    size_t length = 1;
    while (views[0].traits.kind == SEGMENT_PLAIN && length < count && length < SEGMENT_MOST &&
           !((views[length].virtual_address ^ views[0].virtual_address) & line_mask) &&
           views[length].traits.kind == SEGMENT_PLAIN)
        length++;
    return length;
}

/* Instructions, and their micro-operations right behind: read in order, as few of the host's cache
 * lines as can be. False when memory is out. */
static bool decode(struct segment *segment, const struct instruction_view *views) {
    static struct micro_op scratch[SEGMENT_MOST * DECODE_MOST];
    struct instruction instructions[SEGMENT_MOST];
    size_t count = 0;
    for (size_t i = 0; i < segment->count; i++) {
        decode_instruction(views[i].bytes, views[i].size, views[i].virtual_address,
                           &instructions[i], &scratch[count]);
        count += instructions[i].micro_op_count;
    }
    struct instruction *code = allocate(segment->count * sizeof *code + count * sizeof scratch[0]);
    if (!code)
        return false;
    segment->code = memcpy(code, instructions, segment->count * sizeof *code);
    memcpy(code + segment->count, scratch, count * sizeof scratch[0]);
    return true;
}

static void fill(struct segment *segment, const struct instruction_view *views, size_t length,
                 const struct segment_options *options) {
    const uint64_t line_mask = ~(uint64_t)(options->line_size - 1);
    /* Into the next line, but not into the next page:
     * where that lies is not known from this instruction. */
    const struct instruction_view *tail = &views[length - 1];
    uint64_t end = tail->virtual_address + tail->size - 1;
    *segment = (struct segment){
        .address = views[0].virtual_address,
        .line = views[0].physical_address,
        .translation = views[0].translation,
        .region = regions_find(options->regions, views[0].virtual_address),
        .operation = views[0].traits.operation,
        .mode = views[0].virtual_address >> 63 ? MODEL_KERNEL : MODEL_USER,
        .kind = views[0].traits.kind,
        .spills = ((end ^ tail->virtual_address) & line_mask) && (end & 4095) >= tail->size,
        .count = (uint8_t)length,
    };
    unsigned fetches = 0;
    for (size_t i = 0; i < length; i++) {
        uint64_t first = views[i].virtual_address, last = first + views[i].size - 1;
        fetches += (unsigned)(last / options->fetch_width - first / options->fetch_width + 1);
        segment->instruction[i].offset = (uint8_t)(first - segment->address);
        segment->instruction[i].fetches = (uint8_t)fetches;
    }
}

const struct block *block_make(const struct instruction_view *views, size_t count,
                               const struct implied_access *implied, size_t implied_count,
                               const struct segment_options *options) {
    static const struct implied_access last = {.index = IMPLIED_NONE};
    size_t size = sizeof(struct block);
    unsigned segments = 0;
    for (size_t i = 0, length; i < count; i += length, segments++) {
        length = segment_length(views + i, count - i, options->line_size);
        size += segment_size((unsigned)length);
    }
    struct block *block = allocate(size + (implied_count + 1) * sizeof *implied);
    if (!block)
        return NULL;
    *block = (struct block){.instructions = (uint16_t)count,
                            .segments = (uint16_t)segments,
                            .implied_at = (uint32_t)size};
    struct implied_access *list = (struct implied_access *)((char *)block + size);
    if (implied_count)
        memcpy(list, implied, implied_count * sizeof *list);
    list[implied_count] = last;
    char *place = (char *)(block + 1);
    for (size_t i = 0, length; i < count; i += length) {
        length = segment_length(views + i, count - i, options->line_size);
        struct segment *segment = (struct segment *)place;
        fill(segment, views + i, length, options);
        if (options->decode && !decode(segment, views + i))
            return NULL;
        place += segment_size((unsigned)length);
    }
    return block;
}
