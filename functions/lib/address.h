/* HOST:PORT, as -addr takes it. Static programs have no resolver, so HOST is an IPv4 address, an
 * IPv6 address in brackets, `localhost`, or nothing (every address of this machine). */
#ifndef SLS_LIB_ADDRESS_H
#define SLS_LIB_ADDRESS_H

#include <sys/socket.h>

#include "common/error.h"

struct address {
    struct sockaddr_storage socket;
    socklen_t size;
};

int address_parse(struct address *address, const char *text, struct error *err);

/* The port, in host byte order. */
unsigned address_port(const struct address *address);

#endif
