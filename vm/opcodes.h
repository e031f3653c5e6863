// SPDX-License-Identifier: MIT
//
// opcodes.h: the instruction set. The enum, the names, the disassembler and the dispatch table all come from
// LG_OPCODES.
//
// An instruction is 64 bits:  op:8  A:8  B:16  C:16  X:16;  J is the signed 32 bits of C and X together.
// R[n] register, K[n] constant, U[n] upvalue cell, sB/sC/sX the field read as signed 16 bits.
// RK(C): C < 256 is R[C], otherwise K[C-256]. Jumps are relative to the *next* instruction.
//
// Invariants the code generator keeps and the interpreter relies on:
//  - every backward jump is OP_LOOP, OP_FORLOOP or OP_TFORLOOP (the safepoints); all other jumps go forward;
//  - a captured local's register holds a Cell (TAG_INTERNAL); only NEWCELL, GETCELL, SETCELL, CLOSURE (capturing)
//    and MOVE-free code touch such a register. Parameters are wrapped by NEWCELL at function entry, and a captured
//    local gets a *fresh* cell each time its declaration is executed (each iteration of a loop);
//  - temporaries are allocated like a stack: at a call, all live registers are below A;
//  - X of the field instructions is a hint for the hash node index, that of CALL one for the quick half of a C function
//    (quick.h): a racy 16-bit cell, written by any worker at any time, always verified. The code generator leaves it 0;
//  - an instruction that may call a metamethod leaves its result to interp_finish (interp.c) when the metamethod
//    is a Lua function, so it must be restartable from (op, operands) alone.
#ifndef LUNGO_VM_OPCODES_H
#define LUNGO_VM_OPCODES_H

#include <stdint.h>

typedef uint64_t Instr;

// The table is laid out by hand.
// clang-format off
// X(name, format, meaning). Formats: see opcodes.c (disassembler).
#define LG_OPCODES(X)                                                                                                  \
  X(MOVE, AB)       /* R[A] = R[B] */                                                                                  \
  X(LOADK, AJ)      /* R[A] = K[J] */                                                                                  \
  X(LOADI, AJ)      /* R[A] = integer J */                                                                             \
  X(LOADF, AJ)      /* R[A] = float J */                                                                               \
  X(LOADNIL, AB)    /* R[A .. A+B] = nil (B+1 registers) */                                                            \
  X(LOADFALSE, A)   /* R[A] = false */                                                                                 \
  X(LOADTRUE, A)    /* R[A] = true */                                                                                  \
  X(GETUPVAL, AB)   /* R[A] = U[B] */                                                                                  \
  X(SETUPVAL, AB)   /* U[B] = R[A] */                                                                                  \
  X(NEWCELL, A)     /* R[A] = new cell holding R[A] */                                                                 \
  X(GETCELL, AB)    /* R[A] = value of the cell in R[B] */                                                             \
  X(SETCELL, AB)    /* cell in R[A] = R[B] */                                                                          \
  X(GETTABUP, ABCX) /* R[A] = U[B][K[C]] (K[C] interned string) */                                                     \
  X(SETTABUP, ABCX) /* U[A][K[B]] = RK(C) */                                                                           \
  X(GETTABLE, ABC)  /* R[A] = R[B][R[C]] */                                                                            \
  X(GETI, ABC)      /* R[A] = R[B][C] (unsigned integer C) */                                                          \
  X(GETFIELD, ABCX) /* R[A] = R[B][K[C]] (K[C] interned string) */                                                     \
  X(SETTABLE, ABC)  /* R[A][R[B]] = RK(C) */                                                                           \
  X(SETI, ABC)      /* R[A][B] = RK(C) (unsigned integer B) */                                                         \
  X(SETFIELD, ABCX) /* R[A][K[B]] = RK(C) */                                                                           \
  X(NEWTABLE, ABJ)  /* R[A] = {}; B: 0 or log2(hash size)+1; J: array size */                                          \
  X(SELF, ABCX)     /* R[A+1] = R[B]; R[A] = R[B][K[C]] (K[C] interned string) */                                      \
  X(SELFCALL, ABCX) /* SELF, always followed by CALL A with B = 2: may do its work, too, and pass it */                \
  X(SELFCALLI, ABCX) /* SELF, always followed by LOADI to A+2 and CALL A with B = 3: likewise */                       \
  X(UPSELFCALL, AB)  /* GETUPVAL, always followed by SELFCALL with A and B = A: may do all three */                    \
  X(ADD, ABC)                                                                                                          \
  X(SUB, ABC) X(MUL, ABC) X(MOD, ABC) X(POW, ABC) X(DIV, ABC) X(IDIV, ABC) X(BAND, ABC) X(BOR, ABC) X(BXOR, ABC)       \
      X(SHL, ABC) X(SHR, ABC) /* R[A] = R[B] op R[C] */                                                                \
      X(ADDK, ABC) X(SUBK, ABC) X(MULK, ABC) X(MODK, ABC) X(POWK, ABC) X(DIVK, ABC) X(IDIVK, ABC) X(BANDK, ABC)        \
          X(BORK, ABC) X(BXORK, ABC) X(SHLK, ABC) X(SHRK, ABC) /* R[A] = R[B] op K[C] (number);                        \
                  X = 1: the source was K[C] op R[B] (only ADD MUL BAND BOR BXOR) */                                   \
      X(ADDI, ABC) /* R[A] = R[B] + sC; X = 1: the source was R[B] - (-sC); X = 2: sC + R[B] */                        \
      X(UNM, AB) X(BNOT, AB) X(NOT, AB) X(LEN, AB) /* R[A] = op R[B] */                                                \
      X(CONCAT, ABC)            /* R[A] = R[B] .. R[B+1] .. ... .. R[B+C-1]; A <= B or A anything; registers from B on \
                                   are temporaries and are overwritten */                                              \
      X(CLOSE, A)               /* run to-be-closed variables (not defers) of registers >= A */                        \
      X(TBC, A)                 /* mark R[A] to be closed */                                                           \
      X(JMP, J)                 /* pc += J (forward) */                                                                \
      X(LOOP, AJ)               /* pc += J (backward), where registers from A on mean nothing; safepoint */            \
      X(JT, AJ)                 /* if R[A] is truthy: pc += J */                                                       \
      X(JF, AJ)                 /* if R[A] is falsy: pc += J */                                                        \
      X(JTSET, ABJ)             /* if R[B] is truthy: R[A] = R[B], pc += J */                                          \
      X(JFSET, ABJ)             /* if R[B] is falsy: R[A] = R[B], pc += J */                                           \
      X(JEQ, ABJ) X(JNE, ABJ)   /* if (R[A] == R[B]) / not: pc += J */                                                 \
      X(JEQK, ABJ) X(JNEK, ABJ) /* if (R[A] == K[B]) / not: pc += J (raw: K is nil, bool, number or string) */         \
      X(JLT, ABJ) X(JNLT, ABJ)  /* if (R[A] < R[B]) / not: pc += J */                                                  \
      X(JLE, ABJ) X(JNLE, ABJ)  /* if (R[A] <= R[B]) / not: pc += J */                                                 \
      X(JLTI, ABJ) X(JNLTI, ABJ) X(JLEI, ABJ) X(JNLEI, ABJ) /* R[A] op sB (integer) */                                 \
      X(JGTI, ABJ) X(JNGTI, ABJ) X(JGEI, ABJ) X(JNGEI, ABJ) /* R[A] op sB; the source may be either order */           \
      X(CALL, ABCX)    /* R[A], ... = R[A](R[A+1], ...); B-1 arguments (B=0: up to top); C-1 results (C=0: all,        \
                          sets top) */                                                                                 \
      X(TAILCALL, ABC) /* return R[A](R[A+1], ...); B as in CALL; X = 1: function has to-be-closed or defer            \
                          (then the code generator emits CALL + RETURN instead, so X is always 0) */                   \
      X(RETURN, ABX)   /* return R[A .. A+B-2] (B=0: up to top); X bit 0: the function may have tbc or defer           \
                          entries: close them first (instruction restarts until none is left) */                       \
      X(RETURN0, NONE) /* return (function without tbc/defer, not vararg) */                                           \
      X(RETURN1, A)    /* return R[A] (same condition) */                                                              \
      X(FORPREP, AJ)   /* prepare R[A]=init R[A+1]=limit R[A+2]=step; if no iteration: pc += J (past FORLOOP);         \
                          sets R[A+3] */                                                                               \
      X(FORLOOP, AJ)   /* step; if it goes on: R[A+3] = index, pc += J (backward), where registers from A+4 on mean    \
                          nothing; safepoint */                                                                        \
      X(TFORPREP, AJ)  /* mark R[A+3] to be closed if not nil/false; pc += J (to TFORCALL) */                          \
      X(TFORCALL, AC)  /* R[A+4 .. A+3+C] = R[A](R[A+1], R[A+2]); always followed by TFORLOOP */                       \
      X(TFORLOOP, ABJ) /* if R[A+4] ~= nil: R[A+2] = R[A+4], pc += J (backward), where registers from A+4+B on mean    \
                          nothing (B: number of variables); safepoint */                                               \
      X(SETLIST, ABJ)  /* R[A][J+i] = R[A+i], 1 <= i <= B (B=0: up to top) */                                          \
      X(CLOSURE, AJ)   /* R[A] = closure(P[J]) */                                                                      \
      X(VARARG, AC)    /* R[A .. A+C-2] = varargs (C=0: all, sets top) */                                              \
      X(VARARGPREP, A) /* first instruction of a vararg function with A fixed parameters */                            \
      X(GO, AB)        /* start goroutine R[A](R[A+1] .. R[A+B-1]) (B=0: up to top) */                                 \
      X(DEFER, AB)     /* at function end call R[A](R[A+1] .. R[A+B-1]) (B=0: up to top) */                            \
      X(SEND, AC)      /* send RK(C) on channel R[A] */                                                                \
      X(RECV, AB)      /* R[A] = receive from R[B] */                                                                  \
      X(RECV2, AB)     /* R[A], R[A+1] = receive from R[B] (value, ok) */                                              \
      X(SELECT, ABC)   /* cases i = 0..B-1: channel in R[A+2i], value to send in R[A+2i+1]; C = 1: has default.        \
                          Followed by B (+1 with default) SELCASE instructions, one per case, default last.            \
                          After the choice: R[A], R[A+1] = value, ok (recv cases); pc = that SELCASE */                \
      X(SELCASE, AJ)   /* A = 1: case sends; 0: receives (or default). Executed: pc += J */

// clang-format on

enum Opcode {
#define X(name, format) OP_##name,
  LG_OPCODES(X)
#undef X
      OP_COUNT
};

#define INSTR_OP(i) ((uint8_t)(i))
#define INSTR_A(i) ((uint8_t)((i) >> 8))
#define INSTR_B(i) ((uint16_t)((i) >> 16))
#define INSTR_C(i) ((uint16_t)((i) >> 32))
#define INSTR_X(i) ((uint16_t)((i) >> 48))
#define INSTR_SB(i) ((int16_t)((i) >> 16))
#define INSTR_SC(i) ((int16_t)((i) >> 32))
#define INSTR_J(i) ((int32_t)((i) >> 32))
#define MK_ABCX(op, a, b, c, x)                                                                                        \
  ((Instr)(op) | (Instr)(uint8_t)(a) << 8 | (Instr)(uint16_t)(b) << 16 | (Instr)(uint16_t)(c) << 32 |                  \
   (Instr)(uint16_t)(x) << 48)
#define MK_ABJ(op, a, b, j)                                                                                            \
  ((Instr)(op) | (Instr)(uint8_t)(a) << 8 | (Instr)(uint16_t)(b) << 16 | (Instr)(uint32_t)(j) << 32)

#define MAX_REGS 250 // registers of one function (and RK(C) splits at 256)
#define RK_CONST 256 // RK operands from here on are constants
#define MAX_RKINDEX (65535 - RK_CONST)

extern const char *const opcode_names[OP_COUNT];

#endif
