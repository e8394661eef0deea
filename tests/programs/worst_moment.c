/* LD_PRELOAD: what a busy host does to QEMU's threads now and then, nearly always. The executing
 * thread naps when it has just halted the last core, on its way out of the guest's code, and the
 * main thread wakes late: often in that very nap. */
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

static _Noreturn void jump(const char *name, struct __jmp_buf_tag *env, int val) {
    bool (*all_idle)(void) = (bool (*)(void))dlsym(RTLD_DEFAULT, "all_cpu_threads_idle");
    void (*next)(struct __jmp_buf_tag *, int) =
        (void (*)(struct __jmp_buf_tag *, int))dlsym(RTLD_NEXT, name);
    if (all_idle && all_idle())
        nap(NAP_US);
    next(env, val);
    __builtin_unreachable();
}

void siglongjmp(sigjmp_buf env, int val) {
    jump("siglongjmp", env, val);
}

void __longjmp_chk(sigjmp_buf env, int val) { /* with -D_FORTIFY_SOURCE */
    jump("__longjmp_chk", env, val);
}

int ppoll(struct pollfd *fds, nfds_t nfds, const struct timespec *timeout, const sigset_t *ss) {
    static unsigned calls;
    int (*next)(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *) =
        (int (*)(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *))dlsym(
            RTLD_NEXT, "ppoll");
    int result = next(fds, nfds, timeout, ss);
    if (syscall(SYS_gettid) == getpid() && ++calls % 8 == 0)
        nap(calls * 37 % NAP_US);
    return result;
}
