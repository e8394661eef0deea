/* Below the table of invocations, for people: the CPI stack, the regions, and of a profiled run the
 * hot spots. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "results/cpi_stack.h"
#include "results/intervals.h"
#include "results/regions.h"
#include "results/writers.h"

static void heading(FILE *out, const char *what, const char *columns) {
    fprintf(out, "\n%-27s%s\n", what, columns);
    for (size_t i = 0; i < 27 + strlen(columns); i++)
        fputs("─", out);
    fputc('\n', out);
}

void write_stack_table(const struct invocations *invocations, FILE *out) {
    const double *cycles = invocations->mean[CYCLES];
    double instructions = invocations->mean[INSTRUCTIONS][MODE_TOTAL];
    if (!invocations->stack)
        return;
    autofree char *what = format_string("%s CPI stack", interval_summary(invocations->run));
    heading(out, what, "cycles        CPI        %           user         kernel");
    for (int part = 0; part < STACK_PARTS; part++) {
        double total = cpi_stack_cycles(invocations, NULL, part, MODE_TOTAL);
        if (total == 0)
            continue;
        fprintf(out, "%-17s", stack_parts[part].title);
        print_figure(out, 16, total, 0);
        print_figure(out, 11, total / instructions, 3);
        print_figure(out, 9, 100 * total / cycles[MODE_TOTAL], 1);
        print_figure(out, 15, cpi_stack_cycles(invocations, NULL, part, MODE_USER), 0);
        print_figure(out, 15, cpi_stack_cycles(invocations, NULL, part, MODE_KERNEL), 0);
        fputc('\n', out);
    }
}

void write_regions_table(const struct invocations *invocations, FILE *out) {
    const struct regions *regions = invocations->regions;
    double all = invocations->mean[CYCLES][MODE_TOTAL];
    if (!regions->count)
        return;
    heading(out, "by code",
            "cycles        %   instructions     CPI   L1I MPKI   L1D MPKI   LLC MPKI");
    for (size_t i = 0; i < regions->count; i++) {
        const double *mean = regions->list[i].mean;
        if (mean[REGION_CYCLES] == 0 && mean[REGION_INSTRUCTIONS] == 0)
            continue;
        fprintf(out, "%-20.20s", regions->list[i].name);
        print_figure(out, 13, mean[REGION_CYCLES], 0);
        print_figure(out, 9, 100 * mean[REGION_CYCLES] / all, 1);
        print_figure(out, 15, mean[REGION_INSTRUCTIONS], 0);
        print_figure(out, 8, mean[REGION_CYCLES] / mean[REGION_INSTRUCTIONS], 3);
        for (int event = REGION_L1I_MISSES; event <= REGION_LLC_MISSES; event++)
            print_figure(out, 11, 1000 * mean[event] / mean[REGION_INSTRUCTIONS], 2);
        fputc('\n', out);
    }
}

/* One line an invocation and region. */
void write_regions_csv(const struct invocations *invocations, FILE *out) {
    const struct regions *regions = invocations->regions;
    fputs("invocation,region,cycles,instructions,l1i_misses,l1d_misses,llc_misses\n", out);
    for (size_t i = 0; i < invocations->count; i++)
        for (size_t r = 0; r < regions->count; r++) {
            const struct invocation *one = &invocations->list[i];
            fprintf(out, "%llu,%s", (unsigned long long)one->id, regions->list[r].name);
            for (int event = 0; event < REGION_EVENTS; event++)
                fprintf(
                    out, ",%llu",
                    (unsigned long long)invocation_value(one, regions->list[r].statistics[event]));
            fputc('\n', out);
        }
}
