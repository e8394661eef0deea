/* Programs as the kernel starts them: x86-64 ELF files. */
#ifndef SLS_COMMON_ELF_PROGRAM_H
#define SLS_COMMON_ELF_PROGRAM_H

#include <stddef.h>

#include "common/error.h"

/* Whether these bytes are a program for x86-64; errors call it `name`. *interpreter is what loads
 * it, if it is dynamic: ld.so's path, owned by the caller; NULL: it is static. */
int elf_program_check(const char *name, const char *bytes, size_t size, char **interpreter,
                      struct error *err);

#endif
