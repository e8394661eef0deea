/* Docker Compose files, as the Compose specification has them: what they say of the services that
 * are to be functions, or that such need. Only these are judged. What is done of each key, and what
 * is not, is the table compose_keys.h. */
#ifndef SLS_IMAGE_COMPOSE_H
#define SLS_IMAGE_COMPOSE_H

#include <jansson.h>

#include "common/error.h"

struct compose;

/* Read files, the later over the earlier, with variables of the environment and of .env files
 * (paths; NULL: .env in the first one's folder, if it is there). NULL with an error that names the file
 * and the line, as all that follow do. */
struct compose *compose_open(const json_t *files, const json_t *env_files, struct error *err);
void compose_close(struct compose *compose);

/* The services' names, in their order, as an object of nulls; its own. */
const json_t *compose_names(const struct compose *compose);

/* What tells whether it is wanted: its image, x-client, profiles and where; each may be missing.
 * Owned by the caller; NULL with an error. */
json_t *compose_glance(struct compose *compose, const char *name, struct error *err);

/* All of a service: {
 *     where        FILE:LINE, for errors
 *     image        as skopeo takes it: docker://… unless the file names a transport
 *     entrypoint, command   lists of words
 *     environment  NAME=VALUE, and NAME alone of what is taken from the image's; a list
 *     working_dir, user
 *     folders      FOLDER: volume's name, or "", or null if it is to be empty
 *     port         the container's, a text
 *     depends_on   NAME: whether it must be there; links: NAME: [ALIAS…]
 *     names        others under which it is reached
 *     profiles, x-client    lists
 * }, without what the file does not say. Owned by the caller; NULL with an error. */
json_t *compose_service(struct compose *compose, const char *name, struct error *err);

/* What is worth a remark and was not said before: keys that are not done, variables that are not
 * there. A list of lines, owned by the caller. */
json_t *compose_remarks(struct compose *compose);

/* One more of them, of who knows more. */
void compose_remark(struct compose *compose, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The name as functions and their services have it: small letters, digits and hyphens. Capitals
 * become small, all else hyphens; at most 63. "" if nothing is left. The caller frees it. */
char *compose_spell(const char *name);

#endif
