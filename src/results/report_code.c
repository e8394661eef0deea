/* The sections of report.html that go by code: regions, and a profile's hot spots. */
#include <string.h>

#include "profile/profile.h"
#include "results/regions.h"
#include "results/report_parts.h"
#include "results/writers.h"

enum { HOT_SPOTS = 30 };

static void table_begin(FILE *out, const char *const headings[]) {
    fputs("<table class=\"bars\">\n<thead><tr>", out);
    for (; *headings; headings++)
        fprintf(out, "<th scope=\"col\">%s</th>", *headings);
    fputs("</tr></thead>\n<tbody>\n", out);
}

/* The kernel's regions are named so (profile/code_map.h). Its bars have the kernel's colour. */
static const char *colour(const char *region) {
    return strncmp(region, "kernel", strlen("kernel")) == 0 ? "b" : "a";
}

/* Cells: the share as a bar, as long as it is of the longest, then the figures. */
static void row_figures(FILE *out, const char *region, double cycles, double all, double longest,
                        double instructions, const double misses[3]) {
    fprintf(out, "<td><i class=\"%s\" style=\"width:%.1f%%\"></i></td><td>", colour(region),
            100 * cycles / longest);
    report_figure(out, 100 * cycles / all, 1);
    fputs("</td><td>", out);
    report_figure(out, cycles, 0);
    fputs("</td><td>", out);
    report_figure(out, instructions, 0);
    fputs("</td><td>", out);
    report_figure(out, cycles / instructions, 3);
    for (int i = 0; i < 3; i++) {
        fputs("</td><td>", out);
        report_figure(out, 1000 * misses[i] / instructions, 2);
    }
    fputs("</td></tr>\n", out);
}

void report_regions(FILE *out, const struct invocations *invocations) {
    static const char *const headings[] = {
        "code", "", "%", "cycles", "instructions", "CPI", "L1I MPKI", "L1D MPKI", "LLC MPKI", NULL};
    const struct regions *regions = invocations->regions;
    double all = invocations->mean[CYCLES][MODE_TOTAL];
    if (!regions->count || !(regions->list[0].mean[REGION_CYCLES] > 0))
        return;
    fputs("<h2>Where the cycles go, by code</h2>\n<div class=\"card\">", out);
    table_begin(out, headings);
    for (size_t i = 0; i < regions->count; i++) {
        const double *mean = regions->list[i].mean;
        if (mean[REGION_CYCLES] == 0 && mean[REGION_INSTRUCTIONS] == 0)
            continue;
        fputs("<tr><th scope=\"row\">", out);
        report_text(out, regions->list[i].name);
        fputs("</th>", out);
        row_figures(out, regions->list[i].name, mean[REGION_CYCLES], all,
                    regions->list[0].mean[REGION_CYCLES], mean[REGION_INSTRUCTIONS],
                    mean + REGION_L1I_MISSES);
    }
    fputs("</tbody></table></div>\n<p>Means of an invocation: the function's program, each shared "
          "library, and parts of the kernel. regions.csv has each invocation's.</p>\n",
          out);
}

void report_hot_spots(FILE *out, const struct invocations *invocations) {
    static const char *const headings[] = {"symbol",       "",    "%",        "cycles",
                                           "instructions", "CPI", "L1I MPKI", "L1D MPKI",
                                           "LLC MPKI",     NULL};
    const struct profile *profile = invocations->run->profile;
    if (!profile || !profile->totals[PROFILE_CYCLES])
        return;
    fputs("<h2>Hot spots</h2>\n<div class=\"card\">", out);
    table_begin(out, headings);
    for (size_t i = 0; i < profile->symbol_count && i < HOT_SPOTS; i++) {
        const struct profile_symbol *symbol = &profile->symbols[i];
        const double misses[] = {(double)symbol->counts[PROFILE_L1I_MISSES],
                                 (double)symbol->counts[PROFILE_L1D_MISSES],
                                 (double)symbol->counts[PROFILE_LLC_MISSES]};
        fputs("<tr><th scope=\"row\">", out);
        report_text(out, symbol->name);
        fputs(" <small>", out);
        report_text(out, symbol->region);
        fputs("</small></th>", out);
        row_figures(out, symbol->region, (double)symbol->counts[PROFILE_CYCLES],
                    (double)profile->totals[PROFILE_CYCLES],
                    (double)profile->symbols[0].counts[PROFILE_CYCLES],
                    (double)symbol->counts[PROFILE_INSTRUCTIONS], misses);
    }
    fprintf(out,
            "</tbody></table></div>\n<p>Sums of all invocations, user and kernel. %zu symbols in "
            "all: profile.txt has them; profile.folded (speedscope, flame graphs) and "
            "callgrind.out.profile (KCachegrind, callgrind_annotate) are for viewers.</p>\n",
            profile->symbol_count);
}
