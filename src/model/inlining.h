/* Where the compiler is not left to decide: what nearly every simulated access passes through, and
 * what it must not pay the registers of. */
#ifndef SLS_MODEL_INLINING_H
#define SLS_MODEL_INLINING_H

#define INLINE __attribute__((always_inline)) static inline
#define NOT_INLINE __attribute__((noinline))

#endif
