#include "results/intervals.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/mark.h"

/* While the marks are read in order. */
struct search {
    const struct run_results *run;
    struct interval *list;
    size_t count;
    const struct mark *reset; /* the last one */
    struct error *err;
};

const char *interval_name(const struct run_results *run) {
    static const char *const names[] = {[RESULTS_INVOCATIONS] = "invocation",
                                        [RESULTS_REGIONS] = "region",
                                        [RESULTS_PHASES] = "phase"};
    return names[run->intervals];
}

void interval_label(const struct run_results *run, uint64_t id, char label[INTERVAL_LABEL]) {
    if (run->intervals == RESULTS_PHASES)
        snprintf(label, INTERVAL_LABEL, "%s", run->phases[id]);
    else
        snprintf(label, INTERVAL_LABEL, "%s%" PRIu64,
                 run->intervals == RESULTS_REGIONS ? "region " : "", id);
}

const char *interval_summary(const struct run_results *run) {
    return run->intervals == RESULTS_PHASES ? "cold start" : "mean";
}

static int bad(const struct search *search, uint64_t id, const char *how) {
    const char *what = search->run->intervals == RESULTS_REGIONS ? "work" : "invocation";
    return error_set(search->err, "taking the measurements: %s %" PRIu64 " %s", what, id, how);
}

/* The last one with this work id. While the marks are read, that is the id. */
static struct interval *find_work(const struct search *search, uint64_t id) {
    for (size_t i = search->count; i-- > 0;)
        if (search->list[i].id == id && search->list[i].begin->code == M5_WORK_BEGIN)
            return &search->list[i];
    return NULL;
}

static int begin_work(struct search *search, const struct mark *mark) {
    uint64_t id = mark->arguments[0];
    const struct interval *before = find_work(search, id);
    /* A program may do the same work again and again. */
    if (before && !(search->run->intervals == RESULTS_REGIONS && before->end))
        return bad(search, id, "begins twice");
    search->list[search->count++] = (struct interval){.id = id, .begin = mark};
    return 0;
}

static int end_work(struct search *search, const struct mark *mark) {
    struct interval *one = find_work(search, mark->arguments[0]);
    if (!one || one->end)
        return bad(search, mark->arguments[0], one ? "ends twice" : "ends without a beginning");
    one->end = mark;
    return 0;
}

/* One phase ends here, and the next begins. */
static int change_phase(struct search *search, const struct mark *mark) {
    struct interval *before = search->count ? &search->list[search->count - 1] : NULL;
    uint64_t number = mark->arguments[0];
    if (!before || before->end || number != before->id + 1)
        return error_set(search->err,
                         "taking the measurements: the phase %" PRIu64 " begins out of turn",
                         number);
    before->end = mark;
    search->list[search->count++] = (struct interval){.id = number, .begin = mark};
    return 0;
}

static int take_phases(struct search *search, const struct mark *mark) {
    struct interval *last = search->count ? &search->list[search->count - 1] : NULL;
    if (mark->code == M5_WORK_BEGIN)
        return begin_work(search, mark);
    if (mark->code == MARK_PHASE)
        return change_phase(search, mark);
    if (mark->code == M5_WORK_END && last && !last->end)
        last->end = mark;
    return 0;
}

/* As in gem5: from the last reset, however many dumps there were since. */
static int dump(struct search *search, const struct mark *mark) {
    if (!search->reset)
        return error_set(search->err,
                         "taking the measurements: statistics are dumped that were never reset");
    search->list[search->count++] = (struct interval){.begin = search->reset, .end = mark};
    return 0;
}

static int take(struct search *search, const struct mark *mark) {
    if (search->run->intervals == RESULTS_PHASES)
        return take_phases(search, mark);
    if (mark->code == M5_WORK_BEGIN)
        return begin_work(search, mark);
    if (mark->code == M5_WORK_END)
        return end_work(search, mark);
    if (search->run->intervals != RESULTS_REGIONS)
        return 0; /* what a function has no business to say */
    if ((mark->code == M5_DUMP_STATS || mark->code == M5_DUMP_RESET_STATS) &&
        dump(search, mark) < 0)
        return -1;
    if (mark->code == M5_RESET_STATS || mark->code == M5_DUMP_RESET_STATS)
        search->reset = mark;
    return 0;
}

static int check_phases(const struct search *search) {
    size_t count = 0;
    while (search->run->phases[count])
        count++;
    if (count == search->count)
        return 0;
    return error_set(search->err,
                     "taking the measurements: %zu phases of %zu of the cold start were marked",
                     search->count, count);
}

static int check_whole(const struct search *search) {
    const struct run_results *run = search->run;
    for (size_t i = 0; i < search->count; i++)
        if (!search->list[i].end)
            return bad(search, search->list[i].id, "never ends");
    if (run->intervals == RESULTS_PHASES)
        return check_phases(search);
    if (search->count)
        return 0;
    if (run->intervals == RESULTS_INVOCATIONS)
        return error_set(search->err, "taking the measurements: no invocation was marked: "
                                      "was the client started with -m5ops?");
    const char *program = manifest_text(run->manifest, "program");
    return error_set(search->err,
                     "%s made no marks: have it reset and dump the statistics around what is to be "
                     "measured: see docs/methodology.md",
                     program ? program : "the program");
}

static int by_end(const void *a, const void *b) {
    const struct interval *x = a, *y = b;
    return (x->end > y->end) - (x->end < y->end);
}

struct interval *intervals_find(const struct run_results *run, size_t *count, struct error *err) {
    const struct samples *samples = run->samples;
    struct search search = {.run = run, .err = err};
    search.list = calloc(samples->mark_count + 1, sizeof *search.list);
    if (!search.list)
        abort();
    int result = 0;
    for (size_t i = 0; result == 0 && i < samples->mark_count; i++)
        result = take(&search, &samples->marks[i]);
    if (result < 0 || check_whole(&search) < 0) {
        free(search.list);
        return NULL;
    }
    qsort(search.list, search.count, sizeof *search.list, by_end);
    for (size_t i = 0; run->intervals == RESULTS_REGIONS && i < search.count; i++)
        search.list[i].id = i;
    *count = search.count;
    return search.list;
}
