/* QEMU's TCG plugin: turns translation-block callbacks into the timing model's stream.
 *
 * Each segment (segment.h) has one callback, at its first instruction; each further instruction
 * stores its number in `started`, inline. When the next segment begins, `started` tells how many
 * instructions of the one before were executed, also when a fault or an interrupt cut it short.
 *
 * An instruction counts when it starts. One that starts again at the same address is the same one:
 * an iteration of a rep string instruction, or a user instruction that faulted and was resumed by
 * the kernel.
 *
 * QEMU's callbacks leave no choice but globals: they are all in `plugin`. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest/mark.h"
#include "model/model.h"
#include "plugin/address.h"
#include "plugin/clock.h"
#include "plugin/qemu_plugin_api.h"
#include "plugin/samples.h"
#include "plugin/segment.h"
#include "plugin/stream.h"
#include "system/system.h"

QEMU_PLUGIN_EXPORT int qemu_plugin_version = 4;

#define MAX_CORES 8   /* see the scoreboard in qemu_plugin_install() */
#define MAX_BLOCK 512 /* QEMU's TCG_MAX_INSNS */

typedef uint64_t unaligned_uint64 __attribute__((aligned(1)));

struct core {
    const void *cpu; /* QEMU's CPUState */
    /* Of the last instruction that started, by mode, and its mode: as of the last remember(). */
    uint64_t last[MODEL_MODES];
    enum model_mode mode;
    struct address_table addresses;
};

static struct {
    /* The one host thread runs the cores in turn, and changes them between blocks only. */
    const void *running;        /* the core's CPUState */
    const void *const *current; /* QEMU's current_cpu in that thread */
    struct core *core;          /* that runs */

    uint64_t segment;          /* under way on it: segment_word(); 0: none */
    unaligned_uint64 *started; /* instructions of it that have started */
    char *board;               /* the scoreboard's memory: `started` points into it */

    struct model *model;
    struct model_parameters parameters;
    struct core cores[MAX_CORES];
    struct qemu_plugin_scoreboard *scoreboard;
    struct qemu_plugin_register *rdi, *rsi;
    struct qemu_array *bytes;
} plugin;

/* The segment under way has ended: say so if it was cut short. */
static inline void end_segment(void) {
    if (__builtin_expect(plugin.segment && *plugin.started != segment_count(plugin.segment), 0))
        stream_push(*plugin.started << 3 | EVENT_PARTIAL);
}

/* Keep what look_closer() needs of the segment under way. */
static void remember(void) {
    if (!plugin.segment)
        return;
    const struct segment *segment = segment_of(plugin.segment);
    plugin.core->mode = segment->mode;
    plugin.core->last[segment->mode] =
        segment->address + segment->instruction[*plugin.started - 1].offset;
}

static void change_core(void) {
    remember();
    plugin.segment = 0;
    plugin.running = *plugin.current;
    for (unsigned i = 0; i < plugin.parameters.cores; i++)
        if (plugin.cores[i].cpu == plugin.running) {
            plugin.core = &plugin.cores[i];
            stream_push((uint64_t)i << 3 | EVENT_CORE);
        }
}

/* A segment that is no plain one, or of another mode than the one before, or the first on its core:
 * does its first instruction start again? */
__attribute__((noinline)) static uint64_t look_closer(const struct segment *segment) {
    remember();
    const struct core *core = plugin.core;
    bool again = core->last[segment->mode] == segment->address &&
                 (core->mode == segment->mode ? segment->kind == SEGMENT_REPEATED
                                              : segment->mode == MODEL_USER);
    return again ? SEGMENT_REPEATS : 0;
}

/* The index that QEMU 10 gives to callbacks, and builds into inline stores, is not the core's when
 * one thread runs them all: it is that of the core for which the block was translated first, and
 * blocks are shared (gen_cpu_index() in accel/tcg/plugin-gen.c takes it for a constant). It only
 * tells where the inline stores of this block go. */
static inline void begin(unsigned translator, uint64_t word) {
    end_segment();
    if (__builtin_expect(plugin.running != *plugin.current, 0))
        change_core();
    uint64_t changed = (plugin.segment ^ word) & SEGMENT_KERNEL;
    uint64_t repeats = 0;
    if (__builtin_expect(!plugin.segment || changed || word & SEGMENT_SPECIAL, 0))
        repeats = look_closer(segment_of(word));
    plugin.segment = word;
    plugin.started = (unaligned_uint64 *)(plugin.board + translator);
    *plugin.started = 1;
    stream_push(word | repeats | EVENT_SEGMENT);
}

static void on_segment(unsigned translator, void *word) {
    begin(translator, (uintptr_t)word);
}

static void on_translation_change(unsigned translator, void *word) {
    begin(translator, (uintptr_t)word);
    address_table_clear(&plugin.core->addresses);
}

static uint64_t read_register(struct qemu_plugin_register *handle) {
    uint64_t value = 0;
    if (!handle)
        return 0;
    g_byte_array_set_size(plugin.bytes, 0);
    int size = qemu_plugin_read_register(handle, plugin.bytes);
    if (size > 0)
        memcpy(&value, plugin.bytes->data,
               (size_t)size < sizeof value ? (size_t)size : sizeof value);
    return value;
}

static void on_mark(unsigned translator, void *word) {
    begin(translator, (uintptr_t)word);
    *stream_next++ = (uint64_t)segment_of((uintptr_t)word)->operation << 3 | EVENT_MARK;
    *stream_next++ = read_register(plugin.rdi);
    *stream_next++ = read_register(plugin.rsi);
    stream_flush(); /* the host waits for it */
}

static inline void on_access(qemu_plugin_meminfo_t info, uint64_t address, enum event kind) {
    uint64_t physical = address_physical(&plugin.core->addresses, info, address);
    /* TCG splits accesses of more than 16 bytes; so only near a line's end does the size matter. */
    uint64_t size = (address & 63) > 48 ? qemu_plugin_mem_size_shift(info) : 0;
    if (__builtin_expect(physical == ADDRESS_IO, 0))
        stream_push((kind == EVENT_STORE) << 3 | EVENT_UNCACHED);
    else
        stream_push(physical << 12 | size << 3 | kind);
}

static void on_load(unsigned translator, qemu_plugin_meminfo_t info, uint64_t address,
                    void *unused) {
    (void)translator;
    (void)unused;
    on_access(info, address, EVENT_LOAD);
}

static void on_store(unsigned translator, qemu_plugin_meminfo_t info, uint64_t address,
                     void *unused) {
    (void)translator;
    (void)unused;
    on_access(info, address, EVENT_STORE);
}

static void instrument(struct qemu_plugin_tb *block, size_t first, const struct segment *segment) {
    const qemu_plugin_u64 started = {plugin.scoreboard, 0};
    void *word = (void *)(uintptr_t)segment_word(segment);
    for (size_t i = 0; i < segment->count; i++) {
        struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(block, first + i);
        if (i > 0)
            qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(
                instruction, QEMU_PLUGIN_INLINE_STORE_U64, started, i + 1);
        else if (segment->kind == SEGMENT_MARK)
            qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_mark, QEMU_PLUGIN_CB_R_REGS,
                                                   word);
        else
            qemu_plugin_register_vcpu_insn_exec_cb(
                instruction,
                segment->kind == SEGMENT_TRANSLATES ? on_translation_change : on_segment,
                QEMU_PLUGIN_CB_NO_REGS, word);
        qemu_plugin_register_vcpu_mem_cb(instruction, on_load, QEMU_PLUGIN_CB_NO_REGS,
                                         QEMU_PLUGIN_MEM_R, NULL);
        qemu_plugin_register_vcpu_mem_cb(instruction, on_store, QEMU_PLUGIN_CB_NO_REGS,
                                         QEMU_PLUGIN_MEM_W, NULL);
    }
}

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *block) {
    (void)id;
    static struct instruction_view views[MAX_BLOCK];
    size_t count = qemu_plugin_tb_n_insns(block);
    if (count > MAX_BLOCK)
        abort();
    for (size_t i = 0; i < count; i++) {
        struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(block, i);
        views[i].virtual_address = qemu_plugin_insn_vaddr(instruction);
        views[i].physical_address =
            address_of_code(qemu_plugin_insn_haddr(instruction), views[i].virtual_address);
        views[i].size = (uint8_t)qemu_plugin_insn_size(instruction);
        qemu_plugin_insn_data(instruction, views[i].bytes, sizeof views[i].bytes);
    }
    for (size_t first = 0; first < count;) {
        struct segment *segment =
            segment_make(views + first, count - first, (unsigned)plugin.parameters.line_size,
                         (unsigned)plugin.parameters.fetch_width);
        if (!segment)
            abort();
        instrument(block, first, segment);
        first += segment->count;
    }
}

/* The consumer forgets its segment, and has read all others, before they go. */
static void on_flush(qemu_plugin_id_t id) {
    (void)id;
    end_segment();
    plugin.running = NULL;
    plugin.core = &plugin.cores[0];
    plugin.segment = 0;
    stream_push(EVENT_CORE);
    stream_drain();
    segments_clear();
}

static void on_end(qemu_plugin_id_t id, void *unused) {
    (void)id;
    (void)unused;
    stream_drain();
}

/* QEMU's own variables, which Debian's and Ubuntu's builds export for their modules: who is who,
 * and who runs. */
static void on_core(qemu_plugin_id_t id, unsigned index) {
    (void)id;
    void *(*get_cpu)(int) = (void *(*)(int))dlsym(RTLD_DEFAULT, "qemu_get_cpu");
    plugin.current = dlsym(RTLD_DEFAULT, "current_cpu");
    if (!get_cpu || !plugin.current) {
        fputs("slsuite-plugin: this QEMU does not export current_cpu: use the distribution's\n",
              stderr);
        _exit(1);
    }
    plugin.cores[index].cpu = get_cpu((int)index);
    plugin.board = qemu_plugin_scoreboard_find(plugin.scoreboard, 0);
    const struct qemu_array *registers = qemu_plugin_get_registers();
    const qemu_plugin_reg_descriptor *descriptor = (void *)registers->data;
    for (unsigned i = 0; i < registers->length; i++)
        if (strcmp(descriptor[i].name, "rdi") == 0)
            plugin.rdi = descriptor[i].handle;
        else if (strcmp(descriptor[i].name, "rsi") == 0)
            plugin.rsi = descriptor[i].handle;
}

static int refuse(const char *what, const char *why) {
    fprintf(stderr, "slsuite-plugin: %s: %s\n", what, why);
    return -1;
}

/* Arguments: system=FILE (YAML), ram=FILE (the guest's RAM as mapped), samples=FILE,
 * events=DESCRIPTOR. */
QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc,
                                           char **argv) {
    const char *system = NULL, *samples = NULL;
    int events = -1;
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "system=", 7) == 0)
            system = argv[i] + 7;
        else if (strncmp(argv[i], "ram=", 4) == 0)
            address_set_ram(argv[i] + 4);
        else if (strncmp(argv[i], "samples=", 8) == 0)
            samples = argv[i] + 8;
        else if (strncmp(argv[i], "events=", 7) == 0)
            events = atoi(argv[i] + 7);
        else
            return refuse(argv[i], "unknown argument");
    }
    if (!system || !samples)
        return refuse("arguments", "system=FILE and samples=FILE are needed");
    if (!info->system_emulation || strcmp(info->target_name, "x86_64") != 0)
        return refuse(info->target_name, "only qemu-system-x86_64 is supported");

    struct error error = {0};
    if (system_load(system, &plugin.parameters, &error) < 0)
        return refuse("system", error.text);
    if (info->system.max_vcpus > (int)plugin.parameters.cores ||
        plugin.parameters.cores > MAX_CORES)
        return refuse(system, "the machine has more cores than the system describes");
    plugin.core = &plugin.cores[0];
    plugin.model = model_new(&plugin.parameters);
    /* Elements of one byte, though eight are stored: QEMU 10 multiplies the constant core number by
     * the element's size in place, once for every store of a block; by one does no harm. A board
     * has room for 16 elements from the start (scoreboard_alloc_size in plugins/core.c), which is
     * eight bytes for each of the first eight cores. */
    plugin.scoreboard = qemu_plugin_scoreboard_new(1);
    plugin.bytes = g_byte_array_new();
    if (!plugin.model || samples_open(samples, events, plugin.model) != 0)
        return refuse(samples, "cannot be written");

    clock_init(plugin.model, plugin.parameters.line_size);
    if (stream_start(clock_consume) < 0)
        return refuse("the model's thread", "cannot be started");

    qemu_plugin_register_vcpu_init_cb(id, on_core);
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
    qemu_plugin_register_flush_cb(id, on_flush);
    qemu_plugin_register_atexit_cb(id, on_end, NULL);
    return 0;
}
