/* Where things are. All strings are owned by the module and last as long as the process. */
#ifndef SLS_COMMON_PATHS_H
#define SLS_COMMON_PATHS_H

#include "common/error.h"

/* Find the data that came with the executable: beside it in a build
 * tree (BUILD/slsuite), or in its installed prefix (PREFIX/bin/slsuite,
 * PREFIX/lib/slsuite, PREFIX/share/slsuite). Call once, first. */
int paths_init(struct error *err);

const char *paths_systems(void); /* folder of NAME.yaml */
const char *
paths_functions(void); /* folder of NAME/: what makes a function's image (staged by the build) */
const char *paths_guest(void);   /* folder of the static guest programs: init, m5, client, … */
const char *paths_recipes(void); /* kernel/, image recipes and other text data */
const char *paths_plugin(void);  /* the QEMU plugin, a file */
const char *paths_steady(void);  /* what is loaded into QEMU before itself, a file */

/* $SLSUITE_CACHE, else $XDG_CACHE_HOME/slsuite, else ~/.cache/slsuite.
 * Created on demand by its users. */
const char *paths_cache(void);

/* Functions that the user has added: $XDG_DATA_HOME/slsuite/functions, else
 * ~/.local/share/slsuite/functions. Created on demand. */
const char *paths_added(void);

/* What `slsuite shell --commit` has kept: $XDG_DATA_HOME/slsuite/disks, likewise. */
const char *paths_disks(void);

#endif
