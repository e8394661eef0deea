/* What the functions of one language share: functions/lib/LANGUAGE/ has
 *   build               FOLDER PROTO ROOT FILE…: a shell script that makes a function's files, in
 *                       the folder ROOT, from its FILEs in FOLDER and its service's description
 *   base/packages.list  Debian's packages of the base layer; without it there is none
 *   base/hook           a shell's text, run with the base layer's root as $1, when it has them
 *   base/files          ROOT: a shell script that makes what the base layer has beside packages
 * and what these need; `hook` and `files` may be missing. The base layer is made once, and stored
 * once for all. functions/lib/services has nothing but a base layer: what data services lie on. */
#ifndef SLS_IMAGE_LANGUAGE_H
#define SLS_IMAGE_LANGUAGE_H

#include "common/error.h"
#include "common/hash.h"

#define LANGUAGE_BASES "layers" /* the folder of the cache */

struct language {
    char *name;                 /* c, go, program (a ready one), python, … */
    char *folder;               /* functions/lib/NAME */
    char key[HASH_HEX];         /* of its files and its base layer: what a function depends on */
    const char *uuid;           /* of its base layer as ext4: the guest knows it by that */
    char *base_entry;           /* of the cache; NULL: no base layer, and so with all below */
    char *base_layout;          /* the base layer as an OCI image layout */
    char *base_image;           /* the same as ext4 */
    char base_digest[HASH_HEX]; /* of that */
};

/* Find it. The base layer may not be there yet. */
int language_find(const char *name, struct language *language, struct error *err);

/* The same of the data services' base layer, which is no language's. */
int language_find_services(struct language *services, struct error *err);

/* Make the base layer, if there is to be one and it is missing. */
int language_prepare(struct language *language, struct error *err);

void language_free(struct language *language);

/* Run its script `build` or `base/files`, with these arguments, NULL at the end. */
int language_run(const struct language *language, const char *script, const char *const arguments[],
                 const char *log, struct error *err);

#endif
