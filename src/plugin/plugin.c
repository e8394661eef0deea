/* QEMU's TCG plugin: turns translation-block callbacks into the timing model's stream.
 *
 * Each segment (segment.h) has one callback, at its first instruction; each further instruction
 * stores its number in the core's `started`, inline. When the next segment begins, `started` tells
 * how many instructions of the one before were executed, also when a fault or an interrupt cut it
 * short.
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
#include "plugin/qemu_plugin_api.h"
#include "plugin/samples.h"
#include "plugin/segment.h"
#include "system/system.h"

QEMU_PLUGIN_EXPORT int qemu_plugin_version = 4;

#define MAX_CORES 8   /* see the scoreboard in qemu_plugin_install() */
#define MAX_BLOCK 512 /* QEMU's TCG_MAX_INSNS */

typedef uint64_t unaligned_uint64 __attribute__((aligned(1)));

struct core {
    const void *cpu;            /* QEMU's CPUState */
    uint64_t last[MODEL_MODES]; /* address of the last instruction that started, by mode */
    enum model_mode mode;
    struct address_table addresses;
};

static struct {
    struct model *model;
    struct model_parameters parameters;
    struct core core[MAX_CORES];

    /* The one host thread runs the cores in turn, and changes them between blocks only. */
    unsigned running;
    const void *const *current; /* QEMU's current_cpu in that thread */

    const struct segment *segment; /* under way on the running core; NULL: none */
    unaligned_uint64 *started;     /* instructions of it that have started */
    char *board;                   /* the scoreboard's memory: `started` points into it */
    uint64_t counted;              /* of these, already given to the model (or not to be) */
    struct qemu_plugin_scoreboard *scoreboard;

    struct qemu_plugin_register *rdi, *rsi;
    struct qemu_array *bytes;
} plugin;

/* Give the model what was executed of the segment under way since it was last asked. */
static void settle(void) {
    const struct segment *segment = plugin.segment;
    if (!segment)
        return;
    uint64_t started = *plugin.started, counted = plugin.counted;
    const struct segment_instruction *last = &segment->instruction[started - 1];
    if (started > counted) {
        unsigned before = counted ? segment->instruction[counted - 1].fetches : 0;
        model_retire(plugin.model, plugin.running, segment->mode, (unsigned)(started - counted),
                     last->fetches - before);
        plugin.counted = started;
    }
    plugin.core[plugin.running].last[segment->mode] = segment->address + last->offset;
}

static void change_core(void) {
    settle();
    plugin.segment = NULL;
    for (unsigned i = 0; i < plugin.parameters.cores; i++)
        if (plugin.core[i].cpu == *plugin.current)
            plugin.running = i;
}

/* The index that QEMU 10 gives to callbacks, and builds into inline stores, is not the core's when
 * one thread runs them all: it is that of the core for which the block was translated first, and
 * blocks are shared (gen_cpu_index() in accel/tcg/plugin-gen.c takes it for a constant). It only
 * tells where the inline stores of this block go. */
static void begin(unsigned translator, const struct segment *segment) {
    if (__builtin_expect(plugin.core[plugin.running].cpu != *plugin.current, 0))
        change_core();
    else
        settle();
    struct core *core = &plugin.core[plugin.running];
    bool repeats = core->last[segment->mode] == segment->address &&
                   (core->mode == segment->mode ? segment->kind == SEGMENT_REPEATED
                                                : segment->mode == MODEL_USER);
    core->mode = segment->mode;
    plugin.segment = segment;
    plugin.counted = repeats;
    plugin.started = (unaligned_uint64 *)(plugin.board + translator);
    *plugin.started = 1;
    model_fetch(plugin.model, plugin.running, segment->mode, segment->line);
    if (segment->spills)
        model_fetch(plugin.model, plugin.running, segment->mode,
                    segment->line + plugin.parameters.line_size);
}

static void on_segment(unsigned translator, void *segment) {
    begin(translator, segment);
}

static void on_translation_change(unsigned translator, void *segment) {
    begin(translator, segment);
    address_table_clear(&plugin.core[plugin.running].addresses);
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

static void on_mark(unsigned translator, void *data) {
    const struct segment *segment = data;
    begin(translator, segment); /* all before it is settled; itself is not, yet */
    samples_mark(plugin.model, segment->operation, read_register(plugin.rdi),
                 read_register(plugin.rsi));
}

static inline void on_access(qemu_plugin_meminfo_t info, uint64_t address, bool store) {
    struct core *core = &plugin.core[plugin.running];
    uint64_t physical = address_physical(&core->addresses, info, address);
    /* TCG splits accesses of more than 16 bytes; so only near a line's end does the size matter. */
    unsigned size = (address & 63) > 48 ? 1u << qemu_plugin_mem_size_shift(info) : 1;
    if (physical == ADDRESS_IO)
        model_access_uncached(plugin.model, plugin.running, core->mode, store);
    else
        model_access(plugin.model, plugin.running, core->mode, physical, size, store);
}

static void on_load(unsigned translator, qemu_plugin_meminfo_t info, uint64_t address,
                    void *unused) {
    (void)translator;
    (void)unused;
    on_access(info, address, false);
}

static void on_store(unsigned translator, qemu_plugin_meminfo_t info, uint64_t address,
                     void *unused) {
    (void)translator;
    (void)unused;
    on_access(info, address, true);
}

static void instrument(struct qemu_plugin_tb *block, size_t first, struct segment *segment) {
    const qemu_plugin_u64 started = {plugin.scoreboard, 0};
    for (size_t i = 0; i < segment->count; i++) {
        struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(block, first + i);
        if (i > 0)
            qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(
                instruction, QEMU_PLUGIN_INLINE_STORE_U64, started, i + 1);
        else if (segment->kind == SEGMENT_MARK)
            qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_mark, QEMU_PLUGIN_CB_R_REGS,
                                                   segment);
        else
            qemu_plugin_register_vcpu_insn_exec_cb(
                instruction,
                segment->kind == SEGMENT_TRANSLATES ? on_translation_change : on_segment,
                QEMU_PLUGIN_CB_NO_REGS, segment);
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

static void on_flush(qemu_plugin_id_t id) {
    (void)id;
    settle();
    plugin.segment = NULL;
    segments_clear();
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
    plugin.core[index].cpu = get_cpu((int)index);
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
    plugin.model = model_new(&plugin.parameters);
    /* Elements of one byte, though eight are stored: QEMU 10 multiplies the constant core number by
     * the element's size in place, once for every store of a block; by one does no harm. A board
     * has room for 16 elements from the start (scoreboard_alloc_size in plugins/core.c), which is
     * eight bytes for each of the first eight cores. */
    plugin.scoreboard = qemu_plugin_scoreboard_new(1);
    plugin.bytes = g_byte_array_new();
    if (!plugin.model || samples_open(samples, events, plugin.model) != 0)
        return refuse(samples, "cannot be written");

    qemu_plugin_register_vcpu_init_cb(id, on_core);
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
    qemu_plugin_register_flush_cb(id, on_flush);
    return 0;
}
