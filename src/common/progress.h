/* Progress of the long steps, on standard error: on a terminal one line that is drawn again, with a
 * bar and the time left; elsewhere one plain line at the start and one at the end of a step. How
 * long a step took is remembered in the cache folder (timings.json) and is the next estimate. */
#ifndef SLS_COMMON_PROGRESS_H
#define SLS_COMMON_PROGRESS_H

#include <stddef.h>

struct progress;

/* Begin a step. `key` names it in timings.json ("rootfs", "boot", …),
 * `title` is what people read, `estimate_seconds` the first guess on a
 * machine that has never done it. Never NULL. Only one at a time. */
struct progress *progress_begin(const char *key, const char *title, double estimate_seconds);

/* Say how far it is: fraction 0 … 1, or negative to go by the clock; `detail` (may be NULL) is
 * shown behind the bar. Cheap: redraws at most ten times a second. */
void progress_update(struct progress *progress, double fraction, const char *detail);

/* Redraw the line of the step under way, if there is one: for those who wait without knowing how
 * far it is. */
void progress_tick(void);

/* End the step and free it. success: print the duration and remember it. Otherwise the line is
 * closed without a verdict: the error that follows tells. */
void progress_end(struct progress *progress, int success);

/* For those who do several things at once: on a terminal these lines stand below all others, until
 * the next call or remark takes their place. Cut to the terminal's size. */
void progress_lines(char *const lines[], size_t count);

/* --quiet: nothing at all is printed. */
void progress_set_quiet(int value);

/* A plain one-line remark at a time when no step or one step is under way. */
void progress_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
