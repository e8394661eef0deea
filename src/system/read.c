/* A system file is YAML: nested mappings whose paths are the keys of parameters_table, scalars at
 * their ends. The reader knows no parameter by name. */
#include <inttypes.h>
#include <string.h>
#include <yaml.h>

#include "common/cleanup.h"
#include "system/system.h"

enum { MOST_PARAMETERS = 128, KEY_SIZE = 256 };

struct reader {
    const char *path;
    yaml_document_t document;
    struct model_parameters *parameters;
    size_t lines[MOST_PARAMETERS]; /* where each of the table was given; 0: not yet */
    struct error *err;
};

#define REFUSE(reader, line, format, ...)                                                          \
    error_set((reader)->err, "%s:%zu: " format, (reader)->path, (size_t)(line), __VA_ARGS__)

static size_t line_of(const yaml_node_t *node) {
    return node->start_mark.line + 1;
}

/* What a value of this parameter looks like, for messages: "a number and kB, …". */
static const char *legal_form(const struct parameter *p, char *text, size_t size) {
    const struct unit_name *unit = parameter_units(p->unit);
    if (p->unit < UNIT_COUNT)
        return "a text";
    if (p->unit == UNIT_COUNT)
        return "a whole number without a unit";
    snprintf(text, size, "a number and its unit:");
    for (; unit->name; unit++) {
        size_t used = strlen(text);
        snprintf(text + used, size - used, " %s%s", unit->name, unit[1].name ? "," : "");
    }
    return text;
}

/* DIGITS[.DIGITS] [UNIT], worth a whole number of base units. Returns what is wrong, or NULL. */
static const char *parse_number(const char *text, enum parameter_unit unit, uint64_t *number) {
    size_t digits = strspn(text, "0123456789"), fraction = 0;
    const char *end = text + digits;
    if (digits && *end == '.')
        fraction = strspn(end + 1, "0123456789"), end += 1 + fraction;
    if (!digits || (end > text + digits && !fraction))
        return "not a number";
    const char *name = end + (*end == ' ');
    const struct unit_name *units = parameter_units(unit);
    uint64_t factor = 1;
    if (!units->name && *end)
        return "not a plain number";
    if (units->name) {
        if (!*name)
            return "the unit is missing";
        while (units->name && strcmp(units->name, name) != 0)
            units++;
        if (!units->name)
            return "the unit is wrong";
        factor = units->factor;
    }
    if (digits + fraction > 15)
        return "too many digits";
    uint64_t mantissa = 0, scale = 1;
    for (const char *c = text; c < end; c++)
        if (*c != '.')
            mantissa = mantissa * 10 + (uint64_t)(*c - '0');
    for (; fraction; fraction--)
        scale *= 10;
    unsigned __int128 product = (unsigned __int128)mantissa * factor;
    if (product % scale || product / scale > UINT64_MAX)
        return product % scale ? "not a whole number of the smallest unit" : "too large";
    *number = (uint64_t)(product / scale);
    return NULL;
}

static int read_value(struct reader *reader, const struct parameter *p, const yaml_node_t *node) {
    char form[128];
    void *place = parameter_place(reader->parameters, p);
    if (node->type != YAML_SCALAR_NODE)
        return REFUSE(reader, line_of(node), "%s: a list or a section: must be %s", p->key,
                      legal_form(p, form, sizeof form));
    const char *text = (const char *)node->data.scalar.value;
    const char *wrong = NULL;
    if (p->unit >= UNIT_COUNT)
        wrong = parse_number(text, p->unit, place);
    else if (node->data.scalar.length >= PARAMETER_TEXT || strlen(text) != node->data.scalar.length)
        wrong = "too long, or not a text";
    else
        strcpy(place, text);
    if (wrong)
        return REFUSE(reader, line_of(node), "%s: `%.60s`: %s: must be %s", p->key, text, wrong,
                      legal_form(p, form, sizeof form));
    reader->lines[p - parameters_table] = line_of(node);
    return 0;
}

/* Whether this parameter lies in the section, at any depth; "" is the whole file. */
static bool is_within(const struct parameter *p, const char *section) {
    size_t length = strlen(section);
    return !length || (strncmp(p->key, section, length) == 0 && p->key[length] == '.');
}

/* The names that a section may hold, without repetition. */
static int unknown_key(struct reader *reader, size_t line, const char *section, const char *key) {
    char known[512] = "", name[KEY_SIZE], last[KEY_SIZE] = "";
    for (const struct parameter *p = parameters_table; p->key; p++) {
        if (!is_within(p, section))
            continue;
        const char *rest = p->key + (*section ? strlen(section) + 1 : 0);
        snprintf(name, sizeof name, "%.*s", (int)strcspn(rest, "."), rest);
        size_t used = strlen(known);
        if (strcmp(name, last) != 0)
            snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "", name);
        strcpy(last, name);
    }
    return REFUSE(reader, line, "%s: there is no such parameter: use one of: %s", key, known);
}

static int read_section(struct reader *reader, const char *section, const yaml_node_t *node,
                        size_t line);

static int read_pair(struct reader *reader, const char *section, const yaml_node_t *key_node,
                     const yaml_node_t *value) {
    char key[KEY_SIZE];
    size_t line = line_of(key_node);
    if (key_node->type != YAML_SCALAR_NODE)
        return REFUSE(reader, line, "a key must be a word: %s", "see systems/simple.yaml");
    int length = snprintf(key, sizeof key, "%s%s%s", section, *section ? "." : "",
                          (const char *)key_node->data.scalar.value);
    if (length >= KEY_SIZE)
        return REFUSE(reader, line, "%.40s…: the key is too long: there is no such parameter", key);
    /* a dot in a key would reach into another section */
    bool one_word = !strchr((const char *)key_node->data.scalar.value, '.');
    for (const struct parameter *p = parameters_table; one_word && p->key; p++) {
        if (strcmp(p->key, key) == 0)
            return read_value(reader, p, value);
        if (is_within(p, key))
            return read_section(reader, key, value, line);
    }
    return unknown_key(reader, line, section, key);
}

static int refuse_duplicates(struct reader *reader, const yaml_node_t *mapping) {
    const yaml_node_pair_t *first = mapping->data.mapping.pairs.start;
    for (const yaml_node_pair_t *pair = first; pair < mapping->data.mapping.pairs.top; pair++)
        for (const yaml_node_pair_t *other = first; other < pair; other++) {
            const yaml_node_t *a = yaml_document_get_node(&reader->document, pair->key);
            const yaml_node_t *b = yaml_document_get_node(&reader->document, other->key);
            if (a->type == YAML_SCALAR_NODE && b->type == YAML_SCALAR_NODE &&
                strcmp((char *)a->data.scalar.value, (char *)b->data.scalar.value) == 0)
                return REFUSE(reader, line_of(a), "%s: given twice, first in line %zu: remove one",
                              (char *)a->data.scalar.value, line_of(b));
        }
    return 0;
}

/* `line` is where the section's key stands. */
static int read_section(struct reader *reader, const char *section, const yaml_node_t *node,
                        size_t line) {
    if (node->type != YAML_MAPPING_NODE)
        return REFUSE(reader, line, "%s: must be a section: indented `name: value` lines below it",
                      *section ? section : "the file");
    if (refuse_duplicates(reader, node))
        return -1;
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++)
        if (read_pair(reader, section, yaml_document_get_node(&reader->document, pair->key),
                      yaml_document_get_node(&reader->document, pair->value)))
            return -1;
    for (const struct parameter *p = parameters_table; p->key; p++) {
        char form[128];
        if (is_within(p, section) && !reader->lines[p - parameters_table])
            return REFUSE(reader, line, "%s: is missing: add it, %s: %s", p->key,
                          legal_form(p, form, sizeof form), p->description);
    }
    return 0;
}

static int check(struct reader *reader) {
    struct parameters_problem problem;
    if (parameters_check(reader->parameters, &problem))
        return 0;
    size_t line = 0;
    for (const struct parameter *p = parameters_table; p->key; p++)
        if (strcmp(p->key, problem.key) == 0)
            line = reader->lines[p - parameters_table];
    return REFUSE(reader, line, "%s: %s", problem.key, problem.text);
}

static int read_document(struct reader *reader) {
    yaml_node_t *root = yaml_document_get_root_node(&reader->document);
    if (!root)
        return REFUSE(reader, 1, "the file is empty: %s",
                      "write a system as in systems/simple.yaml");
    if (read_section(reader, "", root, line_of(root)))
        return -1;
    return check(reader);
}

static int syntax_error(struct reader *reader, const yaml_parser_t *parser) {
    return REFUSE(reader, parser->problem_mark.line + 1, "not YAML: %s: %s",
                  parser->problem ? parser->problem : "cannot be read",
                  parser->context ? parser->context : "mend the syntax");
}

/* Nothing may follow the one document: it would be ignored. */
static int expect_end(struct reader *reader, yaml_parser_t *parser) {
    if (!yaml_parser_load(parser, &reader->document))
        return syntax_error(reader, parser);
    const yaml_node_t *root = yaml_document_get_root_node(&reader->document);
    size_t line = root ? line_of(root) : 0;
    yaml_document_delete(&reader->document);
    return root ? REFUSE(reader, line, "a second document: %s", "a file describes one system") : 0;
}

int system_load(const char *path, struct model_parameters *parameters, struct error *err) {
    autofclose FILE *file = fopen(path, "re");
    if (!file)
        return error_errno(err, "%s: cannot read the system", path);
    *parameters = (struct model_parameters){0};
    struct reader reader = {.path = path, .parameters = parameters, .err = err};
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        return error_set(err, "%s: cannot read the system: out of memory", path);
    yaml_parser_set_input_file(&parser, file);
    int status = -1;
    if (!yaml_parser_load(&parser, &reader.document)) {
        syntax_error(&reader, &parser);
    } else {
        status = read_document(&reader);
        yaml_document_delete(&reader.document);
    }
    if (status == 0)
        status = expect_end(&reader, &parser);
    yaml_parser_delete(&parser);
    return status;
}
