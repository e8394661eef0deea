#include "common/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"

/* What later versions of Landlock can forbid: linux/landlock.h of newer kernels. */
#define ACCESS_REFER (1ULL << 13)    /* version 2: rename and link between folders */
#define ACCESS_TRUNCATE (1ULL << 14) /* version 3 */

#define WRITING                                                                                    \
    (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                               \
     LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | \
     LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |   \
     LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)

/* What is not there cannot be written to. */
static int allow(int rules, const char *path, uint64_t rights) {
    autoclose int fd = open(path, O_PATH | O_CLOEXEC);
    struct stat about;
    if (fd < 0 || fstat(fd, &about) < 0)
        return errno == ENOENT ? 0 : -1;
    if (!S_ISDIR(about.st_mode))
        rights &= LANDLOCK_ACCESS_FS_WRITE_FILE | ACCESS_TRUNCATE;
    const struct landlock_path_beneath_attr rule = {.allowed_access = rights, .parent_fd = fd};
    return (int)syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

int confine_writing(const char *const paths[]) {
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    uint64_t rights = WRITING;
    if (version < 0)
        return -1;
    if (version >= 2)
        rights |= ACCESS_REFER;
    if (version >= 3)
        rights |= ACCESS_TRUNCATE;
    const struct landlock_ruleset_attr attributes = {.handled_access_fs = rights};
    autoclose int rules =
        (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);
    if (rules < 0)
        return -1;
    if (allow(rules, "/dev/null", rights) < 0)
        return -1;
    for (; *paths; paths++)
        if (allow(rules, *paths, rights) < 0)
            return -1;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0
               ? -1
               : (int)syscall(SYS_landlock_restrict_self, rules, 0);
}
