#include "system/number.h"

#include <string.h>

/* The factor of this unit's name. Returns what is wrong, or NULL. */
static const char *find_unit(const char *name, enum parameter_unit unit, uint64_t *factor) {
    const struct unit_name *units = parameter_units(unit);
    *factor = 1;
    if (!units->name)
        return *name ? "not a plain number" : NULL;
    if (*name == ' ')
        name++;
    if (!*name)
        return "the unit is missing";
    for (; units->name; units++)
        if (strcmp(units->name, name) == 0) {
            *factor = units->factor;
            return NULL;
        }
    return "the unit is wrong";
}

const char *number_parse(const char *text, enum parameter_unit unit, uint64_t *number) {
    static const char digit[] = "0123456789";
    size_t whole = strspn(text, digit), fraction = 0;
    const char *end = text + whole;
    if (whole && *end == '.') {
        fraction = strspn(end + 1, digit);
        end += 1 + fraction;
    }
    if (!whole || (end > text + whole && !fraction))
        return "not a number";
    uint64_t factor, mantissa = 0, scale = 1;
    const char *wrong = find_unit(end, unit, &factor);
    if (wrong)
        return wrong;
    if (whole + fraction > 15)
        return "too many digits";
    for (const char *c = text; c < end; c++)
        if (*c != '.')
            mantissa = mantissa * 10 + (uint64_t)(*c - '0');
    for (; fraction; fraction--)
        scale *= 10;
    unsigned __int128 product = (unsigned __int128)mantissa * factor;
    if (product % scale)
        return "not a whole number of the smallest unit";
    if (product / scale > UINT64_MAX)
        return "too large";
    *number = (uint64_t)(product / scale);
    return NULL;
}
