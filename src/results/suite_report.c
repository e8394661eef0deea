/* report.html of a suite: a line a function,
 * with its CPI stack as a bar, and a link to its own report. */
#include <math.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "results/cpi_stack.h"
#include "results/report_parts.h"
#include "results/suite_parts.h"
#include "results/writers.h"

/* Cycles of one part of the CPI stack; 0 where there is no such part. */
static double part_cycles(const struct suite_entry *entry, int part) {
    const json_t *stack = json_object_get(entry->mean, "cpi_stack");
    const json_t *modes = json_object_get(stack, stack_parts[part].key);
    return json_number_value(json_object_get(modes, mode_names[MODE_TOTAL]));
}

static void legend(FILE *out, const struct suite_results *suite) {
    fputs("<div class=\"legend\">", out);
    for (int part = 0; part < STACK_PARTS; part++) {
        double cycles = 0;
        for (size_t i = 0; i < suite->count; i++)
            cycles += part_cycles(&suite->entries[i], part);
        if (cycles > 0)
            fprintf(out, "<span><i class=\"s-%s\"></i>%s</span>", stack_parts[part].key,
                    stack_parts[part].title);
    }
    fputs("</div>\n", out);
}

/* As long as its CPI is of the largest, in the colours of its parts. */
static void bar(FILE *out, const struct suite_entry *entry, double largest) {
    double instructions = suite_figure(entry, INSTRUCTIONS, MODE_TOTAL);
    fputs("<td><div class=\"parts\">", out);
    for (int part = 0; part < STACK_PARTS; part++) {
        double cpi = part_cycles(entry, part) / instructions;
        if (cpi > 0)
            fprintf(out, "<i class=\"s-%s\" style=\"width:%.2f%%\" title=\"%s: %.3f\"></i>",
                    stack_parts[part].key, 100 * cpi / largest, stack_parts[part].title, cpi);
    }
    fputs("</div></td>", out);
}

static void figure(FILE *out, enum metric metric, double value) {
    fputs("<td>", out);
    report_figure(out, metric_for_people(metric, value), metric_descriptions[metric].decimals);
    fputs("</td>", out);
}

static void function_row(FILE *out, const struct suite_entry *entry, double largest) {
    fputs("<tr><th scope=\"row\">", out);
    if (!entry->mean) {
        report_text(out, entry->function);
        fprintf(out, "</th><td></td><td colspan=\"%d\">failed: ", SUITE_COLUMNS);
        report_text(out, entry->error);
        fputs("</td></tr>\n", out);
        return;
    }
    fputs("<a href=\"", out);
    report_text(out, entry->folder);
    fputs("/report.html\">", out);
    report_text(out, entry->function);
    fputs("</a></th>", out);
    bar(out, entry, largest);
    for (int i = 0; i < SUITE_COLUMNS; i++)
        figure(out, suite_columns[i], suite_figure(entry, suite_columns[i], MODE_TOTAL));
    fputs("</tr>\n", out);
}

static void group_row(FILE *out, const struct suite_results *suite,
                      const struct suite_group *group) {
    fprintf(out, "<tr><th scope=\"row\">mean of %zu", group->count);
    if (group->language)
        fputs(" in ", out);
    report_text(out, group->language     ? group->language
                     : group->count == 1 ? " function"
                                         : " functions");
    fputs("</th><td></td>", out);
    for (int i = 0; i < SUITE_COLUMNS; i++)
        figure(out, suite_columns[i], suite_mean(suite, group, suite_columns[i], MODE_TOTAL));
    fputs("</tr>\n", out);
}

static void table(FILE *out, const struct suite_results *suite) {
    size_t count;
    double largest = 0;
    autofree struct suite_group *groups = suite_groups(suite, &count);
    for (size_t i = 0; i < suite->count; i++)
        largest = fmax(largest, suite_figure(&suite->entries[i], CPI, MODE_TOTAL));
    fputs("<table class=\"bars wide\">\n<thead><tr><th scope=\"col\">function</th>"
          "<th scope=\"col\">CPI stack</th>",
          out);
    for (int i = 0; i < SUITE_COLUMNS; i++)
        fprintf(out, "<th scope=\"col\">%s</th>", metric_descriptions[suite_columns[i]].heading);
    fputs("</tr></thead>\n<tbody>\n", out);
    for (size_t i = 0; i < suite->count; i++)
        function_row(out, &suite->entries[i], largest);
    fputs("</tbody>\n<tbody>\n", out);
    for (size_t i = 0; i < count; i++)
        group_row(out, suite, &groups[i]);
    fputs("</tbody></table>\n", out);
}

void suite_write_report(const struct suite_results *suite, FILE *out) {
    autofree char *subject =
        format_string("%zu function%s", suite->count, suite->count == 1 ? "" : "s");
    report_begin(out, subject, suite->system);
    fprintf(out, "<p>%u invocation%s of each. Means:</p>\n<div class=\"card\">\n",
            suite->invocations, suite->invocations == 1 ? "" : "s");
    legend(out, suite);
    table(out, suite);
    fputs("</div>\n<p>" SUITE_MEANS "</p>\n</body>\n</html>\n", out);
}
