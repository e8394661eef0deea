#include "results/mean.h"

#include <math.h>

#include "common/cleanup.h"
#include "common/file.h"

json_t *mean_read(const char *run_folder, struct error *err) {
    autofree char *path = format_string("%s/invocations.json", run_folder);
    json_error_t where;
    json_t *root = json_load_file(path, 0, &where);
    json_t *mean = json_object_get(root, "mean");
    if (json_is_object(mean)) {
        json_incref(mean);
    } else {
        mean = NULL;
        error_set(err, "reading %s: %s: remove its folder and run again", path,
                  root ? "it has no mean" : where.text);
    }
    json_decref(root);
    return mean;
}

double mean_figure(const json_t *mean, enum metric metric, enum mode mode) {
    const json_t *modes = json_object_get(mean, metric_descriptions[metric].key);
    const json_t *value = json_object_get(modes, mode_names[mode]);
    return json_is_number(value) ? json_number_value(value) : NAN;
}
