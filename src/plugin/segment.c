#include "plugin/segment.h"

#include <stdlib.h>
#include <string.h>

#include <Zydis/Zydis.h>

#include "guest/mark.h"

/* Segments live as long as QEMU's translated code, which is thrown away all at once. */
struct chunk {
    struct chunk *next;
    size_t used;
    char bytes[1 << 20];
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

void segments_clear(void) {
    while (chunks) {
        struct chunk *next = chunks->next;
        free(chunks);
        chunks = next;
    }
}

static bool is_mark(const struct instruction_view *view, uint16_t *operation) {
    static const uint8_t long_nop[] = {0x0f, 0x1f, 0x84, 0x00};
    uint32_t displacement;
    if (view->size != 8 || memcmp(view->bytes, long_nop, sizeof long_nop) != 0)
        return false;
    memcpy(&displacement, view->bytes + 4, sizeof displacement);
    *operation = (uint16_t)displacement;
    return (displacement & 0xffff0000) == MARK_MAGIC;
}

enum segment_kind segment_classify(const struct instruction_view *view, uint16_t *operation) {
    static ZydisDecoder decoder;
    static bool ready;
    if (!ready) {
        ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
        ready = true;
    }
    if (is_mark(view, operation))
        return SEGMENT_MARK;

    ZydisDecodedInstruction decoded;
    if (!ZYAN_SUCCESS(
            ZydisDecoderDecodeInstruction(&decoder, NULL, view->bytes, view->size, &decoded)))
        return SEGMENT_PLAIN;
    if (decoded.attributes &
        (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE))
        return SEGMENT_REPEATED;
    bool writes_control = decoded.opcode_map == ZYDIS_OPCODE_MAP_0F && decoded.opcode == 0x22;
    if (writes_control || decoded.mnemonic == ZYDIS_MNEMONIC_INVLPG ||
        decoded.mnemonic == ZYDIS_MNEMONIC_INVPCID)
        return SEGMENT_TRANSLATES;
    return SEGMENT_PLAIN;
}

struct segment *segment_make(const struct instruction_view *views, size_t count, unsigned line_size,
                             unsigned fetch_width) {
    const uint64_t line_mask = ~(uint64_t)(line_size - 1);
    uint16_t operation = 0, ignored;
    enum segment_kind kind = segment_classify(&views[0], &operation);
    size_t length = 1;
    while (kind == SEGMENT_PLAIN && length < count && length < SEGMENT_MOST &&
           !((views[length].virtual_address ^ views[0].virtual_address) & line_mask) &&
           segment_classify(&views[length], &ignored) == SEGMENT_PLAIN)
        length++;

    struct segment *segment = allocate(sizeof *segment + length * sizeof segment->instruction[0]);
    if (!segment)
        return NULL;
    /* Into the next line, but not into the next page: where that lies is not known from this
     * instruction. */
    const struct instruction_view *tail = &views[length - 1];
    uint64_t end = tail->virtual_address + tail->size - 1;
    *segment = (struct segment){
        .address = views[0].virtual_address,
        .line = views[0].physical_address,
        .mode = views[0].virtual_address >> 63 ? MODEL_KERNEL : MODEL_USER,
        .kind = (uint8_t)kind,
        .operation = operation,
        .spills = ((end ^ tail->virtual_address) & line_mask) && (end & 4095) >= tail->size,
        .count = (uint8_t)length,
    };
    unsigned fetches = 0;
    for (size_t i = 0; i < length; i++) {
        uint64_t first = views[i].virtual_address, last = first + views[i].size - 1;
        fetches += (unsigned)(last / fetch_width - first / fetch_width + 1);
        segment->instruction[i].offset = (uint8_t)(first - segment->address);
        segment->instruction[i].fetches = (uint8_t)fetches;
    }
    return segment;
}
