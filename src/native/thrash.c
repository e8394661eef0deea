#include "native/thrash.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "native/pin.h"

#define LINE 64
#define CODE_BYTES (4u << 20) /* 65536 jumps: more than any branch target buffer holds */
#define DATA_LEAST (16u << 20)
#define DATA_MOST (512u << 20)

struct thrash {
    unsigned cpu, home;
    volatile uint8_t *data;
    size_t size;
    uint8_t *code;
};

/* From the beginning of each line to the next: jmp +62. The last returns. */
static void write_jumps(uint8_t *code) {
    for (size_t at = 0; at < CODE_BYTES; at += LINE) {
        code[at] = 0xeb;
        code[at + 1] = LINE - 2;
    }
    code[CODE_BYTES - LINE] = 0xc3;
}

static size_t data_size(void) {
    long cache = sysconf(_SC_LEVEL3_CACHE_SIZE);
    size_t size = cache > 0 ? 2 * (size_t)cache : 4ul * DATA_LEAST;
    return size < DATA_LEAST ? DATA_LEAST : size > DATA_MOST ? DATA_MOST : size;
}

struct thrash *thrash_new(unsigned cpu, unsigned home, struct error *err) {
    struct thrash *thrash = calloc(1, sizeof *thrash);
    if (!thrash)
        abort();
    *thrash = (struct thrash){.cpu = cpu, .home = home, .size = data_size()};
    void *data =
        mmap(NULL, thrash->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    void *code = mmap(NULL, CODE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    thrash->data = data == MAP_FAILED ? NULL : data;
    thrash->code = code == MAP_FAILED ? NULL : code;
    if (thrash->code)
        write_jumps(thrash->code);
    if (thrash->data && thrash->code && mprotect(code, CODE_BYTES, PROT_READ | PROT_EXEC) == 0)
        return thrash;
    error_errno(err, "cannot have memory to thrash the caches with");
    thrash_free(thrash);
    return NULL;
}

void thrash_run(void *context) {
    struct thrash *thrash = context;
    void (*jump)(void);
    memcpy(&jump, &thrash->code, sizeof jump);
    pin_to(thrash->cpu, NULL);
    for (size_t at = 0; at < thrash->size; at += LINE)
        thrash->data[at]++;
    jump();
    pin_to(thrash->home, NULL);
}

void thrash_free(struct thrash *thrash) {
    if (thrash->data)
        munmap((void *)thrash->data, thrash->size);
    if (thrash->code)
        munmap(thrash->code, CODE_BYTES);
    free(thrash);
}
