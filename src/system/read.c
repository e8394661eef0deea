/* A system file is YAML: nested mappings whose paths are the keys of parameters_table, scalars at
 * their ends. The reader knows no parameter by name.
 *
 * It follows the parser's events and stops at the first mistake, so that a hostile file costs no
 * more than its size: what is not a known key, or comes a second time, is not looked into, and
 * anchors, aliases and tags, which could make little text mean much, are refused. */
#include <errno.h>
#include <string.h>
#include <yaml.h>

#include "common/cleanup.h"
#include "system/keys.h"
#include "system/number.h"
#include "system/system.h"

enum {
    MOST_BYTES = 1 << 20,
    MOST_PARAMETERS = 512,
    MOST_SECTIONS = 128,
    KEY_SIZE = 256,
    FORM_SIZE = 128,
    QUOTE_SIZE = 64
};

struct reader {
    const char *path;
    yaml_parser_t parser;
    struct model_parameters *parameters;
    size_t lines[MOST_PARAMETERS]; /* where each of the table was given; 0: not yet */
    struct {
        char key[KEY_SIZE];
        size_t line;
    } sections[MOST_SECTIONS]; /* those given, in order */
    size_t section_count;
    struct error *err;
};

#define autoevent __attribute__((cleanup(yaml_event_delete))) yaml_event_t

#define REFUSE(reader, line, format, ...)                                                          \
    error_set((reader)->err, "%s:%zu: " format, (reader)->path, (size_t)(line), __VA_ARGS__)

static size_t line_of(const yaml_event_t *event) {
    return event->start_mark.line + 1;
}

/* What the file says, for messages: its beginning, with nothing that a terminal would obey. */
static const char *quote(const char *text, char quoted[QUOTE_SIZE]) {
    size_t i = 0;
    for (; text[i] && i < QUOTE_SIZE - 4; i++)
        quoted[i] = (unsigned char)text[i] < ' ' || text[i] == 0x7f ? '?' : text[i];
    while (text[i] && i > 0 && ((unsigned char)text[i] & 0xc0) == 0x80)
        i--; /* not in the middle of a character */
    strcpy(quoted + i, text[i] ? "…" : "");
    return quoted;
}

/* What a value of this parameter looks like, for messages: "a number and kB, …". */
static const char *legal_form(const struct parameter *p, char form[FORM_SIZE]) {
    const struct unit_name *unit = parameter_units(p->unit);
    if (p->unit == UNIT_COUNT)
        return "a whole number without a unit";
    if (p->unit == UNIT_TEXT)
        return "a text of at most 255 bytes";
    snprintf(form, FORM_SIZE, p->unit == UNIT_CHOICE ? "one of" : "a number and its unit:");
    if (p->unit == UNIT_CHOICE)
        for (const char *const *choice = p->choices; *choice; choice++) {
            size_t used = strlen(form);
            snprintf(form + used, FORM_SIZE - used, " %s%s", *choice, choice[1] ? "," : "");
        }
    for (; unit->name; unit++) {
        size_t used = strlen(form);
        snprintf(form + used, FORM_SIZE - used, " %s%s", unit->name, unit[1].name ? "," : "");
    }
    return form;
}

static int syntax_error(struct reader *reader) {
    const yaml_parser_t *parser = &reader->parser;
    return REFUSE(reader, parser->problem_mark.line + 1, "not YAML: %s: %s",
                  parser->problem ? parser->problem : "cannot be read",
                  parser->context ? parser->context : "mend the syntax");
}

/* The next event, which is none of what a system file may not use. */
static int next_event(struct reader *reader, yaml_event_t *event) {
    const yaml_char_t *anchor = NULL, *tag = NULL;
    if (!yaml_parser_parse(&reader->parser, event))
        return syntax_error(reader);
    if (event->type == YAML_SCALAR_EVENT)
        anchor = event->data.scalar.anchor, tag = event->data.scalar.tag;
    else if (event->type == YAML_MAPPING_START_EVENT)
        anchor = event->data.mapping_start.anchor, tag = event->data.mapping_start.tag;
    if (event->type == YAML_ALIAS_EVENT || anchor)
        return REFUSE(reader, line_of(event), "an anchor or alias (& or *): %s",
                      "write the value out, or put a text that begins so in quotes");
    if (tag)
        return REFUSE(reader, line_of(event), "a tag (!): %s",
                      "remove it, or put a text that begins so in quotes");
    return 0;
}

/* Where this was given: the parameter, or else the innermost section around it. */
static size_t line_of_key(const struct reader *reader, const char *given) {
    char key[KEY_SIZE];
    const struct parameter *p = key_find(given);
    if (p && reader->lines[p - parameters_table])
        return reader->lines[p - parameters_table];
    snprintf(key, sizeof key, "%s", given);
    for (;; key_to_section(key)) {
        for (size_t i = 0; i < reader->section_count; i++)
            if (strcmp(reader->sections[i].key, key) == 0)
                return reader->sections[i].line;
        if (!*key)
            return 1;
    }
}

static int given_twice(struct reader *reader, const char *key, size_t line, size_t first) {
    return REFUSE(reader, line, "%s: given twice, first in line %zu: remove one", key, first);
}

static const char *store(struct reader *reader, const struct parameter *p,
                         const yaml_event_t *scalar) {
    void *place = parameter_place(reader->parameters, p);
    const char *text = (const char *)scalar->data.scalar.value;
    size_t length = scalar->data.scalar.length;
    if (strlen(text) != length)
        return "a NUL character";
    if (p->unit >= UNIT_COUNT)
        return number_parse(text, p->unit, place);
    if (length >= PARAMETER_TEXT)
        return "too long";
    memcpy(place, text, length + 1);
    return NULL;
}

static int read_value(struct reader *reader, const struct parameter *p, const yaml_event_t *value) {
    char form[FORM_SIZE], quoted[QUOTE_SIZE];
    size_t line = line_of(value), *given = &reader->lines[p - parameters_table];
    if (*given)
        return given_twice(reader, p->key, line, *given);
    if (value->type != YAML_SCALAR_EVENT)
        return REFUSE(reader, line, "%s: a list or a section: must be %s", p->key,
                      legal_form(p, form));
    const char *wrong = store(reader, p, value);
    if (wrong)
        return REFUSE(reader, line, "%s: `%s`: %s: must be %s", p->key,
                      quote((const char *)value->data.scalar.value, quoted), wrong,
                      legal_form(p, form));
    *given = line;
    struct parameters_problem problem;
    if (!parameter_check(reader->parameters, p, &problem))
        return REFUSE(reader, line, "%s: %s", p->key, problem.text);
    return 0;
}

static int unknown_key(struct reader *reader, size_t line, const char *section, const char *name) {
    char known[512], closest[KEY_SIZE], quoted[QUOTE_SIZE];
    key_list(section, known, sizeof known);
    const char *dot = *section ? "." : "";
    quote(name, quoted);
    if (key_closest(section, name, closest, sizeof closest))
        return REFUSE(reader, line,
                      "%s%s%s: there is no such parameter: did you mean %s? Known here are: %s",
                      section, dot, quoted, closest, known);
    return REFUSE(reader, line, "%s%s%s: there is no such parameter: use one of: %s", section, dot,
                  quoted, known);
}

static int begin_section(struct reader *reader, const char *key, size_t line) {
    for (size_t i = 0; i < reader->section_count; i++)
        if (strcmp(reader->sections[i].key, key) == 0)
            return given_twice(reader, key, line, reader->sections[i].line);
    if (reader->section_count == MOST_SECTIONS) /* of the table: cannot be, whatever the file */
        return REFUSE(reader, line, "%s: one section too many", key);
    strcpy(reader->sections[reader->section_count].key, key);
    reader->sections[reader->section_count++].line = line;
    for (const struct parameter_section *s = parameters_sections; s->key; s++)
        if (strcmp(s->key, key) == 0)
            *(uint64_t *)(void *)((char *)reader->parameters + s->present) = 1;
    return 0;
}

static int read_section(struct reader *reader, const char *section);

/* A section's value: a mapping, or a word for all of it: `prefetcher: none` is short for
 * `prefetcher: {name: none}`. */
static int read_section_value(struct reader *reader, const char *key, size_t line,
                              const yaml_event_t *value) {
    char name[KEY_SIZE + sizeof ".name"];
    snprintf(name, sizeof name, "%s.name", key);
    const struct parameter *whole = key_find(name);
    bool is_word = whole && value->type == YAML_SCALAR_EVENT;
    if (!is_word && value->type != YAML_MAPPING_START_EVENT)
        return REFUSE(reader, line, "%s: must be a section: indented `name: value` lines below it",
                      key);
    if (begin_section(reader, key, line) < 0)
        return -1;
    return is_word ? read_value(reader, whole, value) : read_section(reader, key);
}

static int read_pair(struct reader *reader, const char *section, const yaml_event_t *key_event) {
    char key[KEY_SIZE];
    size_t line = line_of(key_event);
    if (key_event->type != YAML_SCALAR_EVENT)
        return REFUSE(reader, line, "a key must be a word: %s", "see systems/simple.yaml");
    const char *name = (const char *)key_event->data.scalar.value;
    int length = snprintf(key, sizeof key, "%s%s%s", section, *section ? "." : "", name);
    const struct parameter *p = key_find(key);
    /* a dot in a name would reach into another section */
    if (length >= KEY_SIZE || strlen(name) != key_event->data.scalar.length || strchr(name, '.') ||
        (!p && !key_is_section(key)))
        return unknown_key(reader, line, section, name);
    autoevent value = {0};
    if (next_event(reader, &value) < 0)
        return -1;
    return p ? read_value(reader, p, &value) : read_section_value(reader, key, line, &value);
}

/* From behind a mapping's start to its end. */
static int read_section(struct reader *reader, const char *section) {
    for (;;) {
        autoevent event = {0};
        if (next_event(reader, &event) < 0)
            return -1;
        if (event.type == YAML_MAPPING_END_EVENT)
            return 0;
        if (read_pair(reader, section, &event) < 0)
            return -1;
    }
}

/* Each parameter against the others: there if it means something,
 * and only then; all of them a machine. */
static int check(struct reader *reader) {
    struct parameters_problem problem;
    char form[FORM_SIZE];
    for (const struct parameter *p = parameters_table; p->key; p++) {
        bool given = reader->lines[p - parameters_table];
        if (given && !parameter_applies(reader->parameters, p))
            return REFUSE(reader, line_of_key(reader, p->key), "%s: %s: remove it", p->key,
                          p->applies->text);
        if (!given && parameter_applies(reader->parameters, p))
            return REFUSE(reader, line_of_key(reader, p->key), "%s: is missing: add it, %s: %s",
                          p->key, legal_form(p, form), p->description);
    }
    if (parameters_check(reader->parameters, &problem))
        return 0;
    return REFUSE(reader, line_of_key(reader, problem.key), "%s: %s", problem.key, problem.text);
}

/* An event of this type, or the end of the stream. */
static int expect(struct reader *reader, yaml_event_t *event, yaml_event_type_t type) {
    if (next_event(reader, event) < 0)
        return -1;
    if (event->type == type)
        return 0;
    if (event->type == YAML_STREAM_END_EVENT)
        return REFUSE(reader, 1, "the file is empty: %s",
                      "write a system as in systems/simple.yaml");
    if (event->type == YAML_DOCUMENT_START_EVENT)
        return REFUSE(reader, line_of(event), "a second document: %s",
                      "a file describes one system");
    return REFUSE(reader, line_of(event), "the file: must be a section: %s",
                  "`name: value` lines, as in systems/simple.yaml");
}

static int read_stream(struct reader *reader) {
    autoevent stream = {0}, document = {0}, root = {0}, document_end = {0}, stream_end = {0};
    if (expect(reader, &stream, YAML_STREAM_START_EVENT) < 0 ||
        expect(reader, &document, YAML_DOCUMENT_START_EVENT) < 0 ||
        expect(reader, &root, YAML_MAPPING_START_EVENT) < 0 ||
        begin_section(reader, "", line_of(&root)) < 0 || read_section(reader, "") < 0 ||
        expect(reader, &document_end, YAML_DOCUMENT_END_EVENT) < 0 ||
        expect(reader, &stream_end, YAML_STREAM_END_EVENT) < 0)
        return -1;
    return check(reader);
}

int system_parse(const char *path, const char *text, size_t size,
                 struct model_parameters *parameters, struct error *err) {
    autofree struct reader *reader = calloc(1, sizeof *reader);
    if (!reader || !yaml_parser_initialize(&reader->parser))
        return error_set(err, "%s: cannot read the system: out of memory", path);
    *parameters = (struct model_parameters){0};
    reader->path = path;
    reader->parameters = parameters;
    reader->err = err;
    yaml_parser_set_input_string(&reader->parser, (const unsigned char *)text, size);
    int status = size > MOST_BYTES
                     ? REFUSE(reader, 1, "the file is too large: %d bytes is the most", MOST_BYTES)
                     : read_stream(reader);
    yaml_parser_delete(&reader->parser);
    return status;
}

int system_load(const char *path, struct model_parameters *parameters, struct error *err) {
    autofclose FILE *file = fopen(path, "re");
    autofree char *text = malloc(MOST_BYTES + 1);
    if (!file)
        return error_errno(err, "%s: cannot read the system", path);
    if (!text)
        return error_set(err, "%s: cannot read the system: out of memory", path);
    size_t size = fread(text, 1, MOST_BYTES + 1, file);
    if (ferror(file))
        return error_errno(err, "%s: cannot read the system", path);
    return system_parse(path, text, size, parameters, err);
}
