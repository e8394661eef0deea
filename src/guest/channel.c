#include "guest/channel.h"

#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/io.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest/m5/m5op.h"

#define CONSOLE_PORT 0x402     /* -device isa-debugcon,iobase=0x402 */
#define CONSOLE_SIGNATURE 0xe9 /* what isa-debugcon reads back */
#define PVPANIC_PORT 0x505     /* -device pvpanic */
#define PVPANIC_PANICKED 0x01  /* its event, which -action panic=pause makes a stop */
#define CPUID_HYPERVISOR (1u << 31)

#define SENT "/run/slsuite/channel" /* what has been said in gem5, by all processes */

#define HOST_CHANNEL "SLSUITE_CHANNEL" /* the descriptor of a socket */

static bool console, pvpanic, gem5;
static int host = -1; /* a socket to who runs us on this computer */

/* Ports are only probed under a hypervisor: on bare metal 0x402 may be anything, and gem5, which
 * does not claim to be one, gives up on a port that nobody answers. */
static bool under_hypervisor(void) {
    unsigned eax, ebx, ecx, edx;
    return __get_cpuid(1, &eax, &ebx, &ecx, &edx) && (ecx & CPUID_HYPERVISOR);
}

int channel_open(void) {
    const char *socket = getenv(HOST_CHANNEL);
    if (socket)
        host = atoi(socket);
    gem5 = m5_spelling() != M5_SPELL_MARK;
    if (console || gem5 || host >= 0)
        return 0;
    if (!under_hypervisor() || ioperm(CONSOLE_PORT, 1, 1) < 0)
        return -1;
    console = inb(CONSOLE_PORT) == CONSOLE_SIGNATURE;
    if (!console) {
        ioperm(CONSOLE_PORT, 1, 0);
        return -1;
    }
    pvpanic = ioperm(PVPANIC_PORT, 1, 1) == 0 && inb(PVPANIC_PORT) != 0xff &&
              (inb(PVPANIC_PORT) & PVPANIC_PANICKED);
    return 0;
}

void channel_close(void) {
    if (console)
        ioperm(CONSOLE_PORT, 1, 0);
    if (pvpanic)
        ioperm(PVPANIC_PORT, 1, 0);
    console = pvpanic = gem5 = false;
    host = -1;
}

void channel_line(const char *format, ...) {
    char line[4096];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (length < 0)
        return;
    if ((size_t)length >= sizeof line)
        length = sizeof line - 1;
    for (int i = 0; i < length; i++)
        if (line[i] == '\n' || line[i] == '\r')
            line[i] = ' ';
    line[length] = '\n';
    channel_bytes(line, (size_t)length + 1);
}

/* gem5 writes at an offset, which all who speak must know: it is the end of a file of ours. As long
 * as there is no /run, nothing can be said. */
static void write_gem5(const void *data, size_t size) {
    char name[] = "channel"; /* on the stack: gem5 reads only pages that are there */
    mkdir("/run/slsuite", 0755);
    int fd = open(SENT, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0 && write(fd, data, size) == (ssize_t)size)
        m5_write_file(data, size, (uint64_t)lseek(fd, 0, SEEK_CUR) - size, name);
    if (fd >= 0)
        close(fd);
}

static void send_all(const char *data, size_t size) {
    for (ssize_t n; size && (n = send(host, data, size, MSG_NOSIGNAL)) > 0; size -= (size_t)n)
        data += n;
}

void channel_bytes(const void *data, size_t size) {
    if (host >= 0)
        send_all(data, size);
    else if (gem5)
        write_gem5(data, size);
    else if (console)
        __asm__ volatile("rep outsb" : "+S"(data), "+c"(size) : "d"(CONSOLE_PORT) : "memory");
}

void channel_mark(unsigned operation, uint64_t argument) {
    char answer;
    if (host < 0)
        return;
    channel_line("mark %x %" PRIu64, operation, argument);
    while (recv(host, &answer, 1, 0) < 0 && errno == EINTR)
        ;
}

int channel_stop(void) {
    if (gem5) {
        m5_checkpoint(0, 0);
        return 0;
    }
    if (!pvpanic)
        return -1;
    channel_line("clock %llu", __builtin_ia32_rdtsc());
    outb(PVPANIC_PANICKED, PVPANIC_PORT);
    return 0;
}
