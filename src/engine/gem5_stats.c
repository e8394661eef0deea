#include "engine/gem5_stats.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/mark.h"

#define BEGIN "---------- Begin Simulation Statistics"
#define END "---------- End Simulation Statistics"

#define TICKS_PER_SECOND 1000000000000ull /* gem5's: a tick is a picosecond */

enum { MOST_SOURCES = 5, NAME_SIZE = 160 };

#define CORE "board.processor.cores%u.core."
#define CACHES "board.cache_hierarchy."
#define LLC CACHES "llccaches.overallMshrMisses::processor.cores%u.core."

/* What counts what; %u is the core's number. Ours is there if the first of gem5's names is, in the
 * first block; it is the sum of all of them that there are. gem5's own numCycles also counts while
 * the core waits for an interrupt, ours does not: the time in which its clock was not stopped. */
static const struct source {
    const char *name, *unit, *description;
    const char *from[MOST_SOURCES];
    bool ticks; /* gem5's are ticks, ours cycles */
} sources[] = {
    {"system.cpu%u.numCycles",
     "Cycle",
     "Number of cpu cycles simulated, idle ones left out",
     {CORE "power_state.pwrStateResidencyTicks::ON"},
     true},
    {"system.cpu%u.commitStats0.numInsts",
     "Count",
     "Number of instructions committed",
     {CORE "commitStats0.numInsts"}},
    {"system.cpu%u.commitStats0.numOps",
     "Count",
     "Number of micro-operations committed",
     {CORE "commitStats0.numOps"}},
    {"system.cpu%u.icache.overallAccesses::total",
     "Count",
     "number of overall (read+write) accesses",
     {CACHES "l1icaches%u.overallAccesses::total"}},
    {"system.cpu%u.icache.overallMisses::total",
     "Count",
     "number of overall misses",
     {CACHES "l1icaches%u.overallMisses::total"}},
    {"system.cpu%u.icache.overallMshrMisses::total",
     "Count",
     "number of overall MSHR misses",
     {CACHES "l1icaches%u.overallMshrMisses::total"}},
    {"system.cpu%u.dcache.overallAccesses::total",
     "Count",
     "number of overall (read+write) accesses",
     {CACHES "l1dcaches%u.overallAccesses::total"}},
    {"system.cpu%u.dcache.overallMisses::total",
     "Count",
     "number of overall misses",
     {CACHES "l1dcaches%u.overallMisses::total"}},
    {"system.cpu%u.dcache.overallMshrMisses::total",
     "Count",
     "number of overall MSHR misses",
     {CACHES "l1dcaches%u.overallMshrMisses::total"}},
    {"system.cpu%u.llcMisses::total",
     "Count",
     "Number of requests of this core that went to memory",
     {LLC "inst", LLC "data", LLC "mmu.itb.walker", LLC "mmu.dtb.walker"}},
    {"system.cpu%u.branchPred.mispredicted::total",
     "Count",
     "Number of committed branches that were mispredicted",
     {CORE "commit.branchMispredicts"}},
    {"system.cpu%u.itlb.misses",
     "Count",
     "Number of misses",
     {CORE "mmu.itb.rdMisses", CORE "mmu.itb.wrMisses"}},
    {"system.cpu%u.dtlb.misses",
     "Count",
     "Number of misses",
     {CORE "mmu.dtb.rdMisses", CORE "mmu.dtb.wrMisses"}},
};
enum { SOURCES = sizeof sources / sizeof *sources };

/* A line NAME VALUE … of a block. */
struct value {
    const char *name;
    double number;
};

struct block {
    struct value *values;
    size_t count;
};

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct value *)a)->name, ((const struct value *)b)->name);
}

/* Cut the block at *text into its values, sorted. False: there is no whole one any more. */
static bool next_block(char **text, struct block *block) {
    char *begin = *text ? strstr(*text, BEGIN) : NULL, *end = begin ? strstr(begin, END) : NULL;
    *block = (struct block){0};
    if (!end)
        return false;
    *end = '\0';
    *text = end + 1;
    strsep(&begin, "\n");
    size_t lines = 0;
    for (const char *c = begin; c && *c; c++)
        lines += *c == '\n';
    block->values = calloc(lines + 1, sizeof *block->values);
    if (!block->values)
        abort();
    for (char *line; (line = strsep(&begin, "\n"));) {
        char *rest;
        const char *name = strtok_r(line, " \t", &rest), *number = strtok_r(NULL, " \t", &rest);
        if (name && number && block->count <= lines)
            block->values[block->count++] = (struct value){name, strtod(number, NULL)};
    }
    qsort(block->values, block->count, sizeof *block->values, by_name);
    return true;
}

static const struct value *find(const struct block *block, const char *pattern, unsigned core) {
    char name[NAME_SIZE];
    snprintf(name, sizeof name, pattern, core);
    const struct value wanted = {.name = name};
    return bsearch(&wanted, block->values, block->count, sizeof wanted, by_name);
}

/* False: gem5 has nothing of it. */
static bool add_up(const struct block *block, const struct source *source, unsigned core,
                   uint64_t period, uint64_t *sum) {
    double total = 0;
    if (!find(block, source->from[0], core))
        return false;
    for (int i = 0; i < MOST_SOURCES && source->from[i]; i++) {
        const struct value *value = find(block, source->from[i], core);
        total += value ? value->number : 0;
    }
    *sum = (uint64_t)total / (source->ticks ? period : 1);
    return true;
}

struct taken {
    uint64_t period; /* ticks a cycle */
    bool there[SOURCES];
    uint64_t sums[SOURCES]; /* of the blocks so far */
};

static void print_mark(FILE *out, unsigned operation, uint64_t id, const struct taken *taken,
                       unsigned cores) {
    fprintf(out, "mark\t%x\t%" PRIu64 "\t0", operation, id);
    for (unsigned core = 0; core < cores; core++)
        for (int i = 0; i < SOURCES; i++)
            if (taken[core].there[i])
                fprintf(out, "\t%" PRIu64, taken[core].sums[i]);
    fputc('\n', out);
}

/* Which statistics this gem5 has: those of its first block. */
static void declare(FILE *out, const struct block *block, struct taken *taken, unsigned cores) {
    uint64_t ignored;
    fputs("# slsuite samples 1\n", out);
    for (unsigned core = 0; core < cores; core++)
        for (int i = 0; i < SOURCES; i++) {
            char name[NAME_SIZE];
            taken[core].there[i] = add_up(block, &sources[i], core, taken[core].period, &ignored);
            snprintf(name, sizeof name, sources[i].name, core);
            if (taken[core].there[i])
                fprintf(out, "stat\t%s\t%s\t%s\n", name, sources[i].unit, sources[i].description);
        }
}

static void add_block(const struct block *block, struct taken *taken, unsigned cores) {
    for (unsigned core = 0; core < cores; core++)
        for (int i = 0; i < SOURCES; i++) {
            uint64_t sum;
            if (add_up(block, &sources[i], core, taken[core].period, &sum))
                taken[core].sums[i] += sum;
        }
}

int gem5_stats_take(const char *stats, const char *samples, const uint64_t *ids, size_t count,
                    unsigned cores, uint64_t clock, struct error *err) {
    autofree char *text = file_read(stats, NULL, err);
    if (!text)
        return -1;
    autofree struct taken *taken = calloc(cores, sizeof *taken);
    char *written = NULL, *rest = text;
    size_t size, blocks = 0;
    FILE *out = open_memstream(&written, &size);
    if (!taken || !out)
        abort();
    for (unsigned core = 0; core < cores; core++)
        taken[core].period = (TICKS_PER_SECOND + clock / 2) / clock;
    for (struct block block; blocks < count && next_block(&rest, &block); blocks++) {
        if (blocks == 0)
            declare(out, &block, taken, cores);
        print_mark(out, M5_WORK_BEGIN, ids[blocks], taken, cores);
        add_block(&block, taken, cores);
        print_mark(out, M5_WORK_END, ids[blocks], taken, cores);
        free(block.values);
    }
    fclose(out);
    int result = blocks == count ? file_write(samples, written, size, err)
                                 : error_set(err,
                                             "reading %s: it has %zu whole blocks of statistics, "
                                             "and there were %zu invocations: run again",
                                             stats, blocks, count);
    free(written);
    return result;
}
