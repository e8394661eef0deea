#include "load/hdr_log.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

#include "common/cleanup.h"

#define COOKIE_V2 0x1c849313u            /* a histogram whose numbers are of variable length */
#define COOKIE_V2_COMPRESSED 0x1c849314u /* … deflated */
#define HEAD 40                          /* bytes before the counts */
#define NUMBER_MAX 9                     /* bytes of one count, at most */
#define COMPRESSED_HEAD 8

static uint8_t *put32(uint8_t *at, uint32_t value) {
    for (int i = 0; i < 4; i++)
        *at++ = (uint8_t)(value >> (24 - 8 * i));
    return at;
}

static uint8_t *put64(uint8_t *at, uint64_t value) {
    return put32(put32(at, (uint32_t)(value >> 32)), (uint32_t)value);
}

/* ZigZag, then seven bits a byte, the lowest first; a ninth byte has all eight. */
static uint8_t *put_number(uint8_t *at, int64_t number) {
    uint64_t bits = (uint64_t)number << 1 ^ (uint64_t)(number >> 63);
    for (int i = 0; i < NUMBER_MAX - 1; i++, bits >>= 7) {
        if (bits < 0x80) {
            *at++ = (uint8_t)bits;
            return at;
        }
        *at++ = (uint8_t)(bits | 0x80);
    }
    *at++ = (uint8_t)bits;
    return at;
}

/* Counts up to the last that is not zero; n zeros together are -n. */
static uint8_t *put_counts(uint8_t *at, const struct histogram *histogram) {
    size_t end = histogram->count ? histogram_index(histogram->most) + 1 : 0;
    for (size_t i = 0; i < end;) {
        int64_t zeros = 0;
        for (; i < end && histogram->counts[i] == 0; i++)
            zeros++;
        if (zeros)
            at = put_number(at, zeros > 1 ? -zeros : 0);
        else
            at = put_number(at, (int64_t)histogram->counts[i++]);
    }
    return at;
}

static size_t encode(const struct histogram *histogram, uint8_t *bytes) {
    static const double ratio = 1; /* of our integers to somebody's doubles */
    uint64_t ratio_bits;
    memcpy(&ratio_bits, &ratio, sizeof ratio_bits);
    uint8_t *end = put_counts(bytes + HEAD, histogram), *at = bytes;
    at = put32(at, COOKIE_V2);
    at = put32(at, (uint32_t)(end - bytes - HEAD));
    at = put32(at, 0); /* normalizing offset: the counts are not shifted */
    at = put32(at, HISTOGRAM_DIGITS);
    at = put64(at, 1); /* the lowest value that can be told from 0 */
    at = put64(at, HISTOGRAM_MAX);
    put64(at, ratio_bits);
    return (size_t)(end - bytes);
}

static void print_base64(FILE *log, const uint8_t *bytes, size_t size) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        uint32_t three = (uint32_t)bytes[i] << 16 | (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
                         (left > 2 ? bytes[i + 2] : 0u);
        fputc(digits[three >> 18], log);
        fputc(digits[three >> 12 & 63], log);
        fputc(left > 1 ? digits[three >> 6 & 63] : '=', log);
        fputc(left > 2 ? digits[three & 63] : '=', log);
    }
}

void hdr_log_begin(FILE *log, const char *program, double start_s) {
    char date[64];
    time_t seconds = (time_t)start_s;
    struct tm utc;
    strftime(date, sizeof date, "%a %b %d %H:%M:%S UTC %Y", gmtime_r(&seconds, &utc));
    fprintf(log,
            "#[Logged by %s]\n#[Histogram log format version 1.3]\n"
            "#[StartTime: %.3f (seconds since epoch), %s]\n"
            "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\","
            "\"Interval_Compressed_Histogram\"\n",
            program, start_s, date);
}

int hdr_log_interval(FILE *log, const char *tag, double begin_s, double length_s,
                     const struct histogram *histogram, struct error *err) {
    size_t most = HEAD + (size_t)NUMBER_MAX * HISTOGRAM_COUNTS;
    uLongf size = compressBound(most);
    autofree uint8_t *bytes = malloc(most);
    autofree uint8_t *packed = malloc(COMPRESSED_HEAD + size);
    if (!bytes || !packed ||
        compress(packed + COMPRESSED_HEAD, &size, bytes, encode(histogram, bytes)) != Z_OK)
        return error_set(err, "no memory to write a histogram");
    put32(put32(packed, COOKIE_V2_COMPRESSED), (uint32_t)size);
    /* By custom the maximum is told in ms where values are ns. */
    fprintf(log, "%s%s%s%.3f,%.3f,%.3f,", tag ? "Tag=" : "", tag ? tag : "", tag ? "," : "",
            begin_s, length_s, (double)histogram->most / 1e6);
    print_base64(log, packed, COMPRESSED_HEAD + size);
    fputc('\n', log);
    return 0;
}
