/* Traces of invocations, as other programs write them: what they say, and what is no trace. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

#include "common/cleanup.h"
#include "load/trace.h"

#define HEAD "HashOwner,HashApp,HashFunction,Trigger,"
#define HEAD_2021 "app,func,end_timestamp,duration\n"

static int read_bytes(const void *bytes, size_t size, const char *function, struct trace *trace,
                      struct error *err) {
    int fd = memfd_create("trace", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), size);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    *err = (struct error){0};
    return trace_read_from(trace, fd, "FILE", function, err);
}

static void refuse_bytes(const void *bytes, size_t size, const char *function, const char *why) {
    struct trace trace;
    struct error err;
    if (read_bytes(bytes, size, function, &trace, &err) != -1)
        fail_msg("taken: %.80s", (const char *)bytes);
    assert_int_equal(err.status, 1);
    assert_true(strncmp(err.text, "FILE:", 5) == 0 && !strchr(err.text, '\n'));
    if (!strstr(err.text, why))
        fail_msg("'%s' does not say '%s'", err.text, why);
}

static void refuse(const char *text, const char *function, const char *why) {
    refuse_bytes(text, strlen(text), function, why);
}

/* The function's counts, as text: "1 0 2". */
static void expect_bytes(const void *bytes, size_t size, const char *function, const char *name,
                         const char *counts) {
    struct trace trace;
    struct error err;
    if (read_bytes(bytes, size, function, &trace, &err) != 0)
        fail_msg("'%s' of '%.60s'", err.text, (const char *)bytes);
    assert_string_equal(trace.function, name);
    char found[200] = "";
    uint64_t total = 0;
    for (size_t i = 0; i < trace.minutes; i++) {
        size_t length = strlen(found);
        snprintf(found + length, sizeof found - length, i ? " %u" : "%u", trace.counts[i]);
        total += trace.counts[i];
    }
    assert_string_equal(found, counts);
    assert_int_equal(trace.total, total);
    trace_free(&trace);
}

static void expect(const char *text, const char *function, const char *name, const char *counts) {
    expect_bytes(text, strlen(text), function, name, counts);
}

static void test_2019(void **state) {
    static const char text[] = HEAD "1,2,3\no,a,f11,http,1,0,2\n\no,a,f12,timer,4,5,6\n"
                                    "o,a,g1,http,7,8,9";
    expect(text, NULL, "f11", "1 0 2");
    expect(text, "f12", "f12", "4 5 6");
    expect(text, "g", "g1", "7 8 9");                         /* no line's end behind it */
    expect(HEAD "1\no,a,ff,x,1\no,a,f,x,2\n", "f", "f", "2"); /* the very one, not what it begins */
    expect(HEAD "1\no,a,f1,x,1\no,a,f2,x,5\no,a,f,x,2\n", "f", "f", "2");
    expect("HashFunction,2,1\nf,3,4\n", NULL, "f", "4 3"); /* columns by their names */
}

/* Another trigger, another application: each has a line. */
static void test_several_lines(void **state) {
    static const char text[] = HEAD "1,2\no,a,f,http,1,2\no,a,g,http,9,9\no,a,f,timer,10,20\n"
                                    "o,b,f,http,100,200\n";
    expect(text, NULL, "f", "111 222");
    expect(text, "f", "f", "111 222");
    expect(text, "a/f", "f", "11 22");
    expect(text, "b/f", "f", "100 200");
    refuse(text, "c/f", "no function 'f'");
    expect("app,func,end_timestamp,duration\nx,m/f,1,1\n", "m/f", "m/f", "1");
    refuse(HEAD "1\no,a,f,http,99999999\no,a,f,timer,2\n", "f", ":3: minute 1: all lines");
    refuse(HEAD "1\no,a,f1,http,1\no,a,f2,http,1\n", "f", "'f' begins two functions, f1… and f2…");
    refuse(HEAD "1\no,a,f1,http,1\n", "g", "no function 'g'");
}

/* As R, pandas and Excel write them. */
static void test_programs(void **state) {
    expect("\xef\xbb\xbf" HEAD "1,2\r\no,a,f,http,3,4\r\n", NULL, "f", "3 4");
    expect("\"HashOwner\",\"HashApp\",\"HashFunction\",\"Trigger\",\"1\",\"2\"\n\"o\",\"a\",\"f\","
           "\"http\",2,2\n",
           NULL, "f", "2 2");
    expect("\"\",\"HashOwner\",\"HashApp\",\"HashFunction\",\"Trigger\",\"X1\",\"X2\"\n\"1\",\"o\","
           "\"a\",\"f\",\"http\",2,1e+05\n",
           NULL, "f", "2 100000");
    expect("\"HashOwner\" \"HashApp\" \"HashFunction\" \"Trigger\" \"X1\" \"X2\"\n\"1\" \"o\" "
           "\"a\" \"f\" \"http\" 2 7\n\"2\" \"o\" \"a\" \"g\" \"http\" 8 9\n",
           "g", "g", "8 9");
    expect("HashOwner,HashApp,HashFunction,Trigger,1\n1,o,a,f,http,2\n", NULL, "f", "2");
    expect("," HEAD "1,2,3\n0,o,a,f1aa,http,5,0,7\n", NULL, "f1aa", "5 0 7");
    expect("Unnamed: 0.1,Unnamed: 0," HEAD "1\n0,0,o,a,f,http,5.0\n", NULL, "f", "5");
    expect("sep=;\r\nHashOwner;HashApp;HashFunction;Trigger;1;2\r\no;a;f;http;3,0;4\r\n", NULL, "f",
           "3 4");
    expect("HashOwner\tHashApp\tHashFunction\tTrigger\t1\t2\no\t\tf\thttp\t3\t4\n", NULL, "f",
           "3 4");
    expect("HashOwner|HashApp|HashFunction|Trigger|1\no|a|f|http|3\n", NULL, "f", "3");
    expect(" HashOwner , HashApp , HashFunction , Trigger , 1 , 2 \n o , a , f , http , 3 , 4 \n",
           NULL, "f", "3 4");
    expect(HEAD "1,2\no,a,\"f \"\"x\"\", y\",http,\" 3\",\"4\" \n", NULL, "f \"x\", y", "3 4");
    expect("hashowner,HASHAPP,hashfunction,trigger,1\ro,a,f,http,3\ro,a,f,timer,3\r", NULL, "f",
           "6");
    expect(HEAD "1,2,\no,a,f,http,3,4,\n", NULL, "f", "3 4"); /* a comma behind each line */
}

/* An invocation a line, whenever it ended: they arrived in another order. */
static void test_2021(void **state) {
    static const char text[] = HEAD_2021 "a,f,10.5,0.5\na,g,3,1\nb,f,12,11.25\na,f,70.25,0.25\n";
    struct trace trace;
    struct error err;
    expect(text, "f", "f", "2 1");
    expect(text, "a/f", "f", "1 1");
    expect(text, "g", "g", "1 0"); /* the trace is as long as it is for the other */
    assert_int_equal(read_bytes(text, sizeof text - 1, NULL, &trace, &err), 0);
    assert_int_equal(trace.times_ns[0], 0); /* 0.75 s, the first of all */
    assert_int_equal(trace.times_ns[1], 9250000000);
    assert_int_equal(trace.times_ns[2], 69250000000);
    trace_free(&trace);
    expect("\"\",\"app\",\"func\",\"end_timestamp\",\"duration\"\n\"1\",\"a\",\"f\",1.5e+1,0\n",
           NULL, "f", "1");
    expect("app\tfunc\tduration\tend_timestamp\na\tf\t0,5\t-3,25\n", NULL, "f", "1");
    expect("\"app\" \"func\" \"end_timestamp\" \"duration\"\n\"1\" \"a\" \"f\" 15 0\n", NULL, "f",
           "1");
    refuse(HEAD_2021, NULL, "no function in it");
    refuse("app,func,end_timestamp\na,f,1\n", NULL,
           ":1: columns of both end_timestamp and duration");
    refuse("app,func,end_timestamp,duration,1\na,f,1,1,1\n", NULL, "none of minutes");
    refuse(HEAD_2021 "a,f,1\n", NULL, ":2: no duration (column 4)");
    refuse(HEAD_2021 "a,f,,1\n", NULL, ":2: no end_timestamp (column 3)");
    refuse(HEAD_2021 "a,f,1,1\na,f,2021-01-31 00:00:01,1\n", NULL,
           ":3: end_timestamp (column 3): '2021-01-31 00:00:01' is not a number of seconds");
    refuse(HEAD_2021 "a,f,1,-1\n", NULL, "duration (column 4): -1 s is not from 0");
    refuse(HEAD_2021 "a,f,inf,1\n", NULL, "is not a number");
    refuse(HEAD_2021 "a,f,1e300,1\n", NULL, "is not from");
    refuse(HEAD_2021 "a,f,1,1,1\n", NULL, "more fields than there are columns (4)");
    refuse(HEAD_2021 "a,f,1,1\na,f,1612051200000,1\n", NULL, "are these seconds?");
    refuse(HEAD_2021 "a,f,1,1\na,,2,1\n", NULL, ":3: no HashFunction (column 2)");
}

static void test_columns(void **state) {
    refuse("", NULL, "empty");
    refuse("\n \n", NULL, "empty");
    refuse("a,b\n", NULL, ":1: 'a' instead of the columns HashOwner,");
    refuse("HashOwner,HashApp\n", NULL, "instead of the columns");
    refuse(HEAD "\n", NULL, ":1: no column of minute 1");
    refuse("HashOwner,HashApp,HashFunction,Trigger\n", NULL, "no column of minute 1");
    refuse(HEAD "1,2,4\no,a,f,http,1,2,3\n", NULL, "no column of minute 3");
    refuse(HEAD "1,2,2\no,a,f,http,1,2,3\n", NULL, ":1: column 7: '2' is there twice");
    refuse(HEAD "1,2,total\no,a,f,http,1,2,3\n", NULL, ":1: column 7: 'total' is no column");
    refuse(HEAD "0,1\no,a,f,http,1,2\n", NULL, ":1: column 5: minute 0 is not from 1 to 1440");
    refuse(HEAD "1,2\n", NULL, "no function in it");
}

static void test_counts(void **state) {
    refuse(HEAD "1,2\no,a\n", NULL, ":2: no HashFunction (column 3)");
    refuse(HEAD "1,2,3\no,a,f,http,1,2\n", NULL, ":2: minute 3 is missing (column 7)");
    refuse(HEAD "1,2,3\no,a,f,http,1,,3\n", NULL, ":2: minute 2 is missing (column 6)");
    refuse(HEAD "1,2,3\no,a,f\n", NULL, "minute 1 is missing");
    refuse(HEAD "1,2\no,a,f,http,1,2,3\n", NULL, "more fields than there are columns (6)");
    refuse(HEAD "1,2\no,a,f,http,1,-2\n", NULL,
           ":2: minute 2: -2 is not from 0 to 100000000 (column 6)");
    refuse(HEAD "1,2\no,a,f,http,1,99999999999999999999\n", NULL, "is not from 0 to");
    refuse(HEAD "1,2\no,a,f,http,1,200000000\n", NULL, "200000000 is not from 0 to");
    for (const char *const *bad = (const char *const[]){"x", "1.5", "nan", "NA", "0x10", "1 2",
                                                        "\"1,5\"", "1e400", "--1", "1e", NULL};
         *bad; bad++) {
        char text[200];
        snprintf(text, sizeof text, HEAD "1,2\no,a,f,http,%s,2\n", *bad);
        refuse(text, NULL, ":2: minute 1: '");
    }
    refuse("HashFunction;1\nf;1,5\n", NULL, "'1,5' is not a whole number");
    refuse(HEAD "1\no,a,\"f,http,1\n", NULL, ":2: column 3: a quote that does not end");
    refuse(HEAD "1\no,a,\"f\"g,http,1\n", NULL, ":2: column 3: 'g,http,1' behind a quote");
    refuse(HEAD "1\no,a,f\x01,http,1\n", NULL, ":2: column 3: 'f?' is no name");
}

static void test_long(void **state) {
    char *text = NULL;
    size_t size;
    for (int minutes = 1440; minutes <= 1441; minutes++) {
        FILE *stream = open_memstream(&text, &size);
        fputs("HashOwner,HashApp,HashFunction,Trigger", stream);
        for (int i = 1; i <= minutes; i++)
            fprintf(stream, ",%d", i);
        fputs("\no,a,f,queue", stream);
        for (int i = 1; i <= minutes; i++)
            fprintf(stream, ",%d", i % 7);
        fclose(stream);
        struct trace trace;
        struct error err;
        if (minutes == 1440) {
            assert_int_equal(read_bytes(text, size, NULL, &trace, &err), 0);
            assert_int_equal(trace.counts[1439], 1440 % 7);
            trace_free(&trace);
        } else
            refuse_bytes(text, size, NULL, "column 1445: minute 1441 is not from 1 to 1440");
        free(text);
    }
    text = malloc(3 << 20);
    memset(text, 'a', 3 << 20);
    refuse_bytes(text, 3 << 20, NULL, ":1: a line of more than 1048576 bytes");
    memset(text, ',', 3000);
    refuse_bytes(text, 3000, NULL, ":1: more than 2000 columns");
    free(text);
}

static size_t pack(const void *bytes, size_t size, unsigned char *packed, size_t room) {
    z_stream stream = {0};
    assert_int_equal(deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_in = (unsigned char *)bytes;
    stream.avail_in = (unsigned)size;
    stream.next_out = packed;
    stream.avail_out = (unsigned)room;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    deflateEnd(&stream);
    return room - stream.avail_out;
}

static void test_compressed(void **state) {
    static const char text[] = HEAD "1,2\no,a,f,http,3,4\no,a,f,timer,3,4\n";
    unsigned char packed[400], twice[400];
    size_t size = pack(text, sizeof text - 1, packed, sizeof packed);
    expect_bytes(packed, size, NULL, "f", "6 8");
    refuse_bytes(twice, pack(packed, size, twice, sizeof twice), NULL, "compressed by gzip twice");
    for (size_t cut = 3; cut < size; cut++)
        refuse_bytes(packed, cut, NULL, "");
    packed[size - 6] ^= 1;
    refuse_bytes(packed, size, NULL, "damaged, or cut off: incorrect data check");
}

/* A gigabyte and more of the same line in some hundred kilobytes. */
static void refuse_bomb(const char *line, const char *why) {
    enum { PIECE = 4 << 20, PIECES = 300, ROOM = 1 << 17 };
    size_t length = strlen(line);
    char *text = malloc(PIECE);
    unsigned char *packed = malloc(PIECES * ROOM);
    for (size_t i = 0; i < PIECE; i++)
        text[i] = line[i % length];
    size_t size = pack(text, PIECE, packed, ROOM);
    for (size_t i = 1; i < PIECES; i++)
        memcpy(packed + i * size, packed, size); /* gzip's files may stand one behind the other */
    refuse_bytes(packed, PIECES * size, NULL, why);
    free(text);
    free(packed);
}

static void test_bombs(void **state) {
    static char line[4096];
    refuse_bomb("\n", "more than 10000000 lines: ");
    refuse_bomb("\xe0", ":1: a line of more than 1048576 bytes");
    memset(line, 'r', sizeof line - 1); /* a row's name */
    strcpy(line + sizeof line - 17, ",HashFunction,1\n");
    refuse_bomb(line, "more than 1024 MiB, unpacked: ");
}

static void test_foreign(void **state) {
    static const struct {
        const char *bytes;
        size_t size;
        const char *why;
    } files[] = {
        {"\xfd"
         "7zXZ\0\0\4",
         8, "compressed by xz: make plain text of it first: xz -d"},
        {"\x28\xb5\x2f\xfd\x04", 5, "compressed by zstd"},
        {"BZh91AY&SY", 10, "compressed by bzip2"},
        {"PK\3\4\x14", 5, "zip archive, or an Excel workbook"},
        {"Rar!\x1a\7", 6, "rar archive"},
        {"PAR1\x15", 5, "Parquet"},
        {"\xff\xfeH\0a\0", 6, "UTF-16"},
        {"\xfe\xff\0H\0a", 6, "UTF-16"},
        {"\xff\xfe\0\0H\0\0\0", 8, "UTF-32"},
        {"H\0a\0s\0", 6, ":1: a NUL byte: it is no text, or text in UTF-16"},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        refuse_bytes(files[i].bytes, files[i].size, NULL, files[i].why);
    char tar[512] = "day01.csv";
    memcpy(tar + 257, "ustar", 5);
    refuse_bytes(tar, sizeof tar, NULL, "a tar archive");
    struct trace trace;
    struct error err = {0};
    assert_int_equal(trace_read(&trace, "/nonexistent", NULL, &err), -1);
    assert_non_null(strstr(err.text, "No such file"));
    assert_int_equal(trace_read(&trace, "/", NULL, &err), -1);
    assert_non_null(strstr(err.text, "s a directory"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_2019),     cmocka_unit_test(test_several_lines),
        cmocka_unit_test(test_programs), cmocka_unit_test(test_2021),
        cmocka_unit_test(test_columns),  cmocka_unit_test(test_counts),
        cmocka_unit_test(test_long),     cmocka_unit_test(test_compressed),
        cmocka_unit_test(test_bombs),    cmocka_unit_test(test_foreign)};
    return cmocka_run_group_tests_name("trace", tests, NULL, NULL);
}
