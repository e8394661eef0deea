#include "lib/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

int address_parse(struct address *address, const char *text, struct error *err) {
    struct sockaddr_in *v4 = (struct sockaddr_in *)&address->socket;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address->socket;
    char host[INET6_ADDRSTRLEN + 2] = "", *end;
    const char *colon = strrchr(text, ':');
    memset(address, 0, sizeof *address);

    if (!colon || colon[1] < '0' || colon[1] > '9')
        return error_usage(err, "address '%s': no port: write HOST:PORT", text);
    unsigned long port = strtoul(colon + 1, &end, 10);
    if (*end || port > 65535)
        return error_usage(err, "address '%s': port out of range: 0 to 65535", text);
    size_t length = (size_t)(colon - text);
    if (length < sizeof host)
        memcpy(host, text, length);

    if (length >= 2 && host[0] == '[' && host[length - 1] == ']') {
        host[length - 1] = '\0';
        address->size = sizeof *v6;
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)port);
        if (inet_pton(AF_INET6, host + 1, &v6->sin6_addr) == 1)
            return 0;
    } else {
        const char *numeric = length == 0                      ? "0.0.0.0"
                              : strcmp(host, "localhost") == 0 ? "127.0.0.1"
                                                               : host;
        address->size = sizeof *v4;
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
        if (inet_pton(AF_INET, numeric, &v4->sin_addr) == 1)
            return 0;
    }
    return error_usage(
        err, "address '%s': unknown host: write an IPv4 address, [IPv6] or localhost", text);
}

unsigned address_port(const struct address *address) {
    /* sin_port and sin6_port lie at the same place. */
    return ntohs(((const struct sockaddr_in *)&address->socket)->sin_port);
}
