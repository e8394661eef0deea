/* Resources freed by scope, so that functions have one way out. */
#ifndef SLS_COMMON_CLEANUP_H
#define SLS_COMMON_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_free(void *pointer) {
    free(*(void **)pointer);
}

static inline void cleanup_close(int *fd) {
    if (*fd >= 0)
        close(*fd);
}

static inline void cleanup_fclose(FILE **stream) {
    if (*stream)
        fclose(*stream);
}

#define autofree __attribute__((cleanup(cleanup_free)))     /* any malloc'ed pointer, or NULL */
#define autoclose __attribute__((cleanup(cleanup_close)))   /* a file descriptor, or -1 */
#define autofclose __attribute__((cleanup(cleanup_fclose))) /* a FILE *, or NULL */

#endif
