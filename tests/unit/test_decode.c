#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "decode/decode.h"

#define HERE 0x400000 /* where the instructions lie */

static const char *name_of_class(unsigned op_class) {
    static const char *const names[OP_CLASSES] = {
        [OP_NOTHING] = "nothing", [OP_INT_ALU] = "alu",       [OP_INT_MUL] = "mul",
        [OP_INT_DIV] = "div",     [OP_FP_ADD] = "fadd",       [OP_FP_CMP] = "fcmp",
        [OP_FP_CVT] = "fcvt",     [OP_FP_MUL] = "fmul",       [OP_FP_DIV] = "fdiv",
        [OP_FP_SQRT] = "fsqrt",   [OP_FP_MISC] = "fmisc",     [OP_SIMD_INT] = "simd",
        [OP_SIMD_MUL] = "pmul",   [OP_SIMD_MISC] = "between", [OP_LOAD] = "load",
        [OP_STORE] = "store",     [OP_SYSTEM] = "system"};
    assert_true(op_class < OP_CLASSES);
    return names[op_class];
}

static void name_register(char *text, unsigned number) {
    static const char *const general[] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                          "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
    static const char *const flags[] = {"zaps", "cfof", "df", "ecf", "ezf"};
    assert_in_range(number, 1, REGISTERS - 1);
    if (number < REGISTER_TEMPORARY)
        strcpy(text, general[number - REGISTER_INTEGER]);
    else if (number < REGISTER_FLAGS)
        sprintf(text, "t%u", number - REGISTER_TEMPORARY);
    else if (number < REGISTER_VECTOR)
        strcpy(text, flags[number - REGISTER_FLAGS]);
    else if (number < REGISTER_X87)
        sprintf(text, "xmm%u%c", (number - REGISTER_VECTOR) / 2,
                "lh"[(number - REGISTER_VECTOR) % 2]);
    else if (number < REGISTER_VECTOR_TEMPORARY)
        sprintf(text, "mm%u", number - REGISTER_X87);
    else
        sprintf(text, "u%u", number - REGISTER_VECTOR_TEMPORARY + 1);
}

static void append_registers(char *text, const uint8_t *registers, unsigned most) {
    for (unsigned i = 0; i < most && registers[i] != REGISTER_NONE; i++) {
        strcat(text, " ");
        name_register(text + strlen(text), registers[i]);
    }
}

static struct micro_op ops[DECODE_MOST]; /* of the instruction that was decoded last */

/* "class destinations < sources" and flags, a micro-operation; micro-operations by "; ". */
static void describe(const struct instruction *instruction, char *text) {
    static const char *const flags[] = {"before", "after", "branch", "locked", "address"};
    *text = '\0';
    for (unsigned i = 0; i < instruction->micro_op_count; i++) {
        const struct micro_op *op = &ops[i];
        strcat(text, i ? "; " : "");
        strcat(text, name_of_class(op->op_class));
        append_registers(text, op->destination, MICRO_DESTINATIONS);
        if (op->source[0] != REGISTER_NONE)
            strcat(text, " <");
        append_registers(text, op->source, MICRO_SOURCES);
        for (unsigned bit = 0; bit < sizeof flags / sizeof flags[0]; bit++)
            if (op->flags >> bit & 1)
                strcat(strcat(text, " !"), flags[bit]);
    }
}

static struct instruction decode(const char *bytes_in_hexadecimal) {
    uint8_t bytes[16];
    unsigned size = 0, byte;
    int consumed;
    for (const char *at = bytes_in_hexadecimal; sscanf(at, " %2x%n", &byte, &consumed) == 1;
         at += consumed)
        bytes[size++] = (uint8_t)byte;
    struct instruction instruction;
    decode_instruction(bytes, size, HERE, &instruction, ops);
    assert_int_equal(instruction.length, size);
    return instruction;
}

static void expect(const char *bytes, const char *expected) {
    struct instruction instruction = decode(bytes);
    char text[8192];
    describe(&instruction, text);
    assert_string_equal(text, expected);
}

static void expect_count(const char *bytes, unsigned count) {
    assert_int_equal(decode(bytes).micro_op_count, count);
}

static unsigned count_class(const struct instruction *instruction, enum op_class op_class) {
    unsigned count = 0;
    for (unsigned i = 0; i < instruction->micro_op_count; i++)
        count += ops[i].op_class == op_class;
    return count;
}

static void test_arithmetic(void **state) {
    expect("48 01 d8", "alu rax zaps cfof < rax rbx");           /* add rax, rbx */
    expect("48 83 c0 05", "alu t1; alu rax zaps cfof < rax t1"); /* add rax, 5 */
    expect("48 03 04 8b",
           "load t1 < rbx rcx; alu rax zaps cfof < rax t1"); /* add rax, [rbx+rcx*4] */
    expect("48 39 d8", "alu zaps cfof < rax rbx");           /* cmp rax, rbx */
    expect("48 85 c0", "alu zaps cfof < rax");               /* test rax, rax */
    expect("48 31 c0", "alu rax zaps cfof < rax");           /* xor rax, rax: still waits */
    expect("48 11 d8", "alu rax zaps cfof < rax rbx cfof");  /* adc rax, rbx */
    expect("48 ff c0", "alu rax zaps cfof < rax cfof");      /* inc rax keeps CF */
    expect("48 f7 d8", "alu rax zaps cfof < rax");           /* neg rax */
    expect("48 f7 d0", "alu t2; alu rax < rax t2");          /* not rax */
}

static void test_parts_of_registers(void **state) {
    expect("00 d8", "alu rax zaps cfof < rax rbx");       /* add al, bl */
    expect("88 d8", "alu rax < rbx rax");                 /* mov al, bl keeps the rest of rax */
    expect("88 fc", "alu rax < rbx rax");                 /* mov ah, bh: rax and rbx */
    expect("89 d8", "alu rax < rbx");                     /* mov eax, ebx does not */
    expect("b0 01", "alu rax < rax");                     /* mov al, 1 */
    expect("b8 01 00 00 00", "alu rax");                  /* mov eax, 1 */
    expect("8a 07", "load rax < rdi rax");                /* mov al, [rdi] */
    expect("0f b6 07", "load t1 < rdi t1; alu rax < t1"); /* movzx eax, byte [rdi] */
    expect("0f b6 c3", "alu t1 < rbx t1; alu rax < t1");  /* movzx eax, bl */
    expect("0f b7 c3", "alu rax < rbx");                  /* movzx eax, bx */
    expect("48 63 c3", "alu rax < rbx");                  /* movsxd rax, ebx */
}

static void test_memory(void **state) {
    expect("48 8b 44 24 08", "load rax < rsp");              /* mov rax, [rsp+8] */
    expect("48 89 04 8b", "store < rbx rcx rax");            /* mov [rbx+rcx*4], rax */
    expect("c7 07 01 00 00 00", "alu t1; store < rdi t1");   /* mov dword [rdi], 1 */
    expect("48 8b 05 00 00 00 00", "alu t7; load rax < t7"); /* mov rax, [rip] */
    expect("48 8d 44 0b 08", "alu rax < rbx rcx rax");       /* lea rax, [rbx+rcx+8] */
    expect("01 07",
           "load t1 < rdi; alu t1 zaps cfof < t1 rax; store < rdi t1"); /* add [rdi], eax */
    expect("83 07 01",
           "alu t2; load t1 < rdi; alu t1 zaps cfof < t1 t2; store < rdi t1"); /* add [rdi], 1 */
    expect("64 48 8b 04 25 28 00 00 00", "load rax"); /* mov rax, fs:[0x28] */
    expect("0f 18 0f", "load < rdi !address");        /* prefetcht0 [rdi] */
}

static void test_atomics(void **state) {
    expect("f0 01 07", "nothing !locked; load t1 < rdi !locked; alu t1 zaps cfof < t1 rax; "
                       "store < rdi t1 !locked; nothing !locked"); /* lock add [rdi], eax */
    expect("87 07", "nothing !locked; load t1 < rdi !locked; store < rdi rax !locked; "
                    "nothing !locked; alu rax < t1"); /* xchg [rdi], eax locks by itself */
    expect("f0 0f b1 0f",
           "nothing !locked; load t1 < rdi !locked; alu zaps cfof < rax t1; "
           "alu t1 < t1 rcx cfof zaps ecf ezf; store < rdi t1 !locked; nothing !locked; "
           "alu rax < rax t1 cfof zaps ecf ezf"); /* lock cmpxchg [rdi], ecx */
    expect_count("f0 0f c1 07", 6);               /* lock xadd [rdi], eax */
    expect_count("f0 48 0f c7 0f", 12);           /* lock cmpxchg16b [rdi] */
    struct instruction pair = decode("48 0f c7 0f");
    assert_int_equal(count_class(&pair, OP_LOAD), 1);
    assert_int_equal(count_class(&pair, OP_STORE), 1);
    expect("0f ae f0", "nothing !locked"); /* mfence */
    expect("0f ae e8", "system !after");   /* lfence */
}

static void test_conditions(void **state) {
    expect("0f 44 c3", "alu rax < rax cfof zaps ecf ezf; "
                       "alu rax < rax rbx cfof zaps ecf ezf"); /* cmovz eax, ebx */
    expect("0f 44 07", "load t1 < rdi; alu rax < rax cfof zaps ecf ezf; "
                       "alu rax < rax t1 cfof zaps ecf ezf"); /* cmovz eax, [rdi] */
    expect("0f 94 c0", "alu rax < rax cfof zaps ecf ezf; "
                       "alu rax < rax cfof zaps ecf ezf"); /* setz al */
    expect_count("0f 94 07", 3);                           /* setz [rdi] */
}

static void test_shifts_and_bits(void **state) {
    expect("48 c1 e0 03", "alu rax zaps cfof < rax zaps");  /* shl rax, 3 keeps AF */
    expect("48 d3 e0", "alu rax zaps cfof < rax rcx zaps"); /* shl rax, cl */
    expect("48 c1 c0 03", "alu rax cfof < rax");            /* rol rax, 3 */
    expect("48 d1 d0", "alu rax cfof < rax cfof");          /* rcl rax, 1 */
    expect("48 0f a4 d8 03",
           "alu t11 < rbx; alu rax zaps cfof < rax t11 zaps"); /* shld rax, rbx, 3 */
    expect("48 0f ba e0 03", "alu cfof < rax cfof");           /* bt rax, 3 */
    expect_count("48 0f ab d8", 4);                            /* bts rax, rbx */
    expect_count("f0 48 0f ab 1f", 11);                        /* lock bts [rdi], rbx */
    expect_count("48 0f bc c3", 30);                           /* bsf rax, rbx */
    expect_count("48 0f bd c3", 28);                           /* bsr rax, rbx */
    expect_count("0f c8", 3);                                  /* bswap eax */
    expect_count("48 0f c8", 9);                               /* bswap rax */
}

static void test_multiplication_and_division(void **state) {
    expect("48 0f af c3", "mul t15 t14 cfof < rax rbx t15 t14; alu rax < t15; alu < t14");
    expect("48 6b c3 07", "alu t1; mul t15 t14 cfof < rbx t1 t15 t14; alu rax < t15; alu < t14");
    expect("48 f7 e3", "mul t15 t14 cfof < rax rbx t14; alu rax < t15; alu rdx < t14");
    struct instruction unsigned_division = decode("48 f7 f3"); /* div rbx */
    assert_int_equal(unsigned_division.micro_op_count, 15);
    assert_int_equal(count_class(&unsigned_division, OP_INT_DIV), 11);
    struct instruction signed_division = decode("48 f7 fb"); /* idiv rbx */
    assert_int_equal(signed_division.micro_op_count, 34);
    assert_int_equal(count_class(&signed_division, OP_INT_DIV), 11);
}

static void test_stack(void **state) {
    expect("53", "store < rsp rbx; alu rsp < rsp");                           /* push rbx */
    expect("6a 05", "alu t1; store < rsp t1; alu rsp < rsp");                 /* push 5 */
    expect("ff 37", "load t1 < rdi; store < rsp t1; alu rsp < rsp");          /* push [rdi] */
    expect("5b", "load t1 < rsp; alu rsp < rsp; alu rbx < t1");               /* pop rbx */
    expect("c9", "alu t1 < rbp; load rbp < t1; alu rsp < t1; alu rsp < rsp"); /* leave */
    expect_count("9c", 3);                                                    /* pushfq */
    decode("9d");                                                             /* popfq */
    assert_int_equal(ops[2].flags, MICRO_SERIALIZE_BEFORE | MICRO_SERIALIZE_AFTER);
}

static void expect_branch(const char *bytes, enum branch_kind kind, uint64_t target,
                          const char *expected) {
    struct instruction instruction = decode(bytes);
    assert_int_equal(instruction.branch, kind);
    assert_int_equal(instruction.target, target);
    expect(bytes, expected);
}

static void test_branches(void **state) {
    expect_branch("75 10", BRANCH_CONDITIONAL, HERE + 0x12,
                  "alu t1; alu t2; alu < t1 t2 cfof zaps ecf ezf !branch");
    expect_branch("0f 84 f0 ff ff ff", BRANCH_CONDITIONAL, HERE + 6 - 0x10,
                  "alu t1; alu t2; alu < t1 t2 cfof zaps ecf ezf !branch");
    expect_branch("eb fe", BRANCH_JUMP, HERE, "alu t1; alu t2; alu < t1 t2 !branch");
    expect_branch("ff e0", BRANCH_INDIRECT, 0, "alu < rax !branch");
    expect_branch("ff 24 c7", BRANCH_INDIRECT, 0, "load t1 < rdi rax; alu < t1 !branch");
    expect_branch("e8 00 01 00 00", BRANCH_CALL, HERE + 0x105,
                  "alu t1; alu t7; store < rsp t7; alu rsp < rsp; alu < t7 t1 !branch");
    expect_branch("ff d0", BRANCH_INDIRECT_CALL, 0,
                  "alu t1; store < rsp t1; alu rsp < rsp; alu < rax !branch");
    expect_branch("ff 15 00 00 00 00", BRANCH_INDIRECT_CALL, 0,
                  "alu t7; load t1 < t7; store < rsp t7; alu rsp < rsp; alu < t1 !branch");
    expect_branch("c3", BRANCH_RETURN, 0, "load t1 < rsp; alu rsp < rsp; alu < t1 !branch");
    expect_branch("f3 c3", BRANCH_RETURN, 0, "load t1 < rsp; alu rsp < rsp; alu < t1 !branch");
    assert_false(decode("f3 c3").repeats);
    assert_int_equal(decode("0f 05").branch, BRANCH_NONE); /* syscall */
}

static void test_strings(void **state) {
    struct instruction repeated = decode("f3 48 a5"); /* rep movsq: one iteration */
    assert_true(repeated.repeats);
    expect("f3 48 a5", "load t1 < rsi; store < rdi t1; alu rcx ezf < rcx; alu rdi < rdi t3; "
                       "alu rsi < rsi t3; alu < cfof zaps ecf ezf");
    assert_false(decode("48 a5").repeats);
    expect_count("48 a5", 8);       /* movsq: finds its stride first */
    expect_count("f3 48 ab", 4);    /* rep stosq */
    expect_count("f2 ae", 5);       /* repne scasb */
    expect_count("f2 0f 10 c1", 1); /* movsd xmm0, xmm1 is no string instruction */
}

static void test_vector_moves(void **state) {
    expect("0f 28 c1", "alu xmm0l < xmm1l xmm0l; alu xmm0h < xmm1h xmm0h"); /* movaps */
    expect("0f 28 07", "load xmm0l < rdi; load xmm0h < rdi");
    expect("0f 29 07", "store < rdi xmm0l; store < rdi xmm0h");
    expect("f2 0f 10 07", "fadd xmm0h; load xmm0l < rdi");             /* movsd xmm0, [rdi] */
    expect("f2 0f 11 07", "store < rdi xmm0l");                        /* movsd [rdi], xmm0 */
    expect("66 48 0f 6e c3", "between xmm0l < rbx xmm0l; fadd xmm0h"); /* movq xmm0, rbx */
    expect("66 48 0f 7e c3", "between rbx < xmm0l rbx");               /* movq rbx, xmm0 */
    expect("f3 0f 7e c1", "alu xmm0l < xmm1l xmm0l; fadd xmm0h");      /* movq xmm0, xmm1 */
    expect("66 0f d7 c1", "alu rax; between rax < xmm1l rax; between rax < xmm1h rax");
    expect("0f 6f c1", "alu mm0 < mm1 mm0"); /* movq mm0, mm1 has no high half */
}

static void test_vector_integers(void **state) {
    expect("66 0f fe c1", "simd xmm0l < xmm0l xmm1l; simd xmm0h < xmm0h xmm1h"); /* paddd */
    expect("66 0f fe 07", "load u1 < rdi; load u2 < rdi; simd xmm0l < xmm0l u1; "
                          "simd xmm0h < xmm0h u2");
    expect("0f fe c1", "simd mm0 < mm0 mm1"); /* paddd mm0, mm1 */
    expect("66 0f ef 05 00 00 00 00", "alu t7; alu t1 < t7 t1; load u1 < t1; load u2 < t1; "
                                      "simd xmm0l < xmm0l u1; simd xmm0h < xmm0h u2"); /* pxor */
    expect("66 0f f4 c1", "pmul xmm0l < xmm0l xmm1l; pmul xmm0h < xmm0h xmm1h");       /* pmuludq */
    expect("66 0f 72 f0 04", "simd xmm0l < xmm0l; simd xmm0h < xmm0h");                /* pslld 4 */
    expect("66 0f 70 c1 1b", "simd u1 < xmm1l xmm1h u1; simd xmm0h < xmm1l xmm1h xmm0h; "
                             "alu xmm0l < u1 xmm0l");                            /* pshufd */
    expect("66 0f 60 c1", "simd xmm0h < xmm0l xmm1l; simd xmm0l < xmm0l xmm1l"); /* punpcklbw */
    expect_count("66 0f 38 00 c1", 6);                                           /* pshufb */
    expect_count("66 0f 73 d8 08", 8);                                           /* psrldq 8 */
}

static void test_floating_point(void **state) {
    expect("f2 0f 58 c1", "fadd xmm0l < xmm0l xmm1l"); /* addsd */
    expect("f2 0f 59 07", "load u1 < rdi; fmul xmm0l < xmm0l u1");
    expect("0f 5e c1", "fdiv xmm0l < xmm0l xmm1l; fdiv xmm0h < xmm0h xmm1h"); /* divps */
    expect("f2 0f 51 c1", "fsqrt xmm0l < xmm1l xmm0l");                       /* sqrtsd */
    expect("66 0f 2f c1", "fcvt zaps cfof < xmm0l xmm1l zaps cfof");          /* comisd */
    expect("f2 48 0f 2a c3", "between u1 < rbx u1; fcvt xmm0l < u1 xmm0l");   /* cvtsi2sd */
    expect("f2 48 0f 2c c0", "fcvt u1 < xmm0l u1; between rax < u1 rax");     /* cvttsd2si */
    expect("d8 c1", "fadd mm0 < mm0 mm1");                                    /* fadd st0, st1 */
    expect("dd 07", "load u1 < rdi; alu mm0 < u1 mm0");                       /* fld [rdi] */
    struct instruction save = decode("48 0f ae 07");                          /* fxsave64 [rdi] */
    assert_int_equal(save.micro_op_count, 80);
    assert_int_equal(count_class(&save, OP_STORE), 56);
}

static void test_system(void **state) {
    expect("90", "nothing");
    expect("66 0f 1f 84 00 00 00 00 00", "nothing");
    expect("f3 0f 1e fa", "nothing");                                 /* endbr64 */
    expect_count("0f 05", 25);                                        /* syscall */
    expect_count("fa", 11);                                           /* cli */
    expect("0f 22 d8", "system < rax !after");                        /* mov cr3, rax */
    expect("0f 01 3f", "system < rdi !after");                        /* invlpg [rdi] */
    expect("0f 31", "system t1 !before; alu rax < t1; alu rdx < t1"); /* rdtsc */
    struct instruction cpuid = decode("0f a2");
    assert_true(ops[cpuid.micro_op_count - 1].flags & MICRO_SERIALIZE_AFTER);
}

static void test_without_recipe(void **state) {
    expect("c5 fd fe 07", "load u1 < rdi; load u2 < rdi; "
                          "simd xmm0l xmm0h < xmm0l xmm0h u1 u2"); /* vpaddd ymm0, ymm0, [rdi] */
    expect("c5 fe 7f 07", "simd u3 < xmm0l xmm0h; store < rdi u3; store < rdi u3"); /* vmovdqu */
    expect("06", "system !before !after"); /* no instruction in 64-bit mode */
}

static void check_registers(const uint8_t *registers, unsigned most) {
    bool ended = false;
    for (unsigned i = 0; i < most; i++) {
        assert_true(registers[i] < REGISTERS);
        assert_false(ended && registers[i] != REGISTER_NONE);
        ended |= registers[i] == REGISTER_NONE;
    }
}

/* Whatever the bytes are, the result is one that a core can work with. */
static void test_any_bytes(void **state) {
    uint64_t random = 1;
    for (unsigned round = 0; round < 500000; round++) {
        uint8_t bytes[15];
        for (unsigned i = 0; i < sizeof bytes; i++) {
            random = random * 6364136223846793005 + 1442695040888963407;
            bytes[i] = (uint8_t)(random >> 56);
        }
        if (round % 2)
            bytes[0] = 0x0f;
        unsigned size = 1 + round % sizeof bytes, branches = 0;
        struct instruction instruction;
        decode_instruction(bytes, size, HERE, &instruction, ops);
        assert_in_range(instruction.micro_op_count, 1, DECODE_MOST);
        assert_in_range(instruction.length, 1, size);
        for (unsigned i = 0; i < instruction.micro_op_count; i++) {
            assert_true(ops[i].op_class < OP_CLASSES);
            check_registers(ops[i].source, MICRO_SOURCES);
            check_registers(ops[i].destination, MICRO_DESTINATIONS);
            branches += ops[i].flags & MICRO_BRANCH ? 1 : 0;
            bool plain = !(ops[i].flags & ~MICRO_PLAIN) && ops[i].op_class != OP_NOTHING &&
                         ops[i].op_class != OP_LOAD && ops[i].op_class != OP_STORE &&
                         ops[i].source[2] == REGISTER_NONE;
            assert_int_equal(!!(ops[i].flags & MICRO_PLAIN), plain);
        }
        assert_true(branches <= 1);
        assert_true(instruction.branch == BRANCH_NONE || branches == 1);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arithmetic),
        cmocka_unit_test(test_parts_of_registers),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_atomics),
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_shifts_and_bits),
        cmocka_unit_test(test_multiplication_and_division),
        cmocka_unit_test(test_stack),
        cmocka_unit_test(test_branches),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_vector_moves),
        cmocka_unit_test(test_vector_integers),
        cmocka_unit_test(test_floating_point),
        cmocka_unit_test(test_system),
        cmocka_unit_test(test_without_recipe),
        cmocka_unit_test(test_any_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
