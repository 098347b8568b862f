/*
 * Page tables of unit tests are those of Sv39: nothing in its format depends on
 * the computer that looks at it.
 */
#include "../../../kernel/arch/riscv/pte.h"
#include "levels.h"
