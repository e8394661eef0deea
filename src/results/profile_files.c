/* What becomes of a profile: a table by symbol, and the formats of two kinds of viewers. */
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "profile/profile.h"
#include "results/writers.h"

enum { REGION_WIDTH = 16 }; /* longer names are cut where not all symbols are shown */

void write_hot_spots(const struct invocations *invocations, size_t most, FILE *out) {
    const struct profile *profile = invocations->run->profile;
    double all = (double)profile->totals[PROFILE_CYCLES];
    fputs("     %        cycles  instructions     CPI  L1I MPKI  L1D MPKI  LLC MPKI  region        "
          "    symbol\n",
          out);
    for (int i = 0; i < 100; i++)
        fputs("─", out);
    fputc('\n', out);
    for (size_t i = 0; i < profile->symbol_count && i < most; i++) {
        const struct profile_symbol *symbol = &profile->symbols[i];
        double instructions = (double)symbol->counts[PROFILE_INSTRUCTIONS];
        double cycles = (double)symbol->counts[PROFILE_CYCLES];
        print_figure(out, 6, 100 * cycles / all, 2);
        print_figure(out, 14, cycles, 0);
        print_figure(out, 14, instructions, 0);
        print_figure(out, 8, cycles / instructions, 3);
        for (int event = PROFILE_L1I_MISSES; event <= PROFILE_LLC_MISSES; event++)
            print_figure(out, 10, 1000 * (double)symbol->counts[event] / instructions, 2);
        fprintf(out, "  %-16.*s  %s\n", most < SIZE_MAX ? REGION_WIDTH : INT_MAX, symbol->region,
                symbol->name);
    }
    if (profile->symbol_count > most)
        fprintf(out, "   … %zu more: see profile.txt\n", profile->symbol_count - most);
}

/* profile.txt: all symbols. */
void write_profile_text(const struct invocations *invocations, FILE *out) {
    const struct profile *profile = invocations->run->profile;
    autofree char *cycles = format_metric((double)profile->totals[PROFILE_CYCLES], 0);
    autofree char *instructions = format_metric((double)profile->totals[PROFILE_INSTRUCTIONS], 0);
    fprintf(out, "# %zu invocations: %s cycles, %s instructions of core %u\n", invocations->count,
            cycles, instructions, invocations->run->measured_core);
    write_hot_spots(invocations, SIZE_MAX, out);
}

/* profile.folded: REGION;SYMBOL CYCLES. A semicolon would be one frame more. */
void write_folded(const struct invocations *invocations, FILE *out) {
    const struct profile *profile = invocations->run->profile;
    for (size_t i = 0; i < profile->symbol_count; i++) {
        const struct profile_symbol *symbol = &profile->symbols[i];
        if (!symbol->counts[PROFILE_CYCLES])
            continue;
        fprintf(out, "%s;", symbol->region);
        for (const char *c = symbol->name; *c; c++)
            fputc(*c == ';' ? ':' : *c, out);
        fprintf(out, " %" PRIu64 "\n", symbol->counts[PROFILE_CYCLES]);
    }
}

static void callgrind_counts(FILE *out, const uint64_t *counts) {
    for (int event = 0; event < PROFILE_EVENTS; event++)
        fprintf(out, " %" PRIu64, counts[event]);
    fputc('\n', out);
}

/* callgrind.out.profile, as https://valgrind.org/docs/manual/cl-format.html has it: objects are
 * regions, functions are symbols; there are addresses but no source files, and no calls. */
void write_callgrind(const struct invocations *invocations, FILE *out) {
    const struct run_results *run = invocations->run;
    const struct profile *profile = run->profile;
    const char *function = manifest_text(run->manifest, "function");
    const char *system = manifest_text(run->manifest, "system");
    fprintf(out,
            "# callgrind format\n"
            "version: 1\n"
            "creator: serverless-suite " SLS_VERSION "\n"
            "cmd: %s on %s\n"
            "positions: instr line\n"
            "event: Ir : Instructions\n"
            "event: Cycles : Cycles\n"
            "event: I1m : L1I misses\n"
            "event: D1m : L1D misses\n"
            "event: LLm : LLC misses\n"
            "event: Bm : Mispredicted branches\n"
            "events: Ir Cycles I1m D1m LLm Bm\n"
            "summary:",
            function ? function : "?", system ? system : "?");
    callgrind_counts(out, profile->totals);
    for (size_t i = 0; i < profile->symbol_count; i++) {
        const struct profile_symbol *symbol = &profile->symbols[i];
        fprintf(out, "\nob=%s\nfl=???\nfn=%s\n", symbol->region, symbol->name);
        for (size_t l = 0; l < symbol->line_count; l++) {
            const struct profile_line *line = &profile->lines[symbol->first_line + l];
            fprintf(out, "0x%" PRIx64 " 0", line->address);
            callgrind_counts(out, line->counts);
        }
    }
    fputs("\ntotals:", out);
    callgrind_counts(out, profile->totals);
}
