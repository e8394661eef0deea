/* LD_PRELOAD: what a busy host does to QEMU's threads now and then, nearly always. The executing thread naps when it has just
 * halted the last core, on its way out of the guest's code, and the main thread wakes late: often in that very nap. */
#include <dlfcn.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NAP_US 200

static void nap(unsigned microseconds) {
    const struct timespec time = {.tv_nsec = microseconds * 1000L};
    nanosleep(&time, NULL);
}

static _Noreturn void jump(const char *name, struct __jmp_buf_tag *place, int value) {
    bool (*all_idle)(void) = (bool (*)(void))dlsym(RTLD_DEFAULT, "all_cpu_threads_idle");
    void (*next)(struct __jmp_buf_tag *, int) =
        (void (*)(struct __jmp_buf_tag *, int))dlsym(RTLD_NEXT, name);
    if (all_idle && all_idle())
        nap(NAP_US);
    next(place, value);
    __builtin_unreachable();
}

void siglongjmp(sigjmp_buf place, int value) {
    jump("siglongjmp", place, value);
}

void __longjmp_chk(sigjmp_buf place, int value) { /* with -D_FORTIFY_SOURCE */
    jump("__longjmp_chk", place, value);
}

int ppoll(struct pollfd *files, nfds_t count, const struct timespec *time,
          const sigset_t *signals) {
    static unsigned calls;
    int (*next)(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *) =
        (int (*)(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *))dlsym(
            RTLD_NEXT, "ppoll");
    int result = next(files, count, time, signals);
    if (syscall(SYS_gettid) == getpid() && ++calls % 8 == 0)
        nap(calls * 37 % NAP_US);
    return result;
}
