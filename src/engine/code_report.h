/* What the guest tells at the checkpoint about its code, and what is made of it. Kept in the
 * checkpoint's folder:
 *
 *     maps       /proc/PID/maps of the function's processes
 *     kallsyms   the functions of the kernel and its modules
 *     regions    from both: which addresses belong to what, as the plugin reads it */
#ifndef SLS_ENGINE_CODE_REPORT_H
#define SLS_ENGINE_CODE_REPORT_H

#include "common/error.h"
#include "image/function.h"
#include "profile/code_map.h"

/* The names of the three files; NULL-terminated. */
extern const char *const code_report_files[];

/* Take what the guest has sent into this folder; what it has not sent becomes an empty file, and
 * of a guest that has sent nothing all three are empty. */
int code_report_take(const char *folder, struct error *err);

/* The whole map, with the symbols of the function's files. NULL on failure. */
struct code_map *code_report_map(const char *folder, const struct function *function,
                                 struct error *err);

#endif
