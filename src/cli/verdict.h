/* How doctor and kernel check tell what is there, what is missing, and what is to be done. */
#ifndef SLS_CLI_VERDICT_H
#define SLS_CLI_VERDICT_H

enum verdict { GOOD, ABSENT_OPTIONAL, BAD };

/* One line on standard output: ✓ NAME DETAIL, NAME in so many columns; and below what is not good
 * the command that mends it, if there is one. */
void verdict_print(enum verdict verdict, int width, const char *name, const char *detail,
                   const char *remedy);

#endif
