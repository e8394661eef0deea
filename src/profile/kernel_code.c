/* The kernel's code: its symbols, and parts of it as regions of their own.
 *
 * The kernel's linker puts the objects of one source folder one after the other: all that lies
 * between two functions of net/ is of net/. So a part is what lies between the lowest and the
 * highest of some exported functions that are known to be in its folder; what is beyond them stays
 * `kernel`, as do the library functions and what no part is named for. A few sections have symbols
 * at both ends. A kernel that is linked otherwise (by function, for whole-program optimization)
 * shows in parts that overlap: then there are none. Loaded modules tell their names themselves. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "profile/code_map_parts.h"

#define PAGE 4096ull
#define REMEDY "remove the checkpoint (slsuite checkpoint prune --all)"

enum { ANCHORS = 16 };

static const struct part {
    const char *region;
    bool ends;                    /* two symbols, at both ends */
    const char *anchors[ANCHORS]; /* else functions; those that this kernel lacks do not count */
} parts[] = {
    {"kernel.entry", true, {"__entry_text_start", "__entry_text_end"}},
    {"kernel.entry", true, {"__softirqentry_text_start", "__softirqentry_text_end"}},
    /* .noinstr.text: what the assembly of .entry.text calls */
    {"kernel.entry",
     false,
     {"do_syscall_64", "exc_page_fault", "common_interrupt", "irqentry_enter", "irqentry_exit",
      "syscall_exit_to_user_mode"}},
    {"kernel.scheduler", true, {"__sched_text_start", "__sched_text_end"}},
    /* kernel/sched/: core.c first, build_utility.c last */
    {"kernel.scheduler",
     false,
     {"raw_spin_rq_lock_nested", "task_rq_lock", "set_user_nice", "wake_up_process", "complete",
      "swake_up_one", "__wake_up", "housekeeping_cpumask", "housekeeping_any_cpu",
      "psi_memstall_enter"}},
    {"kernel.locks", true, {"__lock_text_start", "__lock_text_end"}},
    {"kernel.idle", true, {"__cpuidle_text_start", "__cpuidle_text_end"}},
    /* kernel/time/ */
    {"kernel.time",
     false,
     {"init_timer_key", "msleep", "hrtimer_init", "ktime_get", "alarm_init",
      "clockevents_register_device", "tick_nohz_get_sleep_length"}},
    /* mm/ */
    {"kernel.memory",
     false,
     {"filemap_check_errors", "mempool_alloc", "kfree", "handle_mm_fault", "vmalloc",
      "__alloc_pages", "kmem_cache_alloc", "__check_object_size"}},
    /* fs/ */
    {"kernel.files",
     false,
     {"finish_open", "vfs_fallocate", "vfs_open", "vfs_read", "fget", "seq_read", "eventfd_signal",
      "proc_create", "sysfs_create_group", "debugfs_create_dir", "pstore_register"}},
    /* net/: devres.c and socket.c first */
    {"kernel.network",
     false,
     {"devm_register_netdev", "sock_from_file", "sk_alloc", "__alloc_skb", "netif_rx",
      "eth_type_trans", "netlink_unicast", "nf_hook_slow", "ip_rcv", "tcp_v4_rcv", "udp_rcv",
      "inet_bind", "xfrm_lookup", "ipv6_rcv", "l3mdev_link_scope_lookup"}},
};
enum { PARTS = sizeof parts / sizeof *parts };

struct kernel_symbol {
    uint64_t address;
    char type;
    const char *name, *module; /* NULL: of the kernel itself */
};

struct kernel {
    struct kernel_symbol *symbols;
    size_t count;
};

static int by_address(const void *a, const void *b) {
    const struct kernel_symbol *x = a, *y = b;
    return (x->address > y->address) - (x->address < y->address);
}

/* ADDRESS TYPE NAME[TAB[MODULE]] */
static int read_symbol(char *line, struct kernel_symbol *symbol) {
    char *end, *bracket = strchr(line, '[');
    symbol->address = strtoull(line, &end, 16);
    if (end == line || end[0] != ' ' || !end[1] || end[2] != ' ' || !end[3])
        return -1;
    symbol->type = end[1];
    symbol->name = end + 3;
    symbol->module = NULL;
    if (bracket && bracket > symbol->name) {
        symbol->module = bracket + 1;
        *bracket = bracket[strcspn(bracket, "]")] = '\0';
        if (bracket[1 + strlen(bracket + 1)])
            return -1;
    }
    ((char *)symbol->name)[strcspn(symbol->name, "\t ")] = '\0';
    return *symbol->name ? 0 : -1;
}

/* The text is cut; the symbols point into it. */
static int read_symbols(struct kernel *kernel, char *text, struct error *err) {
    size_t lines = 0, number = 0;
    for (const char *c = text; *c; c++)
        lines += *c == '\n';
    kernel->symbols = calloc(lines + 1, sizeof *kernel->symbols);
    if (!kernel->symbols)
        abort();
    for (char *place = text, *line; (line = strsep(&place, "\n"));) {
        struct kernel_symbol symbol;
        number++;
        if (!*line)
            continue;
        if (read_symbol(line, &symbol) < 0)
            return error_set(err,
                             "the kernel's symbols: line %zu is not one of /proc/kallsyms: " REMEDY,
                             number);
        if (symbol.address < USER_END)
            return error_set(err,
                             "the kernel's symbols: line %zu has no address: the guest's kernel "
                             "hides them (kptr_restrict)",
                             number);
        kernel->symbols[kernel->count++] = symbol;
    }
    qsort(kernel->symbols, kernel->count, sizeof *kernel->symbols, by_address);
    return 0;
}

/* Where the symbol of this index ends: where the next one begins. */
static uint64_t end_of(const struct kernel *kernel, size_t index) {
    for (size_t i = index + 1; i < kernel->count; i++)
        if (kernel->symbols[i].address > kernel->symbols[index].address)
            return kernel->symbols[i].address;
    return kernel->symbols[index].address;
}

/* The part's range; false when this kernel has too little of it. */
static bool find_part(const struct kernel *kernel, const struct part *part, uint64_t *start,
                      uint64_t *end) {
    unsigned found = 0;
    for (size_t i = 0; i < kernel->count; i++) {
        const struct kernel_symbol *symbol = &kernel->symbols[i];
        if (symbol->module || symbol->type != 'T')
            continue;
        for (int a = 0; a < ANCHORS && part->anchors[a]; a++)
            if (strcmp(part->anchors[a], symbol->name) == 0) {
                if (found++ == 0)
                    *start = symbol->address;
                *end = part->ends ? symbol->address : end_of(kernel, i);
            }
    }
    return found >= 2 && *start < *end;
}

static void claim_parts(struct code_map *map, const struct kernel *kernel) {
    struct range found[PARTS];
    size_t count = 0;
    for (size_t p = 0; p < PARTS; p++) {
        struct range *range = &found[count];
        if (!find_part(kernel, &parts[p], &range->start, &range->end))
            continue;
        for (size_t i = 0; i < count; i++)
            if (range->start < found[i].end && found[i].start < range->end)
                return;
        range->region = (char *)parts[p].region;
        count++;
    }
    for (size_t i = 0; i < count; i++)
        code_map_claim(map, found[i].start, found[i].end, found[i].region);
}

/* Modules that an invocation meets have regions of their own. */
static const char *region_of_module(const char *name) {
    static const struct {
        const char *begin, *region;
    } known[] = {
        {"nf_", "kernel.netfilter"},
        {"nft_", "kernel.netfilter"},
        {"nfnetlink", "kernel.netfilter"},
        {"xt_", "kernel.netfilter"},
        {"x_tables", "kernel.netfilter"},
        {"ip_tables", "kernel.netfilter"},
        {"iptable_", "kernel.netfilter"},
        {"veth", "kernel.veth"},
        {"overlay", "kernel.overlay"},
        {"bpf", "kernel.bpf"}, /* not a module: what is generated */
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strncmp(name, known[i].begin, strlen(known[i].begin)) == 0)
            return known[i].region;
    return "kernel.modules";
}

/* A module's code has pages of its own. */
static void claim_modules(struct code_map *map, const struct kernel *kernel) {
    for (size_t i = 0; i < kernel->count;) {
        const struct kernel_symbol *first = &kernel->symbols[i];
        size_t after = i + 1;
        while (after < kernel->count && first->module && kernel->symbols[after].module &&
               strcmp(kernel->symbols[after].module, first->module) == 0)
            after++;
        if (first->module)
            code_map_claim(map, first->address & ~(PAGE - 1),
                           (kernel->symbols[after - 1].address | (PAGE - 1)) + 1,
                           region_of_module(first->module));
        i = after;
    }
}

/* Ends of sections have names that say nothing about the code there. */
static bool is_boundary(const char *name) {
    const char *underscore = strrchr(name, '_');
    return name[0] == '_' && underscore &&
           (strcmp(underscore, "_start") == 0 || strcmp(underscore, "_end") == 0 ||
            strcmp(name, "_stext") == 0 || strcmp(name, "_text") == 0);
}

int code_map_add_kernel(struct code_map *map, const char *kallsyms, struct error *err) {
    struct kernel kernel = {0};
    autofree char *text = format_string("%s", kallsyms);
    int result = read_symbols(&kernel, text, err);
    if (result == 0) {
        claim_modules(map, &kernel);
        claim_parts(map, &kernel);
    }
    for (size_t i = 0; result == 0 && i < kernel.count; i++) {
        const struct kernel_symbol *symbol = &kernel.symbols[i];
        enum rank rank = is_boundary(symbol->name) ? RANK_LABEL
                         : symbol->type == 'T'     ? RANK_GLOBAL
                         : symbol->type == 't'     ? RANK_LOCAL
                                                   : RANK_WEAK;
        code_map_add_symbol(map, symbol->address, 0, symbol->name, rank);
    }
    free(kernel.symbols);
    return result;
}
