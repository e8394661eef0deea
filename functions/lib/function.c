#include "lib/function.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define OPTIONS_MAX 8

char *text_format(const char *format, ...) {
    char *text;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    return length < 0 ? NULL : text;
}

static void print_help(const struct function *function, const struct function_option *options) {
    printf("%s: a gRPC server of %s\n", function->name, function->method.path);
    for (; options->name; options++)
        printf("  -%-18s %s (default %s)\n", options->name, options->help, *options->value);
}

int function_main(int argc, char **argv, const struct function *function) {
    const char *address = "0.0.0.0:50051";
    struct function_option options[OPTIONS_MAX + 1] = {
        {"addr", &address, "HOST:PORT to listen on"}};
    struct option long_options[OPTIONS_MAX + 2] = {{0}};
    struct error err = {0};
    int count = 1, index, c;

    for (const struct function_option *o = function->options; o && o->name && count < OPTIONS_MAX;
         o++)
        options[count++] = *o;
    for (int i = 0; i < count; i++)
        long_options[i] = (struct option){options[i].name, required_argument, NULL, 1};
    long_options[count] = (struct option){"help", no_argument, NULL, 'h'};

    opterr = 0;
    while ((c = getopt_long_only(argc, argv, "", long_options, &index)) != -1) {
        if (c == 'h') {
            print_help(function, options);
            return 0;
        }
        if (c == 1)
            *options[index].value = optarg;
        else
            error_usage(&err, "option %s: unknown, or without its value: see -help",
                        argv[optind - 1]);
    }
    if (err.status == 0 && optind < argc)
        error_usage(&err, "unexpected argument '%s': see -help", argv[optind]);
    if (err.status == 0 && (!function->prepare || function->prepare(&err) == 0))
        grpc_serve(function->name, address, &function->method, &err);
    if (err.status)
        fprintf(stderr, "%s: %s\n", function->name, err.text);
    return err.status;
}
