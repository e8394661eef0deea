/* Loaded into QEMU before itself (LD_PRELOAD), so that the guest's clock does not depend on when
 * the host runs which thread.
 *
 * While all cores sleep, QEMU's main thread moves the guest's clock on to the next timer
 * (icount_start_warp_timer() in accel/tcg/icount-common.c). It does so whenever it wakes and finds
 * all cores halted. It wakes with every timer that goes off, too (icount_notify_aio_contexts()),
 * and on a busy host takes its time. So it can look just when the executing thread has halted its
 * last core but not yet counted the instructions before: then the clock goes too far, by these. Or
 * before that thread has put away its own timer, which it does when it goes to sleep
 * (rr_wait_io_event() in tcg-accel-ops-rr.c): then the timer's phase is another one.
 *
 * Therefore the main thread, each time it wakes, waits here until the executing thread sleeps, or
 * goes on executing. That takes it some hundred instructions. Both change their minds under QEMU's
 * big lock only.
 *
 * In a process that is not QEMU this does nothing. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#define EXPORTED __attribute__((visibility("default")))
#define LOOK_AGAIN_NS 5000

/* QEMU's (include/qemu/notify.h and include/qemu/main-loop.h). */
struct notifier {
    void (*notify)(struct notifier *, void *data);
    void *list[2];
};
struct poll_round {
    int state; /* 0: about to poll; 1: failed; 2: woken */
};

static struct {
    bool (*running)(void);
    bool (*all_idle)(void);
    bool (*locked)(void);
    bool (*in_executing_thread)(void);
    void (*lock)(const char *file, int line);
    void (*unlock)(void);
    bool sleeps; /* the executing thread does, waiting to be woken; under the big lock */
} qemu;

EXPORTED int pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex) {
    static int (*wait_for_condition)(pthread_cond_t *, pthread_mutex_t *);
    if (!wait_for_condition)
        wait_for_condition =
            (int (*)(pthread_cond_t *, pthread_mutex_t *))dlsym(RTLD_NEXT, "pthread_cond_wait");
    if (!qemu.locked || !qemu.locked() || !qemu.in_executing_thread())
        return wait_for_condition(cond, mutex);
    qemu.sleeps = true;
    int result = wait_for_condition(cond, mutex);
    qemu.sleeps = false;
    return result;
}

/* In the main thread, which holds the big lock, before it looks at the cores. */
static void let_it_fall_asleep(struct notifier *self, void *data) {
    const struct poll_round *round = data;
    const struct timespec moment = {.tv_nsec = LOOK_AGAIN_NS};
    while (round->state != 0 && qemu.running() && qemu.all_idle() && !qemu.sleeps) {
        qemu.unlock();
        nanosleep(&moment, NULL);
        qemu.lock(__FILE__, __LINE__);
    }
}

static bool find(const char *name, void *pointer) {
    void *found = dlsym(RTLD_DEFAULT, name);
    *(void **)pointer = found;
    return found;
}

__attribute__((constructor)) static void begin(void) {
    static struct notifier notifier = {.notify = let_it_fall_asleep};
    void (*add)(struct notifier *);
    if (find("main_loop_poll_add_notifier", &add) && find("runstate_is_running", &qemu.running) &&
        find("all_cpu_threads_idle", &qemu.all_idle) &&
        find("qemu_in_vcpu_thread", &qemu.in_executing_thread) &&
        find("bql_lock_impl", &qemu.lock) && find("bql_unlock", &qemu.unlock) &&
        find("bql_locked", &qemu.locked))
        add(&notifier);
}
