/* run.json: what ran, precisely enough to run it again. A thin builder over a JSON object with
 * sorted keys; a dot in a key goes into a nested object: "digests.kernel". The keys in use:
 *
 *     format            1
 *     status            "running", then "complete" or "failed"; error: why it failed
 *     function, system, engine                          names
 *     program, arguments                                of `slsuite exec`: a path, an array
 *     invocations, warm_ups, measured_core, clock_hz    numbers
 *     phases            array of names: those of a cold start, in order
 *     start, flush      of a function: warm, cold, lukewarm; what the last flushed, "l1,llc"
 *     command           array: the command line
 *     date              when it began, ISO 8601 with the time zone
 *     versions.NAME     slsuite, qemu, …
 *     digests.NAME      kernel, rootfs, function, checkpoint, system, plugin: hexadecimal
 *     host.cpu, host.kernel
 *     seconds.STEP      how long the host took for a step: prepare, restore, simulate; of the
 *                       last, marked: from the first mark or the last reset to the last mark */
#ifndef SLS_RESULTS_MANIFEST_H
#define SLS_RESULTS_MANIFEST_H

#include <stdint.h>

#include "common/error.h"

struct manifest;

/* With format, status "running", date, host and versions.slsuite already in it. Never NULL. */
struct manifest *manifest_new(void);
void manifest_free(struct manifest *manifest);

void manifest_set_text(struct manifest *manifest, const char *key, const char *text);
void manifest_set_integer(struct manifest *manifest, const char *key, int64_t value);
void manifest_set_seconds(struct manifest *manifest, const char *key, double seconds);
void manifest_set_texts(struct manifest *manifest, const char *key,
                        const char *const texts[]); /* NULL-terminated */

/* NULL (or `otherwise`) when the key is missing or of another kind. Owned by the manifest. */
const char *manifest_text(const struct manifest *manifest, const char *key);
/* NULL-terminated; the array is the caller's to free, the texts are the manifest's. */
char **manifest_texts(const struct manifest *manifest, const char *key);
int64_t manifest_integer(const struct manifest *manifest, const char *key, int64_t otherwise);

/* The command line, quoted for a shell. The caller frees it. */
char *manifest_command(const struct manifest *manifest);

/* Calls visit for every text and number below `key`,
 * in the order of the keys, with the key's last part. */
void manifest_each(const struct manifest *manifest, const char *key,
                   void (*visit)(void *context, const char *name, const char *text), void *context);

int manifest_write(const struct manifest *manifest, const char *path, struct error *err);
/* NULL when it is not there, damaged, or of a later format. */
struct manifest *manifest_read(const char *path, struct error *err);

#endif
