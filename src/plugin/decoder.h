/* The decoder of 64-bit code that classify.c and implied.c share. */
#ifndef SLS_PLUGIN_DECODER_H
#define SLS_PLUGIN_DECODER_H

#include <Zydis/Zydis.h>

/* classify.c. Only QEMU's executing thread translates. */
const ZydisDecoder *decoder_of_64_bit_code(void);

#endif
