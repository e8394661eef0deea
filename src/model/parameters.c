#include "model/parameters.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "model/replacement.h"

#define AT(member) offsetof(struct model_parameters, member)
#define KIB UINT64_C(1024)
#define GIB (KIB * KIB * KIB)

static const char *const core_models[] = {"blocking", NULL};
static const char *const memory_models[] = {"fixed", NULL};

/* clang-format off */
#define CACHE(cache, title)                                                                                           \
    {"caches." #cache ".size", UNIT_BYTES, AT(cache.size), 64, GIB, NULL, "Capacity of " title "."},                  \
    {"caches." #cache ".associativity", UNIT_COUNT, AT(cache.associativity), 1, 64, NULL, "Ways of " title "."},      \
    {"caches." #cache ".tag_latency", UNIT_CYCLES, AT(cache.tag_latency), 1, 1000, NULL,                              \
     "Tag look-up in " title ": a store that hits, a miss before it goes on."},                                       \
    {"caches." #cache ".data_latency", UNIT_CYCLES, AT(cache.data_latency), 1, 1000, NULL,                            \
     "Data read from " title ", beside the tag look-up: a load that hits takes the longer of both."},                 \
    {"caches." #cache ".response_latency", UNIT_CYCLES, AT(cache.response_latency), 0, 1000, NULL,                    \
     "From the arrival of a missing line at " title " to its answer."},                                               \
    {"caches." #cache ".mshrs", UNIT_COUNT, AT(cache.mshrs), 1, 1024, NULL,                                           \
     "Misses that " title " has under way at a time."},                                                               \
    {"caches." #cache ".replacement", UNIT_CHOICE, AT(cache.replacement), 0, 0, replacement_names,                    \
     "Replacement policy of " title "."}

#define CROSSBAR(bus, title)                                                                                          \
    {"buses." #bus ".width", UNIT_BYTES, AT(bus##_bus.width), 1, 4096, NULL, "Bytes a cycle through " title "."},     \
    {"buses." #bus ".frontend_latency", UNIT_CYCLES, AT(bus##_bus.frontend_latency), 0, 1000, NULL,                   \
     "Arbitration and decoding of a request in " title "."},                                                          \
    {"buses." #bus ".forward_latency", UNIT_CYCLES, AT(bus##_bus.forward_latency), 0, 1000, NULL,                     \
     "Way of a request through " title "."},                                                                          \
    {"buses." #bus ".response_latency", UNIT_CYCLES, AT(bus##_bus.response_latency), 0, 1000, NULL,                   \
     "Way of an answer back through " title "."},                                                                     \
    {"buses." #bus ".snoop_filter_latency", UNIT_CYCLES, AT(bus##_bus.snoop_filter_latency), 0, 1000, NULL,           \
     "Look-up in the snoop filter of " title ", paid by every request."}

const struct parameter parameters_table[] = {
    {"name", UNIT_TEXT, AT(name), 0, 0, NULL, "Name of the system."},
    {"description", UNIT_TEXT, AT(description), 0, 0, NULL, "One sentence about the system."},
    {"clock", UNIT_HERTZ, AT(clock), 1000000, 100000000000, NULL, "Clock of cores, caches and buses."},
    {"cores", UNIT_COUNT, AT(cores), 1, 64, NULL, "Number of cores."},
    {"core.model", UNIT_CHOICE, AT(core_model), 0, 0, core_models,
     "How a core executes: blocking is one instruction at a time, stalled by every access."},
    {"core.fetch_width", UNIT_BYTES, AT(fetch_width), 1, 4096, NULL, "Aligned bytes that one fetch delivers."},
    {"caches.line_size", UNIT_BYTES, AT(line_size), 16, 4096, NULL, "Line of every cache."},
    CACHE(l1i, "each core's L1 instruction cache"),
    CACHE(l1d, "each core's L1 data cache"),
    CACHE(llc, "the shared last-level cache"),
    CROSSBAR(llc, "the bus between L1 caches and LLC"),
    CROSSBAR(memory, "the bus between LLC and memory"),
    {"memory.size", UNIT_BYTES, AT(memory_size), KIB * KIB, 1024 * GIB, NULL, "Size of the memory."},
    {"memory.model", UNIT_CHOICE, AT(memory_model), 0, 0, memory_models,
     "How memory answers: fixed is after one latency, at any load."},
    {"memory.latency", UNIT_PICOSECONDS, AT(memory_latency), 0, 1000000000, NULL,
     "From a request at the memory to its answer."},
    {0},
};
/* clang-format on */

void *parameter_place(struct model_parameters *parameters, const struct parameter *parameter) {
    return (char *)parameters + parameter->offset;
}

const struct unit_name *parameter_units(enum parameter_unit unit) {
    /* gem5's prefixes: k, M, G of bytes are powers of 1024, with or without the i */
    static const struct unit_name names[][8] = {
        [UNIT_BYTES] = {{"B", 1},
                        {"kB", KIB},
                        {"KiB", KIB},
                        {"MB", KIB * KIB},
                        {"MiB", KIB * KIB},
                        {"GB", GIB},
                        {"GiB", GIB}},
        [UNIT_HERTZ] = {{"Hz", 1}, {"kHz", 1000}, {"MHz", 1000000}, {"GHz", 1000000000}},
        [UNIT_PICOSECONDS] = {{"ps", 1}, {"ns", 1000}, {"us", 1000000}},
        [UNIT_CYCLES] = {{"cycle", 1}, {"cycles", 1}},
    };
    return names[unit];
}

void parameter_format(enum parameter_unit unit, uint64_t number, char *text, size_t size) {
    const struct unit_name *best = parameter_units(unit);
    if (!best->name) {
        snprintf(text, size, "%" PRIu64, number);
        return;
    }
    if (unit == UNIT_CYCLES && number != 1)
        best++;
    for (const struct unit_name *u = best + 1; u->name; u++)
        if (u->factor > best->factor && number >= u->factor && number * 1000 % u->factor == 0)
            best = u;
    uint64_t thousandths = number % best->factor * 1000 / best->factor;
    int digits = snprintf(text, size, "%" PRIu64 ".%03" PRIu64, number / best->factor, thousandths);
    while (text[digits - 1] == '0')
        digits--;
    digits -= text[digits - 1] == '.';
    snprintf(text + digits, size - (size_t)digits, " %s", best->name);
}

__attribute__((format(printf, 3, 4))) static bool refuse(struct parameters_problem *problem,
                                                         const char *key, const char *format, ...) {
    if (problem) {
        va_list arguments;
        va_start(arguments, format);
        problem->key = key;
        vsnprintf(problem->text, sizeof problem->text, format, arguments);
        va_end(arguments);
    }
    return false;
}

static bool is_power_of_two(uint64_t number) {
    return number && !(number & (number - 1));
}

static bool check_number(const struct parameter *parameter, uint64_t number,
                         struct parameters_problem *problem) {
    if (number >= parameter->minimum && number <= parameter->maximum)
        return true;
    char value[64], low[64], high[64];
    parameter_format(parameter->unit, number, value, sizeof value);
    parameter_format(parameter->unit, parameter->minimum, low, sizeof low);
    parameter_format(parameter->unit, parameter->maximum, high, sizeof high);
    return refuse(problem, parameter->key, "%s is out of range: %s to %s", value, low, high);
}

static bool check_text(const struct parameter *parameter, const char *text,
                       struct parameters_problem *problem) {
    if (!*text)
        return refuse(problem, parameter->key, "empty: needs a text");
    if (!parameter->choices)
        return true;
    char known[128] = "";
    for (const char *const *choice = parameter->choices; *choice; choice++) {
        if (strcmp(*choice, text) == 0)
            return true;
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "", *choice);
    }
    return refuse(problem, parameter->key, "there is no `%.40s`: one of %s", text, known);
}

static bool check_cache(const struct cache_parameters *cache, uint64_t line_size, const char *key,
                        struct parameters_problem *problem) {
    uint64_t way_set = cache->associativity * line_size; /* bytes of one set */
    if (cache->size % way_set)
        return refuse(problem, key,
                      "%" PRIu64 " bytes are not whole sets: a multiple of associativity × line "
                      "size = %" PRIu64 " bytes",
                      cache->size, way_set);
    if (!is_power_of_two(cache->size / way_set))
        return refuse(problem, key,
                      "makes %" PRIu64 " sets: size / (associativity × line size) must be a power "
                      "of two",
                      cache->size / way_set);
    return true;
}

bool parameters_check(const struct model_parameters *parameters,
                      struct parameters_problem *problem) {
    for (const struct parameter *p = parameters_table; p->key; p++) {
        const void *place = (const char *)parameters + p->offset;
        if (p->unit >= UNIT_COUNT ? !check_number(p, *(const uint64_t *)place, problem)
                                  : !check_text(p, place, problem))
            return false;
    }
    if (!is_power_of_two(parameters->line_size))
        return refuse(problem, "caches.line_size", "%" PRIu64 " bytes: must be a power of two",
                      parameters->line_size);
    if (!is_power_of_two(parameters->fetch_width) ||
        parameters->fetch_width > parameters->line_size)
        return refuse(problem, "core.fetch_width",
                      "%" PRIu64 " bytes: must be a power of two and at most a line",
                      parameters->fetch_width);
    return check_cache(&parameters->l1i, parameters->line_size, "caches.l1i.size", problem) &&
           check_cache(&parameters->l1d, parameters->line_size, "caches.l1d.size", problem) &&
           check_cache(&parameters->llc, parameters->line_size, "caches.llc.size", problem);
}
