/* QEMU's machine protocol (JSON lines) over a connected socket. */
#ifndef SLS_ENGINE_QMP_H
#define SLS_ENGINE_QMP_H

#include <jansson.h>

#include "common/error.h"

struct qmp;

/* Takes over the descriptor. Never NULL. */
struct qmp *qmp_new(int fd);
void qmp_free(struct qmp *qmp);

int qmp_fd(const struct qmp *qmp);

/* Wait for the greeting and negotiate. */
int qmp_handshake(struct qmp *qmp, int timeout_ms, struct error *err);

/* Send a command with a printf-like jansson pack format for its arguments (NULL: none), and wait
 * for its answer. Events that arrive meanwhile are kept for qmp_next_event(). *answer (may be NULL)
 * is the "return" value, owned by the caller. */
int qmp_command(struct qmp *qmp, const char *command, json_t *arguments, json_t **answer,
                int timeout_ms, struct error *err);

/* The next event (owned by the caller) or NULL when none is there now. Reads what is available
 * without waiting. *closed is set when QEMU has closed the connection. */
json_t *qmp_next_event(struct qmp *qmp, int *closed);

#endif
