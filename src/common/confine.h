/* Giving up rights, for a child about to become a program that runs what is not trusted. */
#ifndef SLS_COMMON_CONFINE_H
#define SLS_COMMON_CONFINE_H

/* From now on this process, and what it starts, can write only below these folders,
 * to these files (NULL-terminated), to /dev/null and to what is open already: the kernel's
 * Landlock, which needs no rights. 0, or -1 where the kernel has none (errno). */
int confine_writing(const char *const paths[]);

#endif
