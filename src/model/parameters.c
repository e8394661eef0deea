#include "model/parameters.h"

#include <inttypes.h>
#include <stdio.h>

#define KIB UINT64_C(1024)

void *parameter_place(struct model_parameters *parameters, const struct parameter *parameter) {
    return (char *)parameters + parameter->offset;
}

const void *parameter_value(const struct model_parameters *parameters,
                            const struct parameter *parameter) {
    return (const char *)parameters + parameter->offset;
}

bool parameter_applies(const struct model_parameters *parameters,
                       const struct parameter *parameter) {
    return !parameter->applies || parameter->applies->holds(parameters);
}

const struct unit_name *parameter_units(enum parameter_unit unit) {
    /* gem5's prefixes: k, M, G of bytes are powers of 1024, with or without the i */
    static const struct unit_name names[][8] = {
        [UNIT_BYTES] = {{"B", 1},
                        {"kB", KIB},
                        {"KiB", KIB},
                        {"MB", KIB * KIB},
                        {"MiB", KIB * KIB},
                        {"GB", KIB * KIB * KIB},
                        {"GiB", KIB * KIB * KIB}},
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
    unsigned __int128 thousandths = (unsigned __int128)number * 1000;
    for (const struct unit_name *u = best + 1; u->name; u++)
        if (u->factor > best->factor && number >= u->factor && thousandths % u->factor == 0)
            best = u;
    int digits = snprintf(text, size, "%" PRIu64 ".%03" PRIu64, number / best->factor,
                          (uint64_t)(thousandths / best->factor % 1000));
    while (text[digits - 1] == '0')
        digits--;
    digits -= text[digits - 1] == '.';
    snprintf(text + digits, size - (size_t)digits, " %s", best->name);
}
