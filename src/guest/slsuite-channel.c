/* slsuite-channel TEXT…: one line to the host, from a script.
 * Nothing happens where there is no channel. */
#include <stdio.h>

#include "guest/channel.h"
#include "guest/m5/m5op.h"

int main(int argc, char *argv[]) {
    char line[4096] = "";
    size_t length = 0;
    for (int i = 1; i < argc && length < sizeof line; i++)
        length += (size_t)snprintf(line + length, sizeof line - length, "%s%s", i > 1 ? " " : "",
                                   argv[i]);
    m5_init(NULL);
    if (argc > 1 && channel_open() == 0)
        channel_line("%s", line);
    return 0;
}
