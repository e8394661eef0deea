/* m5 [--mark | --inst | --addr[=ADDRESS]] COMMAND [ARGUMENT…]: gem5's m5 command line (util/m5),
 * for gem5 and for our engines. An m5 operation reaches gem5 by itself; beside a mark, which is
 * one-way, the channel and fw_cfg do what gem5 would do. Not done there: operations at a later
 * time, `sum` and the symbol tables. */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest/channel.h"
#include "guest/m5/m5op.h"

#define FW_CFG "/sys/firmware/qemu_fw_cfg/by_name/opt/slsuite/"
#define CHUNK (256ul * 1024)

static uint64_t numbers[6]; /* the command's numeric arguments; 0 where not given */
static bool marks;          /* the spelling is the mark */

static void refuse(const char *what) {
    errx(1, "%s: not possible on this engine, only in gem5", what);
}

static void at_once(const char *what) {
    if (marks && (numbers[0] || numbers[1]))
        errx(1, "%s: a delay or period is not possible on this engine, only in gem5", what);
}

/* gem5 ends the simulation here. Outside of it we end the machine, if it is one of ours. */
static void end(uint64_t status) {
    if (!marks || channel_open() < 0)
        return;
    channel_line("done %d", (int)status);
    sync();
    reboot(RB_POWER_OFF);
}

static void run_exit(char **arguments) {
    if (marks && numbers[0])
        refuse("exit with a delay");
    m5_exit(numbers[0]);
    end(0);
}

static void run_fail(char **arguments) {
    if (marks && numbers[1])
        refuse("fail with a delay");
    m5_fail(numbers[1], numbers[0]);
    end(numbers[0]);
}

static void run_checkpoint(char **arguments) {
    at_once("checkpoint");
    if (!marks) {
        m5_checkpoint(numbers[0], numbers[1]);
        return;
    }
    if (channel_open() < 0)
        refuse("checkpoint");
    channel_line("checkpoint");
    m5_checkpoint(numbers[0], numbers[1]);
    if (channel_stop() < 0)
        refuse("checkpoint");
}

static void run_resetstats(char **arguments) {
    at_once("resetstats");
    m5_reset_stats(numbers[0], numbers[1]);
}

static void run_dumpstats(char **arguments) {
    at_once("dumpstats");
    m5_dump_stats(numbers[0], numbers[1]);
}

static void run_dumpresetstats(char **arguments) {
    at_once("dumpresetstats");
    m5_dump_reset_stats(numbers[0], numbers[1]);
}

/* The whole of a file, with a NUL behind it; never freed. NULL if it cannot be read. */
static char *slurp(const char *path, size_t *size) {
    FILE *file = fopen(path, "rbe");
    char *data = NULL;
    *size = 0;
    if (!file)
        return NULL;
    size_t got;
    do {
        data = realloc(data, *size + CHUNK + 1);
        if (!data)
            err(1, "%s", path);
        memset(data + *size, 0, CHUNK + 1); /* gem5 reads only pages that are there */
        got = fread(data + *size, 1, CHUNK, file);
        *size += got;
    } while (got == CHUNK);
    if (ferror(file))
        err(2, "cannot read %s", path);
    fclose(file);
    return data;
}

static void read_file(int to) {
    static char chunk[CHUNK];
    size_t size, offset = 0;
    if (marks) {
        char *script = slurp(FW_CFG "script/raw", &size);
        if (!script)
            script = slurp("/run/slsuite/script", &size); /* inside a container, bind-mounted */
        if (!script)
            errx(1, "readfile: the host gave no script");
        if (write(to, script, size) != (ssize_t)size)
            err(2, "readfile");
        return;
    }
    memset(chunk, 0, sizeof chunk);
    for (; (size = m5_read_file(chunk, sizeof chunk, offset)) > 0; offset += size)
        if (write(to, chunk, size) != (ssize_t)size)
            err(2, "readfile");
}

static void run_readfile(char **arguments) {
    read_file(STDOUT_FILENO);
}

static void run_execfile(char **arguments) {
    const char *path = "/tmp/execfile";
    int to = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755);
    if (to < 0)
        err(1, "%s", path);
    read_file(to);
    close(to);
    execl(path, path, (char *)NULL);
    execl("/bin/sh", "sh", path, (char *)NULL); /* a script without #! */
    err(1, "%s", path);
}

static void run_writefile(char **arguments) {
    const char *path = arguments[0], *name = arguments[1] ? arguments[1] : path;
    size_t size, offset = 0;
    char *data = slurp(path, &size);
    if (!data)
        err(2, "cannot open %s", path);
    if (marks) {
        const char *base = strrchr(name, '/') ? strrchr(name, '/') + 1 : name;
        if (channel_open() < 0)
            refuse("writefile");
        if (!*base || strpbrk(base, " \n") || strcmp(base, ".") == 0 || strcmp(base, "..") == 0)
            errx(1, "writefile: the host takes no file of the name '%s'", base);
        channel_line("file %s %zu", base, size);
        channel_bytes(data, size);
        offset = size;
    }
    while (offset < size || (!marks && size == 0)) {
        uint64_t written = m5_write_file(data + offset, size - offset, offset, name);
        if (!written)
            break;
        offset += written;
    }
    printf("Wrote %zu bytes.\n", offset);
    if (offset < size)
        errx(2, "%s: the host took only %zu of %zu bytes", path, offset, size);
}

static void run_loadsymbol(char **arguments) {
    if (marks)
        refuse("loadsymbol");
    m5_load_symbol();
}

static void run_addsymbol(char **arguments) {
    if (marks)
        refuse("addsymbol");
    m5_add_symbol(numbers[0], arguments[1]);
}

/* The value of a line NAME=VALUE in the host's parameters, NULL if there is none. */
static const char *parameter(const char *name) {
    size_t size, length = strlen(name);
    char *text = slurp(FW_CFG "parameters/raw", &size);
    if (!text)
        text = slurp("/run/slsuite/parameters", &size);
    for (char *line = text ? strtok(text, "\n") : NULL; line; line = strtok(NULL, "\n"))
        if (strncmp(line, name, length) == 0 && line[length] == '=')
            return line + length + 1;
    return NULL;
}

static void run_initparam(char **arguments) {
    const char *name = arguments[0] ? arguments[0] : "";
    uint64_t key[2] = {0}; /* gem5 takes the name in two registers */
    if (strlen(name) > sizeof key)
        errx(1, "initparam: the name '%s' is longer than 16 characters", name);
    memcpy(key, name, strlen(name));
    if (!marks) {
        printf("%lu", m5_init_param(key[0], key[1]));
        return;
    }
    const char *value = parameter(*name ? name : "init_param");
    if (!value && *name)
        errx(1, "initparam: the host gave no parameter '%s'", name);
    fputs(value ? value : "0", stdout);
}

static void run_sum(char **arguments) {
    if (marks)
        refuse("sum");
    printf("Sum is %u.\n", (unsigned)m5_sum(numbers[0], numbers[1], numbers[2], numbers[3],
                                            numbers[4], numbers[5]));
}

static void run_workbegin(char **arguments) {
    m5_work_begin(numbers[0], numbers[1]);
}

static void run_workend(char **arguments) {
    m5_work_end(numbers[0], numbers[1]);
}

static const struct command {
    const char *name;
    int least, most, numeric; /* arguments, and how many of them, from the first, are numbers */
    void (*run)(char **arguments);
    const char *usage;
} commands[] = {
    {"addsymbol", 2, 2, 1, run_addsymbol,
     "ADDRESS SYMBOL      add a symbol to gem5's symbol table"},
    {"checkpoint", 0, 2, 2, run_checkpoint, "[DELAY [PERIOD]]    take a checkpoint"},
    {"dumpresetstats", 0, 2, 2, run_dumpresetstats,
     "[DELAY [PERIOD]]    dump and reset the statistics"},
    {"dumpstats", 0, 2, 2, run_dumpstats, "[DELAY [PERIOD]]    dump the statistics"},
    {"execfile", 0, 0, 0, run_execfile, "                    read the host's script and run it"},
    {"exit", 0, 1, 1, run_exit, "[DELAY]             end the simulation"},
    {"fail", 1, 2, 2, run_fail, "CODE [DELAY]        end the simulation with a failure code"},
    {"initparam", 0, 1, 0, run_initparam,
     "[NAME]              print a parameter given by the host"},
    {"loadsymbol", 0, 0, 0, run_loadsymbol, "                    load a symbol file into gem5"},
    {"readfile", 0, 0, 0, run_readfile, "                    print the host's script"},
    {"resetstats", 0, 2, 2, run_resetstats, "[DELAY [PERIOD]]    reset the statistics"},
    {"sum", 2, 6, 6, run_sum, "A B [C [D [E [F]]]]  sum, to test the connection"},
    {"workbegin", 0, 2, 2, run_workbegin, "[ID [THREAD]]       a work item begins"},
    {"workend", 0, 2, 2, run_workend, "[ID [THREAD]]       a work item ends"},
    {"writefile", 1, 2, 0, run_writefile, "FILE [HOSTFILE]     write a file to the host"},
};

static _Noreturn void usage(FILE *to, int status) {
    fprintf(to, "usage: m5 [--mark | --inst | --addr[=ADDRESS]] COMMAND [ARGUMENT...]\n\n");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        fprintf(to, "  %-15s %s\n", commands[i].name, commands[i].usage);
    fprintf(to, "\nDelays and periods are nanoseconds. Without an option $M5_SPELLING decides "
                "(mark, inst,\n"
                "addr[=ADDRESS]); without that, what works here: an m5 instruction in gem5, else "
                "the mark.\n");
    exit(status);
}

static bool is_number(const char *text, uint64_t *value) {
    char *end;
    errno = 0;
    *value = strtoull(text, &end, 0);
    return *text && !*end && !errno;
}

/* The spelling of argv[1], if it is an option;
 * *used is how many words it takes. NULL: there is none. */
static const char *spelling_option(char *argv[], int *used) {
    static char address[64];
    uint64_t ignored;
    *used = 0;
    if (strncmp(argv[1], "--", 2) != 0)
        return NULL;
    *used = 1;
    if (strcmp(argv[1], "--addr") == 0 && argv[2] && is_number(argv[2], &ignored)) {
        *used = 2;
        snprintf(address, sizeof address, "addr=%s", argv[2]);
        return address;
    }
    return argv[1] + 2;
}

int main(int argc, char *argv[]) {
    int used;
    if (argc < 2)
        usage(stderr, 1);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        usage(stdout, 0);
    const char *spelling = spelling_option(argv, &used);
    argc -= 2 + used;
    argv += 2 + used;
    if (argc < 0)
        usage(stderr, 1);

    for (const struct command *c = commands; c < commands + sizeof commands / sizeof *commands;
         c++) {
        if (strcmp(argv[-1], c->name) != 0)
            continue;
        if (argc < c->least || argc > c->most)
            usage(stderr, 1);
        for (int i = 0; i < argc && i < c->numeric; i++)
            if (!is_number(argv[i], &numbers[i]))
                errx(1, "%s: '%s' is not a number", c->name, argv[i]);
        if (m5_init(spelling) < 0)
            err(1, "cannot use the spelling '%s'", spelling ? spelling : "addr");
        marks = m5_spelling() == M5_SPELL_MARK;
        c->run(argv);
        return 0;
    }
    usage(stderr, 1);
}
