/* A process and all that descends from it. */
#ifndef SLS_NATIVE_FAMILY_H
#define SLS_NATIVE_FAMILY_H

#include <stdint.h>
#include <sys/types.h>

/* Calls visit for each thread of each of them. */
void family_threads(pid_t process, void (*visit)(void *context, pid_t process, pid_t thread),
                    void *context);

/* Memory that they have, each page by its share among those who have it (PSS), in bytes; where that
 * is not told, their resident pages. */
uint64_t family_memory(pid_t process);

#endif
