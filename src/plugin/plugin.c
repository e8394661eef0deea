/* QEMU's TCG plugin: turns translation-block callbacks into the timing model's stream.
 *
 * Each block has one callback, at its first instruction, that writes its word into the stream; each
 * access to memory that is not implied (implied.h) has one, too. How far execution got in a block
 * is told by `left`, the number of its instructions that have not started. It is kept by inline
 * stores, and only where execution can leave in the middle: at an instruction that touches memory
 * or may raise something. Such an instruction can leave only itself or the block's end as the last
 * that started, so the store is made by the instruction behind it, for all up to the next such one.
 * When the next block begins, `left` is 0 unless a fault cut the one before short. (Interrupts are
 * taken between blocks.)
 *
 * An instruction counts when it starts. One that starts again at the same address is the same one:
 * an iteration of a rep string instruction, or a user instruction that faulted and was resumed by
 * the kernel. The consumer sees to that (clock.c).
 *
 * QEMU's callbacks leave no choice but globals: they are all in `plugin`. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/model.h"
#include "plugin/address.h"
#include "plugin/arguments.h"
#include "plugin/clock.h"
#include "plugin/implied.h"
#include "plugin/qemu_plugin_api.h"
#include "plugin/regions.h"
#include "plugin/samples.h"
#include "plugin/segment.h"
#include "plugin/stream.h"
#include "plugin/translations.h"
#include "system/system.h"

QEMU_PLUGIN_EXPORT int qemu_plugin_version = 4;

#define GENERAL_REGISTERS 16

typedef uint64_t unaligned_uint64 __attribute__((aligned(1)));

struct core {
    const void *cpu; /* QEMU's CPUState */
    uint64_t cr3;    /* or ADDRESS_NO_CR3 */
    struct address_table addresses;
};

static struct {
    /* The one host thread runs the cores in turn, and changes them between blocks only. */
    const void *running;             /* the core's CPUState */
    const void *const *current;      /* QEMU's current_cpu in that thread */
    struct core *core;               /* that runs */
    struct address_table *addresses; /* its */
    unaligned_uint64 *left;          /* instructions of the block under way that have not started */
    char *board;                     /* the scoreboard's memory: `left` points into it */
    unsigned size_shift; /* of a qemu_plugin_meminfo_t, to have the access's size in its place */

    bool walks; /* translation is not free: say where page walks read */
    struct model *model;
    struct model_parameters parameters;
    struct segment_options segments;
    struct translation_pool *code_pages; /* translations of code, for as long as QEMU runs */
    struct core cores[MAX_CORES];
    struct qemu_plugin_scoreboard *scoreboard;
    struct qemu_plugin_register *general[GENERAL_REGISTERS], *cr3, *cs;
    struct qemu_array *bytes;
} plugin;

#define RARE __attribute__((noinline, cold))

/* The block under way was cut short. */
static void cut_short(void) {
    stream_push(*plugin.left << 4 | EVENT_PARTIAL);
    *plugin.left = 0;
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

/* The first time, its page tables are where the core says;
 * from then on, it tells when they change. */
static void change_core(void) {
    plugin.running = *plugin.current;
    for (unsigned i = 0; i < plugin.parameters.cores; i++)
        if (plugin.cores[i].cpu == plugin.running) {
            plugin.core = &plugin.cores[i];
            plugin.addresses = &plugin.core->addresses;
            stream_push((uint64_t)i << 4 | EVENT_CORE);
            if (plugin.core->cr3 == ADDRESS_NO_CR3)
                plugin.core->cr3 = read_register(plugin.cr3);
        }
}

static inline void begin(unsigned translator, uint64_t word) {
    plugin.left = (unaligned_uint64 *)(plugin.board + translator);
    *plugin.left = word >> BLOCK_LEFT_SHIFT;
    stream_fetch_ahead();
    stream_push(word);
}

RARE static void begin_carefully(unsigned translator, uint64_t word) {
    if (*plugin.left)
        cut_short();
    if (plugin.running != *plugin.current)
        change_core();
    begin(translator, word);
}

/* This and on_access() are most of what the plugin costs the executing thread. All calls in them
 * come last, so that they need no stack frame.
 *
 * The index that QEMU 10 gives to callbacks, and builds into inline stores, is not the core's when
 * one thread runs them all: it is that of the core for which the block was translated first, and
 * blocks are shared (gen_cpu_index() in accel/tcg/plugin-gen.c takes it for a constant). It only
 * tells where the inline stores of this block go. */
static void on_block(unsigned translator, void *word) {
    if (__builtin_expect(*plugin.left || plugin.running != *plugin.current, 0))
        begin_carefully(translator, (uintptr_t)word);
    else
        begin(translator, (uintptr_t)word);
}

/* Instructions of interest, as userdata: index in the block | something << 16. */
static inline void *note(size_t index, unsigned what) {
    return (void *)(uintptr_t)(index | what << 16);
}

static void on_translation_change(unsigned translator, void *noted) {
    (void)translator;
    unsigned index = (uintptr_t)noted & 0xffff, source = (uintptr_t)noted >> 16;
    address_table_clear(plugin.addresses);
    if (source < GENERAL_REGISTERS)
        plugin.core->cr3 = read_register(plugin.general[source]);
    stream_push((uint64_t)index << 4 | EVENT_CHANGE);
}

static void on_mark(unsigned translator, void *noted) {
    (void)translator;
    uint64_t index = (uintptr_t)noted & 0xffff, operation = (uintptr_t)noted >> 16;
    stream_reserve();
    *stream_next++ = operation << 16 | index << 4 | EVENT_MARK;
    *stream_next++ = read_register(plugin.general[7]); /* rdi */
    *stream_next++ = read_register(plugin.general[6]); /* rsi */
    stream_flush();                                    /* the host waits for it */
}

/* An access to a page that is not in the table.
 * Its arguments are on_access()'s, in their places. */
RARE static void look_up(unsigned translator, qemu_plugin_meminfo_t info, uint64_t address,
                         void *userdata) {
    uint64_t frame = 0, constant = (uintptr_t)userdata;
    (void)translator;
    enum address_place place = address_ask(info, address, &frame);
    if (place == ADDRESS_IO) {
        bool store = is_store(constant);
        constant = access_constant(store ? EVENT_UNCACHED_STORE : EVENT_UNCACHED_LOAD,
                                   (unsigned)*plugin.left);
    } else {
        struct translation translation = {0};
        if (plugin.walks && place == ADDRESS_MEMORY)
            address_walk(plugin.core->cr3, address, frame, &translation);
        stream_reserve();
        *stream_next++ = EVENT_TRANSLATION;
        stream_next += translations_write(stream_next, &translation, address, frame);
        if (place == ADDRESS_MEMORY)
            address_remember(plugin.addresses, address);
        else
            address_forget(plugin.addresses, address); /* the consumer has, just now */
    }
    stream_push(access_word(constant, address, info >> plugin.size_shift & ACCESS_SIZE_MASK));
}

/* For a QEMU that has the access's size at the place where ours is, as 10.0 has. */
static void on_access(unsigned translator, qemu_plugin_meminfo_t info, uint64_t address,
                      void *constant) {
    if (__builtin_expect(address_known(plugin.addresses, address), 1))
        stream_push(access_word((uintptr_t)constant, address, info & ACCESS_SIZE_MASK));
    else
        look_up(translator, info, address, constant);
}

static void on_access_shifting(unsigned translator, qemu_plugin_meminfo_t info, uint64_t address,
                               void *constant) {
    if (address_known(plugin.addresses, address))
        stream_push(access_word((uintptr_t)constant, address,
                                info >> plugin.size_shift & ACCESS_SIZE_MASK));
    else
        look_up(translator, info, address, constant);
}

/* By an access that implies others: userdata says how far below it and above it, too. */
#define BELOW_SHIFT 16
#define ABOVE_SHIFT 28
#define DISTANCE_MASK (IMPLIED_SPAN - 1)

static inline uint64_t below(uint64_t noted, uint64_t address) {
    return address - (noted >> BELOW_SHIFT & DISTANCE_MASK);
}
static inline uint64_t above(uint64_t noted, uint64_t address) {
    return address + (noted >> ABOVE_SHIFT & DISTANCE_MASK);
}

RARE static void lead_carefully(unsigned translator, qemu_plugin_meminfo_t info, uint64_t address,
                                void *userdata) {
    uint64_t noted = (uintptr_t)userdata, constant = noted & ((1u << BELOW_SHIFT) - 1);
    on_access_shifting(translator, info, address, (void *)(uintptr_t)constant);
    uint64_t other = below(noted, address);
    if (address_same_page(other, address))
        other = above(noted, address);
    if (address_same_page(other, address))
        return;
    struct translation translation;
    uint64_t frame = address_find(plugin.core->cr3, other, &translation);
    if (!plugin.walks)
        translation.levels = 0;
    stream_reserve();
    *stream_next++ = (uint64_t)access_index(constant) << 4 | EVENT_BESIDE;
    stream_next += translations_write(stream_next, &translation, other, frame);
}

static void on_leading_access(unsigned translator, qemu_plugin_meminfo_t info, uint64_t address,
                              void *userdata) {
    uint64_t noted = (uintptr_t)userdata;
    if (__builtin_expect(address_same_page(below(noted, address), above(noted, address)) &&
                             address_known(plugin.addresses, address),
                         1))
        stream_push(access_word(noted & ((1u << BELOW_SHIFT) - 1), address,
                                info >> plugin.size_shift & ACCESS_SIZE_MASK));
    else
        lead_carefully(translator, info, address, userdata);
}

static void instrument_accesses(struct qemu_plugin_insn *instruction, unsigned index,
                                const struct implied_instruction *implied) {
    qemu_plugin_vcpu_mem_cb_t callback = implied->leads      ? on_leading_access
                                         : plugin.size_shift ? on_access_shifting
                                                             : on_access;
    uint64_t distances = (uint64_t)implied->below << BELOW_SHIFT;
    distances |= (uint64_t)implied->above << ABOVE_SHIFT;
    uint64_t load = access_constant(implied->leads ? EVENT_LEADING_LOAD : EVENT_LOAD, index),
             store = access_constant(implied->leads ? EVENT_LEADING_STORE : EVENT_STORE, index);
    if (!implied->load)
        qemu_plugin_register_vcpu_mem_cb(instruction, callback, QEMU_PLUGIN_CB_NO_REGS,
                                         QEMU_PLUGIN_MEM_R, (void *)(uintptr_t)(distances | load));
    if (!implied->store)
        qemu_plugin_register_vcpu_mem_cb(instruction, callback, QEMU_PLUGIN_CB_NO_REGS,
                                         QEMU_PLUGIN_MEM_W, (void *)(uintptr_t)(distances | store));
}

/* Where execution is in the block, and what it accesses. */
static void instrument_instruction(struct qemu_plugin_insn *instruction,
                                   const struct instruction_view *views, size_t count, size_t i,
                                   const struct implied_instruction *implied) {
    const struct instruction_traits *traits = &views[i].traits;
    if (i > 0 && !views[i - 1].traits.stays) {
        const qemu_plugin_u64 left = {plugin.scoreboard, 0};
        qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(
            instruction, QEMU_PLUGIN_INLINE_STORE_U64, left, block_left(views, count, i));
    }
    if (traits->kind == SEGMENT_MARK)
        qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_mark, QEMU_PLUGIN_CB_R_REGS,
                                               note(i, traits->operation));
    else if (traits->kind == SEGMENT_TRANSLATES)
        qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_translation_change,
                                               QEMU_PLUGIN_CB_R_REGS, note(i, traits->cr3_source));
    if (!traits->stays)
        instrument_accesses(instruction, (unsigned)i, implied);
}

/* The core that translates is not always the one whose blocks are counted. */
static const struct translation *translate_code(const struct instruction_view *view) {
    uint64_t cr3 = ADDRESS_NO_CR3;
    for (unsigned i = 0; i < plugin.parameters.cores; i++)
        if (plugin.cores[i].cpu == *plugin.current)
            cr3 = plugin.cores[i].cr3;
    struct translation translation;
    address_walk(cr3, view->virtual_address, view->physical_address & ~(uint64_t)4095,
                 &translation);
    return translation.levels ? translation_intern(plugin.code_pages, &translation) : NULL;
}

static void view(struct qemu_plugin_insn *instruction, struct instruction_view *view,
                 const struct instruction_view *before) {
    view->virtual_address = qemu_plugin_insn_vaddr(instruction);
    view->physical_address =
        address_of_code(qemu_plugin_insn_haddr(instruction), view->virtual_address);
    view->size = (uint8_t)qemu_plugin_insn_size(instruction);
    qemu_plugin_insn_data(instruction, view->bytes, sizeof view->bytes);
    instruction_classify(view);
    bool same_page = before && address_same_page(before->virtual_address, view->virtual_address);
    view->translation = !plugin.walks ? NULL
                        : same_page   ? before->translation
                                      : translate_code(view);
}

/* Code in the upper half of addresses is 64-bit code. For the lower half the core that translates
 * is asked: its code segment is the one that Linux has for it (arch/x86/include/asm/segment.h). */
#define LINUX_USER_CS 0x33

static bool is_long_mode(uint64_t address) {
    return address >> 63 || (plugin.cs && (read_register(plugin.cs) & 0xffff) == LINUX_USER_CS);
}

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb) {
    (void)id;
    static struct instruction_view views[BLOCK_MOST];
    static struct implied implied;
    size_t count = qemu_plugin_tb_n_insns(tb);
    if (count > BLOCK_MOST)
        abort();
    for (size_t i = 0; i < count; i++)
        view(qemu_plugin_tb_get_insn(tb, i), &views[i], i ? &views[i - 1] : NULL);
    implied_find(views, count, is_long_mode(views[0].virtual_address), &implied);
    const struct block *block =
        block_make(views, count, implied.access, implied.count, &plugin.segments);
    if (!block)
        abort();
    void *word = (void *)(uintptr_t)block_word(block, block_left(views, count, 0));
    /* At a block's begin all registers are in their places: to let them be read costs nothing. */
    qemu_plugin_register_vcpu_insn_exec_cb(qemu_plugin_tb_get_insn(tb, 0), on_block,
                                           QEMU_PLUGIN_CB_R_REGS, word);
    for (size_t i = 0; i < count; i++)
        instrument_instruction(qemu_plugin_tb_get_insn(tb, i), views, count, i,
                               &implied.instruction[i]);
}

/* The consumer forgets its block, and has read all others, before they go; the model, which then is
 * nobody else's, forgets them all. */
static void on_flush(qemu_plugin_id_t id) {
    (void)id;
    if (*plugin.left)
        cut_short();
    plugin.running = NULL;
    stream_push((uint64_t)(plugin.core - plugin.cores) << 4 | EVENT_CORE);
    stream_drain();
    model_forget_code(plugin.model);
    blocks_clear();
}

static void on_end(qemu_plugin_id_t id, void *unused) {
    (void)id;
    (void)unused;
    stream_drain();
}

static void find_registers(void) {
    static const char *const names[GENERAL_REGISTERS] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp",
                                                         "rsi", "rdi", "r8",  "r9",  "r10", "r11",
                                                         "r12", "r13", "r14", "r15"};
    const struct qemu_array *registers = qemu_plugin_get_registers();
    const qemu_plugin_reg_descriptor *descriptor = (void *)registers->data;
    for (unsigned i = 0; i < registers->length; i++) {
        for (unsigned j = 0; j < GENERAL_REGISTERS; j++)
            if (strcmp(descriptor[i].name, names[j]) == 0)
                plugin.general[j] = descriptor[i].handle;
        if (strcmp(descriptor[i].name, "cr3") == 0)
            plugin.cr3 = descriptor[i].handle;
        if (strcmp(descriptor[i].name, "cs") == 0)
            plugin.cs = descriptor[i].handle;
    }
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
    plugin.left = (unaligned_uint64 *)plugin.board;
    find_registers();
}

/* Log2 of an access's size is part of what callbacks get, at a place that only QEMU knows. Asking
 * QEMU for each access would be a call into it for each; so find the place once. */
static bool find_size(void) {
    for (unsigned shift = ACCESS_SIZE_SHIFT; shift + 3 <= 8 * sizeof(qemu_plugin_meminfo_t);
         shift++) {
        unsigned right = 0;
        for (qemu_plugin_meminfo_t size = 0; size < 8; size++)
            right += qemu_plugin_mem_size_shift(size << shift) == size;
        if (right == 8) {
            plugin.size_shift = shift - ACCESS_SIZE_SHIFT;
            return true;
        }
    }
    return false;
}

static int refuse(const char *what, const char *why) {
    fprintf(stderr, "slsuite-plugin: %s: %s\n", what, why);
    return -1;
}

static int prepare_model(const struct plugin_arguments *arguments, struct error *err) {
    struct regions *regions = NULL;
    struct profile *profile = NULL;
    plugin.model = model_new(&plugin.parameters);
    if (plugin.model && arguments->regions) {
        regions = regions_read(arguments->regions, err);
        if (!regions)
            return -1;
        if (!model_set_regions(plugin.model, regions_names(regions), regions_count(regions)))
            return error_set(err, "regions: memory is out");
    }
    if (plugin.model && arguments->core >= 0)
        model_measure(plugin.model, (unsigned)arguments->core);
    if (arguments->profile)
        profile =
            profile_new(arguments->profile, (unsigned)arguments->core, arguments->profile_marks);
    plugin.code_pages = translation_pool_new();
    if (!plugin.model || !plugin.code_pages || (arguments->profile && !profile) ||
        !clock_init(plugin.model, plugin.walks, profile))
        return error_set(err, "model: memory is out");
    clock_flush_at_work_begin(arguments->flush);
    plugin.segments = (struct segment_options){
        .line_size = (unsigned)plugin.parameters.line_size,
        .fetch_width =
            (unsigned)(plugin.parameters.core.fetch_width ? plugin.parameters.core.fetch_width
                                                          : plugin.parameters.line_size),
        .decode = model_decodes(plugin.model),
        .regions = regions,
    };
    if (samples_open(arguments->samples, arguments->events, plugin.model) != 0)
        return error_errno(err, "%s: cannot be written", arguments->samples);
    return 0;
}

/* Arguments: see arguments.h. */
QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc,
                                           char **argv) {
    static struct plugin_arguments arguments;
    struct error error = {0};
    if (!info->system_emulation || strcmp(info->target_name, "x86_64") != 0)
        return refuse(info->target_name, "only qemu-system-x86_64 is supported");
    if (!find_size())
        return refuse("this QEMU", "says nothing of the size of accesses");
    if (arguments_read(argc, argv, &arguments, &error) < 0 ||
        system_load(arguments.system, &plugin.parameters, &error) < 0)
        return refuse("cannot start", error.text);
    if (info->system.max_vcpus > (int)plugin.parameters.cores ||
        plugin.parameters.cores > MAX_CORES)
        return refuse(arguments.system, "the machine has more cores than the system describes");
    if (arguments.core >= (int)plugin.parameters.cores)
        return refuse(arguments.system, "the measured core is none of its cores");
    if (arguments.ram)
        address_set_ram(arguments.ram);
    plugin.walks = strcmp(plugin.parameters.mmu.model, "ideal") != 0;
    plugin.core = &plugin.cores[0];
    plugin.addresses = &plugin.core->addresses;
    for (unsigned i = 0; i < MAX_CORES; i++) {
        plugin.cores[i].cr3 = ADDRESS_NO_CR3;
        address_table_clear(&plugin.cores[i].addresses);
    }
    /* Elements of one byte, though eight are stored: QEMU 10 multiplies the constant core number by
     * the element's size in place, once for every store of a block; by one does no harm. A board
     * has room for 16 elements from the start (scoreboard_alloc_size in plugins/core.c), which is
     * eight bytes for each of the first eight cores. */
    plugin.scoreboard = qemu_plugin_scoreboard_new(1);
    plugin.bytes = g_byte_array_new();
    if (prepare_model(&arguments, &error) < 0)
        return refuse("cannot start", error.text);
    if (stream_start(clock_consume) < 0)
        return refuse("the model's thread", "cannot be started");

    qemu_plugin_register_vcpu_init_cb(id, on_core);
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
    qemu_plugin_register_flush_cb(id, on_flush);
    qemu_plugin_register_atexit_cb(id, on_end, NULL);
    return 0;
}
